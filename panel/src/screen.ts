// What all screens have in common: they render into the component's own tree, they load, and they say what went wrong.

import { html, LitElement, nothing, type ReactiveController, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { Problem, type AuditEntry, type Schemas } from "./api.js";
import type { Context } from "./context.js";
import { copyButton, dialog, head, icon, note, timed, type Content } from "./parts.js";
import { actorOf, lastChange, sentence as sentenceOf } from "./trail.js";

/** Somebody changed the same thing first. `last` is what they did, as far as the trail says. */
interface Conflict {
  last: AuditEntry | undefined;
  again: () => Promise<unknown>;
}

export abstract class Screen extends LitElement {
  @property({ attribute: false }) context!: Context;
  /** What comes after the screen's name in the address. */
  @property({ attribute: false }) rest = "";
  /** What has just happened, said where it happened. */
  @state() protected said: Content = nothing;
  /** Why the last change did not take place. */
  @state() protected failed?: Problem | undefined;
  @state() protected busy = "";
  @state() private overtaken?: Conflict | undefined;

  /** In the component's tree: one sheet of styles, and names that parts can refer to. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected get words() {
    return this.context.words;
  }

  protected get format() {
    return this.context.format;
  }

  /** Make a change, and show what came of it; true if it took place. `busy` names it meanwhile. */
  protected async change(name: string, work: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = name;
    this.failed = undefined;
    this.said = nothing;
    try {
      await work();
      return true;
    } catch (error) {
      this.failed = problemOf(error);
      this.context.announce("problem", { status: this.failed.status, number: this.failed.number });
      return false;
    } finally {
      this.busy = "";
    }
  }

  /** Make a change that names the version it is for. If somebody else was faster, read anew, and ask whose is to stay. */
  protected async contested(name: string, kind: Schemas["AuditKind"], work: () => Promise<void>, read: () => Promise<unknown>): Promise<boolean> {
    this.overtaken = undefined;
    if (await this.change(name, work)) return true;
    if (!(this.failed as Problem | undefined)?.stale) return false;
    const [last] = await Promise.all([lastChange(this.context, { kind }), read()]);
    this.failed = undefined;
    this.overtaken = { last, again: () => this.contested(name, kind, work, read) };
    return false;
  }

  private conflictDialog({ last, again }: Conflict): TemplateResult {
    const words = this.words.policy;
    const close = () => (this.overtaken = undefined);
    return dialog(
      "h-conflict",
      words.conflictTitle(last ? actorOf(this.words, last.actor) : this.words.somebody, last ? this.format.ago(last.at) : ""),
      html`${last ? html`<p>${actorOf(this.words, last.actor)} ${sentenceOf(this.context, last)}</p>` : nothing}
        <p>${words.conflictText} ${words.conflictNow}</p>`,
      html`<button class="btn" autofocus @click=${close}>${words.takeTheirs}</button>
        <button class="btn main" @click=${() => void again()}>${words.keepMine}</button>`,
      close,
    );
  }

  /** What was said of the last change: that it took place, or why not, or that somebody was faster. */
  protected outcome(): Content {
    if (this.overtaken) return this.conflictDialog(this.overtaken);
    if (this.failed) return problemNote(this.context, this.failed);
    return html`<div role="status" class="wide">${this.said === nothing ? nothing : html`<p class="said st">${icon("ok")}<span>${this.said}</span></p>`}</div>`;
  }
}

/** Reads what a screen shows, keeps it while it is read again, and knows how old it is. */
export class Load<T> implements ReactiveController {
  value?: T;
  problem?: Problem | undefined;
  at = "";
  private running = 0;
  private timer?: ReturnType<typeof setTimeout>;

  constructor(
    private readonly host: Screen,
    private readonly read: () => Promise<T>,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    void this.run();
  }

  hostDisconnected(): void {
    clearTimeout(this.timer);
    this.running += 1;
  }

  async run(): Promise<void> {
    clearTimeout(this.timer);
    const turn = (this.running += 1);
    try {
      await this.host.updateComplete;
      const value = await this.read();
      if (turn !== this.running) return;
      this.value = value;
      this.problem = undefined;
      this.at = new Date().toISOString();
    } catch (error) {
      if (turn !== this.running) return;
      this.problem = problemOf(error);
      this.host.context.announce("problem", { status: this.problem.status, number: this.problem.number });
      const seconds = waitOf(this.problem);
      if (seconds) this.timer = setTimeout(() => void this.run(), seconds * 1000);
    }
    this.host.requestUpdate();
  }

  /** The screen, or what stands for it while it loads and when it cannot be loaded. */
  show(context: Context, what: string, bones: TemplateResult, done: (value: T) => TemplateResult): TemplateResult {
    if (this.value !== undefined) {
      return html`${this.problem ? oldNote(context, this.at) : nothing}${done(this.value)}`;
    }
    if (this.problem) return problemPage(context, this.problem, () => void this.run());
    return html`<section class="screen stack loose waits" aria-busy="true"><p class="vh" role="status">${context.words.loading(what)}</p>${bones}</section>`;
  }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem("problem", 500);
}

/** The seconds after which a read is repeated by itself; 0 for never. */
export function waitOf(problem: Problem): number {
  const temporary = problem.reason === "unreachable" || problem.status === 503 || problem.status === 429;
  return temporary ? Math.min(60, problem.retryAfter || 20) : 0;
}

function sentence(context: Context, problem: Problem): string {
  const words = context.words.problem;
  if (problem.reason === "unreachable") return words.unreachable;
  if (problem.reason === "origin") return words.origin(location.origin);
  if (problem.reason === "token" || problem.status === 401) return words.token;
  if (problem.status === 503) return words.unavailable;
  return problem.status >= 500 || !problem.detail ? words.internal : problem.detail;
}

const number = (context: Context, problem: Problem) =>
  problem.number
    ? html`<span class="row"><code>${problem.number}</code>${copyButton(context, problem.number, context.words.problem.numberLabel)}</span>`
    : nothing;

/** Instead of a screen that cannot be shown. */
export function problemPage(context: Context, problem: Problem, retry: () => void): TemplateResult {
  const words = context.words.problem;
  const page = (title: string, text: Content, more: Content, sort: "bad" | "off" = "bad") =>
    html`<section class="screen stack loose" part="screen" aria-labelledby="h-problem">${head("h-problem", title, text, nothing, sort)}${more}</section>`;
  if (problem.reason === "token" || problem.status === 401)
    return page(words.tokenTitle, words.token, html`<div class="row"><button class="btn main" @click=${retry}>${context.words.retry}</button></div>`, "off");
  if (problem.reason === "origin") return page(words.originTitle, words.origin(location.origin), nothing);
  if (problem.status === 403)
    return page(words.forbiddenTitle, words.forbidden, html`<p><strong>${words.forbiddenWho}</strong> ${words.forbiddenHow}</p>`, "off");
  if (problem.status === 404)
    return page(words.missingTitle, words.missing, html`<div class="row"><code>${context.api.account}</code>${copyButton(context, context.api.account)}</div>`, "off");
  const wait = waitOf(problem);
  return page(
    words.title,
    `${sentence(context, problem)} ${words.unchanged}`,
    html`<div class="row" role="status">
        <button class="btn main" @click=${retry}>${context.words.retry}</button>
        ${wait ? html`<span class="muted">${words.soon(wait)}</span>` : nothing}
      </div>
      ${problem.number
        ? html`<section class="stack tight" aria-labelledby="h-number">
            <h4 id="h-number">${words.numberTitle}</h4>
            <p>${words.number}</p>
            ${number(context, problem)}
          </section>`
        : nothing}`,
  );
}

/** Above what was read before, while it cannot be read again. */
export const oldNote = (context: Context, at: string) =>
  note("warn", "warn", html`<p>${timed(context, at, context.format.ago(at), context.words.problem.old)}</p>`, "status");

/** Beside what did not work. A change that was answered with 5xx may have taken place, and says so. */
export function problemNote(context: Context, problem: Problem): TemplateResult {
  const words = context.words.problem;
  const unsure = problem.status >= 500 || problem.reason === "unreachable";
  return note(
    "bad",
    "bad",
    html`<p><strong>${words.short}</strong> ${sentence(context, problem)}${unsure ? ` ${words.unsure}` : ""}</p>
      ${number(context, problem)}`,
    "alert",
  );
}
