// One exception: who, why, until when. Faults stand beside their fields; a change that somebody else made is shown first.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { Problem, type AuditEntry, type Entry, type Versioned } from "../api.js";
import { dialog, field, type Content } from "../parts.js";
import { problemNote, Screen } from "../screen.js";
import { actorOf, lastChange } from "../trail.js";

type Faults = Partial<Record<"email" | "reason" | "expiresAt", string>>;

@customElement("azure-sso-exception")
export class ExceptionDialog extends Screen {
  /** The entry to change; none to add one. */
  @property({ attribute: false }) entry?: Entry | undefined;
  @property({ attribute: false }) emergency = false;
  @state() private faults: Faults = {};
  @state() private onDay = false;
  @state() private theirs?: Versioned<Entry> | undefined;
  private seen?: Versioned<Entry> | undefined;
  /** Who changed it, as far as the trail says. */
  private last?: AuditEntry | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.onDay = Boolean(this.entry?.expiresAt);
  }

  private get api() {
    return this.context.api;
  }

  protected override render(): TemplateResult {
    const words = this.words.exceptions;
    const editing = this.entry;
    return dialog(
      "h-exception",
      editing ? words.editTitle(editing.email) : words.addTitle,
      this.form(editing),
      html`<button class="btn" @click=${() => this.close()}>${this.words.cancel}</button>
        <button class="btn main" form="exception" aria-disabled=${this.busy === "save"}>${editing ? this.words.save : words.add}</button>`,
      () => this.close(),
    );
  }

  private form(editing?: Entry): TemplateResult {
    const words = this.words.exceptions;
    const count = Object.keys(this.faults).length;
    return html`<form class="stack wide" id="exception" novalidate @submit=${(event: SubmitEvent) => this.submit(event)}>
      <div role="alert" class="wide">${count ? html`<p>${words.notYet(count)}</p>` : this.failed ? problemNote(this.context, this.failed) : nothing}${this.theirs ? this.conflict(this.theirs.value) : nothing}</div>
      ${editing
        ? nothing
        : field({ id: "exception-email", label: words.email, fault: this.faults.email, hint: words.emailHint }, ({ described, invalid }) =>
            html`<input id="exception-email" name="email" type="email" autocomplete="off" maxlength="320" autofocus aria-describedby=${described} aria-invalid=${invalid} />`)}
      ${field({ id: "exception-reason", label: words.reason, fault: this.faults.reason, hint: words.reasonHint }, ({ described, invalid }) =>
        html`<input id="exception-reason" name="reason" autocomplete="off" maxlength="500" ?autofocus=${Boolean(editing)} .defaultValue=${editing?.reason ?? (this.emergency ? words.emergencyReason : "")} aria-describedby=${described} aria-invalid=${invalid} />`)}
      <fieldset class="wide">
        <legend class="label">${words.ends}</legend>
        ${this.choice("never", this.words.never)} ${this.choice("day", words.onDay)}
        ${this.onDay
          ? field({ id: "exception-day", label: words.lastDay, fault: this.faults.expiresAt, hint: words.lastDayHint(this.format.zone()) }, ({ described, invalid }) =>
              html`<input id="exception-day" name="day" type="date" class="date" .defaultValue=${lastDay(editing?.expiresAt)} aria-describedby=${described} aria-invalid=${invalid} />`)
          : nothing}
      </fieldset>
    </form>`;
  }

  private choice(value: "never" | "day", label: string): TemplateResult {
    const checked = (value === "day") === this.onDay;
    return html`<div class="choice">
      <input type="radio" name="ends" id="exception-ends-${value}" value=${value} .checked=${checked} @change=${() => (this.onDay = value === "day")} />
      <label for="exception-ends-${value}">${label}</label>
    </div>`;
  }

  private conflict(theirs: Entry): TemplateResult {
    const words = this.words.exceptions;
    const end = theirs.expiresAt ? this.format.day(lastMoment(theirs.expiresAt)) : this.words.never;
    return html`<div class="box warn"><div class="stack tight">
      <h4>${this.words.policy.conflictTitle(this.last ? actorOf(this.words, this.last.actor) : this.words.somebody, this.format.ago(theirs.updatedAt))}</h4>
      <p>${words.conflictText}</p>
      <p><strong>${words.theirs}:</strong> ${theirs.reason}; ${words.ends.toLowerCase()}: ${end}</p>
      <div class="row">
        <button type="button" class="btn" @click=${() => this.done(this.words.policy.takeTheirs)}>${this.words.policy.takeTheirs}</button>
        <button type="button" class="btn main" @click=${() => this.keepMine()}>${this.words.policy.keepMine}</button>
      </div>
    </div></div>`;
  }

  private keepMine(): void {
    this.seen = this.theirs;
    this.theirs = undefined;
    this.querySelector<HTMLFormElement>("form")!.requestSubmit();
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const form = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const [email, reason, day] = [this.entry?.email ?? text("email"), text("reason"), text("day")];
    this.faults = this.check(email, reason, day);
    if (Object.keys(this.faults).length) return this.focusFault();
    const expiresAt = this.onDay ? endOf(day) : null;
    const words = this.words.exceptions;
    const saved = await this.change("save", async () => (this.entry ? this.edit(this.entry, reason, expiresAt) : this.add(email, reason, expiresAt)));
    if (saved) return this.done(this.entry ? words.savedNow(email) : [words.addedNow(email), ...this.warnings].join(" "));
    await this.explain();
  }

  private warnings: readonly string[] = [];

  private async add(email: string, reason: string, expiresAt: string | null): Promise<void> {
    const { value } = await this.api.take(
      this.api.client.POST("/v1/accounts/{accountId}/exceptions", { params: { path: this.api.path }, body: { email, reason, expiresAt } }),
    );
    this.warnings = "warnings" in value && "exceptionId" in value ? (value.warnings as string[]) : [];
  }

  private async edit(entry: Entry, reason: string, expiresAt: string | null): Promise<void> {
    const path = { ...this.api.path, exceptionId: entry.exceptionId };
    this.seen ??= await this.api.take(this.api.client.GET("/v1/accounts/{accountId}/exceptions/{exceptionId}", { params: { path } }));
    if (this.seen.value.updatedAt !== entry.updatedAt && this.seen !== this.accepted) throw new Problem("problem", 412);
    const params = { path, header: { "If-Match": this.seen.etag } };
    await this.api.take(this.api.client.PATCH("/v1/accounts/{accountId}/exceptions/{exceptionId}", { params, body: { reason, expiresAt } }));
  }

  /** Their version, once this person has seen it and keeps their own. */
  private accepted?: Versioned<Entry> | undefined;

  /** Put what the service said beside its field, or show what somebody else did. */
  private async explain(): Promise<void> {
    const problem = this.failed!;
    if (problem.stale && this.entry) {
      this.failed = undefined;
      const path = { ...this.api.path, exceptionId: this.entry.exceptionId };
      await this.change("theirs", async () => {
        this.theirs = await this.api.take(this.api.client.GET("/v1/accounts/{accountId}/exceptions/{exceptionId}", { params: { path } }));
        this.accepted = this.theirs;
        this.last = await lastChange(this.context, { kind: "exception", email: this.theirs.value.email });
        this.requestUpdate();
      });
      return;
    }
    const faults: Faults = {};
    for (const name of ["email", "reason", "expiresAt"] as const) if (problem.of(name)) faults[name] = problem.of(name);
    if (problem.status === 409) faults.email = problem.detail;
    if (Object.keys(faults).length) {
      this.failed = undefined;
      this.faults = faults;
      this.focusFault();
    }
  }

  private check(email: string, reason: string, day: string): Faults {
    const words = this.words.exceptions;
    const faults: Faults = {};
    if (!email) faults.email = words.noEmail;
    else if (!email.includes("@")) faults.email = words.noAt;
    if (!reason) faults.reason = words.noReason;
    if (this.onDay && !day) faults.expiresAt = words.noDay;
    else if (this.onDay && new Date(endOf(day)) <= new Date()) faults.expiresAt = words.pastDay;
    return faults;
  }

  private focusFault(): void {
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  }

  private close(): void {
    this.dispatchEvent(new CustomEvent("closed"));
  }

  private done(said: Content): void {
    this.dispatchEvent(new CustomEvent("done", { detail: { said } }));
  }
}

/** The end of a day here, as the API takes it. */
function endOf(day: string): string {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year!, month! - 1, date! + 1).toISOString();
}

function lastMoment(expiresAt: string): string {
  return new Date(new Date(expiresAt).getTime() - 1000).toISOString();
}

function lastDay(expiresAt: string | null | undefined): string {
  if (!expiresAt) return "";
  const at = new Date(lastMoment(expiresAt));
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
}
