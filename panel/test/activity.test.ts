// The trail: what is looked for, by whom, and that addresses stay out of the address of the page.

import { expect, test } from "vitest";
import { heading, labelled, open, press, sees, text } from "./panel.js";
import { change, FakeService, json, problem } from "./service.js";

function service(): FakeService {
  const made = new FakeService();
  made.trail = [
    change("exception.added", { person: "ref-alice", email: "alice@contoso.example", reason: "Kiosk", expiresAt: null }, "Pat Policy"),
    change("policy.changed", { before: { mode: "off" }, after: { mode: "on" } }),
    change("domain.switched", { domain: "contoso.example", enabled: false }),
  ];
  return made;
}

test("a kind is looked for by the service, stands in the address, and back shows what was there before", async () => {
  const asked = service();
  await open(asked, "activity");
  await sees("put alice@contoso.example on the exception list");
  await labelled("What").selectOptions("Sign-in policy");
  await expect.element(text("put alice@contoso.example on the exception list")).not.toBeInTheDocument();
  await sees("switched Microsoft sign-in on for everybody.");
  expect(location.hash).toBe("#activity/policy");
  expect(asked.calls("POST /audit/search").at(-1)!.body).toMatchObject({ kind: "policy", reference: null, email: null });
  history.back();
  await sees("put alice@contoso.example on the exception list");
});

test("a person who made a change is looked for by reference, and a link to it can be passed on", async () => {
  const asked = service();
  await open(asked, "activity");
  await labelled("Who").selectOptions("Pat Policy");
  await expect.element(text("switched the domain contoso.example off.")).not.toBeInTheDocument();
  expect(decodeURIComponent(location.hash)).toBe("#activity/all/ref-Pat Policy");
  document.body.replaceChildren();
  await open(asked, "activity/all/ref-Pat%20Policy");
  expect(asked.calls("POST /audit/search").at(-1)!.body).toMatchObject({ kind: null, reference: "ref-Pat Policy" });
  await press("Show everything");
  await sees("switched the domain contoso.example off.");
});

test("a person is looked for by an address, which never stands in the address of the page", async () => {
  const asked = service();
  await open(asked, "activity");
  const field = labelled("Address of a person");
  await field.fill("alice");
  await press("Find");
  await sees("This is not an email address: it has no @.");
  await field.fill("alice@contoso.example");
  await press("Find");
  await expect.element(text("switched the domain contoso.example off.")).not.toBeInTheDocument();
  expect(asked.calls("POST /audit/search").at(-1)!.body).toMatchObject({ email: "alice@contoso.example", reference: null });
  expect(location.href).not.toContain("alice");
  asked.next("POST /audit/search", problem(422, { errors: [{ field: "email", detail: "The service says no." }] }));
  await field.fill("alice@nowhere");
  await press("Find");
  await sees("The service says no.");
});

test("pages without anything in them are passed over, and the parts of one import are one entry", async () => {
  const asked = service();
  const parts = [1, 2, 3].map((each) => change("exceptions.imported", { count: 99, lines: [each, each] }));
  asked.next("POST /audit/search", json({ items: [], continuationToken: "1" }), json({ items: parts, continuationToken: "2" }));
  await open(asked, "activity/exception");
  await sees("imported 297 exceptions from a file.");
  expect(asked.calls("POST /audit/search").map((each) => (each.body as { continuationToken: string | null }).continuationToken)).toEqual([null, "1"]);
  asked.next("POST /audit/search", json({ items: [change("exception.removed", { email: "bob@contoso.example" })], continuationToken: null }));
  await press("Show older");
  await sees("took bob@contoso.example off the exception list.");
});

test("a trail without an entry says so, and one in which nothing was found says that", async () => {
  const asked = new FakeService();
  await open(asked, "activity");
  await heading("Nothing has happened yet");
  location.hash = "#activity/policy";
  await sees("Nothing of this has happened.");
});

test("each time carries its zone", async () => {
  const asked = service();
  await open(asked, "activity");
  await expect.element(text(/^10:12\sCET$/).first()).toBeVisible();
});
