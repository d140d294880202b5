// The guided path for somebody who has never seen Entra. Where it stands is read off the API, so it can be left and
// taken up again at any step, on another machine, too.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { Problem, type Application, type Domains, type Overview, type Policy, type Versioned } from "../api.js";
import { bone, busyButton, dialog, fact, icon, note, timed, type Content, type Sort } from "../parts.js";
import { problemNote, problemOf } from "../screen.js";
import "./setup-emergency.js";
import "./setup-links.js";
import { domainsFound, linkFields, startLink, whatChanges, whatIsAsked } from "./setup-parts.js";
import { NUMBERS, SetupStep, type Step } from "./setup-step.js";

const EVERY = 3000;

@customElement("azure-sso-setup")
export class SetupScreen extends SetupStep {
  @state() private who: "myself" | "other" = "other";
  @state() private link?: { url: string; until: string } | undefined;
  @state() private domains?: Domains | undefined;
  @state() private applications: readonly Application[] = [];
  @state() private faults: { tenant?: string; lifetimeMinutes?: string } = {};
  /** Whether a setup link that somebody made can still be used. */
  @state() private hasLinks?: boolean;
  private policy?: Versioned<Policy>;
  @state() private undoing = false;
  /** Why the domains and applications could not be read. */
  @state() private unread?: Problem | undefined;
  private reading = false;
  private timer?: ReturnType<typeof setInterval>;

  private get api() {
    return this.context.api;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => void this.follow(), EVERY);
    if (this.context.overview) void this.context.refresh();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  private async follow(): Promise<void> {
    if (this.step !== "waiting" || document.hidden) return;
    await this.context.refresh();
  }

  /** The step of the address, if it can be there yet; else the one that is due. */
  private get step(): Step {
    const overview = this.context.overview!;
    const asked = (this.rest || "need") as Step;
    const { status: state } = overview;
    if (state === "connected") {
      if (asked === "done") return overview.mode === "on" ? "done" : "confirm";
      return NUMBERS[asked] >= 3 ? asked : "connected";
    }
    if (asked === "waiting") return state === "pending" || this.link ? "waiting" : "who";
    return asked === "need" && state !== "consent_revoked" ? "need" : "who";
  }

  protected override willUpdate(): void {
    const overview = this.context.overview;
    if (!overview) return;
    const needsDomains = NUMBERS[this.step] >= 3 && overview.status === "connected";
    if (needsDomains && !this.domains && !this.reading && !this.unread) void this.found();
  }

  /** Beside what the person does meanwhile, which must not wait for it. */
  private async found(): Promise<void> {
    this.reading = true;
    this.unread = undefined;
    try {
      const params = { params: { path: this.api.path } };
      const [domains, applications, policy] = await Promise.all([
        this.api.take(this.api.client.GET("/v1/accounts/{accountId}/domains", params)),
        this.api.take(this.api.client.GET("/v1/accounts/{accountId}/applications", params)),
        this.api.take(this.api.client.GET("/v1/accounts/{accountId}/policy", params)),
      ]);
      this.policy = policy;
      this.domains = domains.value;
      this.applications = applications.value.items;
    } catch (error) {
      this.unread = problemOf(error);
    } finally {
      this.reading = false;
    }
  }

  private readAgainNote(): Content {
    if (!this.unread) return nothing;
    return html`${problemNote(this.context, this.unread)}<div class="row"><button class="btn" @click=${() => void this.found()}>${this.words.retry}</button></div>`;
  }

  protected override render(): TemplateResult {
    const overview = this.context.overview;
    if (!overview) return html`<section class="screen stack loose waits" aria-busy="true"><h3 aria-hidden="true">${bone(18)}</h3></section>`;
    const step = this.step;
    if (step === "done") return this.done(overview);
    const words = this.words.setup;
    return html`<section class="screen" part="screen" aria-labelledby="h-setup">
      <div class="path">
        <ol class="steps" aria-label=${words.label}>
          ${words.steps.map((name, index) => {
            const [at, now] = [index + 1, NUMBERS[step]];
            return html`<li aria-current=${at === now ? "step" : nothing}>${at < now ? icon("ok") : html`<b aria-hidden="true">${at}</b>`}<span>${name}</span></li>`;
          })}
        </ol>
        <div class="stack">${this.content(step, overview)}</div>
      </div>
    </section>`;
  }

