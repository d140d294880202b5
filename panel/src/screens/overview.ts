// Is it on? For whom, since when, and what do I do next?

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import type { Overview } from "../api.js";
import { bone, fact, head, icon, status, timed, type Content, type Sort } from "../parts.js";
import { oldNote, Screen } from "../screen.js";

const ROUTES: Record<string, string> = {
  connect: "setup",
  finish_consent: "setup/waiting",
  renew_consent: "setup/who",
  route_a_domain: "domains",
  keep_an_administrator: "exceptions/emergency",
  switch_on: "setup/connected",
  check_again: "connection",
  settle_domains: "domains",
  list_domains: "domains",
};

const SORTS: Record<string, Sort> = { connect: "off", switch_on: "off", finish_consent: "wait", renew_consent: "bad" };

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
    const started = overview.status !== "disconnected";
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-overview">
      ${this.context.oldSince ? oldNote(this.context, this.context.oldSince) : nothing} ${this.answer(overview)}
      ${started ? this.next(overview) : this.start()}
      <section class="stack tight" aria-labelledby="h-facts">
        <h4 id="h-facts">${words.factsTitle}</h4>
        <dl class="facts">${this.facts(overview)}</dl>
      </section>
    </section>`;
  }

  private answer({ name, status: state, mode, modeSince, exceptions }: Overview): TemplateResult {
    const words = this.words.overview;
    const say = (sort: Sort, title: string, text: Content) => head("h-overview", title, text, nothing, sort);
    if (state === "disconnected") return say("off", words.start, words.startText(name));
    if (state === "pending") return say("wait", words.pending, words.pendingText);
    if (mode === "off") return say("off", words.off, words.offText(name));
    if (state === "consent_revoked") return say("bad", words.revoked, words.revokedText(name));
    const since = modeSince ? timed(this.context, modeSince, this.format.moment(modeSince), words.onSince) : nothing;
    return say("ok", words.on, html`${words.onKeep(exceptions.count, exceptions.exact)} ${since}`);
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
    const steps = this.steps(overview);
    return html`<section class="stack tight" aria-labelledby="h-next">
      <h4 id="h-next">${words.nextTitle}</h4>
      <ul class="todo" role="list">
        ${steps.length === 0
          ? item("ok", html`<p><strong>${words.nothing}</strong> ${words.nothingText}</p>`)
          : steps.map((step) => {
              const [who, what, link] = words.what[step]!;
              return item(SORTS[step] ?? "warn", html`<p><strong>${words.who[who]}:</strong> ${what}</p> <a href=${this.context.href(ROUTES[step]!)}>${link}</a>`);
            })}
      </ul>
    </section>`;
  }

  /** What the service asks for next, and what else the account shows to be wrong. */
  private steps({ nextStep, status: state, lastCheckOutcome, domains }: Overview): string[] {
    const doubtful = state === "connected" && lastCheckOutcome !== null && lastCheckOutcome !== "ok";
    return [
      ...(nextStep ? [nextStep] : []),
      ...(doubtful ? ["check_again"] : []),
      ...(domains["conflict"] ? ["settle_domains"] : []),
      ...(domains["not_listed"] ? ["list_domains"] : []),
    ];
  }

  private facts(overview: Overview): TemplateResult {
    const words = this.words.overview;
    const { mode, modeSince, domains, exceptions, links } = overview;
    const link = (tab: keyof typeof this.words.tabs) => html`<a href=${this.context.href(tab)}>${this.words.tabs[tab]}</a>`;
    const all = Object.values(domains).reduce((sum, count) => sum + count, 0);
    const states = words.counts(domains);
    const since = modeSince ? timed(this.context, modeSince, this.format.moment(modeSince), mode === "on" ? words.onSince : words.offSince) : words.neverChanged;
    return html`
      ${fact(link("connection"), ...this.connection(overview))}
      ${fact(link("policy"), mode === "on" ? words.modeOn : words.modeOff, since)}
      ${fact(link("domains"), all ? words.inUse(domains["routed"] ?? 0, all) : words.noDomains, all ? (states ? `${states}.` : nothing) : words.noDomainsText)}
      ${fact(link("exceptions"), words.keep(exceptions.count, exceptions.exact))}
      ${fact(link("people"), words.linked(links.count, links.exact))}
    `;
  }

  private connection({ status: state, pendingUntil, connectedAt, connectedBy, tenantName, lastCheckedAt, lastCheckOutcome }: Overview): Content[] {
    const words = this.words.overview;
    if (state === "disconnected") return [status("off", words.notConnected), words.noTenant];
    if (state === "pending") {
      const until = pendingUntil ? timed(this.context, pendingUntil, this.format.moment(pendingUntil), words.waiting) : words.pending;
      return [status("wait", until), words.noTenant];
    }
    const well = state === "connected";
    const since = connectedAt ? timed(this.context, connectedAt, this.format.moment(connectedAt), (at) => words.connected(tenantName ?? "", connectedBy ?? this.words.somebody, at)) : (tenantName ?? "");
    const outcome = this.words.outcomes[lastCheckOutcome ?? ""] ?? "";
    const check = lastCheckedAt ? timed(this.context, lastCheckedAt, this.format.ago(lastCheckedAt), (at) => words.lastCheck(at, outcome)) : nothing;
    return [status(well ? "ok" : "bad", well ? since : this.words.connection.states.consent_revoked), check];
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
