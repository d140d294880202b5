// Many links at once: all of a domain, of a tenant, or of the account. It says of how many people before it does it.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { Schemas } from "../api.js";
import { dialog, field } from "../parts.js";
import { problemNote, Screen } from "../screen.js";

type Choice = Pick<Schemas["ReleaseBody"], "domain" | "tenantId" | "all">;

interface Group {
  label: string;
  count: number;
  body: Choice;
}

const PAGE = 1000;

@customElement("azure-sso-release")
export class ReleaseDialog extends Screen {
  @state() private read = 0;
  @state() private groups?: readonly Group[] | undefined;
  @state() private at = 0;
  @state() private sure = false;
  @state() private released = 0;

  private get api() {
    return this.context.api;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.change("count", () => this.count());
  }

  /** Read all links once: the service counts the people of neither a domain nor a tenant. */
  private async count(): Promise<void> {
    const domains = new Map<string, number>();
    const tenants = new Map<string, number>();
    const add = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
    let following: string | null = null;
    do {
      const { items, continuationToken } = await this.page(following);
      for (const { email, tid } of items) {
        add(domains, email.slice(email.lastIndexOf("@") + 1).toLowerCase());
        add(tenants, tid);
      }
      this.read += items.length;
      following = continuationToken;
    } while (following && this.isConnected);
    const words = this.words.people;
    const most = (counts: Map<string, number>) => [...counts].toSorted((a, b) => b[1] - a[1]);
    this.groups = [
      ...most(domains).map(([domain, count]) => ({ label: words.whichDomain(domain, count), count, body: { domain, all: false } })),
      ...most(tenants).map(([tenantId, count]) => ({ label: words.whichTenant(tenantId, count), count, body: { tenantId, all: false } })),
      { label: words.whichAll(this.read), count: this.read, body: { all: true } },
    ];
  }

  private async page(following: string | null): Promise<Schemas["LinksDocument"]> {
    const query = { pageSize: PAGE, ...(following ? { continuationToken: following } : {}) };
    const { value } = await this.api.take(this.api.client.GET("/v1/accounts/{accountId}/links", { params: { path: this.api.path, query } }));
    return value;
  }

  protected override render(): TemplateResult {
    const words = this.words.people;
    const group = this.groups?.[this.at];
    const close = () => void (this.busy === "release" || this.dispatchEvent(new CustomEvent("closed")));
    const failed = this.failed ? problemNote(this.context, this.failed) : nothing;
    const keep = html`<button class="btn" ?autofocus=${this.sure} aria-disabled=${this.busy === "release"} @click=${close}>${this.sure ? words.keepMany : this.words.cancel}</button>`;
    if (!group || !this.sure)
      return dialog("h-many", words.manyTitle, html`${failed}<p>${words.manyText}</p>${this.choose()}`, html`${keep}<button class="btn main" ?disabled=${!group?.count} @click=${() => (this.sure = true)}>${words.review}</button>`, close);
    return dialog(
      "h-many",
      group.count === 1 ? words.manyTitle : words.releaseTitle(group.count, ""),
      html`${failed}<p><strong>${group.label}.</strong> ${words.releaseText(group.count)}</p>
        <p class="muted">${words.releaseHint}</p>
        <p role="status">${this.busy === "release" ? words.releasing(this.released, group.count) : nothing}</p>`,
      html`${keep}<button class="btn danger main" aria-disabled=${this.busy === "release"} @click=${() => void this.release(group)}>${words.confirm}</button>`,
      close,
    );
  }

  private choose(): TemplateResult {
    const words = this.words.people;
    if (!this.groups) return html`<p role="status">${words.counting(this.read, Math.max(this.read, this.context.overview?.links.count ?? 0))}</p>`;
    const options = this.groups.map((each, index) => html`<option value=${index} ?selected=${index === this.at}>${each.label}</option>`);
    return field({ id: "release-which", label: words.which }, () => html`<select id="release-which" autofocus @change=${(event: Event) => (this.at = Number((event.target as HTMLSelectElement).value))}>${options}</select>`);
  }

  /** The service looks at some thousand links in a call. What is released stays so, and sending it again is safe. */
  private async release({ body }: Group): Promise<void> {
    let continuationToken: string | null = null;
    const done = await this.change("release", async () => {
      do {
        const answer: Schemas["ReleasedDocument"] = await this.next(body, continuationToken);
        this.released += answer.released;
        continuationToken = answer.continuationToken;
      } while (continuationToken);
    });
    if (this.released) this.context.announce("people-released", { count: this.released });
    if (done) this.dispatchEvent(new CustomEvent("done", { detail: { said: this.words.people.released(this.released) } }));
  }

  private async next(body: Choice, continuationToken: string | null): Promise<Schemas["ReleasedDocument"]> {
    const { value } = await this.api.take(
      this.api.client.POST("/v1/accounts/{accountId}/links/release", { params: { path: this.api.path }, body: { ...body, continuationToken } as Schemas["ReleaseBody"] }),
    );
    return value;
  }
}
