// Who keeps the password, why, until when?

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { Problem, type Entry } from "../api.js";
import { address, bone, busyButton, dialog, head, note, searchForm, status, tableBones, time } from "../parts.js";
import { save } from "../save.js";
import { Load, Screen } from "../screen.js";
import "./exception-dialog.js";

interface Page {
  entries: readonly Entry[];
  following: string | null;
}

/** The page that is shown, with the continuations up to it; the first page needs none. */
interface Shown extends Page {
  tokens: readonly (string | null)[];
}

const ROWS = 100;
const MORE = 1000;
const AT_ONCE = 4;
const SOON = 14 * 86_400_000;

@customElement("azure-sso-exceptions")
export class ExceptionsScreen extends Screen {
  private readonly read = new Load<Shown>(this, async () => {
    const tokens = this.wantedTokens;
    return { ...(await this.page(ROWS, tokens.at(-1) ?? null)), tokens };
  });
  private wantedTokens: readonly (string | null)[] = [null];
  @state() private found?: { wanted: string; entries: readonly Entry[]; read: number; exact: boolean } | undefined;
  /** What is looked for now; a search that is under way may be for something else. */
  private wanted = "";
  @state() private chosen: ReadonlySet<string> = new Set();
  @state() private editing?: Entry | undefined;
  @state() private asking: readonly Entry[] = [];
  @state() private removed: readonly Entry[] = [];
  @state() private contestedEntries: readonly Entry[] = []; // to be removed, and changed by somebody first; as they are now

  private get api() {
    return this.context.api;
  }

  private async page(pageSize: number, continuationToken: string | null): Promise<Page> {
    const query = { pageSize, ...(continuationToken ? { continuationToken } : {}) };
    const { value } = await this.api.take(this.api.client.GET("/v1/accounts/{accountId}/exceptions", { params: { path: this.api.path, query } }));
    return { entries: (value as { items: Entry[] }).items, following: (value as { continuationToken: string | null }).continuationToken };
  }

  protected override render(): TemplateResult {
    const bones = html`<div class="row apart end wide" aria-hidden="true"><div class="head"><h3>${bone(9)}</h3><p>${bone(28)}</p></div></div>${tableBones([12, 18, 6, 12])}`;
    return this.read.show(this.context, this.words.tabs.exceptions, bones, (page) => this.screen(page));
  }

