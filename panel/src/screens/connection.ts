// Which tenant, who connected it, does it work?

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { Connection, Versioned } from "../api.js";
import { bone, busyButton, copyButton, dialog, fact, head, status, timeAlone, timed, type Content, type Sort } from "../parts.js";
import { Load, Screen } from "../screen.js";
import "./setup-links.js";

const SORTS: Record<Connection["status"], Sort> = { connected: "ok", pending: "wait", consent_revoked: "bad", disconnected: "off" };
const EVERY = 5000;
/** In the connected tenant, whichever is the administrator's own: a page of this service there, or the list if it is not known. */
const inEntra = ({ tenantId, servicePrincipal: of }: Connection, page: "Users" | "Permissions") =>
  `https://entra.microsoft.com/${tenantId}/#view/Microsoft_AAD_IAM/${of ? `ManagedAppMenuBlade/~/${page}/objectId/${of.objectId}/appId/${of.appId}` : "StartboardApplicationsMenuBlade/~/AppAppsPreview"}`;

@customElement("azure-sso-connection")
export class ConnectionScreen extends Screen {
  private readonly read = new Load<Versioned<Connection>>(this, () =>
    this.api.take(this.api.client.GET("/v1/accounts/{accountId}/connection", { params: { path: this.api.path } })),
  );
  @state() private asking?: "disconnect" | "keep" | undefined;
  private timer?: ReturnType<typeof setInterval>;

