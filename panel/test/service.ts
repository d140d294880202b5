// The service as the panel meets it: one account in memory, versions that changes must name, and faults that a test asks for.

import type { Application, AuditEntry, Connection, Domains, Entry, Link, Overview, Policy, Schemas } from "../src/api.js";

export type SetupLink = Schemas["SetupLinkDocument"];

export const ENDPOINT = "https://sso.example";
export const NUMBER = "37bc2d09-a437-4409-9f68-bddf237d68cf";
const ACCOUNT = /^\/v1\/accounts\/[^/]+/;
const WHEN = "2026-11-26T09:12:04Z";

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  headers: Headers;
}

type Answer = Response | Promise<Response>;
type Handler = (asked: Asked, id: string) => Answer;

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });

/** What the service answers instead of a document: `problem(503)`, `problem(422, { errors: [...] })`. */
export const problem = (status: number, more: object = {}, headers: Record<string, string> = {}) =>
  json({ type: "urn:azure-sso:problem:any", title: "Any", status, detail: `Detail of ${status}.`, instance: `urn:uuid:${NUMBER}`, ...more }, status, headers);

/** A connection that breaks before anything was answered. */
export const gone = () => Promise.reject<Response>(new TypeError("Failed to fetch"));

export class FakeService {
  readonly asked: Asked[] = [];
  /** What the page around the component gave as tokens, in order. */
  readonly tokens: string[] = [];
  overview: Overview = {
    accountId: "contoso", name: "Contoso", mayChange: true, status: "connected", tenantId: "c0c00000-0000-4000-8000-000000000000", tenantName: "Contoso",
    connectedBy: "Sam Security", connectedAt: WHEN, pendingUntil: null, lastCheckedAt: WHEN, lastCheckOutcome: "ok", mode: "on", modeSince: WHEN,
    domains: { routed: 1, off: 0, conflict: 0, not_listed: 0, not_routable: 0 }, exceptions: { count: 1, exact: true }, links: { count: 1, exact: true }, nextStep: null,
  };
  connection: Connection = {
    status: "connected", tenantId: this.overview.tenantId, tenantName: "Contoso", servicePrincipal: null, connectedBy: { subject: "sam", name: "Sam Security", role: "SecurityManager" },
    connectedAt: WHEN, pendingUntil: null, lastCheck: { at: WHEN, outcome: "ok", detail: "The tenant was read." }, keepPeople: false,
  };
  domains: Domains = { items: [{ domain: "contoso.example", state: "routed" }], readAt: WHEN, continuationToken: null };
  applications: Application[] = [application("unite", "Unite"), application("mail", "Mail"), { ...application("fax", "Fax"), ssoInForce: false, incompatible: "product_missing", reason: "application_incompatible", requiresProduct: "Fax" }];
  policy: Policy = { mode: "on", applicationsOff: [], whenConnectionFails: "password", sessionHours: null, updatedAt: WHEN, updatedBy: "Sam Security" };
  entries: Entry[] = [entry("emergency@contoso.example", "Emergency account")];
  links: Link[] = [link("alice@contoso.example")];
  setupLinks: SetupLink[] = [];
  trail: AuditEntry[] = [];
  private readonly versions = new Map<string, number>();
  private readonly planned = new Map<string, Handler[]>();

  /** Answer the next call of this kind, such as `POST /exceptions`, otherwise. With `null` it does as usual for once. */
  next(call: string, ...answers: (Handler | Response | null)[]): void {
    const handlers = answers.map((each): Handler => (each === null ? (asked, id) => this.usual(call, asked, id) : each instanceof Response ? () => each : each));
    this.planned.set(call, [...(this.planned.get(call) ?? []), ...handlers]);
  }

  /** Answer every call of this kind otherwise, until `next` or `always` says something else. */
  always(call: string, answer: Handler): void {
    this.planned.set(call, Array.from({ length: 1000 }, () => answer));
  }

  asUsual(call: string): void {
    this.planned.delete(call);
  }

  /** Another person has changed the document, such as `/policy`. */
  changed(path: string): void {
    this.versions.set(path, (this.versions.get(path) ?? 1) + 1);
  }

