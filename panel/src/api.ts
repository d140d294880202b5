// The API as the panel calls it: a typed client on fetch, a token that is asked for again once, and problems that
// a screen can show.

import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./generated/schema.js";

export type Schemas = components["schemas"];
export type Overview = Schemas["OverviewDocument"];
export type Connection = Schemas["ConnectionDocument"];
export type Domains = Schemas["DomainsDocument"];
export type Policy = Schemas["PolicyDocument"];
export type Entry = Schemas["ExceptionDocument"];
export type Link = Schemas["LinkDocument"];
export type AuditEntry = Schemas["AuditEntry"];
export type Application = Schemas["ApplicationOverviewDocument"];
export type ImportReport = Schemas["ImportDocument"];

/** Milliseconds after which a service that does not begin to answer counts as gone. */
const PATIENCE = 30_000;

/** Why a call did not succeed: the service answered with a problem, or no answer came that this page may read. */
export type Reason = "problem" | "unreachable" | "origin" | "token";

export interface Fault {
  field: string;
  detail: string;
}

/** A call that did not succeed. `number` is what support finds it by. */
export class Problem extends Error {
  constructor(
    readonly reason: Reason,
    readonly status = 0,
    readonly detail = "",
    readonly number = "",
    readonly faults: readonly Fault[] = [],
    readonly retryAfter = 0,
  ) {
    super(detail || reason);
  }

  get stale(): boolean {
    return this.status === 412;
  }

  /** What the service says of a field, beside which it is shown. */
  of(field: string): string {
    return this.faults.find((fault) => fault.field === field)?.detail ?? "";
  }
}

/** A document, and the version of it that a change names. */
export interface Versioned<T> {
  value: T;
  etag: string;
}

export type GetToken = () => Promise<string> | string;

export class Api {
  readonly client: Client<paths>;

  constructor(
    private readonly endpoint: string,
    readonly account: string,
    private readonly getToken: () => GetToken | undefined,
    private readonly csrfToken: () => string | undefined,
  ) {
    this.client = createClient<paths>({ baseUrl: endpoint, fetch: (request) => this.authorised(request) });
  }

  get path(): { accountId: string } {
    return { accountId: this.account };
  }

  /** The answer's document, or a `Problem`. */
  async take<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<Versioned<T>> {
    const { data, error, response } = await answer;
    if (!response.ok) throw problemOf(response, error);
    return { value: data as T, etag: response.headers.get("etag") ?? "" };
  }

  /** Send the request with a token; if it is refused, with a new one, once. */
  private async authorised(request: Request): Promise<Response> {
    const again = request.clone();
    const response = await this.send(request);
    return response.status === 401 && !this.csrfToken() ? this.send(again) : response;
  }

  private async send(request: Request): Promise<Response> {
    const csrfToken = this.csrfToken();
    if (csrfToken) request.headers.set("X-Azure-SSO-CSRF", csrfToken);
    else request.headers.set("Authorization", `Bearer ${await this.token()}`);
    const credentials = csrfToken ? "same-origin" : "omit";
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    try {
      return await fetch(request, { credentials, cache: "no-store", redirect: "error", signal: patience.signal });
    } catch {
      const kept = !patience.signal.aborted && !(await this.answers("cors")) && (await this.answers("no-cors"));
      throw new Problem(kept ? "origin" : "unreachable");
    } finally {
      clearTimeout(timer);
    }
  }

  private async token(): Promise<string> {
    try {
      const token = await this.getToken()?.();
      if (token) return token;
    } catch (error) {
      console.error("azure-sso-panel: getToken failed", error);
    }
    throw new Problem("token");
  }

  /** Whether the service is there: for this page, or only for pages of origins that it lists. */
  private async answers(mode: "cors" | "no-cors"): Promise<boolean> {
    try {
      await fetch(`${this.endpoint}/health`, { mode, credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      return true;
    } catch {
      return false;
    }
  }
}

function problemOf(response: Response, body: unknown): Problem {
  const problem = (typeof body === "object" && body ? body : {}) as Partial<Schemas["Problem"]>;
  const faults = (problem.errors ?? []).map((each) => ({ field: each.field ?? "", detail: each.detail ?? "" }));
  const number = (problem.instance ?? "").replace(/^urn:uuid:/, "");
  const retryAfter = Number(response.headers.get("retry-after")) || 0;
  return new Problem("problem", response.status, problem.detail ?? "", number, faults, retryAfter);
}
