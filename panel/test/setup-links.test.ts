// Setup links: made with a lifetime and a mail, listed with how far each has come, revoked one by one.

import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { button, heading, labelled, open, press, sees, text } from "./panel.js";
import { problem, setupLink, unconnected } from "./service.js";

test("a link for an administrator is made with its lifetime, shown once, and its mail is written", async () => {
  const service = unconnected();
  await open(service, "setup/who");
  await labelled("How long the link works").selectOptions("14 days");
  await press("Make the link");
  await heading("Waiting for your administrator");
  expect(service.calls("POST /connection").map((each) => each.body)).toEqual([{ returnUrl: null, tenant: null, lifetimeMinutes: 20160 }]);
  await expect.element(labelled("Start link")).toHaveValue("https://sso.example/v1/connect?ticket=t1");
  const mail = page.getByRole("link", { name: "Write an email" });
  const written = decodeURIComponent((await mail.element()).getAttribute("href")!);
  expect(written).toContain("mailto:?subject=Please connect Contoso to Microsoft Entra&body=Hello,");
  expect(written).toContain("https://sso.example/v1/connect?ticket=t1");
  expect(written).toMatch(/It gets no passwords, no mail, no files/);
  await sees("Not opened yet.");
  expect(location.href).not.toContain("ticket");
});

test("what the service says of the tenant or the lifetime stands beside its field", async () => {
  const service = unconnected();
  await open(service, "setup/who");
  await text("The administrator is a guest in your tenant").click();
  const tenant = labelled("Your company’s tenant");
  await tenant.fill("nowhere.example");
  service.next("POST /connection", problem(422, { errors: [{ field: "tenant", detail: "Microsoft does not know this tenant." }, { field: "lifetimeMinutes", detail: "At most 14 days." }] }));
  await press("Make the link");
  await expect.element(tenant).toHaveAccessibleDescription(/Microsoft does not know this tenant/);
  await expect.element(labelled("How long the link works")).toHaveAccessibleDescription(/At most 14 days/);
  await press("Make the link");
  await heading("Waiting for your administrator");
  expect(service.calls("POST /connection").at(-1)!.body).toMatchObject({ tenant: "nowhere.example", lifetimeMinutes: 10080 });
});

test("whoever goes to Microsoft themselves is given no link for others", async () => {
  const service = unconnected();
  await open(service, "setup/who");
  await labelled("I do it myself, now").click();
  expect(labelled("How long the link works").query()).toBeNull();
  service.next("POST /connection", problem(422, { errors: [{ field: "returnUrl", detail: "Not allowed." }] }));
  await press("Continue to Microsoft");
  await sees("Go on at Microsoft in the other tab.");
  expect(service.calls("POST /connection").map((each) => (each.body as { lifetimeMinutes: unknown }).lifetimeMinutes)).toEqual([null, null]);
});

test("each state of a link is said in words, with who it was and when", async () => {
  const service = unconnected();
  const at = new Date(Date.now() - 120_000).toISOString();
  service.setupLinks = [
    setupLink("a", "waiting", { tenant: "contoso.example" }),
    setupLink("b", "opened", { openedAt: at }),
    setupLink("c", "pressed", { pressedAt: at, signedInBy: null }),
    setupLink("d", "refused", { refusedAt: at, signedInBy: "Ada Admin", refusal: { reason: "proof-failed", detail: "The tenant has none of the domains." } }),
    setupLink("e", "connected", { connectedAt: at, signedInBy: "Ada Admin" }),
    setupLink("f", "ended"),
    setupLink("g", "revoked", { revokedAt: at, revokedBy: { subject: "pat", name: "Pat Policy", role: "SecurityManager" } }),
    setupLink("h", "expired", { expiresAt: at }),
  ];
  await open(service, "connection");
  const list = page.getByRole("list").filter({ hasText: "Not opened yet." });
  const items = async () => (await list.element()).querySelectorAll("li");
  await expect.poll(async () => (await items()).length).toBe(8);
  const said = [...(await items())].map((each) => each.textContent!.replace(/\s+/g, " ").trim());
  expect(said[0]).toMatch(/^Not opened yet\. Made .* by Sam Security\. For the tenant contoso\.example\. Works until .*Revoke…/);
  expect(said[1]).toContain("Opened. Its page was shown 2 minutes ago, perhaps to a mail program.");
  expect(said[2]).toContain("At Microsoft. Somebody went on to Microsoft 2 minutes ago.");
  expect(said[3]).toContain("Refused, and still works. Ada Admin tried 2 minutes ago. The tenant has none of the domains.");
  expect(said[4]).toContain("Connected the account. Ada Admin accepted 2 minutes ago.");
  expect(said[5]).toContain("Over: another one connected the account.");
  expect(said[6]).toContain("Revoked. Pat Policy did that 2 minutes ago.");
  expect(said[7]).toContain("Expired. 2 minutes ago");
  expect((await button(/^Revoke…/).elements()).length).toBe(4);
});

test("a link is revoked after a question, and only the path's open ones are shown there", async () => {
  const service = unconnected();
  Object.assign(service.overview, { status: "pending", pendingUntil: "2099-01-01T00:00:00Z" });
  service.setupLinks = [setupLink("a", "waiting"), setupLink("b", "opened", { openedAt: "2026-11-26T09:00:00Z" }), setupLink("c", "expired")];
  await open(service, "setup/waiting");
  await sees("Not opened yet.");
  expect(text("Expired.").query()).toBeNull();
  expect(text(/A start link was made/).query()).toBeNull();
  await button(/^Revoke…/).first().click();
  await heading("Revoke this setup link?");
  await press("Keep the link");
  expect(service.calls("DELETE /connection/links/ID")).toEqual([]);
  await button(/^Revoke…/).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect.element(text("Not opened yet.")).not.toBeInTheDocument();
  await sees("The link was revoked.");
  expect(service.calls("DELETE /connection/links/ID").length).toBe(1);
});

test("too many open links are refused in the service's words, and a reader sees the list without a button", async () => {
  const service = unconnected();
  service.setupLinks = [setupLink("a", "waiting")];
  service.next("POST /connection", problem(409, { detail: "20 links are open. Revoke one first." }));
  await open(service, "setup/who");
  await press("Make the link");
  await sees("20 links are open. Revoke one first.");
  document.body.replaceChildren();
  service.overview.mayChange = false;
  await open(service, "connection");
  await sees("Not opened yet.");
  expect((await button(/Revoke|Make/).elements()).length).toBe(0);
});