  private content(step: Exclude<Step, "done">, overview: Overview): TemplateResult {
    if (step === "need") return this.need();
    if (step === "who") return this.choose(overview);
    if (step === "waiting") return this.waiting(overview);
    if (step === "connected") return this.connected(overview);
    return step === "emergency" ? html`<azure-sso-setup-emergency class="stack wide" .context=${this.context}></azure-sso-setup-emergency>` : this.confirm(overview);
  }

  private need(): TemplateResult {
    const words = this.words.setup.need;
    return html`${this.heading("need", words.title)}
      <p>${words.text}</p>
      <ul class="needs" role="list">${words.needs.map(([what, why]) => html`<li><strong>${what}</strong><p class="muted">${why}</p></li>`)}</ul>
      <p class="muted">${words.hint}</p>
      ${this.foot(this.main(this.words.next, () => this.context.go("setup/who")))}`;
  }

  private choose(overview: Overview): TemplateResult {
    const words = this.words.setup.who;
    const choice = (value: "myself" | "other", label: string, text: string) => html`<div class="choice">
      <input type="radio" name="who" id="who-${value}" .checked=${this.who === value} aria-describedby="who-${value}-text" @change=${() => (this.who = value)} />
      <label for="who-${value}">${label}</label><p id="who-${value}-text">${text}</p>
    </div>`;
    return html`${this.heading("who", words.title)}
      <p>${words.text}</p>
      <fieldset><legend class="vh">${words.title}</legend>
        ${choice("other", words.other, words.otherText)} ${choice("myself", words.myself, words.myselfText(overview.name))}
      </fieldset>
      ${this.context.readonly ? nothing : linkFields(this.words, this.who === "other", this.faults)} ${whatIsAsked(this.words)}
      ${this.context.readonly ? nothing : this.foot(this.main(this.who === "other" ? words.makeLink : words.toMicrosoft, () => void this.begin()), "setup")}
      ${this.links()}`;
  }

  private links(): TemplateResult {
    return html`<azure-sso-setup-links .context=${this.context} open @read=${(event: CustomEvent<boolean>) => (this.hasLinks = event.detail)}></azure-sso-setup-links>`;
  }

  /** Somebody who goes to Microsoft in this window comes back to this page, where the service lets them. */
  private async begin(): Promise<void> {
    const value = (id: string) => this.querySelector<HTMLInputElement | HTMLSelectElement>(id)?.value.trim() || null;
    const tenant = value("#setup-tenant");
    const minutes = Number(value("#setup-lifetime"));
    this.faults = {};
    const here = new URL(location.href);
    here.hash = "";
    const start = (returnUrl: string | null) =>
      this.api.take(this.api.client.POST("/v1/accounts/{accountId}/connection", { params: { path: this.api.path }, body: { returnUrl, tenant, lifetimeMinutes: minutes || null } }));
    const started = await this.change("start", async () => {
      const myself = this.who === "myself";
      let back = myself;
      const { value } = await start(myself ? here.href : null).catch((error: unknown) => {
        if (!(error instanceof Problem) || !error.of("returnUrl")) throw error;
        back = false;
        return start(null);
      });
      this.context.announce("connection-started");
      if (back) return location.assign(value.startUrl);
      this.link = { url: value.startUrl, until: value.expiresAt };
    });
    if (!started && this.failed?.faults.length) {
      this.faults = Object.fromEntries(this.failed.faults.map((each) => [each.field, each.detail]));
      this.failed = undefined;
      await this.updateComplete;
      this.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
    }
    if (!started || !this.link) return;
    this.context.go("setup/waiting");
    await this.context.refresh();
  }

  private waiting(overview: Overview): TemplateResult {
    const words = this.words.setup.waiting;
    const until = this.link?.until ?? overview.pendingUntil;
    const expired = !until || new Date(until) <= new Date() || (overview.status === "disconnected" && this.busy === "");
    const again = html`<button class="btn" @click=${() => this.again()}>${words.newLink}</button>`;
    if (expired) return html`${this.heading("waiting", words.title)} ${note("warn", "warn", html`<p>${words.expired}</p>`, "status")} ${this.foot(again, "setup/who")}`;
    const when = this.format.moment(until);
    const step = (sort: Sort, content: Content, muted = false) => html`<li class=${muted ? "muted" : ""}>${icon(sort)}<span>${content}</span></li>`;
    const track = html`<section class="stack tight" aria-labelledby="h-track">
        <h4 id="h-track">${words.track}</h4>
        <ol class="track" role="list" aria-live="polite">
          ${step("ok", words.made)} ${step("wait", html`<strong>${words.signing}</strong>`)} ${step("ring", words.done(overview.name), true)}
        </ol>
      </section>`;
    return html`${this.heading("waiting", words.title)}
      ${this.link ? startLink(this.context, overview.name, { url: this.link.url, until, myself: this.who === "myself" }) : this.hasLinks === false ? html`<p>${timed(this.context, until, when, words.lost)}</p>` : nothing}
      ${this.links()} ${this.hasLinks ? nothing : track}
      <p class="muted">${words.follows}</p>
      ${this.foot(again, "setup/who")}`;
  }