  calls(call: string): Asked[] {
    return this.asked.filter((each) => this.kindOf(each)[0] === call);
  }

  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.pathname === "/health") return (this.planned.get("GET /health")?.shift() ?? (() => json({ status: "ok" })))({ method: "GET", path: "/health", query: url.searchParams, body: null, headers: request.headers }, "");
    const text = await request.text();
    const asked: Asked = { method: request.method, path: url.pathname.replace(ACCOUNT, ""), query: url.searchParams, body: text ? JSON.parse(text) : null, headers: request.headers };
    this.asked.push(asked);
    this.tokens.push((request.headers.get("authorization") ?? "").replace("Bearer ", ""));
    const [call, id] = this.kindOf(asked);
    const handler = this.planned.get(call)?.shift();
    return handler ? handler(asked, id) : this.usual(call, asked, id);
  };

  private kindOf({ method, path }: Asked): [string, string] {
    const [, thing = "", ...rest] = path.split("/");
    const parts = rest.map((each) => (["check", "refresh", "search", "release", "erase", "links"].includes(each) ? each : "ID"));
    return [[`${method} /${thing}`, ...parts].join("/"), decodeURIComponent(rest[parts.indexOf("ID")] ?? "")];
  }

  /** What it does if no test asks for something else. */
  usual(call: string, asked: Asked, id: string): Answer {
    const handler = this.handlers[call];
    return handler ? handler(asked, id) : problem(404);
  }

  private versioned(path: string, body: unknown, status = 200): Response {
    return json(body, status, { ETag: `"${this.versions.get(path) ?? 1}"` });
  }

  /** Make the change if it names the version that there is. */
  private guarded(path: string, { headers }: Asked, change: () => Response): Response {
    const named = headers.get("if-match");
    if (!named) return problem(428);
    if (named !== "*" && named !== `"${this.versions.get(path) ?? 1}"`) return problem(412);
    this.changed(path);
    return change();
  }

  private page<T>(items: readonly T[], size: number, token: string | null) {
    const from = Number(token ?? 0);
    const until = from + size;
    return { items: items.slice(from, until), continuationToken: until < items.length ? String(until) : null };
  }

  private readonly handlers: Record<string, Handler> = {
    "GET /overview": () => json(this.overview),
    "GET /connection": () => this.versioned("/connection", this.connection),
    "POST /connection": ({ body }) => {
      const { lifetimeMinutes, tenant } = body as { lifetimeMinutes: number | null; tenant: string | null };
      const expiresAt = new Date(Date.now() + (lifetimeMinutes ?? 10) * 60_000).toISOString();
      const linkId = lifetimeMinutes ? `link-${this.setupLinks.length + 1}` : null;
      if (linkId) this.setupLinks.unshift({ ...setupLink(linkId, "waiting"), expiresAt, tenant });
      Object.assign(this.overview, { status: "pending", pendingUntil: expiresAt });
      this.connection.status = "pending";
      return json({ startUrl: `${ENDPOINT}/v1/connect?ticket=t1`, expiresAt, linkId }, 201);
    },
    "GET /connection/links": () => json({ items: this.setupLinks }),
    "DELETE /connection/links/ID": (_, id) => {
      for (const each of this.setupLinks) if (each.linkId === id) Object.assign(each, { state: "revoked", isOpen: false, revokedAt: WHEN, revokedBy: each.createdBy });
      return new Response(null, { status: 204 });
    },
    "PATCH /connection": (asked) => this.guarded("/connection", asked, () => this.versioned("/connection", Object.assign(this.connection, asked.body))),
    "POST /connection/check": () => this.versioned("/connection", this.connection),
    "DELETE /connection": (asked) => this.guarded("/connection", asked, () => { this.connection.status = this.overview.status = "disconnected"; return new Response(null, { status: 204 }); }),
    "GET /domains": () => this.versioned("/domains", this.domains),
    "POST /domains/refresh": () => this.versioned("/domains", this.domains),
    "PATCH /domains/ID": (asked, id) =>
      this.guarded("/domains", asked, () => {
        for (const each of this.domains.items) if (each.domain === id) each.state = (asked.body as { enabled: boolean }).enabled ? "routed" : "off";
        return this.versioned("/domains", this.domains);
      }),
    "GET /applications": () => json({ items: this.applications }),
    "GET /policy": () => this.versioned("/policy", this.policy),
    "PUT /policy": (asked) => this.guarded("/policy", asked, () => this.versioned("/policy", Object.assign(this.policy, { mode: "off", applicationsOff: [], whenConnectionFails: "password", sessionHours: null }, asked.body))),
    "PATCH /policy": (asked) => this.guarded("/policy", asked, () => { this.overview.mode = (asked.body as Policy).mode; return this.versioned("/policy", Object.assign(this.policy, asked.body)); }),
    "GET /exceptions": ({ headers, query }) =>
      headers.get("accept") === "text/csv"
        ? new Response(["email,reason,expiresAt", ...this.entries.map((each) => `${each.email},${each.reason},${each.expiresAt ?? ""}`)].join("\r\n"), { headers: { "Content-Type": "text/csv" } })
        : json(this.page(this.entries, Number(query.get("pageSize") ?? 100), query.get("continuationToken"))),
    "POST /exceptions": ({ body }) => {
      const many = Array.isArray(body);
      const drafts = (many ? body : [body]) as Entry[];
      const made = drafts.map((each) => entry(each.email, each.reason, each.expiresAt));
      this.entries = [...this.entries.filter((each) => !made.some((one) => one.email === each.email)), ...made];
      this.overview.exceptions = { count: this.entries.length, exact: true };
      return many ? json({ accepted: made.length, refused: 0, expired: 0, problems: [], warnings: [] }) : json({ ...made[0], warnings: [] }, 201);
    },
    "POST /exceptions/search": ({ body }) => json({ items: this.entries.filter((each) => `${each.email} ${each.reason}`.toLowerCase().includes(String((body as { text: string }).text).toLowerCase())), continuationToken: null }),
    "GET /exceptions/ID": (_, id) => { const found = this.entries.find((each) => each.exceptionId === id); return found ? this.versioned(id, found) : problem(404); },
    "PATCH /exceptions/ID": (asked, id) => this.guarded(id, asked, () => this.versioned(id, Object.assign(this.entries.find((each) => each.exceptionId === id)!, asked.body))),
    "DELETE /exceptions/ID": (asked, id) => this.guarded(id, asked, () => { this.entries = this.entries.filter((each) => each.exceptionId !== id); return new Response(null, { status: 204 }); }),
    "GET /links": ({ query }) => json(this.page(this.links, Number(query.get("pageSize") ?? 100), query.get("continuationToken"))),
    "POST /links/search": ({ body }) => json({ items: this.links.filter((each) => each.email === (body as { email: string }).email), continuationToken: null }),
    "POST /links/release": ({ body }) => {
      const { domain, tenantId } = body as { domain?: string; tenantId?: string };
      const kept = this.links.filter((each) => (domain ? !each.email.endsWith(`@${domain}`) : tenantId ? each.tid !== tenantId : false));
      const released = this.links.length - kept.length;
      this.links = kept;
      return json({ released, continuationToken: null });
    },
    "DELETE /links/ID": (_, id) => { this.links = this.links.filter((each) => each.linkId !== id); return new Response(null, { status: 204 }); },
    "POST /people/erase": () => json({ exceptions: 0, links: 1, sessions: 0, references: ["r1"] }),
    "GET /audit": ({ query }) => json(this.page(this.trail, Number(query.get("pageSize") ?? 100), query.get("continuationToken"))),
    "POST /audit/search": ({ body }) => {
      const { kind, email, reference, pageSize, continuationToken } = body as { kind?: string; email?: string; reference?: string; pageSize?: number; continuationToken?: string | null };
      const found = this.trail.filter(({ action, details, actor }) => (!kind || action.replace(/s?\..*/, "") === kind) && (!email || details["email"] === email) && (!reference || actor.reference === reference || details["person"] === reference));
      return json(this.page(found, pageSize ?? 100, continuationToken ?? null));
    },
  };
}

