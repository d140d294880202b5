// Everybody or nobody, in which applications, and what if the consent is withdrawn?

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { Application, Policy, Versioned } from "../api.js";
import { bone, dialog, faultNote, head, note, timed, type Content } from "../parts.js";
import { Load, Screen } from "../screen.js";

type Settings = Pick<Policy, "mode" | "applicationsOff" | "whenConnectionFails" | "sessionHours">;

interface Read {
  policy: Versioned<Policy>;
  applications: readonly Application[];
}

/** One difference between two policies, in words. */
interface Difference {
  key: string;
  setting: string;
  from: string;
  to: string;
}

@customElement("azure-sso-policy")
export class PolicyScreen extends Screen {
  private readonly read = new Load<Read>(this, async () => {
    const params = { params: { path: this.api.path } };
    const [policy, applications] = await Promise.all([
      this.api.take(this.api.client.GET("/v1/accounts/{accountId}/policy", params)),
      this.api.take(this.api.client.GET("/v1/accounts/{accountId}/applications", params)),
    ]);
    return { policy, applications: applications.value.items };
  });
  @state() private mine?: Settings | undefined;
  @state() private asking = false;
  @state() private theirs?: Versioned<Policy> | undefined;

  private get api() {
    return this.context.api;
  }

  protected override render(): TemplateResult {
    const bones = html`<div class="head wide" aria-hidden="true"><h3>${bone(9)}</h3><p>${bone(28)}</p></div>
      <div class="settings wide" aria-hidden="true">${[1, 2, 3].map(() => html`<fieldset><div>${bone(9)}</div><div class="flat">${bone(18)}${bone(34)}${bone(12)}${bone(28)}</div></fieldset>`)}</div>`;
    return this.read.show(this.context, this.words.tabs.policy, bones, (read) => this.screen(read));
  }

