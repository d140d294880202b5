// Who changed what, when? What is looked for stands in the address, but for an email address.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { AuditEntry, Schemas } from "../api.js";
import { bone, busyButton, field, head, note, searchForm } from "../parts.js";
import { Load, Screen } from "../screen.js";
import { actorOf, sentence } from "../trail.js";

interface Trail {
  entries: readonly AuditEntry[];
  following: string | null;
}

type Kind = Schemas["AuditKind"];

const PAGE = 100;
const IMPORT = 600_000; // milliseconds within which parts belong to one import

@customElement("azure-sso-activity")
export class ActivityScreen extends Screen {
  private readonly read = new Load<Trail>(this, () => this.page());
  /** Whose address is looked for; it never stands in the address of the page. */
  @state() private email = "";
  @state() private fault = "";
  /** The people who were seen, by reference, so that one of them can be chosen. */
  private readonly actors = new Map<string, string>();

  private get api() {
    return this.context.api;
  }

  private get wanted(): { kind: Kind | null; reference: string | null } {
    const [kind = "", reference = ""] = this.rest.split("/");
    return { kind: kind && kind !== "all" && kind in this.words.activity.kinds ? (kind as Kind) : null, reference: reference || null };
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.get("rest") !== undefined && this.read.at) void this.read.run();
  }

  /** The next entries. The service looks at a part of the trail at a time, in which there may be nothing of it. */
  private async page(continuationToken: string | null = null): Promise<Trail> {
    const { kind, reference } = this.wanted;
    const body = { kind, reference: this.email ? null : reference, email: this.email || null, pageSize: PAGE };
    const entries: AuditEntry[] = [];
    let following = continuationToken;
    do {
      const { value } = await this.api.take(
        this.api.client.POST("/v1/accounts/{accountId}/audit/search", { params: { path: this.api.path }, body: { ...body, continuationToken: following } }),
      );
      entries.push(...value.items);
      following = value.continuationToken;
    } while (following && !entries.length && this.isConnected);
    for (const { actor } of entries) if (actor.reference) this.actors.set(actor.reference, actorOf(this.words, actor));
    return { entries, following };
  }

  protected override render(): TemplateResult {
    const bones = html`<div class="head wide" aria-hidden="true"><h3>${bone(9)}</h3><p>${bone(28)}</p></div>
      <ul class="log wide" role="list" aria-hidden="true">${[1, 2, 3, 4, 5].map(() => html`<li>${bone(6)}<p>${bone(34)}</p></li>`)}</ul>`;
    return this.read.show(this.context, this.words.tabs.activity, bones, (trail) => this.screen(trail));
  }

  private screen({ entries, following }: Trail): TemplateResult {
    const words = this.words.activity;
    const { kind, reference } = this.wanted;
    const everything = !kind && !reference && !this.email;
    const last = entries.at(-1);
    const shown = folded(entries);
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-activity">
      ${head("h-activity", words.title, `${words.text} ${words.times(this.format.zone())}`)} ${this.outcome()}
      ${everything && !last
        ? note("plain", "off", html`<h4>${words.emptyTitle}</h4><p>${words.empty}</p>`)
        : html`${this.filters(kind, reference)}
            <p class="muted" role="status">${last ? words.shown(shown.length, this.format.day(last.at)) : words.nothing}</p>
            ${this.days(shown)}`}
      ${following ? html`<div class="row">${busyButton(this.busy === "older", words.older, this.words.loading(words.title), "", () => void this.older(following))}</div>` : nothing}
    </section>`;
  }

  private filters(kind: Kind | null, reference: string | null): TemplateResult {
    const words = this.words.activity;
    const known = reference && !this.email && !this.actors.has(reference) ? [[reference, this.words.somebody]] : [];
    const people = [["", words.everybody], ...this.actors, ...known] as [string, string][];
    return html`<div class="row end wide">
      ${this.select("activity-kind", words.kind, kind ?? "all", Object.entries(words.kinds), (value) => this.look(value, reference ?? ""))}
      ${this.select("activity-who", words.who, this.email ? "" : (reference ?? ""), people, (value) => this.look(kind ?? "all", value))}
      ${searchForm({ id: "activity-about", label: words.about, find: this.words.exceptions.find, fault: this.fault, type: "email" }, (wanted) => this.about(wanted))}
      ${kind || reference || this.email ? html`<button class="btn" @click=${() => this.look("all", "")}>${words.showAll}</button>` : nothing}
    </div>`;
  }

  private select(id: string, label: string, value: string, options: [string, string][], pick: (value: string) => void): TemplateResult {
    return field({ id, label }, () => html`<select id=${id} .value=${value} @change=${(event: Event) => pick((event.target as HTMLSelectElement).value)}>
        ${options.map(([key, words]) => html`<option value=${key} ?selected=${key === value}>${words}</option>`)}
      </select>`);
  }

  private look(kind: string, reference: string): void {
    const input = this.querySelector<HTMLInputElement>("#activity-about")!;
    const again = this.email !== "" || this.fault !== "";
    input.value = this.email = this.fault = "";
    const route = ["activity", ...(kind !== "all" || reference ? [kind] : []), ...(reference ? [reference] : [])].join("/");
    if (route === ["activity", this.rest].filter(Boolean).join("/")) return void (again && this.read.run());
    this.context.go(route);
  }

  private async about(email: string): Promise<void> {
    const words = this.words.exceptions;
    this.fault = email && !email.includes("@") ? words.noAt : "";
    if (this.fault || email === this.email) return;
    const before = this.email;
    this.email = email;
    const found = await this.change("find", async () => void (this.read.value = await this.page()));
    if (found) return this.requestUpdate();
    this.fault = this.failed?.of("email") ?? "";
    if (this.fault) this.failed = undefined;
    this.email = before;
  }

  private days(entries: readonly AuditEntry[]): TemplateResult[] {
    const days = Map.groupBy(entries, (each) => this.format.heading(each.at));
    return [...days].map(
      ([day, those], index) => html`<section class="stack tight" aria-labelledby="h-day-${index}">
        <h4 id="h-day-${index}">${day}</h4>
        <ul class="log" role="list">
          ${those.map((each) => html`<li><time datetime=${each.at} title=${this.format.full(each.at)}>${this.format.time(each.at)}</time><p><strong>${actorOf(this.words, each.actor)}</strong> ${sentence(this.context, each)}</p></li>`)}
        </ul>
      </section>`,
    );
  }

  private async older(continuation: string): Promise<void> {
    await this.change("older", async () => {
      const more = await this.page(continuation);
      this.read.value = { entries: [...this.read.value!.entries, ...more.entries], following: more.following };
    });
  }
}

/** The transactions of one import are one entry: nobody asks for each hundred lines. */
function folded(entries: readonly AuditEntry[]): AuditEntry[] {
  const result: AuditEntry[] = [];
  for (const each of entries) {
    const newer = result.at(-1);
    const one = newer?.action === "exceptions.imported" && each.action === newer.action && each.actor.reference === newer.actor.reference;
    if (one && Date.parse(newer.at) - Date.parse(each.at) < IMPORT) {
      const count = Number(newer.details["count"]) + Number(each.details["count"]);
      result[result.length - 1] = { ...newer, details: { ...newer.details, count } };
    } else {
      result.push(each);
    }
  }
  return result;
}
