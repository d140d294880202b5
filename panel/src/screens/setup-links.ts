// The setup links of an account: how far each has come, and revoking one. Links cannot be shown again.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Schemas } from "../api.js";
import { dialog, icon, timed, type Content, type Sort } from "../parts.js";
import { Load, problemNote, Screen } from "../screen.js";

type SetupLink = Schemas["SetupLinkDocument"];

const SORTS: Record<SetupLink["state"], Sort> = { waiting: "wait", opened: "wait", pressed: "wait", refused: "warn", connected: "ok", ended: "off", revoked: "off", expired: "off" };
const EVERY = 5000;

@customElement("azure-sso-setup-links")
export class SetupLinks extends Screen {
  /** Shows only those by which somebody can still connect the account. */
  @property({ type: Boolean }) open = false;
  private readonly read = new Load<readonly SetupLink[]>(this, async () => {
    const { value } = await this.api.take(this.api.client.GET("/v1/accounts/{accountId}/connection/links", { params: { path: this.api.path } }));
    return value.items;
  });
  @state() private asking?: SetupLink | undefined;
  private timer?: ReturnType<typeof setInterval>;

  private get api() {
    return this.context.api;
  }

  private get shown(): readonly SetupLink[] {
    return (this.read.value ?? []).filter((each) => each.isOpen || !this.open);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => document.hidden || (this.shown.some((each) => each.isOpen) && void this.read.run()), EVERY);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  /** The path around it says of a link without a list what it says of one in it. */
  protected override updated(_: PropertyValues<this>): void {
    if (this.read.value) this.dispatchEvent(new CustomEvent("read", { detail: this.read.value.some((each) => each.isOpen) }));
  }

  protected override render(): TemplateResult | typeof nothing {
    const words = this.words.links;
    if (!this.read.value && this.read.problem) return problemNote(this.context, this.read.problem);
    if (!this.shown.length) return nothing;
    return html`<section class="stack tight" aria-labelledby="h-links">
      <h4 id="h-links">${words.title}</h4>
      ${this.outcome()}
      <ul class="todo" role="list" aria-live="polite">${this.shown.map((each) => this.item(each))}</ul>
      ${this.asking ? this.question(this.asking) : nothing}
    </section>`;
  }

  private item(each: SetupLink): TemplateResult {
    const words = this.words.links;
    const revoke = this.context.readonly || !each.isOpen ? nothing : html`<button class="btn plain danger" @click=${() => (this.asking = each)}>${words.revoke}<span class="vh"> ${this.format.moment(each.createdAt)}</span></button>`;
    const until = each.isOpen ? timed(this.context, each.expiresAt, this.format.moment(each.expiresAt), words.until) : nothing;
    return html`<li>${icon(SORTS[each.state])}
      <div class="ended"><div>
        <div><strong>${words.states[each.state]}</strong> ${this.progress(each)}</div>
        <div class="muted">${timed(this.context, each.createdAt, this.format.moment(each.createdAt), (when) => words.made(when, each.createdBy.name ?? this.words.somebody))} ${each.tenant ? words.forTenant(each.tenant) : nothing} ${until}</div>
      </div>${revoke}</div>
    </li>`;
  }

  /** When that was, and who it was, as far as it is known. */
  private progress(each: SetupLink): Content {
    const words = this.words.links;
    const at = (iso: string | null, say: (when: string) => string) => (iso ? timed(this.context, iso, this.format.ago(iso), say) : nothing);
    const who = each.signedInBy ?? this.words.somebody;
    switch (each.state) {
      case "opened":
        return at(each.openedAt, words.openedAt);
      case "pressed":
        return at(each.pressedAt, (when) => words.pressedAt(this.format.capital(who), when));
      case "refused":
        return html`${at(each.refusedAt, (when) => words.refusedAt(this.format.capital(who), when))} ${each.refusal?.detail ?? ""}`;
      case "connected":
        return at(each.connectedAt, (when) => words.connectedAt(this.format.capital(who), when));
      case "revoked":
        return at(each.revokedAt, (when) => words.revokedAt(this.format.capital(each.revokedBy?.name ?? this.words.somebody), when));
      case "expired":
        return at(each.expiresAt, this.format.capital.bind(this.format));
      default:
        return nothing;
    }
  }

  private question(link: SetupLink): TemplateResult {
    const words = this.words.links;
    const close = () => (this.asking = undefined);
    return dialog(
      "h-revoke",
      words.askTitle,
      html`<p>${words.ask}</p><p class="muted">${words.askHint}</p>`,
      html`<button class="btn" autofocus @click=${close}>${words.keep}</button><button class="btn danger main" @click=${() => void this.revoke(link)}>${words.confirm}</button>`,
      close,
    );
  }

  private async revoke({ linkId }: SetupLink): Promise<void> {
    this.asking = undefined;
    const params = { path: { ...this.api.path, linkId } };
    await this.change("revoke", async () => {
      await this.api.take(this.api.client.DELETE("/v1/accounts/{accountId}/connection/links/{linkId}", { params }));
      this.said = this.words.links.revoked;
      this.context.announce("setup-link-revoked");
    });
    await Promise.all([this.read.run(), this.context.refresh()]);
  }
}