  private screen(read: Read): TemplateResult {
    const words = this.words.policy;
    const policy = read.policy.value;
    const settings = this.mine ?? policy;
    const changes = this.differences(policy, settings);
    this.context.guard(changes.length ? () => confirm(words.leave) : null);
    const text = policy.updatedAt
      ? html`${timed(this.context, policy.updatedAt, this.format.moment(policy.updatedAt), (at) => this.words.overview.changed(at, policy.updatedBy ?? this.words.somebody))} ${words.text}`
      : words.text;
    const connected = this.context.overview?.status !== "disconnected" && this.context.overview?.status !== "pending";
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-policy">
      ${head("h-policy", words.title, text)} ${this.outcome()}
      ${connected ? nothing : note("plain", "off", html`<p>${words.notConnected}</p>`)}
      <form class="settings" @submit=${(event: Event) => event.preventDefault()}>
        ${this.mode(settings)} ${this.applications(read, settings, changes)} ${this.fails(settings)} ${this.session(settings)}
      </form>
      ${changes.length ? this.bar(changes) : nothing}
      ${this.asking ? this.question(settings) : nothing}
      ${this.theirs ? this.conflict(policy, this.theirs, settings) : nothing}
    </section>`;
  }

  private choice(name: string, value: string, checked: boolean, label: string, text: Content, pick: () => void): TemplateResult {
    const id = `${name}-${value}`;
    return html`<div class="choice">
      <input type="radio" name=${name} id=${id} .checked=${checked} ?disabled=${this.context.readonly} aria-describedby="${id}-text" @change=${pick} />
      <label for=${id}>${label}</label>
      <p id="${id}-text">${text}</p>
    </div>`;
  }

  private mode(settings: Settings): TemplateResult {
    const words = this.words.policy;
    const exceptions = this.context.overview?.exceptions;
    const pick = (mode: Settings["mode"]) => () => this.edit({ mode });
    return html`<fieldset>
      <legend>${words.who}</legend>
      <div>
        ${this.choice("mode", "on", settings.mode === "on", words.everybody, words.everybodyText(exceptions?.count ?? 0, exceptions?.exact ?? true), pick("on"))}
        ${this.choice("mode", "off", settings.mode === "off", words.nobody, words.nobodyText, pick("off"))}
        ${this.fault("mode")}
      </div>
    </fieldset>`;
  }

  private applications({ applications }: Read, settings: Settings, changes: Difference[]): TemplateResult {
    const words = this.words.policy;
    return html`<fieldset>
      <legend>${words.applications}</legend>
      <div class="flat">
        ${applications.length ? nothing : html`<p class="muted">${words.noApplications}</p>`}
        ${applications.map((each, index) => {
          const barred = each.incompatible !== null;
          const on = !settings.applicationsOff.includes(each.clientId);
          const changed = changes.some((change) => change.key === each.clientId);
          const text = each.incompatible === "not_supported" ? words.bars.not_supported : each.incompatible === "product_missing" ? words.bars.product_missing(each.requiresProduct ?? "") : on ? words.withMicrosoft : words.withPassword;
          return html`<div class="choice">
            <input type="checkbox" id="application-${index}" .checked=${on && !barred} ?disabled=${barred || this.context.readonly}
              aria-describedby="application-${index}-text" @change=${() => this.toggle(each.clientId, settings)} />
            <label for="application-${index}">${each.name}</label>
            <p id="application-${index}-text">${text}${changed ? html` <mark>${words.changedMark}</mark>` : nothing}</p>
          </div>`;
        })}
        ${this.fault("applicationsOff")}
      </div>
    </fieldset>`;
  }

  private fails(settings: Settings): TemplateResult {
    const words = this.words.policy;
    const pick = (whenConnectionFails: Settings["whenConnectionFails"]) => () => this.edit({ whenConnectionFails });
    return html`<fieldset>
      <legend>${words.fails}</legend>
      <div>
        ${this.choice("fails", "password", settings.whenConnectionFails === "password", words.failsPassword, words.failsPasswordText, pick("password"))}
        ${this.choice("fails", "sso", settings.whenConnectionFails === "sso", words.failsSso, words.failsSsoText, pick("sso"))}
        ${this.fault("whenConnectionFails")}
      </div>
    </fieldset>`;
  }

  private session({ sessionHours }: Settings): TemplateResult {
    const words = this.words.policy;
    const type = (event: Event) => this.edit({ sessionHours: Math.max(1, Math.round(Number((event.target as HTMLInputElement).value)) || 1) });
    const hours = html`<span class="row"><input type="number" id="session-hours" class="hours" min="1" max="8760" aria-label=${words.sessionHours} ?disabled=${this.context.readonly || sessionHours === null} .value=${String(sessionHours ?? "")} @change=${type} />${words.sessionUnit}</span>`;
    return html`<fieldset>
      <legend>${words.session}</legend>
      <div>
        ${this.choice("session", "free", sessionHours === null, words.sessionFree, words.sessionFreeText, () => this.edit({ sessionHours: null }))}
        ${this.choice("session", "limited", sessionHours !== null, words.sessionLimited, words.sessionText, () => this.edit({ sessionHours: this.read.value!.policy.value.sessionHours ?? 12 }))}
        <div class="inset">${hours}</div> ${this.fault("sessionHours")}
      </div>
    </fieldset>`;
  }

  /** What the service says of a setting, beside it. */
  private fault(field: string): Content {
    const said = this.failed?.faults.filter((each) => each.field.split(".")[0] === field).map((each) => each.detail) ?? [];
    return said.length ? faultNote(`fault-${field}`, said.join(" ")) : nothing;
  }

  private bar(changes: Difference[]): TemplateResult {
    const words = this.words.policy;
    const modeChanges = changes.some((change) => change.key === "mode");
    return html`<div class="bar wide" role="region" aria-label=${words.unsaved} part="bar">
      <p><strong>${words.unsavedCount(changes.length)}</strong> ${changes.map(({ setting, from, to }) => words.change(setting, from, to)).join(" ")}</p>
      <div class="row">
        <button class="btn" @click=${() => this.discard()}>${words.discard}</button>
        <button class="btn main" part="button primary" aria-disabled=${this.busy === "save"}
          @click=${() => (modeChanges ? (this.asking = true) : void this.save())}>${words.saveChanges}</button>
      </div>
    </div>`;
  }

  private question(settings: Settings): TemplateResult {
    const words = this.words.policy;
    const on = settings.mode === "on";
    const close = () => (this.asking = false);
    const nobody = on && this.context.overview && !this.context.overview.exceptions.count;
    return dialog(
      "h-switch",
      on ? words.onTitle : words.offTitle,
      html`<p>${on ? words.onText : words.offText}</p>
        ${nobody ? note("warn", "warn", html`<p>${words.onNobody}</p>`) : nothing}
        ${on ? html`<p class="muted">${words.onHint}</p>` : nothing}`,
      html`<button class="btn" autofocus @click=${close}>${words.notNow}</button>
        <button class="btn main ${on ? "" : "danger"}" @click=${() => void this.save()}>${on ? words.onConfirm : words.offConfirm}</button>`,
      close,
    );
  }

  private conflict(before: Policy, theirs: Versioned<Policy>, mine: Settings): TemplateResult {
    const words = this.words.policy;
    const they = this.differences(before, theirs.value);
    const my = this.differences(before, mine);
    const keys = [...new Set([...they, ...my].map((each) => each.key))];
    const of = (list: Difference[], key: string) => list.find((each) => each.key === key);
    const shown = (change?: Difference) => (change ? html`<strong>${change.to}</strong>` : html`<span class="muted">${words.none}</span>`);
    const at = theirs.value.updatedAt;
    const close = () => (this.theirs = undefined);
    return dialog(
      "h-conflict",
      words.conflictTitle(theirs.value.updatedBy ?? this.words.somebody, at ? this.format.ago(at) : ""),
      html`<p>${words.conflictText}</p>
        <table class="quiet" role="table">
          <caption class="vh">${words.conflictCaption}</caption>
          <thead role="rowgroup"><tr role="row">${[words.setting, words.before, words.theirs, words.yours].map((title) => html`<th scope="col" role="columnheader">${title}</th>`)}</tr></thead>
          <tbody role="rowgroup">
            ${keys.map((key) => {
              const [their, own] = [of(they, key), of(my, key)];
              const any = (their ?? own)!;
              return html`<tr role="row"><th scope="row" role="rowheader">${any.setting}</th>
                <td role="cell" data-label=${words.before}>${any.from}</td>
                <td role="cell" data-label=${words.theirs}>${shown(their)}</td>
                <td role="cell" data-label=${words.yours}>${shown(own)}</td></tr>`;
            })}
          </tbody>
        </table>
        <ul class="list"><li>${words.conflictMine}</li><li>${words.conflictTheirs}</li></ul>`,
      html`<button class="btn plain" @click=${close}>${words.backToEditing}</button>
        <button class="btn" autofocus @click=${() => this.takeTheirs(theirs)}>${words.takeTheirs}</button>
        <button class="btn main" @click=${() => void this.keepMine(before, theirs, mine)}>${words.keepMine}</button>`,
      close,
    );
  }

  private differences(from: Settings, to: Settings): Difference[] {
    const words = this.words.policy;
    const found: Difference[] = [];
    const mode = (settings: Settings) => (settings.mode === "on" ? words.everybody : words.nobody);
    const fails = (settings: Settings) => (settings.whenConnectionFails === "sso" ? words.failsSso : words.failsPassword);
    if (from.mode !== to.mode) found.push({ key: "mode", setting: words.who, from: mode(from), to: mode(to) });
    for (const id of new Set([...from.applicationsOff, ...to.applicationsOff])) {
      const [before, after] = [from, to].map((each) => (each.applicationsOff.includes(id) ? words.valuePassword : words.valueMicrosoft));
      const setting = this.read.value?.applications.find((each) => each.clientId === id)?.name ?? id;
      if (before !== after) found.push({ key: id, setting, from: before!, to: after! });
    }
    if (from.whenConnectionFails !== to.whenConnectionFails) found.push({ key: "fails", setting: words.fails, from: fails(from), to: fails(to) });
    const session = (settings: Settings) => (settings.sessionHours === null ? words.sessionFree : words.valueHours(settings.sessionHours));
    if (from.sessionHours !== to.sessionHours) found.push({ key: "session", setting: words.session, from: session(from), to: session(to) });
    return found;
  }

  private edit(part: Partial<Settings>): void {
    const { mode, applicationsOff, whenConnectionFails, sessionHours } = this.mine ?? this.read.value!.policy.value;
    this.mine = { mode, applicationsOff, whenConnectionFails, sessionHours, ...part };
    this.said = nothing;
  }

  private toggle(id: string, { applicationsOff }: Settings): void {
    this.edit({ applicationsOff: applicationsOff.includes(id) ? applicationsOff.filter((each) => each !== id) : [...applicationsOff, id] });
  }

  private discard(): void {
    this.mine = undefined;
    this.failed = undefined;
  }

  private async save(): Promise<void> {
    this.asking = false;
    const { policy } = this.read.value!;
    const mine = this.mine!;
    await this.change("save", async () => {
      const params = { path: this.api.path, header: { "If-Match": policy.etag } };
      const saved = await this.api.take(this.api.client.PUT("/v1/accounts/{accountId}/policy", { params, body: mine }));
      this.read.value = { ...this.read.value!, policy: saved };
      this.mine = undefined;
      this.said = this.words.policy.saved;
      this.context.announce("policy-changed", { ...mine });
    });
    if (this.failed?.stale) {
      this.failed = undefined;
      await this.change("theirs", async () => {
        this.theirs = await this.api.take(this.api.client.GET("/v1/accounts/{accountId}/policy", { params: { path: this.api.path } }));
      });
    } else if (this.failed && this.failed.status >= 500) {
      await this.read.run(); // it may have taken place
    }
    void this.context.refresh();
  }

  private takeTheirs(theirs: Versioned<Policy>): void {
    this.read.value = { ...this.read.value!, policy: theirs };
    this.mine = undefined;
    this.theirs = undefined;
  }

  /** My changes on top of theirs: mine win only where both have changed the same setting. */
  private async keepMine(before: Policy, theirs: Versioned<Policy>, mine: Settings): Promise<void> {
    const their = theirs.value;
    const toggled = new Set(this.differences(before, mine).map((each) => each.key));
    const off = new Set(their.applicationsOff);
    for (const id of toggled) if (mine.applicationsOff.includes(id)) off.add(id); else off.delete(id);
    this.read.value = { ...this.read.value!, policy: theirs };
    this.theirs = undefined;
    this.mine = {
      mode: toggled.has("mode") ? mine.mode : their.mode,
      applicationsOff: [...off],
      whenConnectionFails: toggled.has("fails") ? mine.whenConnectionFails : their.whenConnectionFails,
      sessionHours: toggled.has("session") ? mine.sessionHours : their.sessionHours,
    };
    await this.save();
  }
}
