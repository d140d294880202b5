// Which address is linked to which Microsoft account?

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { Link } from "../api.js";
import { address, bone, busyButton, copyButton, dialog, field, head, note, searchForm, tableBones, time, timeAlone } from "../parts.js";
import { Load, Screen } from "../screen.js";
import "./release-dialog.js";

interface Read {
  links: readonly Link[];
  following: string | null;
}

const FIRST = 100;
const MORE = 1000;
const WHOLE = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;

@customElement("azure-sso-people")
export class PeopleScreen extends Screen {
  private readonly read = new Load<Read>(this, () => this.page(FIRST));
  @state() private wanted = "";
  @state() private chosen: ReadonlySet<string> = new Set();
  @state() private asking: readonly Link[] = [];
  /** The one link of an address that was typed as a whole. */
  @state() private exact: readonly Link[] = [];
  /** The address of the person to erase; empty while it is still to be typed. */
  @state() private erasing?: string | undefined;
  @state() private fault = "";

  private get api() {
    return this.context.api;
  }

  private async page(pageSize: number, continuationToken?: string | null): Promise<Read> {
    const query = { pageSize, ...(continuationToken ? { continuationToken } : {}) };
    const { value } = await this.api.take(this.api.client.GET("/v1/accounts/{accountId}/links", { params: { path: this.api.path, query } }));
    return { links: value.items, following: value.continuationToken };
  }

  protected override render(): TemplateResult {
    const bones = html`<div class="head wide" aria-hidden="true"><h3>${bone(9)}</h3><p>${bone(28)}</p></div>${tableBones([18, 9, 18])}`;
    return this.read.show(this.context, this.words.tabs.people, bones, (read) => this.screen(read));
  }

