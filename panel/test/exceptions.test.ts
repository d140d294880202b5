// The exception list: adding, faults beside their fields, removing with undo, search, paging, and lists of any length.

import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { button, heading, labelled, open, press, sees, text } from "./panel.js";
import { entry, FakeService, problem } from "./service.js";

test("what the service says of a field stands beside it, and what it says of none stands above with its number", async () => {
  const service = new FakeService();
  const panel = await open(service, "exceptions/add");
  const email = labelled("Email address");
  await press("Add exception");
  await sees("Not saved yet: 2 fields need another look.");
  await expect.poll(() => panel.shadowRoot!.activeElement?.id).toBe("exception-email");
  await email.fill("alice@contoso.example");
  await labelled("Reason").fill("Kiosk");
  service.next("POST /exceptions", problem(422, { errors: [{ field: "email", detail: "The part after the @ is no domain." }] }));
  await press("Add exception");
  await expect.element(email).toHaveAccessibleDescription(/The part after the @ is no domain/);
  service.next("POST /exceptions", problem(409, { detail: "alice@contoso.example is on the list." }));
  await press("Add exception");
  await expect.element(email).toHaveAccessibleDescription(/is on the list/);
  service.next("POST /exceptions", problem(503));
  await press("Add exception");
  await sees("It is not certain whether the change took place.");
  await press("Add exception");
  await sees("alice@contoso.example keeps the password now.");
  expect(location.hash).toBe("#exceptions");
});

test("an end is a day in the person's own zone, and a day that is over is not sent", async () => {
  const service = new FakeService();
  await open(service, "exceptions/add");
  await labelled("Email address").fill("alice@contoso.example");
  await labelled("Reason").fill("Kiosk");
  await labelled("On a day").click();
  await sees(/Until midnight, (CET|CEST|GMT)/);
  const day = labelled("Last day with the password");
  await day.fill("2020-02-29");
  await press("Add exception");
  await expect.element(day).toHaveAccessibleDescription(/This day is over/);
  await day.fill("2098-12-31");
  await press("Add exception");
  await sees("alice@contoso.example keeps the password now.");
  expect((service.calls("POST /exceptions")[0]!.body as { expiresAt: string }).expiresAt).toBe("2098-12-31T23:00:00.000Z");
});

test("many are removed at once after a question that says how many, and undo puts them back as they were", async () => {
  const service = new FakeService();
  service.entries = Array.from({ length: 5 }, (_, at) => entry(`person-${at}@contoso.example`, `Reason ${at}`, at ? null : "2098-01-01T00:00:00Z"));
  const before = service.entries.map(({ email, reason, expiresAt }) => ({ email, reason, expiresAt }));
  await open(service, "exceptions");
  await labelled("Select all on this page").click();
  await sees("5 selected");
  await press("Remove selected…");
  await heading("Remove 5 people from the list?");
  await press("Keep on the list");
  expect(service.calls("DELETE /exceptions/ID")).toEqual([]);
  await press("Remove selected…");
  await press("Remove from the list");
  await sees("5 people were removed from the list.");
  expect(service.entries).toEqual([]);
  await press("Undo");
  await sees("5 people are on the list again.");
  expect(service.entries.map(({ email, reason, expiresAt }) => ({ email, reason, expiresAt })).toSorted((a, b) => a.email.localeCompare(b.email))).toEqual(before);
  expect(button("Undo").query()).toBeNull();
});

test("a list of any length is paged, and searched by the service or, where it is too long for that, here", async () => {
  const service = new FakeService();
  service.entries = Array.from({ length: 2350 }, (_, at) => entry(`person-${at}@contoso.example`, at === 2345 ? "Lighthouse" : "Kiosk"));
  service.overview.exceptions = { count: 2350, exact: false };
  await open(service, "exceptions");
  await sees("1 to 100, and more");
  await press("Next page");
  await sees("101 to 200, and more");
  await press("Previous page");
  await sees("1 to 100, and more");
  const find = labelled("Part of an address or of a reason");
  await find.fill("lighthouse");
  await press("Find");
  await sees("1 found among");
  expect(service.calls("POST /exceptions/search").length).toBe(1);
  service.next("POST /exceptions/search", problem(409));
  const read = service.calls("GET /exceptions").length;
  await find.fill("LIGHTHOUSE");
  await press("Find");
  await sees("1 found among 2,350 entries");
  expect(service.calls("GET /exceptions").length - read).toBe(3);
  await find.fill("nobody of that name");
  await press("Find");
  await sees("No entry has this in its address or its reason.");
  await find.fill("");
  await press("Find");
  await sees("1 to 100, and more");
});

test("an empty list says why somebody should be on it, and the emergency account is half written", async () => {
  const service = new FakeService();
  service.entries = [];
  await open(service, "exceptions");
  await heading("Nobody is on the list");
  await press("Add emergency account");
  await expect.element(labelled("Reason")).toHaveValue("Emergency account");
  history.back();
  await expect.element(page.getByRole("dialog")).not.toBeInTheDocument();
  expect(text("Nobody is on the list").query()).not.toBeNull();
});
