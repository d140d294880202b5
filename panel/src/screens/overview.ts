// Is it on? For whom, since when, and what do I do next?

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import type { Overview } from "../api.js";
import { bone, fact, head, icon, status, timed, type Content, type Sort } from "../parts.js";
import { Screen } from "../screen.js";

type What = Overview["next"][number]["what"];

const ROUTES: Record<What, string> = {
  connect: "setup",
  consent: "setup/waiting",
  consent_again: "setup/who",
  check_again: "connection",
  settle_domains: "domains",
  list_domains: "domains",
  check_domains: "domains",
  keep_an_exception: "exceptions/emergency",
  switch_on: "setup/connected",
  review_exceptions: "exceptions",
};

const SORTS: Partial<Record<What, Sort>> = { connect: "off", switch_on: "off", consent: "wait", consent_again: "bad" };

@customElement("azure-sso-overview")
export class OverviewScreen extends Screen {
  override connectedCallback(): void {
    super.connectedCallback();
    if (this.context.overview) void this.context.refresh();
  }

  protected override render(): TemplateResult {
    const overview = this.context.overview;
    return overview ? this.screen(overview) : this.bones();
  }

  private screen(overview: Overview): TemplateResult {
    const words = this.words.overview;
    const started = overview.connection.status !== "disconnected";
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-overview">
      ${this.answer(overview)}
      ${started ? this.next(overview) : this.start()}
      <section class="stack tight" aria-labelledby="h-facts">
        <h4 id="h-facts">${words.factsTitle}</h4>
        <dl class="facts">${this.facts(overview)}</dl>
      </section>
    </section>`;
  }

  private answer({ accountName, connection, policy, exceptions }: Overview): TemplateResult {
    const words = this.words.overview;
    const say = (sort: Sort, title: string, text: Content) => head("h-overview", title, text, nothing, sort);
    if (connection.status === "disconnected") return say("off", words.start, words.startText(accountName));
    if (connection.status === "pending") return say("wait", words.pending, words.pendingText);
    const on = policy.mode === "on";
    if (connection.status === "consent_revoked" && on)
      return say("bad", words.revoked, policy.whenConnectionFails === "sso" ? words.revokedSso(accountName) : words.revokedPassword(accountName));
    if (!on) return say("off", words.off, words.offText(accountName));
    const since = policy.modeSince;
    const when = since ? timed(this.context, since, this.format.moment(since), (at) => words.onSince(at, policy.modeBy ?? this.words.somebody)) : nothing;
    return say("ok", words.on, html`${words.onKeep(exceptions.inForce, exceptions.more)} ${when}`);
  }

  private start(): TemplateResult {
    const words = this.words.overview;
    return html`${this.context.readonly
        ? nothing
        : html`<div class="row">
            <button class="btn main" part="button primary" @click=${() => this.context.go("setup")}>${words.startAction}</button>
            <span class="muted">${words.startHint}</span>
          </div>`}
      <section class="stack tight" aria-labelledby="h-how">
        <h4 id="h-how">${words.howTitle}</h4>
        <ol class="list">${words.how.map(([who, what]) => html`<li><strong>${who}</strong> ${what}</li>`)}</ol>
      </section>`;
  }

  private next(overview: Overview): TemplateResult {
    const words = this.words.overview;
    const item = (sort: Sort, content: TemplateResult) => html`<li>${icon(sort)}<div>${content}</div></li>`;
    return html`<section class="stack tight" aria-labelledby="h-next">
      <h4 id="h-next">${words.nextTitle}</h4>
      <ul class="todo" role="list">
        ${overview.next.length === 0
          ? item("ok", html`<p><strong>${words.nothing}</strong> ${words.nothingText}</p>`)
          : overview.next.map(({ who, what }) =>
              item(
                SORTS[what] ?? "warn",
                html`<p><strong>${words.who[who]}:</strong> ${words.what[what]}</p>
                  <a href=${this.context.href(ROUTES[what])}>${words.link[what]}</a>`,
              ),
            )}
      </ul>
    </section>`;
  }

  private facts({ connection, policy, domains, exceptions, links }: Overview): TemplateResult {
    const words = this.words.overview;
    const link = (tab: keyof typeof this.words.tabs) => html`<a href=${this.context.href(tab)}>${this.words.tabs[tab]}</a>`;
    const counts = domains.counts as Record<string, number>;
    const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const states = words.counts(counts);
    const changed = policy.updatedAt
      ? timed(this.context, policy.updatedAt, this.format.moment(policy.updatedAt), (at) => words.changed(at, policy.updatedBy ?? this.words.somebody))
      : words.neverChanged;
    const readAt = domains.readAt ? timed(this.context, domains.readAt, this.format.moment(domains.readAt), words.readAt) : nothing;
    return html`
      ${fact(link("connection"), ...this.connection(connection))}
      ${fact(link("policy"), policy.mode === "on" ? words.modeOn : words.modeOff, changed)}
      ${fact(link("domains"), all ? words.inUse(counts["routed"] ?? 0, all) : words.noDomains, all ? html`${states ? `${states}. ` : ""}${readAt}` : words.noDomainsText)}
      ${fact(link("exceptions"), words.keep(exceptions.inForce, exceptions.more), words.keepMore(exceptions.endingSoon, exceptions.count - exceptions.inForce))}
      ${fact(link("people"), words.linked(links.count, links.more))}
    `;
  }

  private connection(connection: Overview["connection"]): Content[] {
    const words = this.words.overview;
    if (connection.status === "disconnected") return [status("off", words.notConnected), words.noTenant];
    if (connection.status === "pending") {
      const until = connection.pendingUntil!;
      return [status("wait", timed(this.context, until, this.format.moment(until), words.waiting)), words.noTenant];
    }
    const { connectedAt, connectedBy, tenantName, lastCheck } = connection;
    const well = connection.status === "connected";
    const since = connectedAt ? timed(this.context, connectedAt, this.format.moment(connectedAt), (at) => words.connected(tenantName ?? "", connectedBy ?? this.words.somebody, at)) : tenantName;
    const check = lastCheck ? timed(this.context, lastCheck.at, this.format.ago(lastCheck.at), (at) => words.lastCheck(at, this.words.outcomes[lastCheck.outcome] ?? lastCheck.outcome)) : nothing;
    return [status(well ? "ok" : "bad", well ? since ?? "" : this.words.connection.states.consent_revoked), check];
  }

  private bones(): TemplateResult {
    const rows = [1, 2, 3, 4, 5];
    return html`<section class="screen stack loose waits" aria-busy="true">
      <p class="vh" role="status">${this.words.loading(this.words.tabs.overview)}</p>
      <div class="head wide" aria-hidden="true"><h3>${bone(18)}</h3><p>${bone(34)}</p></div>
      <div class="stack tight wide" aria-hidden="true">
        <p class="h4">${bone(9)}</p>
        <ul class="todo" role="list"><li><span></span><div><p>${bone(36)}</p></div></li></ul>
      </div>
      <div class="stack tight wide" aria-hidden="true">
        <p class="h4">${bone(9)}</p>
        <dl class="facts">${rows.map((row) => html`<div><dt>${bone(6)}</dt><dd>${bone(18)}</dd>${row < 5 ? html`<dd>${bone(28)}</dd>` : nothing}</div>`)}</dl>
      </div>
    </section>`;
  }
}
