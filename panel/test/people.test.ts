// Links: found by a part or by the whole address, released one, some or many, and people who are erased.

import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { button, heading, labelled, open, press, sees, text } from "./panel.js";
import { FakeService, json, link, problem } from "./service.js";

const OTHER = "d0d00000-0000-4000-8000-000000000000";

function service(count = 4): FakeService {
  const made = new FakeService();
  made.links = Array.from({ length: count }, (_, at) => link(`person-${at}@${at % 2 ? "contoso" : "fabrikam"}.example`, at ? undefined : OTHER));
  made.overview.links = { count, exact: true };
  return made;
}

test("a whole address is one search of the service, a part of one reads what there is", async () => {
  const asked = service(1500);
  await open(asked, "people");
  const find = labelled("Part of an address or of an object ID");
  await find.fill("person-1401@contoso.example");
  await press("Find");
  await expect.element(page.getByRole("row", { name: /person-1401@/ })).toBeVisible();
  expect(asked.calls("POST /links/search").map((each) => each.body)).toEqual([{ email: "person-1401@contoso.example" }]);
  expect(asked.calls("GET /links").length).toBe(1);
  await find.fill("person-1401");
  await press("Find");
  await sees("1 found among 1,500 entries");
  expect(asked.calls("GET /links").length).toBe(3);
  asked.next("POST /links/search", problem(422));
  await find.fill("x@contoso.ex");
  await press("Find");
  await sees("No link has this in its address or its object ID.");
});

test("the people that were chosen are released after a question, and one whom somebody released first is no error", async () => {
  const asked = service();
  await open(asked, "people");
  await labelled("Select person-1@contoso.example").click();
  await labelled("Select person-3@contoso.example").click();
  await press("Release selected…");
  await heading("Release 2 people?");
  asked.next("DELETE /links/ID", problem(404));
  await press("Release");
  await sees("1 address was released.");
  expect(asked.calls("DELETE /links/ID").length).toBe(2);
});

test("many are released at once: it says of how many people before it does it, and goes on until the service is through", async () => {
  const asked = service();
  await open(asked, "people");
  await press("Release many…");
  const which = labelled("Which addresses");
  await expect.element(which).toBeVisible();
  const options = [...(await which.element()).querySelectorAll("option")].map((each) => each.textContent);
  expect(options).toEqual(["At fabrikam.example, 2 people", "At contoso.example, 2 people", "Linked to the tenant c0c00000-0000-4000-8000-000000000000, 3 people", `Linked to the tenant ${OTHER}, 1 person`, "All, 4 people"]);
  await which.selectOptions("At contoso.example, 2 people");
  await press("Continue…");
  await heading("Release 2 people?");
  await sees("At contoso.example, 2 people.");
  expect(asked.calls("POST /links/release")).toEqual([]);
  asked.next("POST /links/release", json({ released: 1, continuationToken: "more" }), problem(503));
  await press("Release");
  await sees("A part of the service does not answer at the moment.");
  await press("Release");
  await sees("3 addresses were released.");
  expect(asked.calls("POST /links/release").map((each) => each.body)).toEqual([
    { domain: "contoso.example", all: false, continuationToken: null },
    { domain: "contoso.example", all: false, continuationToken: "more" },
    { domain: "contoso.example", all: false, continuationToken: null },
  ]);
  expect(location.hash).toBe("#people");
});

test("the links of a tenant and all of them are other choices, and nothing is done by closing", async () => {
  const asked = service();
  await open(asked, "people/release");
  await labelled("Which addresses").selectOptions(`Linked to the tenant ${OTHER}, 1 person`);
  await press("Continue…");
  await press("Release");
  await sees("1 address was released.");
  expect(asked.calls("POST /links/release")[0]!.body).toMatchObject({ tenantId: OTHER });
  await press("Release many…");
  await labelled("Which addresses").selectOptions("All, 3 people");
  await press("Continue…");
  await press("Keep the links");
  expect(asked.calls("POST /links/release").length).toBe(1);
  expect(asked.links.length).toBe(3);
});

test("a person is erased by the address that was typed, and the service's word on it stands beside it", async () => {
  const asked = service();
  await open(asked, "people");
  await press("Erase a person…");
  await press("Erase");
  await sees("Enter the email address.");
  await labelled("Email address").fill("person-0@fabrikam.example");
  asked.next("POST /people/erase", problem(422, { errors: [{ field: "email", detail: "No such domain." }] }));
  await press("Erase");
  await expect.element(labelled("Email address")).toHaveAccessibleDescription(/No such domain/);
  await press("Erase");
  await sees("Erased: 1 link, 0 exceptions, 0 sessions.");
});

test("an account in which nobody has signed in says so, and offers no release", async () => {
  const asked = service(0);
  await open(asked, "people");
  await heading("Nobody has signed in with Microsoft yet");
  expect(button("Release many…").query()).toBeNull();
  expect(text("Copy").query()).toBeNull();
});