  private screen({ links, following }: Read): TemplateResult {
    const words = this.words.people;
    const part = this.wanted.toLowerCase();
    const shown = this.exact.length ? this.exact : part ? links.filter((each) => each.email.toLowerCase().includes(part) || each.oid.includes(part)) : links;
    const many = this.rest === "release" && !this.context.readonly;
    const actions = html`${links.length ? html`<button class="btn" @click=${() => this.context.go("people/release")}>${words.releaseMany}</button>` : nothing}
      <button class="btn danger" @click=${() => this.askToErase("")}>${words.eraseSomebody}</button>`;
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-people">
      ${head("h-people", words.title, words.text, this.context.readonly ? nothing : actions)} ${this.outcome()}
      ${links.length ? html`<div class="stack wide">${this.tools(shown.length, links.length, following)} ${shown.length ? this.table(shown) : html`<p>${words.nothingFound}</p>`}</div>` : note("plain", "off", html`<h4>${words.emptyTitle}</h4><p>${words.empty}</p>`)}
      ${following && !part ? html`<div class="row">${busyButton(this.busy === "more", words.more, this.words.loading(words.title), "", () => void this.more())}</div>` : nothing}
      ${many ? html`<azure-sso-release .context=${this.context} @closed=${() => this.context.go("people")} @done=${this.releasedMany}></azure-sso-release>` : nothing}
      ${this.asking.length ? this.question(this.asking) : nothing} ${this.erasing === undefined ? nothing : this.erasure(this.erasing)}
    </section>`;
  }

  private tools(shown: number, all: number, following: string | null): TemplateResult {
    const words = this.words.people;
    const exceptions = this.words.exceptions;
    const count = this.busy === "find" ? exceptions.searching(all) : this.wanted ? exceptions.found(shown, all) : exceptions.shown(all, following !== null);
    return html`<div class="row apart end wide">
      ${searchForm({ id: "people-find", label: words.findLabel, find: exceptions.find }, (wanted) => this.find(wanted))}
      <div class="row">
        <p class="count" role="status">${count}</p>
        ${this.chosen.size ? html`<button class="btn danger" @click=${() => this.ask([...this.chosen])}>${words.releaseSelected}</button>` : nothing}
      </div>
    </div>`;
  }

  private table(links: readonly Link[]): TemplateResult {
    const words = this.words.people;
    const change = !this.context.readonly;
    const all = links.every((each) => this.chosen.has(each.linkId));
    const pickAll = () => (this.chosen = all ? new Set() : new Set(links.map((each) => each.linkId)));
    return html`<table role="table">
      <caption class="vh">${words.caption}</caption>
      <thead role="rowgroup"><tr role="row">
        ${change ? html`<th scope="col" role="columnheader" class="pick"><input type="checkbox" aria-label=${this.words.exceptions.selectAll} .checked=${all} @change=${pickAll} /></th>` : nothing}
        <th scope="col" role="columnheader">${words.email}</th>
        <th scope="col" role="columnheader">${words.since}</th>
        <th scope="col" role="columnheader">${words.used}</th>
        <th scope="col" role="columnheader">${words.oid}</th>
        ${change ? html`<th scope="col" role="columnheader" class="acts"><span class="vh">${this.words.actions}</span></th>` : nothing}
      </tr></thead>
      <tbody role="rowgroup">
        ${links.map(
          (each) => html`<tr role="row">
            ${change ? html`<td role="cell" class="pick"><input type="checkbox" aria-label=${this.words.exceptions.select(each.email)} .checked=${this.chosen.has(each.linkId)} @change=${() => this.pick(each.linkId)} /></td>` : nothing}
            <th scope="row" role="rowheader">${address(each.email)}</th>
            <td role="cell" data-label=${words.since}>${timeAlone(this.context, each.linkedAt, this.format.moment(each.linkedAt))}</td>
            <td role="cell" data-label=${words.used}>${each.lastUsedAt ? time(this.context, each.lastUsedAt, this.format.day(each.lastUsedAt)) : words.unused}</td>
            <td role="cell" data-label=${words.oid}><code>${each.oid}</code> ${copyButton(this.context, each.oid, `${words.oid} ${each.email}`)}</td>
            ${change ? html`<td role="cell" class="acts"><button class="btn plain" @click=${() => this.ask([each.linkId])}>${words.release}<span class="vh"> ${each.email}</span></button><button class="btn plain" @click=${() => this.askToErase(each.email)}>${words.erase}<span class="vh"> ${each.email}</span></button></td>` : nothing}
          </tr>`,
        )}
      </tbody>
    </table>`;
  }

  private question(links: readonly Link[]): TemplateResult {
    const words = this.words.people;
    const close = () => (this.asking = []);
    return dialog(
      "h-release",
      words.releaseTitle(links.length, links[0]!.email),
      html`<p>${words.releaseText(links.length)}</p><p class="muted">${words.releaseHint}</p>`,
      html`<button class="btn" autofocus @click=${close}>${words.keep}</button>
        <button class="btn danger main" @click=${() => void this.release(links)}>${words.confirm}</button>`,
      close,
    );
  }

  private erasure(email: string): TemplateResult {
    const words = this.words.people;
    const close = () => (this.erasing = undefined);
    return dialog(
      "h-erase",
      words.eraseTitle,
      html`<form class="stack wide" id="erase" novalidate @submit=${(event: SubmitEvent) => void this.erase(event)}>
        <p>${words.eraseText}</p>
        ${field({ id: "erase-email", label: words.email, fault: this.fault }, ({ described, invalid }) =>
          html`<input id="erase-email" name="email" type="email" autocomplete="off" maxlength="320" .defaultValue=${email} aria-describedby=${described} aria-invalid=${invalid} />`)}
        <p class="muted">${words.eraseHint}</p>
      </form>`,
      html`<button class="btn" autofocus @click=${close}>${words.eraseKeep}</button>
        <button class="btn danger main" form="erase">${words.eraseConfirm}</button>`,
      close,
    );
  }

  private askToErase(email: string): void {
    this.fault = "";
    this.erasing = email;
  }

  private async erase(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const words = this.words.exceptions;
    const email = String(new FormData(event.target as HTMLFormElement).get("email") ?? "").trim();
    this.fault = email ? (email.includes("@") ? "" : words.noAt) : words.noEmail;
    if (this.fault) return;
    const erased = await this.change("erase", async () => {
      const { value } = await this.api.take(this.api.client.POST("/v1/accounts/{accountId}/people/erase", { params: { path: this.api.path }, body: { email } }));
      this.erasing = undefined;
      this.said = this.words.people.erasedNow(value.links, value.exceptions, value.sessions);
      this.context.announce("person-erased");
    });
    const fault = this.failed?.of("email");
    if (!erased && fault) {
      this.fault = fault;
      this.failed = undefined;
      return;
    }
    this.erasing = undefined;
    await Promise.all([this.read.run(), this.context.refresh()]);
  }

  private pick(id: string): void {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(id)) chosen.add(id);
    this.chosen = chosen;
  }

  private ask(ids: readonly string[]): void {
    this.asking = [...this.exact, ...this.read.value!.links].filter((each, at, all) => ids.includes(each.linkId) && all.findIndex(({ linkId }) => linkId === each.linkId) === at);
  }

  /** The service finds a whole address. For a part of one everything is read, so that "none" means none. */
  private find(wanted: string): void {
    this.wanted = wanted;
    this.exact = [];
    this.chosen = new Set();
    if (!wanted) return;
    void this.change("find", async () => {
      if (WHOLE.test(wanted)) this.exact = await this.of(wanted);
      while (!this.exact.length && this.wanted === wanted && this.isConnected && this.read.value!.following) await this.extend(MORE);
    });
  }

  private async of(email: string): Promise<readonly Link[]> {
    try {
      const { value } = await this.api.take(this.api.client.POST("/v1/accounts/{accountId}/links/search", { params: { path: this.api.path }, body: { email } }));
      return value.items;
    } catch (error) {
      if ((error as { status?: number }).status !== 422) throw error;
      return []; // it is a part of an address, after all
    }
  }

  private readonly releasedMany = async (event: CustomEvent<{ said: string }>) => {
    this.context.go("people");
    this.exact = [];
    await Promise.all([this.read.run(), this.context.refresh()]);
    this.said = event.detail.said;
  };

  private async more(): Promise<void> {
    await this.change("more", () => this.extend(FIRST));
  }

  private async extend(size: number): Promise<void> {
    const { links, following } = this.read.value!;
    const more = await this.page(size, following);
    this.read.value = { links: [...links, ...more.links], following: more.following };
    this.requestUpdate();
  }

  private async release(links: readonly Link[]): Promise<void> {
    this.asking = [];
    let released = 0;
    await this.change("release", async () => {
      for (const { linkId } of links) {
        const path = { ...this.api.path, linkId };
        try {
          await this.api.take(this.api.client.DELETE("/v1/accounts/{accountId}/links/{linkId}", { params: { path } }));
          released += 1;
        } catch (error) {
          if ((error as { status?: number }).status !== 404) throw error; // somebody else released it
        }
        const { links: rest, following } = this.read.value!;
        this.read.value = { links: rest.filter((each) => each.linkId !== linkId), following };
        this.exact = this.exact.filter((each) => each.linkId !== linkId);
        this.said = this.words.people.releasing(released, links.length);
      }
      this.said = this.words.people.released(released);
    });
    this.chosen = new Set();
    this.context.announce("people-released", { count: released });
    void this.context.refresh();
  }
}