export function application(clientId: string, name: string): Application {
  return { clientId, name, requiresProduct: null, ssoInForce: true, reason: null, incompatible: null };
}

export function entry(email: string, reason: string, expiresAt: string | null = null): Entry {
  return { exceptionId: `e-${email}`, email, reason, expiresAt, inForce: true, createdAt: WHEN, createdBy: "Sam Security", updatedAt: WHEN };
}

export function link(email: string, tid = "c0c00000-0000-4000-8000-000000000000"): Link {
  return { linkId: `l-${email}`, email, tid, oid: "0b1ec700-0000-4000-8000-000000000001", linkedAt: WHEN, lastUsedAt: "2026-11-25" };
}

export function setupLink(linkId: string, state: SetupLink["state"], more: Partial<SetupLink> = {}): SetupLink {
  const isOpen = ["waiting", "opened", "pressed", "refused"].includes(state);
  const by = { subject: "sam", name: "Sam Security", role: "SecurityManager" };
  const nothing = { tenant: null, openedAt: null, pressedAt: null, presses: 0, signedInBy: null, refusedAt: null, refusal: null, connectedAt: null, revokedAt: null, revokedBy: null };
  return { linkId, state, isOpen, createdAt: WHEN, createdBy: by, expiresAt: "2099-01-01T00:00:00Z", ...nothing, ...more };
}

/** An account that nobody has connected yet. */
export function unconnected(): FakeService {
  const made = new FakeService();
  Object.assign(made.overview, { status: "disconnected", mode: "off", tenantId: null, tenantName: null, connectedBy: null, connectedAt: null, lastCheckedAt: null, lastCheckOutcome: null, domains: {}, exceptions: { count: 0, exact: true }, links: { count: 0, exact: true }, nextStep: "connect" });
  Object.assign(made.connection, { status: "disconnected", tenantId: null, tenantName: null, connectedBy: null, connectedAt: null, lastCheck: null });
  return Object.assign(made, { domains: { items: [], readAt: null, continuationToken: null }, entries: [], links: [], policy: { ...made.policy, mode: "off" } });
}

export function change(action: string, details: AuditEntry["details"] = {}, name = "Sam Security", at = WHEN): AuditEntry {
  return { at, action, details, actor: { subject: name.toLowerCase(), name, role: "SecurityManager", reference: `ref-${name}` } };
}
