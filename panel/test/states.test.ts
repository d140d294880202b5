// Each screen while it loads, when it cannot be read, for people who may not, for readers, in both languages, at 360 px,
// and with a script in every name that it shows.

import { afterEach, expect, test } from "vitest";
import { page } from "vitest/browser";
import { button, heading, labelled, open, press, sees, show } from "./panel.js";
import { application, change, entry, FakeService, gone, link, NUMBER, problem, setupLink, unconnected } from "./service.js";

const SCREENS: Record<string, { read: string; name: string }> = {
  connection: { read: "GET /connection", name: "Connection" },
  domains: { read: "GET /domains", name: "Domains" },
  policy: { read: "GET /policy", name: "Sign-in policy" },
  exceptions: { read: "GET /exceptions", name: "Exceptions" },
  people: { read: "GET /links", name: "People" },
  activity: { read: "POST /audit/search", name: "Activity" },
};
const PATHS = ["overview", ...Object.keys(SCREENS), "exceptions/add", "exceptions/import", "people/release", "setup/connected", "setup/emergency", "setup/confirm", "setup/done"];

function busy(name = "Contoso"): FakeService {
  const service = new FakeService();
  Object.assign(service.overview, { name, tenantName: name, connectedBy: name });
  Object.assign(service.connection, { tenantName: name, connectedBy: { subject: "sam", name, role: "SecurityManager" } });
  service.domains.items = (["routed", "off", "conflict", "not_listed", "not_routable"] as const).map((state, at) => ({ domain: name === "Contoso" ? `a-rather-long-name-of-domain-${at}.contoso.example` : name, state }));
  service.applications = [{ ...application("x", name), incompatible: "product_missing", requiresProduct: name }, application("y", name)];
  service.policy.updatedBy = name;
  service.entries = [{ ...entry(name === "Contoso" ? "somebody.with-a-long-name@contoso.example" : `${name}@contoso.example`, name), createdBy: name }];
  service.links = [link(name === "Contoso" ? "somebody.with-a-long-name@contoso.example" : `${name}@contoso.example`)];
  const details = { email: name, reason: name, tenantName: name, tenantId: name, consentedBy: { name }, explanation: name, domain: name, domains: { [name]: "routed" }, domainsLeft: [name], domainsLeftCount: 1, outcome: name, count: 2 };
  service.trail = ["exception.added", "connection.connected", "connection.refused", "connection.checked", "domain.switched", "domains.refreshed", "links.released", "something.new"].map((action) => change(action, details, name));
  const at = new Date(Date.now() - 120_000).toISOString();
  service.setupLinks = [setupLink("a", "refused", { refusedAt: at, signedInBy: name, tenant: name, createdBy: { subject: "sam", name, role: "Operator" }, refusal: { reason: "proof-failed", detail: name } }), setupLink("b", "revoked", { revokedAt: at, revokedBy: { subject: "sam", name, role: "Operator" } })];
  return service;
}

afterEach(() => page.viewport(1280, 900));

for (const [screen, { read, name }] of Object.entries(SCREENS)) {
  test(`${screen}: while it loads there is its shape, and its name for those who do not see it`, async () => {
    const service = busy();
    const late = Promise.withResolvers<void>();
    service.next(read, async (asked, id) => { await late.promise; return service.usual(read, asked, id); });
    const panel = show(service, screen);
    await expect.element(page.getByText(`Loading: ${name}`)).toBeInTheDocument();
    expect(panel.shadowRoot!.querySelector("[aria-busy=true]")).not.toBeNull();
    late.resolve();
    await heading(name);
  });

  test(`${screen}: what cannot be read says so with the number for support, is tried again, and is forbidden to some`, async () => {
    const service = busy();
    service.next(read, problem(500), problem(403), gone, gone);
    service.next("GET /health", gone, gone);
    show(service, screen);
    await heading("This page cannot be shown at the moment");
    await sees(NUMBER);
    await press("Try again");
    await heading("This page is for Security Managers");
    document.body.replaceChildren();
    show(service, screen);
    await sees("The service did not answer. Check your connection to the internet.");
    await sees("It tries again by itself in 20 seconds.");
    service.asUsual(read);
    await press("Try again");
    await heading(name);
  });
}

test("what was read before stays in view while it cannot be read again, and says how old it is", async () => {
  const service = busy();
  await open(service, "connection");
  service.always("POST /connection/check", () => problem(503));
  await press("Check now");
  await sees("That did not work.");
  await sees("It is not certain whether the change took place.");
  await sees(NUMBER);
  service.always("GET /connection", () => problem(503));
  service.trail = [];
  service.changed("/connection");
  await press("Disconnect…");
  await press("Disconnect");
  await heading("Somebody changed this");
  await press("Take theirs");
  await sees(/This is what was so .*The service does not answer at the moment\./);
  await sees("Connected by");
});