  private again(): void {
    this.link = undefined;
    this.context.go("setup/who");
  }

  private connected(overview: Overview): TemplateResult {
    const words = this.words.setup.connected;
    const { tenantName, connectedBy, connectedAt } = overview;
    const name = tenantName ?? overview.name;
    const by = connectedBy ?? this.words.somebody;
    return html`${this.heading("connected", words.title(name))}
      ${connectedAt ? html`<p>${timed(this.context, connectedAt, this.format.moment(connectedAt), (when) => words.text(by, when))}</p>` : nothing}
      ${this.readAgainNote()} ${domainsFound(this.words, this.domains)}
      <details><summary>${this.words.domains.missing}</summary>
        <div class="stack tight"><p>${this.words.domains.missingText}</p>
          ${this.context.readonly ? nothing : html`<div class="row">${busyButton(this.busy === "refresh", this.words.domains.refresh, this.words.domains.refreshing, "", () => void this.readAgain())}</div>`}</div>
      </details>
      ${this.foot(this.main(this.words.next, () => this.context.go("setup/emergency")))}`;
  }

  private async readAgain(): Promise<void> {
    await this.change("refresh", async () => {
      const read = await this.api.take(this.api.client.POST("/v1/accounts/{accountId}/domains/refresh", { params: { path: this.api.path } }));
      this.domains = read.value;
    });
    await this.context.refresh();
  }

  private confirm(overview: Overview): TemplateResult {
    const words = this.words.setup.confirm;
    const { count } = overview.exceptions;
    return html`${this.heading("confirm", words.title)}
      <p>${words.text}</p>
      ${this.readAgainNote()} ${whatChanges(this.words, this.format, overview, this.domains, this.applications)}
      ${count ? nothing : note("warn", "warn", html`<p>${this.words.policy.onNobody}</p>`)}
      <dl class="facts">${fact(words.when, words.whenText)} ${fact(words.undo, words.undoText, words.undoHint)}</dl>
      <details><summary>${words.message}</summary><div><blockquote>${words.messageText(overview.name)}</blockquote></div></details>
      ${this.context.readonly ? nothing : this.foot(this.main(this.words.policy.onConfirm, () => void this.switch("on")), "setup/emergency")}`;
  }

  private async switch(mode: "on" | "off"): Promise<void> {
    this.undoing = false;
    const path = this.api.path;
    const read = async () => void (this.policy = await this.api.take(this.api.client.GET("/v1/accounts/{accountId}/policy", { params: { path } })));
    const work = async () => {
      if (!this.policy) await read();
      const params = { path, header: { "If-Match": this.policy!.etag } };
      this.policy = await this.api.take(this.api.client.PATCH("/v1/accounts/{accountId}/policy", { params, body: { mode } }));
      this.context.announce("policy-changed", { mode });
      await this.context.refresh();
      this.context.go(mode === "on" ? "setup/done" : "overview");
    };
    await this.contested("switch", "policy", work, read);
  }

  private done(overview: Overview): TemplateResult {
    const words = this.words.setup.done;
    const close = () => (this.undoing = false);
    const policy = this.words.policy;
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-setup" data-account=${overview.name}>
      <div class="head"><h3 id="h-setup" tabindex="-1" class="st">${icon("ok")}<span>${words.title}</span></h3><p>${words.text}</p></div>
      ${this.outcome()}
      <section class="stack tight" aria-labelledby="h-try"><h4 id="h-try">${words.tryTitle}</h4>
        <ol class="list">${words.tries.map((each) => html`<li>${each}</li>`)}</ol></section>
      <div class="row">
        ${this.main(words.overview, () => this.context.go("overview"))}
        ${this.context.readonly ? nothing : html`<button class="btn danger" @click=${() => (this.undoing = true)}>${words.undo}</button>`}
      </div>
      ${this.undoing
        ? dialog("h-undo", policy.offTitle, html`<p>${policy.offText}</p>`, html`<button class="btn" autofocus @click=${close}>${policy.notNow}</button><button class="btn danger main" @click=${() => void this.switch("off")}>${policy.offConfirm}</button>`, close)
        : nothing}
    </section>`;
  }
}
