// The audit trail in sentences: who is the person before the sentence, what happened is the sentence.

import type { AuditEntry, Schemas } from "./api.js";
import type { Context } from "./context.js";
import type { Format } from "./format.js";
import type { Words } from "./words/index.js";

type Details = Record<string, unknown>;
type Wanted = Schemas["AuditSearchBody"];

/** What a sentence is made with: words, and how they write numbers and dates. */
export interface Language {
  words: Words;
  format: Format;
}

/** The last change of this kind, which is what a person who was too late wants to know; undefined if nobody can tell. */
export async function lastChange({ api }: Context, wanted: Partial<Wanted>): Promise<AuditEntry | undefined> {
  try {
    const body = { ...wanted, pageSize: 1 } as Wanted;
    const { value } = await api.take(api.client.POST("/v1/accounts/{accountId}/audit/search", { params: { path: api.path }, body }));
    return value.items[0];
  } catch {
    return undefined;
  }
}

export function actorOf(words: Words, { role, name, subject }: AuditEntry["actor"]): string {
  return role === "Service" ? words.roles["Service"]! : (name ?? subject ?? words.erased);
}

export function sentence(language: Language, { action, details }: AuditEntry): string {
  const { words, format } = language;
  const says = words.activity.says;
  const text = (name: string) => String(details[name] ?? (name === "email" ? words.erased : ""));
  const count = (name = "count") => Number(details[name] ?? 0);
  const names = (name: string) => format.list((details[name] ?? []) as string[]);
  const named = (field: string) => String((details[field] as Details | undefined)?.["name"] ?? words.erased);
  const until = typeof details["expiresAt"] === "string" ? words.activity.until(format.moment(details["expiresAt"])) : words.activity.noEnd;
  switch (action) {
    case "connection.connected":
      return says[action](text("tenantName") || text("tenantId"), String((details["consentedBy"] as Details | undefined)?.["name"] ?? words.somebody));
    case "connection.started":
      return details["setupLink"] ? says["connection.link_made"](until) : says[action];
    case "connection.refused":
      return says[action](text("explanation"));
    case "connection.changed":
      return says[action](Boolean(details["keepPeople"]));
    case "connection.checked":
      return [says[action](words.outcomes[text("outcome")] ?? text("outcome")), count("domainsLeftCount") ? says.left(names("domainsLeft")) : ""].join(" ").trim();
    case "domain.switched":
      return says[action](text("domain"), Boolean(details["enabled"]));
    case "domain.lost":
      return says[action](text("domain"));
    case "domains.lost":
      return says[action](count());
    case "domains.refreshed":
      return says[action](format.list(Object.entries((details["domains"] ?? {}) as Details).flatMap(([domain, state]) => (state === "routed" ? [domain] : []))));
    case "exception.added":
    case "exception.changed":
      return says[action](text("email"), text("reason"), until);
    case "link.replaced":
      return says[action](text("email"), Boolean(details["kept"]));
    case "exception.removed":
    case "link.expired":
    case "link.made":
    case "link.released":
      return says[action](text("email"));
    case "exceptions.imported":
      return says[action](count());
    case "links.released":
      return says[action](count(), text("domain"), text("tenantId"));
    case "policy.changed":
      return policy(language, (details["before"] ?? {}) as Details, (details["after"] ?? {}) as Details);
    case "portal.linked":
      return says[action](named("person"), words.roles[text("role")] ?? text("role"));
    case "portal.revoked":
      return says[action](named("person"));
    case "portal.opened":
    case "portal.signed_out":
    case "account.registered":
    case "account.changed":
    case "account.closed":
    case "person.erased":
    case "connection.link_revoked":
    case "connection.disconnected":
      return says[action];
    default:
      return says.other(action);
  }
}

function policy({ format, words: { activity, policy: words } }: Language, before: Details, after: Details): string {
  const off = (settings: Details) => (settings["applicationsOff"] ?? settings["applications_off"] ?? []) as string[];
  const fails = (settings: Details) => ((settings["whenConnectionFails"] ?? settings["when_connection_fails"]) === "sso" ? words.failsSso : words.failsPassword);
  const parts = [...new Set([...off(before), ...off(after)])].flatMap((id) => {
    const [from, to] = [before, after].map((each) => (off(each).includes(id) ? words.valuePassword : words.valueMicrosoft));
    return from === to ? [] : [words.change(id, from!, to!)];
  });
  if (fails(before) !== fails(after)) parts.push(words.change(words.fails, fails(before), fails(after)));
  const [hours, hoursAfter] = [before, after].map((each) => (each["sessionHours"] ? words.valueHours(Number(each["sessionHours"])) : words.sessionFree));
  if (hours !== hoursAfter) parts.push(words.change(words.session, hours!, hoursAfter!));
  const mode = before["mode"] === after["mode"] ? [] : [after["mode"] === "on" ? activity.says["policy.on"] : activity.says["policy.off"]];
  const changed = parts.length || !mode.length ? activity.says["policy.changed"](parts.join(" ")) : "";
  return mode.length ? `${mode[0]} ${format.capital(changed)}`.trim() : changed;
}
