// Parts of the guided path: what Microsoft asks for, the start link, the domains that were found, what changes for whom.

import { html, nothing, type TemplateResult } from "lit";
import type { Application, Domains, Overview } from "../api.js";
import type { Context } from "../context.js";
import type { Format } from "../format.js";
import { bone, copyButton, field, status, timed, type Content, type Sort } from "../parts.js";
import type { Words } from "../words/index.js";

const SORTS: Record<string, Sort> = { routed: "ok", off: "off", conflict: "warn", not_listed: "warn", not_routable: "off" };

const headers = (titles: readonly string[]) =>
  html`<thead role="rowgroup"><tr role="row">${titles.map((each) => html`<th scope="col" role="columnheader">${each}</th>`)}</tr></thead>`;

/** Each domain of the tenant, and what switching on means for people there; bones while they are read. */
export function domainsFound(words: Words, domains: Domains | undefined): TemplateResult {
  const texts = words.setup.connected;
  const bones = [1, 2].map(() => html`<tr><td>${bone(12)}</td><td>${bone(18)}</td></tr>`);
  const rows = domains?.items.map(
    ({ domain, state }) => html`<tr role="row"><th scope="row" role="rowheader">${domain}</th><td role="cell">${status(SORTS[state]!, texts[state])}</td></tr>`,
  );
  return html`<table role="table">
    <caption>${texts.caption}</caption>
    ${headers([words.domains.domain, texts.after])}
    <tbody role="rowgroup">${rows ?? bones}</tbody>
  </table>`;
}

/** Who signs in how today, and how after switching on, in the words of the policy. */
export function whatChanges(words: Words, format: Format, overview: Overview, domains: Domains | undefined, applications: readonly Application[]): TemplateResult {
  const texts = words.setup.confirm;
  const { count, exact } = overview.exceptions;
  const routed = domains?.items.filter((each) => each.state === "routed").map((each) => each.domain) ?? [];
  const barred = applications.filter((each) => each.incompatible || each.reason === "application_switched_off");
  const row = (who: Content, today: string, after: Content) => html`<tr role="row">
    <th scope="row" role="rowheader">${who}</th><td role="cell" data-label=${texts.today}>${today}</td><td role="cell" data-label=${texts.afterwards}>${after}</td>
  </tr>`;
  return html`<table class="quiet" role="table">
    <caption class="vh">${texts.caption}</caption>
    ${headers([texts.whoColumn, texts.today, texts.afterwards])}
    <tbody role="rowgroup">
      ${domains ? nothing : [1, 2].map(() => html`<tr aria-hidden="true"><td>${bone(12)}</td><td>${bone(6)}</td><td>${bone(9)}</td></tr>`)}
      ${routed.length ? row(texts.everybody(format.list(routed)), texts.password, html`<strong>${texts.microsoft}</strong>`) : nothing}
      ${count ? row(texts.excepted(count, exact), texts.password, texts.password) : nothing}
      ${barred.map((each) => row(texts.application(each.name), texts.password, texts.password))}
      ${row(texts.signedIn, texts.isSignedIn, texts.stay)}
    </tbody>
  </table>`;
}

/** What the consent is about, in both directions. */
export function whatIsAsked(words: Words): TemplateResult {
  const texts = words.setup.who;
  const list = (title: string, items: readonly string[]) => html`<div class="stack tight"><h4>${title}</h4><ul class="list">${items.map((each) => html`<li>${each}</li>`)}</ul></div>`;
  return html`<details><summary>${texts.asks}</summary><div class="two">${list(texts.askedTitle, texts.asked)}${list(texts.notAskedTitle, texts.notAsked)}</div></details>`;
}

const DAYS = 10_080; // minutes: a week

/** How long a link works, and the tenant for an administrator who is a guest in it. */
export function linkFields(words: Words, forOther: boolean, faults: { tenant?: string; lifetimeMinutes?: string }): TemplateResult {
  const { links, setup } = words;
  const lifetime = field({ id: "setup-lifetime", label: links.lifetime, hint: links.lifetimeHint, fault: faults.lifetimeMinutes }, ({ described, invalid }) =>
    html`<select id="setup-lifetime" aria-describedby=${described} aria-invalid=${invalid}>${links.lifetimes.map(([minutes, label]) => html`<option value=${minutes} ?selected=${minutes === DAYS}>${label}</option>`)}</select>`);
  return html`${forOther ? lifetime : nothing}
    <details ?open=${Boolean(faults.tenant)}><summary>${setup.who.guest}</summary><div>
      ${field({ id: "setup-tenant", label: setup.who.tenant, hint: setup.who.tenantHint, fault: faults.tenant }, ({ described, invalid }) =>
        html`<input id="setup-tenant" autocomplete="off" maxlength="253" aria-describedby=${described} aria-invalid=${invalid} />`)}
    </div></details>`;
}

/** The link for an administrator, with a mail already written; or for this person, who goes on in another tab. */
export function startLink(context: Context, name: string, { url, until, myself }: { url: string; until: string; myself: boolean }): TemplateResult {
  const texts = context.words.setup.waiting;
  const when = context.format.moment(until);
  const mail = `mailto:?subject=${encodeURIComponent(texts.mailSubject(name))}&body=${encodeURIComponent(texts.mailBody(name, url, when))}`;
  const select = (event: Event) => (event.target as HTMLInputElement).select();
  return html`<p>${myself ? texts.selfText : texts.text(name)}</p>
    <div class="field">
      <label for="setup-link">${texts.link}</label>
      <div class="row">
        <input class="grow" id="setup-link" readonly .value=${url} aria-describedby="setup-link-text" @focus=${select} />
        ${myself
          ? html`<a class="btn main" href=${url} target="_blank" rel="noopener">${context.words.setup.who.toMicrosoft}</a>`
          : html`${copyButton(context, url, "", texts.copyLink, "main")}<a class="btn" href=${mail}>${texts.mail}</a>`}
      </div>
      <p class="muted" id="setup-link-text">${timed(context, until, when, texts.linkHint)}</p>
    </div>`;
}