test("an overview that cannot be read again stays, with its age, and is read again by itself", async () => {
  const service = busy();
  await open(service, "overview");
  service.next("GET /overview", problem(503, {}, { "Retry-After": "1" }));
  location.hash = "#connection";
  await heading("Connection");
  location.hash = "#overview";
  await sees(/This is what was so/);
  await heading("Everybody signs in with Microsoft");
  await expect.element(page.getByText(/This is what was so/)).not.toBeInTheDocument();
});

test("a reader sees each screen and is offered no change; so does everybody where the page says so", async () => {
  for (const make of [() => ({ service: Object.assign(busy(), { overview: { ...busy().overview, mayChange: false } }), more: {} }), () => ({ service: busy(), more: { readonly: true } })])
    for (const screen of PATHS) {
      const { service, more } = make();
      const panel = await open(service, screen, more);
      await sees("You can see everything here and change nothing.");
      const buttons = [...panel.shadowRoot!.querySelectorAll<HTMLElement>(".content button")].map((each) => each.innerText.split(/\s/)[0]);
      expect(buttons.filter((each) => !["Find", "Copy", "Export", "Continue", "Back", "Go"].includes(each!)), screen).toEqual([]);
      expect([...panel.shadowRoot!.querySelectorAll(".content input:not([type=search]):enabled")], screen).toEqual([]);
      expect(panel.shadowRoot!.querySelector("dialog"), screen).toBeNull();
      expect(service.asked.filter((each) => each.method !== "GET" && !each.path.endsWith("/search")), screen).toEqual([]);
      document.body.replaceChildren();
    }
});

test("Microsoft's pages are opened in the connected tenant, whichever is the reader's own", async () => {
  const service = busy();
  await open(service, "connection");
  const list = page.getByRole("link", { name: /Users and groups/ });
  await expect.element(list).toHaveAttribute("href", expect.stringMatching(`^https://entra\\.microsoft\\.com/${service.connection.tenantId}/#view/`));
  await expect.element(list).toHaveAttribute("rel", "noopener noreferrer");
});

test("Microsoft's pages are this service's own, where they are known", async () => {
  const service = busy();
  service.connection = { ...service.connection, servicePrincipal: { objectId: "0b1ec700", appId: "a5500000" } };
  await open(service, "connection");
  for (const [name, path] of [[/Users and groups/, "Users"], [/Permissions/, "Permissions"]] as const)
    await expect.element(page.getByRole("link", { name })).toHaveAttribute("href", expect.stringMatching(`~/${path}/objectId/0b1ec700/appId/a5500000$`));
});

test("a script in any name is text", async () => {
  const evil = "<img src=x onerror=\"dispatchEvent(new Event('hacked'))\">";
  let hacked = 0;
  addEventListener("hacked", () => (hacked += 1));
  for (const screen of PATHS) {
    const panel = await open(busy(evil), screen);
    await expect.poll(() => panel.shadowRoot!.querySelector("[aria-busy=true]"), { message: screen }).toBeNull();
    if (!["exceptions/import", "setup/emergency"].includes(screen)) await expect.poll(() => panel.shadowRoot!.textContent + (panel.shadowRoot!.querySelector("[data-account]")?.getAttribute("data-account") ?? ""), { message: screen }).toContain("<img src=x");
    expect(panel.shadowRoot!.querySelectorAll("img").length, screen).toBe(0);
    document.body.replaceChildren();
  }
  const detail = problem(422, { detail: evil, errors: [{ field: "email", detail: evil }] });
  const service = busy();
  const panel = await open(service, "exceptions/add");
  await labelled("Email address").fill("a@contoso.example");
  await labelled("Reason").fill("Kiosk");
  service.next("POST /exceptions", detail);
  await press("Add exception");
  await sees(/<img src=x/);
  expect(panel.shadowRoot!.querySelectorAll("img").length).toBe(0);
  expect(hacked).toBe(0);
});

