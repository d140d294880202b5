// A CSV file: check what it would change, send it in parts, and report what was left out.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { Entry } from "../api.js";
import type { Kind, Line, Listed } from "../csv.js";
import { head, icon, note, status } from "../parts.js";
import { save } from "../save.js";
import { problemOf, problemNote, Screen } from "../screen.js";

interface Left {
  line: Line;
  why: string;
}

interface Progress {
  done: number;
  all: number;
  stored: number;
  left: Left[];
  remarks: string[];
  state: "running" | "stopping" | "done" | "stopped" | "broken";
}

const PART = 98; // one transaction of the store, and no more than the faults that one answer lists
const SHOWN = 100;

/** What reads CSV is loaded when a file is chosen, by a second request. */
const csv = () => import("../csv.js");
const KINDS: Kind[] = ["add", "change", "same", "bad"];

@customElement("azure-sso-import")
export class ImportScreen extends Screen {
  @state() private file = "";
  @state() private lines?: readonly Line[] | undefined;
  @state() private wrong?: "noHeader" | "notUtf8" | undefined;
  @state() private kind: Kind | "all" = "all";
  @state() private progress?: Progress | undefined;

  private get api() {
    return this.context.api;
  }

  protected override render(): TemplateResult {
    const content = this.progress ? this.sending(this.progress) : this.lines ? this.preview(this.lines) : this.choose();
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-import">
      <p class="crumb"><a href=${this.context.href("exceptions")}>${this.words.exceptions.title}</a></p>
      ${content}
    </section>`;
  }

  private choose(): TemplateResult {
    const words = this.words.importing;
    return html`${head("h-import", words.title, words.chooseText)} ${this.outcome()}
      ${this.wrong ? note("bad", "bad", html`<p>${words[this.wrong]}</p>`, "alert") : nothing}
      <div class="row">${this.picker(this.busy === "read" ? words.reading : words.choose, "main")}</div>`;
  }

  private picker(label: string, look: string): TemplateResult {
    return html`<label class="btn ${look} file"><input type="file" accept=".csv,text/csv,text/plain" class="vh" @change=${(event: Event) => void this.open(event)} /><span>${label}</span></label>`;
  }

  private preview(lines: readonly Line[]): TemplateResult {
    const words = this.words.importing;
    const counts = Object.fromEntries(KINDS.map((kind) => [kind, lines.filter((each) => each.kind === kind).length])) as Record<Kind, number>;
    const send = lines.filter((each) => each.kind === "add" || each.kind === "change");
    const shown = lines.filter((each) => this.kind === "all" || each.kind === this.kind);
    const [file, text] = words.checkText(this.file, lines.length);
    const sort = counts.bad ? "warn" : "plain";
    return html`${head("h-import", words.checkTitle, html`<strong>${file}</strong>${text}`)}
      <div class="stack wide">
        ${note(sort, counts.bad ? "warn" : "ok", html`<p><strong>${words.ready(send.length)}</strong> ${words.readyText(counts.add, counts.change, counts.same)} ${counts.bad ? html`<strong>${words.bad(counts.bad)}</strong>` : nothing}</p>`)}
        <fieldset><legend class="vh">${words.show}</legend>
          <div class="filter">
            ${(["all", ...KINDS] as const).map((kind) => html`<label><input type="radio" name="kind" .checked=${this.kind === kind} @change=${() => (this.kind = kind)} />${kind === "all" ? words.all : words.kinds[kind]} ${this.format.number(kind === "all" ? lines.length : counts[kind])}</label>`)}
          </div>
        </fieldset>
        ${this.table(shown.slice(0, SHOWN), (line) => this.effect(line), words.happens)}
        ${shown.length > SHOWN ? html`<p class="muted">${words.first(SHOWN, shown.length)}</p>` : nothing}
      </div>
      <div class="bar wide" part="bar">
        <p>${words.effect}</p>
        <div class="row">
          <button class="btn" @click=${() => this.context.go("exceptions")}>${this.words.cancel}</button>
          ${this.picker(words.chooseAnother, "")}
          <button class="btn main" part="button primary" ?disabled=${!send.length} @click=${() => void this.send(send, lines)}>${words.start(send.length)}</button>
        </div>
      </div>`;
  }

  private table(lines: readonly Line[], last: (line: Line) => TemplateResult, title: string): TemplateResult {
    const words = this.words.exceptions;
    return html`<table role="table">
      <caption class="vh">${this.words.importing.title}</caption>
      <thead role="rowgroup"><tr role="row">
        <th scope="col" role="columnheader" class="num">${this.words.importing.line}</th>
        ${[words.email, words.reason, words.ends, title].map((each) => html`<th scope="col" role="columnheader">${each}</th>`)}
      </tr></thead>
      <tbody role="rowgroup">
        ${lines.map((line) => html`<tr role="row">
          <td role="cell" class="num" data-label=${this.words.importing.line}>${line.line}</td>
          <td role="cell">${line.email}</td>
          <td role="cell">${line.reason}</td>
          <td role="cell" data-label=${words.ends}>${line.ends ? this.end(line) : this.words.never}</td>
          <td role="cell">${last(line)}</td>
        </tr>`)}
      </tbody>
    </table>`;
  }

  private end({ ends, fault }: Line): string {
    return fault === "end" || Number.isNaN(Date.parse(ends)) ? ends : this.format.moment(ends);
  }

  private effect({ kind, fault }: Line): TemplateResult {
    const words = this.words.importing;
    if (kind === "bad") return status("bad", words.badWhat(this.why(fault)));
    return kind === "same" ? html`<span class="muted">${words.what.same}</span>` : html`${words.what[kind]}`;
  }

  private why(fault: Line["fault"]): string {
    const words = this.words.importing;
    return { email: words.badEmail, reason: words.badReason, end: words.badEnd, twice: words.badTwice, cells: words.badCells, long: words.badLong, quotes: words.badQuotes }[fault ?? "email"];
  }

  private sending(progress: Progress): TemplateResult {
    const words = this.words.importing;
    const { done, all, state } = progress;
    if (state !== "running" && state !== "stopping") return this.report(progress);
    const percent = Math.floor((done / all) * 10) * 10;
    return html`${head("h-import", words.progressTitle, html`<strong>${this.file}</strong>`)}
      <div class="stack narrow">
        <label for="import-progress">${words.progress(done, all)}</label>
        <progress class="wide" id="import-progress" max=${all} .value=${done}></progress>
        <p class="vh" role="status">${percent} %</p>
        <p>${words.leave}</p>
        <div class="row"><button class="btn" ?disabled=${state === "stopping"} @click=${() => (this.progress = { ...this.progress!, state: "stopping" })}>${words.stop}</button></div>
      </div>`;
  }

  private report({ done, all, stored, left, remarks, state }: Progress): TemplateResult {
    const words = this.words.importing;
    const title = state === "done" ? words.doneTitle(stored, left.length) : words.stoppedTitle(stored, all - done);
    const whys = new Map(left.map((each) => [each.line, each.why]));
    const why = (line: Line) => whys.get(line) ?? "";
    const download = async () => {
      const { writeCsv } = await csv();
      const text = writeCsv([...whys.keys()], { title: words.why, of: why });
      save(new Blob(["\ufeff", text], { type: "text/csv" }), `left-out-${this.file}`);
    };
    return html`${head("h-import", title, words.doneText, nothing, state === "done" && !left.length ? "ok" : "warn")}
      ${state === "broken" ? html`${note("warn", "warn", html`<p>${words.brokenText}</p>`, "alert")}${this.failed ? problemNote(this.context, this.failed) : nothing}` : nothing}
      <div class="row">
        <button class="btn main" @click=${() => this.context.go("exceptions")}>${words.toList}</button>
        ${left.length ? html`<button class="btn" @click=${download}>${words.download}</button><span class="muted">${words.downloadHint}</span>` : nothing}
      </div>
      ${left.length
        ? html`<section class="stack tight" aria-labelledby="h-left"><h4 id="h-left">${words.leftOut}</h4>
            ${this.table(left.slice(0, SHOWN).map((each) => each.line), (line) => html`${why(line)}`, words.why)}
            ${left.length > SHOWN ? html`<p class="muted">${words.first(SHOWN, left.length)}</p>` : nothing}</section>`
        : nothing}
      ${remarks.length
        ? html`<section class="stack tight" aria-labelledby="h-remarks"><h4 id="h-remarks">${words.remarks}</h4>
            <ul class="todo" role="list">${remarks.map((each) => html`<li>${icon("warn")}<p>${each}</p></li>`)}</ul></section>`
        : nothing}`;
  }

  private async open(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (!file) return;
    await this.change("read", async () => {
      const [{ readCsv, textOf }, bytes, listed] = await Promise.all([csv(), file.arrayBuffer(), this.listed()]);
      const text = textOf(bytes);
      const lines = text === null ? null : readCsv(text, listed);
      this.file = file.name;
      this.wrong = text === null ? "notUtf8" : lines ? undefined : "noHeader";
      this.lines = lines ?? undefined;
      this.kind = "all";
    });
    input.value = "";
    this.querySelector<HTMLElement>("h3")?.focus();
  }

  /** The list as it is, by one export; so the preview is exact for a list of any length. */
  private async listed(): Promise<ReadonlyMap<string, Listed>> {
    const { value } = await this.api.take(
      this.api.client.GET("/v1/accounts/{accountId}/exceptions", { params: { path: this.api.path }, headers: { Accept: "text/csv" }, parseAs: "text" }),
    );
    const { readCsv } = await csv();
    const lines = readCsv(value as unknown as string, new Map()) ?? [];
    return new Map(lines.map((each) => [each.email.toLowerCase(), { reason: each.reason, ends: each.ends }]));
  }

  private async send(send: readonly Line[], lines: readonly Line[]): Promise<void> {
    const left = lines.filter((each) => each.kind === "bad").map((line) => ({ line, why: this.why(line.fault) }));
    this.progress = { done: 0, all: send.length, stored: 0, left, remarks: [], state: "running" };
    this.context.guard(() => confirm(this.words.importing.leaveQuestion));
    this.failed = undefined;
    try {
      for (let from = 0; from < send.length && this.progress.state === "running" && this.isConnected; from += PART) await this.sendPart(send.slice(from, from + PART));
      const state = this.progress.done < send.length ? "stopped" : "done";
      this.progress = { ...this.progress, state };
    } catch (error) {
      this.failed = problemOf(error);
      this.progress = { ...this.progress, state: "broken" };
    }
    this.context.guard(null);
    this.context.announce("exceptions-changed", { stored: this.progress.stored });
    void this.context.refresh();
  }

  private async sendPart(lines: readonly Line[]): Promise<void> {
    const { value } = await this.api.take(
      this.api.client.POST("/v1/accounts/{accountId}/exceptions", {
        params: { path: this.api.path },
        body: lines.map(({ email, reason, ends }) => ({ email, reason, expiresAt: ends || null })) as Entry[],
      }),
    );
    const report = value as { accepted: number; problems: { line: number; detail: string }[]; warnings: { line: number; detail: string }[] };
    const progress = this.progress!;
    this.progress = {
      ...progress,
      done: progress.done + lines.length,
      stored: progress.stored + report.accepted,
      left: [...progress.left, ...report.problems.map(({ line, detail }) => ({ line: lines[line - 1]!, why: detail }))],
      remarks: [...new Set([...progress.remarks, ...report.warnings.map((each) => each.detail)])],
    };
  }
}
