// The small parts that every screen is made of: status, facts, notes, times, dialogs, and a button that copies.

import { html, nothing, svg, type TemplateResult } from "lit";
import { AsyncDirective } from "lit/async-directive.js";
import { directive, PartType, type ElementPart, type PartInfo } from "lit/directive.js";
import type { Context } from "./context.js";

export type Sort = "ok" | "warn" | "bad" | "wait" | "off" | "ring";
export type Content = string | TemplateResult | typeof nothing;

const SHAPES: Record<Sort, string> = {
  ok: "M8 0a8 8 0 1 1 0 16A8 8 0 0 1 8 0Zm3.3 4.9L7 9.2 4.9 7.1 3.5 8.5 7 12l5.7-5.7-1.4-1.4Z",
  warn: "M8 .6 16 15H0L8 .6ZM7 5.8v4.4h2V5.8H7Zm0 5.6v1.9h2v-1.9H7Z",
  bad: "M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7L4.7 0ZM7 3.5v5.2h2V3.5H7Zm0 6.7v2.1h2v-2.1H7Z",
  wait: "M8 0a8 8 0 1 1 0 16A8 8 0 0 1 8 0Zm0 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm1 2v3.6l2.6 1.5-1 1.7L7 8.7V4h2Z",
  off: "M8 0a8 8 0 1 1 0 16A8 8 0 0 1 8 0Zm0 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM5 7h6v2H5V7Z",
  ring: "M8 0a8 8 0 1 1 0 16A8 8 0 0 1 8 0Zm0 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z",
};

/** A shape that means the same without its colour; what it means stands beside it in words. */
export const icon = (sort: Sort) =>
  html`<svg class="i i-${sort}" viewBox="0 0 16 16" aria-hidden="true">${svg`<path fill-rule="evenodd" d=${SHAPES[sort]}></path>`}</svg>`;

export const status = (sort: Sort, words: Content) => html`<span class="st">${icon(sort)}<span>${words}</span></span>`;

/** The first line of a screen, which is the answer to what it is opened for; and what can be done on all of it. */
export const head = (id: string, title: Content, text: Content = nothing, actions: Content = nothing, sort?: Sort) => html`
  <div class="row apart end wide">
    <div class="head">
      <h3 id=${id} tabindex="-1" class=${sort ? "st" : ""}>${sort ? icon(sort) : nothing}<span>${title}</span></h3>
      ${text === nothing ? nothing : html`<p>${text}</p>`}
    </div>
    ${actions === nothing ? nothing : html`<div class="row">${actions}</div>`}
  </div>
`;

export const fact = (label: Content, ...values: Content[]) =>
  html`<div><dt>${label}</dt>${values.filter((value) => value !== nothing && value !== "").map((value) => html`<dd>${value}</dd>`)}</div>`;

export const time = (context: Context, iso: string, words: string) =>
  html`<time datetime=${iso} title=${context.format.full(iso)}>${words}</time>`;

/** A time that stands alone, and so begins with a capital letter. */
export const timeAlone = (context: Context, iso: string, words: string) =>
  time(context, iso, context.format.capital(words));

/** Words with a time in them: the time keeps its markup, wherever the sentence has it. */
export function timed(context: Context, iso: string, words: string, sentence: (when: string) => string): TemplateResult {
  const [before, after] = sentence("\u0000").split("\u0000");
  return html`${before}${time(context, iso, words)}${after}`;
}

export const note = (sort: "plain" | "warn" | "bad", shape: Sort, content: Content, role?: "alert" | "status") =>
  html`<div class="box ${sort}" role=${role ?? nothing}>${icon(shape)}<div class="stack tight">${content}</div></div>`;

/** An address that may break before its @, as people read it. */
export function address(email: string): TemplateResult {
  const at = email.lastIndexOf("@");
  return at < 1 ? html`${email}` : html`${email.slice(0, at)}<wbr />${email.slice(at)}`;
}

/** `what` is said to those who do not see what the button stands beside. */
export const copyButton = (context: Context, text: string, what = "", label = context.words.copy, look = "plain") =>
  html`<button type="button" class="btn ${look}" @click=${(event: Event) => copy(context, event, text)}>
      <span>${label}</span>${what ? html`<span class="vh"> ${what}</span>` : nothing}</button
    ><span class="vh" role="status"></span>`;