  private screen(page: Page): TemplateResult {
    const words = this.words.exceptions;
    const empty = !page.entries.length && this.tokens.length === 1;
    const actions = this.context.readonly
      ? nothing
      : html`<button class="btn" @click=${() => this.context.go("exceptions/import")}>${words.import}</button>
          <button class="btn main" part="button primary" @click=${() => this.context.go("exceptions/add")}>${words.add}</button>`;
    const exporting = empty ? nothing : busyButton(this.busy === "export", words.export, words.exporting, "", () => void this.export());
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-exceptions">
      ${head("h-exceptions", words.title, words.text, html`${exporting}${empty ? nothing : actions}`)}
      ${this.outcome()} ${this.undo()}
      ${empty ? this.empty() : this.list(page)}
      ${this.dialogs()}
    </section>`;
  }

  private empty(): TemplateResult {
    const words = this.words.exceptions;
    const actions = html`<div class="row">
      <button class="btn main" part="button primary" @click=${() => this.context.go("exceptions/emergency")}>${words.addEmergency}</button>
      <button class="btn" @click=${() => this.context.go("exceptions/import")}>${words.import}</button>
    </div>`;
    return note("plain", "warn", html`<h4>${words.emptyTitle}</h4><p>${words.empty}</p>${this.context.readonly ? nothing : actions}`);
  }

  private undo(): TemplateResult | typeof nothing {
    const words = this.words.exceptions;
    const again = this.contestedEntries;
    const left = note(
      "warn",
      "warn",
      html`<p>${words.notRemoved(again.length)}</p>
        <ul class="list">${again.map((each) => html`<li>${address(each.email)}: ${each.reason}</li>`)}</ul>
        <div class="row"><button class="btn" @click=${() => (this.contestedEntries = [])}>${words.keep}</button><button class="btn danger" @click=${() => void this.takeOff(again)}>${words.anyway}</button></div>`,
      "alert",
    );
    return html`${again.length ? left : nothing}
      ${this.removed.length ? html`<div class="row">${busyButton(this.busy === "undo", this.words.undo, this.words.undo, "", () => void this.restore())}</div>` : nothing}`;
  }

  private list(page: Page): TemplateResult {
    const words = this.words.exceptions;
    const shown = this.found?.entries ?? page.entries;
    return html`<div class="stack wide">
      <div class="row apart end wide">
        ${searchForm({ id: "exceptions-find", label: words.findLabel, find: words.find }, (wanted) => this.find(wanted))}
        <div class="row">
          ${this.chosen.size && !this.context.readonly
            ? html`<span class="count">${words.selected(this.chosen.size)}</span><button class="btn danger" @click=${() => (this.asking = shown.filter((each) => this.chosen.has(each.exceptionId)))}>${words.removeSelected}</button>`
            : html`<p class="count" role="status">${this.found ? (this.busy === "find" ? words.searching(this.found.read) : words.found(shown.length, this.found.read, this.found.exact)) : this.tokens.length === 1 ? words.shown(shown.length, page.following !== null) : words.total(this.first + 1, this.first + shown.length, page.following !== null)}</p>`}
        </div>
      </div>
      ${shown.length ? this.table(shown) : html`<p>${this.busy === "find" ? nothing : words.nothingFound}</p>`}
      ${this.found || (!page.following && this.tokens.length === 1) ? nothing : this.paging(page)}
    </div>`;
  }

  private get tokens(): readonly (string | null)[] {
    return this.read.value?.tokens ?? [null];
  }

  private get first(): number {
    return (this.tokens.length - 1) * ROWS;
  }

  private paging(page: Page): TemplateResult {
    const words = this.words;
    const turn = async (tokens: readonly (string | null)[]) => {
      this.wantedTokens = tokens;
      this.chosen = new Set();
      await this.read.run();
      if (this.read.problem) this.wantedTokens = this.tokens;
    };
    return html`<div class="row apart wide">
      <span class="muted">${words.exceptions.total(this.first + 1, this.first + page.entries.length, page.following !== null)}</span>
      <div class="row">
        <button class="btn" ?disabled=${this.tokens.length === 1} @click=${() => this.wantedTokens.length > 1 && void turn(this.wantedTokens.slice(0, -1))}>${words.previous}<span class="vh"> ${words.page}</span></button>
        <button class="btn" ?disabled=${!page.following} @click=${() => this.wantedTokens === this.tokens && void turn([...this.tokens, page.following])}>${words.following}<span class="vh"> ${words.page}</span></button>
      </div>
    </div>`;
  }

  private table(entries: readonly Entry[]): TemplateResult {
    const words = this.words.exceptions;
    const change = !this.context.readonly;
    const all = entries.every((each) => this.chosen.has(each.exceptionId));
    const pickAll = () => (this.chosen = all ? new Set() : new Set(entries.map((each) => each.exceptionId)));
    return html`<table class="dense" role="table">
      <caption class="vh">${words.caption}</caption>
      <thead role="rowgroup"><tr role="row">
        ${change ? html`<th scope="col" role="columnheader" class="pick"><input type="checkbox" aria-label=${words.selectAll} .checked=${all} @change=${pickAll} /></th>` : nothing}
        <th scope="col" role="columnheader">${words.email}</th>
        <th scope="col" role="columnheader">${words.reason}</th>
        <th scope="col" role="columnheader">${words.ends}</th>
        <th scope="col" role="columnheader" class="least">${words.added}</th>
        ${change ? html`<th scope="col" role="columnheader" class="acts"><span class="vh">${this.words.actions}</span></th>` : nothing}
      </tr></thead>
      <tbody role="rowgroup">${entries.map((each) => this.row(each, change))}</tbody>
    </table>`;
  }

  private row(each: Entry, change: boolean): TemplateResult {
    const words = this.words.exceptions;
    return html`<tr role="row">
      ${change ? html`<td role="cell" class="pick"><input type="checkbox" aria-label=${words.select(each.email)} .checked=${this.chosen.has(each.exceptionId)} @change=${() => this.pick(each.exceptionId)} /></td>` : nothing}
      <th scope="row" role="rowheader">${address(each.email)}</th>
      <td role="cell">${each.reason}</td>
      <td role="cell" data-label=${words.ends}>${this.ends(each)}</td>
      <td role="cell" class="least" data-label=${words.added}>${time(this.context, each.createdAt, this.format.day(each.createdAt))}, ${each.createdBy}</td>
      ${change
        ? html`<td role="cell" class="acts">
            <button class="btn plain" @click=${() => (this.editing = each)}>${words.edit}<span class="vh"> ${each.email}</span></button>
            <button class="btn plain" @click=${() => (this.asking = [each])}>${words.remove}<span class="vh"> ${each.email}</span></button>
          </td>`
        : nothing}
    </tr>`;
  }

  private ends({ expiresAt, inForce }: Entry): TemplateResult | string {
    const words = this.words.exceptions;
    if (!expiresAt) return this.words.never;
    const last = new Date(new Date(expiresAt).getTime() - 1000).toISOString(); // midnight is the end of the day before
    const day = this.format.day(last);
    if (!inForce) return status("off", time(this.context, expiresAt, words.ended(day)));
    const soon = new Date(expiresAt).getTime() - Date.now() < SOON;
    return soon ? status("warn", html`${time(this.context, expiresAt, day)}, ${this.format.away(last)}`) : time(this.context, expiresAt, day);
  }

  private dialogs(): TemplateResult | typeof nothing {
    if (this.context.readonly) return nothing;
    const adding = this.rest === "add" || this.rest === "emergency";
    const close = () => {
      this.editing = undefined;
      if (adding) this.context.go("exceptions");
    };
    const done = async (event: CustomEvent<{ said: string }>) => {
      close();
      this.removed = [];
      this.context.announce("exceptions-changed");
      await Promise.all([this.read.run(), this.context.refresh()]);
      this.said = event.detail.said;
    };
    if (adding || this.editing)
      return html`<azure-sso-exception .context=${this.context} .entry=${this.editing} .emergency=${this.rest === "emergency"} @closed=${close} @done=${done}></azure-sso-exception>`;
    return this.asking.length ? this.question(this.asking) : nothing;
  }

  private question(entries: readonly Entry[]): TemplateResult {
    const words = this.words.exceptions;
    const close = () => (this.asking = []);
    return dialog(
      "h-remove",
      words.removeTitle(entries.length, entries[0]!.email),
      html`<p>${words.removeText(entries.length)}</p>`,
      html`<button class="btn" autofocus @click=${close}>${words.keep}</button>
        <button class="btn danger main" @click=${() => void this.takeOff(entries)}>${words.confirm}</button>`,
      close,
    );
  }

  private pick(id: string): void {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(id)) chosen.add(id);
    this.chosen = chosen;
  }

  /** The service searches lists that are not too long; a longer one is read, a thousand at a time, so that "none" means none. */
  private find(wanted: string): void {
    this.wanted = wanted;
    this.found = undefined;
    this.chosen = new Set();
    if (wanted) void this.change("find", () => this.search());
  }

  /** Until nothing else was asked for meanwhile. */
  private async search(): Promise<void> {
    for (let last = ""; this.wanted && this.wanted !== last && this.isConnected; ) await this.searchFor((last = this.wanted));
  }

  private async searchFor(wanted: string): Promise<void> {
    const part = wanted.toLowerCase();
    const show = (entries: readonly Entry[], read: number, exact = true) => this.wanted === wanted && (this.found = { wanted, entries, read, exact });
    show([], 0);
    const short = await this.searched(wanted);
    if (short) return void show(short, Math.max(short.length, this.context.overview?.exceptions.count ?? 0), this.context.overview?.exceptions.exact);
    let [matching, read, following]: [Entry[], number, string | null] = [[], 0, null];
    do {
      const page: Page = await this.page(MORE, following);
      if (!this.isConnected || this.wanted !== wanted) return;
      matching = [...matching, ...page.entries.filter((each) => each.email.toLowerCase().includes(part) || each.reason.toLowerCase().includes(part))].slice(0, MORE);
      read += page.entries.length;
      show(matching, read);
      following = page.following;
    } while (following);
  }

  /** What the service finds, or null where it says that the list is too long. */
  private async searched(text: string): Promise<readonly Entry[] | null> {
    try {
      const { value } = await this.api.take(
        this.api.client.POST("/v1/accounts/{accountId}/exceptions/search", { params: { path: this.api.path }, body: { text } }),
      );
      return value.items;
    } catch (error) {
      if (error instanceof Problem && error.status === 409) return null;
      throw error;
    }
  }

  /** Remove what is still as it was shown; what somebody changed meanwhile stays. */
  private async takeOff(entries: readonly Entry[]): Promise<void> {
    this.asking = this.contestedEntries = [];
    const queue = [...entries];
    const removed: Entry[] = [];
    const changed: Entry[] = [];
    const one = async (each: Entry) => {
      const path = { ...this.api.path, exceptionId: each.exceptionId };
      try {
        const now = await this.api.take(this.api.client.GET("/v1/accounts/{accountId}/exceptions/{exceptionId}", { params: { path } }));
        if (now.value.updatedAt !== each.updatedAt) return void changed.push(now.value);
        const params = { path, header: { "If-Match": now.etag } };
        await this.api.take(this.api.client.DELETE("/v1/accounts/{accountId}/exceptions/{exceptionId}", { params }));
        removed.push(each);
      } catch (error) {
        const code = (error as { status?: number }).status;
        if (code === 412) queue.push(each); // it is read again, and is another one now
        else if (code !== 404) throw error;
      }
    };
    await this.change("remove", async () => {
      const workers = Array.from({ length: AT_ONCE }, async () => {
        for (let each = queue.shift(); each; each = queue.shift()) {
          await one(each);
          this.said = this.words.exceptions.removing(removed.length, entries.length);
        }
      });
      await Promise.all(workers);
      this.said = removed.length || !changed.length ? this.words.exceptions.removed(removed.length) : nothing;
    });
    this.contestedEntries = changed;
    this.removed = removed;
    this.chosen = new Set();
    if (this.found) this.found = { ...this.found, entries: this.found.entries.filter((each) => !removed.includes(each)) };
    this.context.announce("exceptions-changed", { removed: removed.length });
    await Promise.all([this.read.run(), this.context.refresh()]);
  }

  private async restore(): Promise<void> {
    const again = this.removed.map(({ email, reason, expiresAt }) => ({ email, reason, expiresAt }));
    await this.change("undo", async () => {
      await this.api.take(this.api.client.POST("/v1/accounts/{accountId}/exceptions", { params: { path: this.api.path }, body: again }));
      this.removed = [];
      this.said = this.words.exceptions.restored(again.length);
      this.context.announce("exceptions-changed", { restored: again.length });
    });
    await Promise.all([this.read.run(), this.context.refresh()]);
  }

  private async export(): Promise<void> {
    await this.change("export", async () => {
      const { value } = await this.api.take(
        this.api.client.GET("/v1/accounts/{accountId}/exceptions", { params: { path: this.api.path }, headers: { Accept: "text/csv" }, parseAs: "blob" }),
      );
      save(value as Blob, `exceptions-${this.api.account}.csv`);
    });
  }
}
