// Whose addresses are recognised, and who must act on the others?

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { Domains, Versioned } from "../api.js";
import { bone, busyButton, copyButton, dialog, head, note, status, tableBones, timed, type Sort } from "../parts.js";
import { Load, Screen } from "../screen.js";

type Domain = Domains["items"][number];

const SORTS: Record<Domain["state"], Sort> = { routed: "ok", off: "off", conflict: "warn", not_listed: "warn", not_routable: "off" };
const ORDER = Object.keys(SORTS);

@customElement("azure-sso-domains")
export class DomainsScreen extends Screen {
  private readonly read = new Load<Versioned<Domains>>(this, () =>
    this.api.take(this.api.client.GET("/v1/accounts/{accountId}/domains", { params: { path: this.api.path } })),
  );
  @state() private asking = "";

  private get api() {
    return this.context.api;
  }

  protected override render(): TemplateResult {
    const bones = html`<div class="head wide" aria-hidden="true"><h3>${bone(9)}</h3><p>${bone(28)}</p></div>${tableBones([12, 6, 28], 3)}`;
    return this.read.show(this.context, this.words.tabs.domains, bones, (read) => this.screen(read.value));
  }

  private screen({ items, readAt }: Domains): TemplateResult {
    const words = this.words.domains;
    const text = html`${words.text} ${readAt ? timed(this.context, readAt, this.format.moment(readAt), this.words.overview.readAt) : nothing}`;
    const connected = ["connected", "consent_revoked"].includes(this.context.overview?.status ?? "connected");
    const refresh = this.context.readonly || !connected ? nothing : busyButton(this.busy === "refresh", words.refresh, words.refreshing, "", () => void this.refresh());
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-domains">
      ${head("h-domains", words.title, text, refresh)}
      ${this.outcome()}
      ${items.length ? this.table(items) : this.empty(connected)}
      ${items.length ? html`<details><summary>${words.missing}</summary><div><p>${words.missingText}</p></div></details>` : nothing}
      ${this.asking ? this.question(this.asking) : nothing}
    </section>`;
  }

  private empty(connected: boolean): TemplateResult {
    const words = this.words.domains;
    const start = connected || this.context.readonly ? nothing : html`<div class="row"><button class="btn main" @click=${() => this.context.go("setup")}>${this.words.overview.startAction}</button></div>`;
    return note("plain", "off", html`<h4>${words.emptyTitle}</h4><p>${words.empty}</p>${start}`);
  }

  private table(items: readonly Domain[]): TemplateResult {
    const words = this.words.domains;
    const sorted = items.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.domain.localeCompare(b.domain));
    return html`<table role="table">
      <caption class="vh">${words.caption}</caption>
      <thead role="rowgroup"><tr role="row">
        <th scope="col" role="columnheader" class="w-14">${words.domain}</th>
        <th scope="col" role="columnheader" class="w-10">${words.state}</th>
        <th scope="col" role="columnheader">${words.meaning}</th>
        <th scope="col" role="columnheader" class="acts"><span class="vh">${this.words.actions}</span></th>
      </tr></thead>
      <tbody role="rowgroup">${sorted.map((each) => this.row(each))}</tbody>
    </table>`;
  }

  private row({ domain, state }: Domain): TemplateResult {
    const words = this.words.domains;
    const [who, what] = words.means[state]!;
    return html`<tr role="row">
      <th scope="row" role="rowheader">${domain}</th>
      <td role="cell">${status(SORTS[state], words.states[state])}</td>
      <td role="cell"><strong>${who}</strong> ${what}</td>
      <td role="cell" class="acts">${this.action(domain, state)}</td>
    </tr>`;
  }

  private action(domain: string, state: Domain["state"]): TemplateResult | typeof nothing {
    const words = this.words.domains;
    if (state === "conflict" || state === "not_listed")
      return copyButton(this.context, words.forSupport(this.api.account, domain, words.states[state]), domain, words.copy);
    if (this.context.readonly || state === "not_routable") return nothing;
    const off = state === "routed";
    const click = () => (off ? (this.asking = domain) : void this.switch(domain, true));
    return html`<button class="btn plain" aria-disabled=${this.busy === domain} @click=${click}>${off ? `${words.off}…` : words.on}<span class="vh"> ${domain}</span></button>`;
  }

  private question(domain: string): TemplateResult {
    const words = this.words.domains;
    const close = () => (this.asking = "");
    return dialog(
      "h-switch",
      words.askTitle(domain),
      html`<p>${words.ask(domain)}</p><p class="muted">${words.askHint}</p>`,
      html`<button class="btn" autofocus @click=${close}>${words.keep}</button>
        <button class="btn danger main" @click=${() => void this.switch(domain, false)}>${words.off}</button>`,
      close,
    );
  }

  private async switch(domain: string, enabled: boolean): Promise<void> {
    this.asking = "";
    const work = async () => {
      const header = { "If-Match": this.read.value!.etag };
      const path = { ...this.api.path, domain };
      this.read.value = await this.api.take(
        this.api.client.PATCH("/v1/accounts/{accountId}/domains/{domain}", { params: { path, header }, body: { enabled } }),
      );
      this.said = enabled ? this.words.domains.switchedOn(domain) : this.words.domains.switchedOff(domain);
      this.context.announce("domains-changed", { domain, enabled });
    };
    await this.contested(domain, "domain", work, () => this.read.run());
    void this.context.refresh();
  }

  private async refresh(): Promise<void> {
    await this.change("refresh", async () => {
      this.read.value = await this.api.take(this.api.client.POST("/v1/accounts/{accountId}/domains/refresh", { params: { path: this.api.path } }));
      this.said = this.words.domains.wasRead(this.read.value.value.items.length);
      this.context.announce("domains-changed");
    });
    void this.context.refresh();
  }
}