async function copy(context: Context, event: Event, text: string): Promise<void> {
  const button = event.currentTarget as HTMLButtonElement;
  const label = button.querySelector("span")!;
  const said = button.nextElementSibling!;
  const before = label.textContent;
  await navigator.clipboard.writeText(text);
  label.textContent = said.textContent = context.words.copied;
  setTimeout(() => {
    label.textContent = before;
    said.textContent = "";
  }, 2000);
}

export const busyButton = (busy: boolean, label: string, busyLabel: string, look: string, click: () => void) =>
  html`<button type="button" class="btn ${look}" aria-disabled=${busy} @click=${() => busy || click()}>
    ${busy ? busyLabel : label}
  </button>`;

/** Opens a `dialog` as it appears, and gives the focus back when it goes. Escape is the choice that changes nothing. */
class Modal extends AsyncDirective {
  private dialog?: HTMLDialogElement;
  private opener: HTMLElement | null = null;
  private close: () => void = () => undefined;

  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error("modal() belongs on a dialog");
  }

  render(_close: () => void) {
    return nothing;
  }

  override update(part: ElementPart, [close]: [() => void]) {
    this.close = close;
    if (!this.dialog) {
      this.dialog = part.element as HTMLDialogElement;
      this.dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        this.close();
      });
      queueMicrotask(() => {
        const root = this.dialog!.getRootNode() as ShadowRoot;
        this.opener = root.activeElement as HTMLElement | null;
        if (this.dialog!.isConnected) this.dialog!.showModal();
      });
    }
    return nothing;
  }

  override disconnected() {
    const opener = this.opener;
    this.dialog?.close();
    queueMicrotask(() => opener?.isConnected && opener.focus());
  }
}

export const modal = directive(Modal);

/** A question with its answers; `keep` is the answer that changes nothing. */
export const dialog = (id: string, title: Content, content: Content, foot: Content, close: () => void) => html`
  <dialog part="dialog" aria-labelledby=${id} ${modal(close)}>
    <div class="stack">
      <h3 id=${id}>${title}</h3>
      ${content}
      <div class="foot">${foot}</div>
    </div>
  </dialog>
`;

export interface FieldOptions {
  id: string;
  label: string;
  fault?: string | undefined;
  hint?: string | undefined;
}

export const faultNote = (id: string, fault: string) => html`<p class="fault" id=${id}>${icon("bad")}<span>${fault}</span></p>`;

/** A labelled field with its hint and its fault, both of which assistive technology reads with it. */
export const field = (options: FieldOptions, input: (attributes: { described: string | typeof nothing; invalid: "true" | typeof nothing }) => TemplateResult) => {
  const { id, label, fault, hint } = options;
  const described = [hint ? `${id}-hint` : "", fault ? `${id}-fault` : ""].filter(Boolean).join(" ") || nothing;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${input({ described, invalid: fault ? "true" : nothing })}
    ${hint ? html`<p class="muted" id="${id}-hint">${hint}</p>` : nothing}
    ${fault ? faultNote(`${id}-fault`, fault) : nothing}
  </div>`;
};

/** A field to search by; without anything in it, everything is shown again. */
export const searchForm = (options: FieldOptions & { find: string; type?: string }, find: (wanted: string) => void) => {
  const submit = (event: Event) => {
    event.preventDefault();
    find(String(new FormData(event.currentTarget as HTMLFormElement).get("wanted") ?? "").trim());
  };
  const cleared = (event: Event) => (event.target as HTMLInputElement).value || find("");
  return html`<form class="search" role="search" novalidate @submit=${submit}>
    ${field(options, ({ described, invalid }) => html`<input id=${options.id} name="wanted" type="search" inputmode=${options.type ?? nothing} autocomplete="off" maxlength="200" aria-describedby=${described} aria-invalid=${invalid} @search=${cleared} />`)}
    <button class="btn">${options.find}</button>
  </form>`;
};

export const bone = (width: number) => html`<span class="sk w-${width}"></span>`;

/** The shape of a list that is on its way. */
export const tableBones = (columns: number[], rows = 6) => html`
  <table aria-hidden="true" class="bones">
    <tbody>
      ${Array.from({ length: rows }, () => html`<tr>${columns.map((width) => html`<td>${bone(width)}</td>`)}</tr>`)}
    </tbody>
  </table>
`;
