// Who changed what, when?

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { AuditEntry } from "../api.js";
import { bone, busyButton, head, note } from "../parts.js";
import { Load, Screen } from "../screen.js";

interface Trail {
  entries: readonly AuditEntry[];
  following: string | null;
}

type Details = Record<string, unknown>;
type Kind = "all" | "connection" | "policy" | "exceptions" | "people" | "account";

const KINDS: Record<string, Kind> = { connection: "connection", domain: "connection", domains: "connection", links: "people", policy: "policy", exception: "exceptions", exceptions: "exceptions", link: "people", person: "people", account: "account" };
const PAGE = 100;
const IMPORT = 600_000; // milliseconds within which parts belong to one import

@customElement("azure-sso-activity")
export class ActivityScreen extends Screen {
  private readonly read = new Load<Trail>(this, () => this.page());
  @state() private kind: Kind = "all";
  @state() private who = "";

  private get api() {
    return this.context.api;
  }

  private async page(continuationToken?: string): Promise<Trail> {
    const query = { pageSize: PAGE, ...(continuationToken ? { continuationToken } : {}) };
    const { value } = await this.api.take(this.api.client.GET("/v1/accounts/{accountId}/audit", { params: { path: this.api.path, query } }));
    return { entries: value.items, following: value.continuationToken };
  }

  protected override render(): TemplateResult {
    const bones = html`<div class="head wide" aria-hidden="true"><h3>${bone(9)}</h3><p>${bone(28)}</p></div>
      <ul class="log wide" role="list" aria-hidden="true">${[1, 2, 3, 4, 5].map(() => html`<li>${bone(6)}<p>${bone(34)}</p></li>`)}</ul>`;
    return this.read.show(this.context, this.words.tabs.activity, bones, (trail) => this.screen(trail));
  }

  private screen({ entries, following }: Trail): TemplateResult {
    const words = this.words.activity;
    const shown = folded(entries.filter((each) => this.isWanted(each)));
    const last = entries.at(-1);
    return html`<section class="screen stack loose" part="screen" aria-labelledby="h-activity">
      ${head("h-activity", words.title, `${words.text} ${words.times(this.format.zone())}`)} ${this.outcome()}
      ${last
        ? html`<div class="row end wide">
              ${this.select("activity-kind", words.kind, this.kind, Object.entries(words.kinds), (value) => (this.kind = value as Kind))}
              ${this.select("activity-who", words.who, this.who, [["", words.everybody], ...this.actors(entries)], (value) => (this.who = value))}
              <p class="muted count" role="status">${words.shown(shown.length, this.format.day(last.at))}</p>
            </div>
            ${shown.length ? this.days(shown) : html`<p>${words.nothing}</p>`}`
        : note("plain", "off", html`<h4>${words.emptyTitle}</h4><p>${words.empty}</p>`)}
      ${following ? html`<div class="row">${busyButton(this.busy === "older", words.older, this.words.loading(words.title), "", () => void this.older(following))}</div>` : nothing}
    </section>`;
  }

  private select(id: string, label: string, value: string, options: [string, string][], pick: (value: string) => void): TemplateResult {
    return html`<div class="field">
      <label for=${id}>${label}</label>
      <select id=${id} @change=${(event: Event) => pick((event.target as HTMLSelectElement).value)}>
        ${options.map(([key, words]) => html`<option value=${key} ?selected=${key === value}>${words}</option>`)}
      </select>
    </div>`;
  }

  private actors(entries: readonly AuditEntry[]): [string, string][] {
    return [...new Map(entries.map(({ actor }) => [keyOf(actor), this.nameOf(actor)]))];
  }

  private isWanted({ action, actor }: AuditEntry): boolean {
    const kind = KINDS[action.split(".")[0] ?? ""];
    return (this.kind === "all" || kind === this.kind) && (!this.who || keyOf(actor) === this.who);
  }

