// <azure-sso-panel endpoint="https://sso.example" account="contoso">: what a Security Manager works in.

import { html, LitElement, nothing, unsafeCSS, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { Api, type GetToken, type Overview, type Problem } from "./api.js";
import type { Context, PanelEvent } from "./context.js";
import { status, type Sort } from "./parts.js";
import { problemOf, problemPage, waitOf } from "./screen.js";
import "./screens/activity.js";
import "./screens/connection.js";
import "./screens/domains.js";
import "./screens/exceptions.js";
import "./screens/import.js";
import "./screens/overview.js";
import "./screens/people.js";
import "./screens/policy.js";
import "./screens/setup.js";
import styles from "./style.css";
import { wordsFor, type Words } from "./words/index.js";

type Tab = keyof Words["tabs"];
const TABS: Tab[] = ["overview", "connection", "domains", "policy", "exceptions", "people", "activity"];

@customElement("azure-sso-panel")
export class AzureSsoPanel extends LitElement {
  static override styles = unsafeCSS(styles);

  /** Where the service is reached, such as https://sso.example. */
  @property() endpoint = "";
  /** The account's id, as the control panel knows it. */
  @property() account = "";
  /** A page of the vendor with more help; a link to it stands beside the title. */
  @property({ attribute: "help-url" }) helpUrl = "";
  /** Shows everything, and offers no change. */
  @property({ type: Boolean }) readonly = false;
  /** What the addresses of screens begin with, for a page that has other addresses after its #. */
  @property({ attribute: "hash-prefix" }) hashPrefix = "";
  /** Gives an access token of the control panel for this person; asked again once when the service refuses one. */
  @property({ attribute: false }) getToken?: GetToken | undefined;
  /** In the service's own portal: the token that goes with the session's cookie, in place of access tokens. */
  @property({ attribute: false }) csrfToken?: string | undefined;

  @state() private route = "overview";
  @state() private overview?: Overview | undefined;
  @state() private problem?: Problem | undefined;
  @state() private language = "en";
  private question: (() => boolean) | null = null;
  private api?: Api;
  private languages?: MutationObserver;
  private times = 0;
  /** When the overview was last read, and when it is to be read again because that did not work. */
  private readAt = "";
  private timer?: ReturnType<typeof setTimeout>;

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("hashchange", this.follow);
    addEventListener("beforeunload", this.hold);
    this.languages = new MutationObserver(() => this.readLanguage());
    this.languages.observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
    this.readLanguage();
    this.returned();
    this.route = this.routeOf(location.hash);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("hashchange", this.follow);
    removeEventListener("beforeunload", this.hold);
    this.languages?.disconnect();
    clearTimeout(this.timer);
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    const elsewhere = changed.has("endpoint") || changed.has("account");
    if (elsewhere) this.api = new Api(this.endpoint.replace(/\/+$/, ""), this.account, () => this.getToken, () => this.csrfToken);
    // A framework may set the same function anew at each of its renderings: only the first one is news.
    const first = (["getToken", "csrfToken"] as const).some((name) => changed.has(name) && changed.get(name) === undefined);
    if ((elsewhere || first) && this.endpoint && this.account && this.mayAsk) void this.reload();
  }

  /** Whether there is anything to prove to the service who asks. */
  private get mayAsk(): boolean {
    return Boolean(this.getToken || this.csrfToken);
  }

  /** Forget what is shown and read it again, for instance because another person has signed in. */
  async reload(): Promise<void> {
    this.times += 1;
    this.overview = undefined;
    this.problem = undefined;
    await this.readOverview();
  }

  private async readOverview(): Promise<void> {
    const api = this.api!;
    clearTimeout(this.timer);
    try {
      const read = await api.take(api.client.GET("/v1/accounts/{accountId}/overview", { params: { path: api.path } }));
      if (api !== this.api) return;
      this.overview = read.value;
      this.readAt = new Date().toISOString();
      this.problem = undefined;
    } catch (error) {
      if (api !== this.api) return;
      this.problem = problemOf(error);
      this.announce("problem", { status: this.problem.status, number: this.problem.number });
      const seconds = waitOf(this.problem);
      if (seconds && this.isConnected) this.timer = setTimeout(() => void this.readOverview(), seconds * 1000);
    }
  }

  /** A reader's role, or the page around the component, may leave nothing to change. */
  private get isReadonly(): boolean {
    return this.readonly || this.overview?.mayChange === false;
  }

  private readLanguage(): void {
    const tag = this.closest("[lang]")?.getAttribute("lang") || document.documentElement.lang || navigator.language;
    this.language = tag || "en";
  }

  /** A person who comes back from Microsoft goes on where the guided path was left. */
  private returned(): void {
    const address = new URL(location.href);
    const connection = address.searchParams.get("connection");
    if (connection !== "connected" && connection !== "refused") return;
    address.searchParams.delete("connection");
    address.hash = this.hashPrefix + (connection === "connected" ? "setup/connected" : "setup/who");
    history.replaceState(history.state, "", address);
  }

  private routeOf(hash: string): string {
    const text = decoded(hash.replace(/^#/, ""));
    if (!text.startsWith(this.hashPrefix)) return this.route;
    const route = text.slice(this.hashPrefix.length);
    const name = route.split("/")[0] ?? "";
    return name === "setup" || TABS.includes(name as Tab) ? route : "overview";
  }

  private readonly follow = (event?: HashChangeEvent): void => {
    const route = this.routeOf(location.hash);
    if (route === this.route) return;
    if (this.question && !this.question()) {
      history.replaceState(history.state, "", event?.oldURL ?? this.href(this.route));
      return;
    }
    this.question = null;
    const another = this.keyOf(route) !== this.keyOf(this.route) || route.startsWith("setup");
    this.route = route;
    this.announce("navigate", { screen: route });
    if (another) void this.updateComplete.then(() => this.focusHeading());
  };

  /** What makes a screen another one. Inside one, such as a filter of the activity, the focus stays where it is. */
  private keyOf(route: string): string {
    return route === "exceptions/import" ? route : (route.split("/")[0] ?? "");
  }

  private readonly hold = (event: BeforeUnloadEvent): void => {
    if (this.question) event.preventDefault();
  };

  private focusHeading(): void {
    const find = () => this.renderRoot.querySelector<HTMLElement>(".content h3[tabindex]");
    const heading = find();
    if (heading) heading.focus();
    else setTimeout(() => find()?.focus(), 400);
  }

  private href(route: string): string {
    return `#${this.hashPrefix}${route}`;
  }

  private announce(event: PanelEvent, detail: Record<string, unknown> = {}): void {
    const full = { account: this.account, ...detail };
    this.dispatchEvent(new CustomEvent(`azure-sso-${event}`, { detail: full, bubbles: true, composed: true }));
  }

  protected override render(): TemplateResult {
    const { words, format } = wordsFor(this.language);
    const tab = (this.route.split("/")[0] === "setup" ? "overview" : this.route.split("/")[0]) as Tab;
    return html`
      <div class="top">
        <h2 part="title">${words.title}<span class="wide-only"> (SSO)</span></h2>
        <div class="row">
          ${this.helpUrl ? html`<a href=${safeUrl(this.helpUrl)} target="_blank" rel="noopener">${words.help}</a>` : nothing}
          ${this.overview ? chip(words, this.overview) : nothing}
        </div>
      </div>
      <nav aria-label=${words.navigation} part="navigation">
        <div class="tabs">
          ${TABS.map(
            (name) => html`<a href=${this.href(name)} data-label=${words.tabs[name]} aria-current=${name === tab ? "page" : nothing}>${words.tabs[name]}</a>`,
          )}
        </div>
        <div class="tab-select">
          <label class="vh" for="tab-select">${words.section}</label>
          <select id="tab-select" @change=${(event: Event) => (location.hash = this.href((event.target as HTMLSelectElement).value))}>
            ${TABS.map((name) => html`<option value=${name} ?selected=${name === tab}>${words.tabs[name]}</option>`)}
          </select>
        </div>
      </nav>
      ${this.isReadonly ? html`<p class="readonly muted st">${words.readonly}</p>` : nothing}
      <div class="content" lang=${format.language}>${this.screen({ words, format })}</div>
    `;
  }

  private screen({ words, format }: ReturnType<typeof wordsFor>): TemplateResult {
    if (!this.api || !this.endpoint || !this.account || !this.mayAsk) return html``;
    const context: Context = {
      api: this.api,
      words,
      format,
      readonly: this.isReadonly,
      helpUrl: this.helpUrl,
      overview: this.overview,
      oldSince: this.problem ? this.readAt : "",
      href: (route) => this.href(route),
      go: (route) => (location.hash = this.href(route)),
      refresh: () => this.readOverview(),
      announce: (event, detail) => this.announce(event, detail),
      guard: (question) => (this.question = question),
    };
    if (this.problem && !this.overview) return problemPage(context, this.problem, () => void this.readOverview());
    const [name = "overview", ...others] = this.route.split("/");
    const rest = others.join("/");
    const key = `${this.account} ${this.keyOf(this.route)} ${this.times}`;
    return html`${keyed(key, screenOf(name, rest, context))}`;
  }
}

function screenOf(name: string, rest: string, context: Context): TemplateResult {
  switch (name) {
    case "connection":
      return html`<azure-sso-connection .context=${context} .rest=${rest}></azure-sso-connection>`;
    case "domains":
      return html`<azure-sso-domains .context=${context} .rest=${rest}></azure-sso-domains>`;
    case "policy":
      return html`<azure-sso-policy .context=${context} .rest=${rest}></azure-sso-policy>`;
    case "exceptions":
      return rest === "import" && !context.readonly
        ? html`<azure-sso-import .context=${context} .rest=${rest}></azure-sso-import>`
        : html`<azure-sso-exceptions .context=${context} .rest=${rest}></azure-sso-exceptions>`;
    case "people":
      return html`<azure-sso-people .context=${context} .rest=${rest}></azure-sso-people>`;
    case "activity":
      return html`<azure-sso-activity .context=${context} .rest=${rest}></azure-sso-activity>`;
    case "setup":
      return html`<azure-sso-setup .context=${context} .rest=${rest}></azure-sso-setup>`;
    default:
      return html`<azure-sso-overview .context=${context} .rest=${rest}></azure-sso-overview>`;
  }
}

function chip(words: Words, overview: Overview): TemplateResult {
  const on = overview.mode === "on";
  const [sort, text] = (
    {
      connected: on ? ["ok", words.chip.on] : ["off", words.chip.off],
      consent_revoked: on ? ["bad", words.chip.stopped] : ["off", words.chip.off],
      pending: ["wait", words.chip.waiting],
      disconnected: ["off", words.chip.off],
    } as Record<string, [Sort, string]>
  )[overview.status]!;
  return html`<span part="status">${status(sort, text)}</span>`;
}

/** A fragment as text; as it is where it is none of ours, such as `100%`. */
function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

/** Only addresses of the web: a page may hand on what somebody typed. */
function safeUrl(url: string): string | typeof nothing {
  return /^https?:/i.test(new URL(url, location.href).href) ? url : nothing;
}

declare global {
  interface HTMLElementTagNameMap {
    "azure-sso-panel": AzureSsoPanel;
  }
}