test("no screen scrolls sideways at 360 px, in the longer language either", async () => {
  await page.viewport(360, 800);
  document.documentElement.lang = "de-DE";
  for (const screen of PATHS) {
    const panel = await open(busy(), screen);
    await expect.poll(() => panel.shadowRoot!.querySelector("[aria-busy=true]"), { message: screen }).toBeNull();
    const dialog = panel.shadowRoot!.querySelector("dialog");
    expect(document.documentElement.scrollWidth, screen).toBeLessThanOrEqual(360);
    if (dialog) expect(dialog.scrollWidth, screen).toBeLessThanOrEqual(dialog.clientWidth);
    document.body.replaceChildren();
  }
  for (const screen of ["overview", "setup", "setup/who", "domains", "exceptions", "people", "activity"]) {
    await open(Object.assign(unconnected(), { setupLinks: busy().setupLinks }), screen);
    expect(document.documentElement.scrollWidth, screen).toBeLessThanOrEqual(360);
    document.body.replaceChildren();
  }
});

test("the page's language decides on words, dates and numbers, and is followed when it changes", async () => {
  const service = busy();
  service.overview.exceptions = { count: 12_480, exact: true };
  await open(service, "overview");
  await sees("12,480 people are on the list");
  document.documentElement.lang = "de-DE";
  await sees("12.480 Personen stehen auf der Liste");
  await sees(/Verbunden .*um 10:12 MEZ/);
  document.documentElement.lang = "ja";
  await sees("12,480 people are on the list");
});

test("unsaved changes are named in words, and neither another screen nor another page takes them away unasked", async () => {
  const service = busy();
  await open(service, "policy");
  await labelled("Nobody").click();
  await sees("1 change is not saved. Who signs in with Microsoft: from Everybody to Nobody.");
  const leaving = new Event("beforeunload", { cancelable: true });
  dispatchEvent(leaving);
  expect(leaving.defaultPrevented).toBe(true);
  await press("Discard");
  expect(button("Save changes").query()).toBeNull();
  const after = new Event("beforeunload", { cancelable: true });
  dispatchEvent(after);
  expect(after.defaultPrevented).toBe(false);
});

test("how long people stay signed in is set in hours, and saving something else leaves it as it is", async () => {
  const service = busy();
  service.policy.sessionHours = 24;
  await open(service, "policy");
  await labelled("Nobody signs in").click();
  await press("Save changes");
  await sees("Saved. It is in force");
  expect(service.policy.sessionHours).toBe(24);
  await labelled("Hours after the sign-in").fill("8");
  await labelled("People sign in with their password").click();
  await sees(/How long people stay signed in: from not longer than 24 hours to not longer than 8 hours\./);
  await press("Save changes");
  await expect.poll(() => service.policy.sessionHours).toBe(8);
  await labelled("As long as each application allows").click();
  service.next("PUT /policy", problem(422, { errors: [{ field: "sessionHours", detail: "Not in this account." }] }));
  await press("Save changes");
  await expect.element(page.getByRole("group", { name: "How long people stay signed in" })).toHaveTextContent("Not in this account.");
  await press("Save changes");
  await expect.poll(() => service.policy.sessionHours).toBeNull();
});

test("what the service says of a setting stands beside it", async () => {
  const service = busy();
  await open(service, "policy");
  await labelled("Contoso").nth(1).click();
  service.next("PUT /policy", problem(422, { errors: [{ field: "applicationsOff.0", detail: "No application is registered as y." }, { field: "mode", detail: "Not now." }] }));
  await press("Save changes");
  await expect.element(page.getByRole("group", { name: "In which applications" })).toHaveTextContent("No application is registered as y.");
  await expect.element(page.getByRole("group", { name: "Who signs in with Microsoft" })).toHaveTextContent("Not now.");
});

test("the guided path says what could not be read, and goes on when it can", async () => {
  const service = busy();
  Object.assign(service.overview, { mode: "off" });
  service.next("GET /domains", problem(503));
  await open(service, "setup/connected");
  await sees(NUMBER);
  await press("Try again");
  await expect.element(page.getByRole("row", { name: /a-rather-long-name-of-domain-0/ })).toBeVisible();
  await press("Continue");
  await heading("Keep one way in");
  history.back();
  await heading("Contoso is connected");
});

test("an address that leads nowhere shows the overview, and one of the page itself is left alone", async () => {
  const service = busy();
  await open(service, "nowhere");
  await heading("Everybody signs in with Microsoft");
  document.body.replaceChildren();
  const panel = await open(service, "sso/domains", { hashPrefix: "sso/" });
  await heading("Domains");
  location.hash = "#vendor/page";
  await new Promise((done) => setTimeout(done, 50));
  await heading("Domains");
  expect([...panel.shadowRoot!.querySelectorAll<HTMLAnchorElement>("nav a")].map((each) => each.hash)).toContain("#sso/people");
  location.hash = "#sso/people";
  await heading("People");
});