  private days(entries: readonly AuditEntry[]): TemplateResult[] {
    const days = new Map<string, AuditEntry[]>();
    for (const each of entries) {
      const day = this.format.heading(each.at);
      days.set(day, [...(days.get(day) ?? []), each]);
    }
    return [...days].map(
      ([day, those], index) => html`<section class="stack tight" aria-labelledby="h-day-${index}">
        <h4 id="h-day-${index}">${day}</h4>
        <ul class="log" role="list">
          ${those.map(({ at, actor, action, details }) => html`<li><time datetime=${at} title=${this.format.full(at)}>${this.format.time(at)}</time><p><strong>${this.nameOf(actor)}</strong> ${this.sentence(action, details)}</p></li>`)}
        </ul>
      </section>`,
    );
  }

  private sentence(action: string, details: Details): string {
    const says = this.words.activity.says;
    const text = (name: string) => String(details[name] ?? (name === "email" ? this.words.erased : ""));
    const until = typeof details["expiresAt"] === "string" ? this.words.activity.until(this.format.moment(details["expiresAt"])) : this.words.activity.noEnd;
    switch (action) {
      case "connection.connected":
        return says[action](text("tenantName"), String((details["consentedBy"] as Details | undefined)?.["name"] ?? this.words.somebody));
      case "connection.refused":
        return says[action](text("explanation"));
      case "connection.checked":
        return says[action](this.words.outcomes[text("outcome")] ?? text("outcome"));
      case "domain.switched":
        return details["enabled"] ? says["domain.switched.on"](text("domain")) : says["domain.switched.off"](text("domain"));
      case "domain.lost":
        return says[action](text("domain"));
      case "domains.refreshed":
        return says[action](this.format.list(Object.entries((details["domains"] ?? {}) as Details).flatMap(([domain, state]) => (state === "routed" ? [domain] : []))));
      case "exception.added":
      case "exception.changed":
        return says[action](text("email"), text("reason"), until);
      case "exception.removed":
      case "link.expired":
      case "link.made":
      case "link.replaced":
      case "link.released":
        return says[action](text("email"));
      case "exceptions.imported":
      case "links.released":
        return says[action](Number(details["count"] ?? 0));
      case "policy.changed":
        return this.policy((details["before"] ?? {}) as Details, (details["after"] ?? {}) as Details);
      case "account.registered":
      case "account.changed":
      case "account.closed":
      case "person.erased":
      case "connection.changed":
      case "connection.started":
      case "connection.disconnected":
        return says[action];
      default:
        return says.other(action);
    }
  }

  private policy(before: Details, after: Details): string {
    const { says } = this.words.activity;
    const words = this.words.policy;
    const off = (settings: Details) => (settings["applicationsOff"] ?? settings["applications_off"] ?? []) as string[];
    const fails = (settings: Details) => ((settings["whenConnectionFails"] ?? settings["when_connection_fails"]) === "sso" ? words.failsSso : words.failsPassword);
    const parts = [...new Set([...off(before), ...off(after)])].flatMap((id) => {
      const [from, to] = [before, after].map((each) => (off(each).includes(id) ? words.valuePassword : words.valueMicrosoft));
      return from === to ? [] : [words.change(id, from!, to!)];
    });
    if (fails(before) !== fails(after)) parts.push(words.change(words.fails, fails(before), fails(after)));
    const mode = before["mode"] === after["mode"] ? [] : [after["mode"] === "on" ? says["policy.on"] : says["policy.off"]];
    return [...mode, ...(parts.length ? [says["policy.changed"](parts.join(" "))] : [])].join(" ") || says["policy.changed"]("");
  }

  private nameOf(actor: AuditEntry["actor"]): string {
    return actor.name ?? actor.subject ?? this.words.erased;
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
    const one = newer?.action === "exceptions.imported" && each.action === newer.action && keyOf(each.actor) === keyOf(newer.actor);
    if (one && Date.parse(newer.at) - Date.parse(each.at) < IMPORT) {
      const count = Number(newer.details["count"]) + Number(each.details["count"]);
      result[result.length - 1] = { ...newer, details: { ...newer.details, count } };
    } else {
      result.push(each);
    }
  }
  return result;
}

function keyOf(actor: AuditEntry["actor"]): string {
  return actor.reference ?? actor.subject ?? "";
}
