// The step that keeps one way in: an account on the exception list, which stays with its password.

import { html, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { field, note } from "../parts.js";
import { SetupStep } from "./setup-step.js";

@customElement("azure-sso-setup-emergency")
export class SetupEmergency extends SetupStep {
  @state() private faults: { email?: string; reason?: string } = {};

  private get api() {
    return this.context.api;
  }

  protected override render(): TemplateResult {
    const words = this.words.setup.emergency;
    const exceptions = this.words.exceptions;
    const { count, exact } = this.context.overview!.exceptions;
    const on = () => this.context.go("setup/confirm");
    if (count || this.context.readonly)
      return html`${this.heading("emergency", words.title)}
        <p>${words.text}</p>
        ${note("plain", count ? "ok" : "off", html`<p>${words.has(count, exact)} <a href=${this.context.href("exceptions")}>${exceptions.title}</a></p>`)}
        ${this.foot(this.main(this.words.next, on), "setup/connected")}`;
    return html`${this.heading("emergency", words.title)}
      <p>${words.text}</p>
      <form class="stack wide" id="emergency" novalidate @submit=${(event: SubmitEvent) => void this.keep(event)}>
        ${field({ id: "emergency-email", label: exceptions.email, hint: words.emailHint, fault: this.faults.email }, ({ described, invalid }) =>
          html`<input id="emergency-email" name="email" type="email" autocomplete="off" maxlength="320" aria-describedby=${described} aria-invalid=${invalid} />`)}
        ${field({ id: "emergency-reason", label: exceptions.reason, hint: words.reasonHint, fault: this.faults.reason }, ({ described, invalid }) =>
          html`<input id="emergency-reason" name="reason" maxlength="500" autocomplete="off" .defaultValue=${exceptions.emergencyReason} aria-describedby=${described} aria-invalid=${invalid} />`)}
      </form>
      ${this.foot(html`<button class="btn main" part="button primary" form="emergency" aria-disabled=${Boolean(this.busy)}>${words.add}</button>`, "setup/connected", html`<button class="btn plain" @click=${on}>${words.without}</button>`)}`;
  }

  private async keep(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const words = this.words.exceptions;
    const form = new FormData(event.target as HTMLFormElement);
    const [email, reason] = [String(form.get("email")).trim(), String(form.get("reason")).trim()];
    this.faults = { ...(email ? (email.includes("@") ? {} : { email: words.noAt }) : { email: words.noEmail }), ...(reason ? {} : { reason: words.noReason }) };
    if (!Object.keys(this.faults).length) {
      const kept = await this.change("keep", async () => {
        await this.api.take(this.api.client.POST("/v1/accounts/{accountId}/exceptions", { params: { path: this.api.path }, body: { email, reason, expiresAt: null } }));
      });
      if (kept) {
        this.context.announce("exceptions-changed");
        await this.context.refresh();
        return this.context.go("setup/confirm");
      }
      const problem = this.failed!;
      const of = (name: "email" | "reason") => (problem.of(name) ? { [name]: problem.of(name) } : {});
      this.faults = { ...of("email"), ...of("reason") };
      if (Object.keys(this.faults).length) this.failed = undefined;
    }
    await this.updateComplete;
    this.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }
}