  private get api() {
    return this.context.api;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Somebody may be accepting at Microsoft at this moment.
    this.timer = setInterval(() => this.read.value?.value.status === "pending" && !document.hidden && void this.follow(), EVERY);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  private async follow(): Promise<void> {
    await this.read.run();
    if (this.read.value?.value.status !== "pending") await this.context.refresh();
  }

  protected override render(): TemplateResult {
    return this.read.show(this.context, this.words.tabs.connection, this.bones(), (read) => this.screen(read.value));
  }

  private screen(connection: Connection): TemplateResult {
    const words = this.words.connection;
    const name = this.context.overview?.name ?? this.api.account;
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-connection">
      ${head("h-connection", words.title, words.text(name), this.context.readonly ? nothing : this.actions(connection))}
      ${this.outcome()}
      <dl class="facts">${this.facts(connection)}</dl>
      <azure-sso-setup-links .context=${this.context}></azure-sso-setup-links>
      ${this.asking === "disconnect" ? this.question() : this.asking === "keep" ? this.keepQuestion(!connection.keepPeople) : nothing}
    </section>`;
  }

  private actions({ status: state }: Connection): TemplateResult {
    const words = this.words.connection;
    const link = state === "connected" ? nothing : html`<button class="btn" @click=${() => this.context.go("setup/who")}>${words.newLink}</button>`;
    if (state === "disconnected" || state === "pending")
      return html`${link}<button class="btn main" @click=${() => this.context.go(state === "pending" ? "setup/waiting" : "setup")}>
        ${state === "pending" ? this.words.overview.continueAction : words.start}
      </button>`;
    return html`
      ${link} ${state === "consent_revoked" ? html`<button class="btn main" @click=${() => this.context.go("setup/who")}>${words.again}</button>` : nothing}
      ${busyButton(this.busy === "check", words.check, words.checking, "", () => void this.check())}
      <button class="btn danger" @click=${() => (this.asking = "disconnect")}>${words.disconnect}</button>
    `;
  }

  private facts(connection: Connection): TemplateResult {
    const words = this.words.connection;
    const { status: state, tenantId, tenantName, connectedBy, connectedAt, lastCheck } = connection;
    const tenant = state === "connected" || state === "consent_revoked" ? tenantId : null;
    const by = connectedBy ? `${connectedBy.name ?? connectedBy.subject}, ${this.words.roles[connectedBy.role] ?? connectedBy.role}` : "";
    const until = connection.pendingUntil;
    const pending = until ? timed(this.context, until, this.format.moment(until), this.words.overview.waiting) : nothing;
    return html`
      ${fact(words.status, status(SORTS[state], words.states[state]), html`${words.stateText[state]} ${pending}`)}
      ${tenant ? fact(words.tenant, tenantName ?? "", html`<code>${tenant}</code> ${copyButton(this.context, tenant, words.tenantId)}`) : nothing}
      ${tenant && connectedAt ? fact(words.by, by, timeAlone(this.context, connectedAt, this.format.moment(connectedAt))) : nothing}
      ${tenant ? fact(words.last, ...this.lastCheck(lastCheck)) : nothing}
      ${state === "connected" ? fact(words.earlier, connection.keepPeople ? words.earlierKept : words.earlierNew, this.keepButton(connection.keepPeople)) : nothing}
      ${tenant ? fact(words.consent, words.consentText, words.consentNot) : nothing}
      ${tenant ? fact(words.entra, html`${words.entraLinks.map(([page, text]) => html`<div><a href=${inEntra(connection, page)} target="_blank" rel="noopener noreferrer">${text}</a></div>`)}`, words.entraHint) : nothing}
    `;
  }

  private keepButton(kept: boolean): Content {
    const words = this.words.connection;
    if (this.context.readonly) return nothing;
    return html`<button class="btn plain" aria-disabled=${this.busy === "keep"} @click=${() => (this.asking = "keep")}>${kept ? words.unkeep : words.keepThem}</button>`;
  }

  private lastCheck(check: Connection["lastCheck"]): Content[] {
    if (!check) return [this.words.connection.noCheck];
    const sort: Sort = check.outcome === "ok" ? "ok" : check.outcome === "consent_revoked" ? "bad" : "warn";
    return [status(sort, this.words.outcomes[check.outcome] ?? check.detail), timeAlone(this.context, check.at, this.format.ago(check.at))];
  }

  private question(): TemplateResult {
    const words = this.words.connection;
    const close = () => (this.asking = undefined);
    return dialog(
      "h-disconnect",
      words.askTitle(this.context.overview?.name ?? this.api.account),
      html`<ul class="list">${words.ask.map(([who, what]) => html`<li><strong>${who}</strong> ${what}</li>`)}</ul>
        <p class="muted">${words.askHint}</p>`,
      html`<button class="btn" autofocus @click=${close}>${words.keep}</button>
        <button class="btn danger main" @click=${() => void this.disconnect()}>${words.confirm}</button>`,
      close,
    );
  }

  private keepQuestion(keep: boolean): TemplateResult {
    const words = this.words.connection;
    const close = () => (this.asking = undefined);
    return dialog(
      "h-keep",
      keep ? words.keepTitle : words.unkeepTitle,
      keep ? html`<p>${words.keepText}</p><p class="muted">${words.keepHint}</p>` : html`<p>${words.unkeepText}</p>`,
      html`<button class="btn" autofocus @click=${close}>${this.words.policy.notNow}</button>
        <button class="btn danger main" @click=${() => void this.keepPeople(keep)}>${keep ? words.keepConfirm : words.unkeepConfirm}</button>`,
      close,
    );
  }

  private async keepPeople(keepPeople: boolean): Promise<void> {
    this.asking = undefined;
    const work = async () => {
      const params = { path: this.api.path, header: { "If-Match": this.read.value!.etag } };
      this.read.value = await this.api.take(this.api.client.PATCH("/v1/accounts/{accountId}/connection", { params, body: { keepPeople } }));
      this.said = keepPeople ? this.words.connection.keptNow : this.words.connection.unkeptNow;
      this.context.announce("people-kept", { keepPeople });
    };
    await this.contested("keep", "connection", work, () => this.read.run());
  }

  private async check(): Promise<void> {
    await this.change("check", async () => {
      const read = await this.api.take(this.api.client.POST("/v1/accounts/{accountId}/connection/check", { params: { path: this.api.path } }));
      this.read.value = read;
      const outcome = read.value.lastCheck?.outcome ?? "";
      this.said = this.words.connection.checked(this.words.outcomes[outcome] ?? outcome);
      this.context.announce("connection-checked", { outcome });
    });
    void this.context.refresh();
  }

  private async disconnect(): Promise<void> {
    this.asking = undefined;
    const work = async () => {
      const header = { "If-Match": this.read.value!.etag };
      await this.api.take(this.api.client.DELETE("/v1/accounts/{accountId}/connection", { params: { path: this.api.path, header } }));
      this.said = this.words.connection.disconnected;
      this.context.announce("disconnected");
      await this.read.run();
    };
    await this.contested("disconnect", "connection", work, () => this.read.run());
    await this.context.refresh();
  }

  private bones(): TemplateResult {
    return html`<div class="head wide" aria-hidden="true"><h3>${bone(9)}</h3><p>${bone(24)}</p></div>
      <dl class="facts" aria-hidden="true">${[1, 2, 3, 4].map(() => html`<div><dt>${bone(6)}</dt><dd>${bone(18)}</dd><dd>${bone(28)}</dd></div>`)}</dl>`;
  }
}
