// Two people at once: the one who is too late is told who did what, and keeps their change or takes the other's.

import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { button, heading, labelled, open, press, sees, text } from "./panel.js";
import { change, entry, FakeService, problem } from "./service.js";

const now = () => new Date(Date.now() - 120_000).toISOString();

test("a policy that somebody changed: keeping mine saves it on top of theirs, taking theirs drops it", async () => {
  for (const [answer, expected] of [["Keep mine", { mode: "on", applicationsOff: ["mail"], whenConnectionFails: "sso", sessionHours: 8 }], ["Take theirs", { mode: "on", applicationsOff: [], whenConnectionFails: "sso", sessionHours: 8 }]] as const) {
    const service = new FakeService();
    await open(service, "policy");
    await labelled("Mail").click();
    Object.assign(service.policy, { whenConnectionFails: "sso", sessionHours: 8, updatedBy: "Olga Operator", updatedAt: now() });
    service.changed("/policy");
    await press("Save changes");
    await heading("Olga Operator changed this 2 minutes ago");
    await expect.element(page.getByRole("row", { name: /If the consent is withdrawn/ })).toHaveTextContent("Nobody signs in");
    await press("Back to editing");
    await press("Save changes");
    await press(answer);
    await expect.element(page.getByRole("dialog")).not.toBeInTheDocument();
    await expect.poll(() => ({ mode: service.policy.mode, applicationsOff: service.policy.applicationsOff, whenConnectionFails: service.policy.whenConnectionFails, sessionHours: service.policy.sessionHours })).toEqual(expected);
    document.body.replaceChildren();
  }
});

test("somebody disconnected the account first: who it was is said before anything is done", async () => {
  const service = new FakeService();
  await open(service, "connection");
  service.changed("/connection");
  service.trail = [change("connection.checked", { outcome: "ok" }, "Pat Policy", now())];
  await press("Disconnect…");
  await press("Disconnect");
  await heading("Pat Policy changed this 2 minutes ago");
  await sees("Pat Policy checked the connection. Microsoft answers, and the consent is in place.");
  expect(service.calls("POST /audit/search")[0]!.body).toMatchObject({ kind: "connection", pageSize: 1 });
  await press("Take theirs");
  expect(service.connection.status).toBe("connected");
  service.changed("/connection");
  await press("Disconnect…");
  await press("Disconnect");
  await press("Keep mine");
  await sees("Disconnected. Everybody signs in with their password.");
  expect(service.connection.status).toBe("disconnected");
});

test("a domain that somebody switched first is switched after a question, though nobody can say who it was", async () => {
  const service = new FakeService();
  await open(service, "domains");
  service.changed("/domains");
  service.next("POST /audit/search", problem(503));
  await press("Switch off… contoso.example");
  await press("Switch off");
  await heading("Somebody changed this");
  await press("Keep mine");
  await sees("contoso.example is switched off now.");
  expect(service.domains.items[0]!.state).toBe("off");
});

test("people of an earlier tenant are kept after a question, and the service's refusal is shown", async () => {
  const service = new FakeService();
  await open(service, "connection");
  service.next("PATCH /connection", problem(409, { detail: "No link to an earlier tenant is left." }));
  await press("Keep people…");
  await heading("Keep the people of an earlier tenant?");
  await press("Keep people");
  await sees("No link to an earlier tenant is left.");
  await press("Keep people…");
  await press("Keep people");
  await sees("People of the earlier tenant stay the same people.");
  await press("Keep people no longer…");
  await press("Keep them no longer");
  await sees("People of the earlier tenant are new people from now on.");
  expect(service.calls("PATCH /connection").map((each) => each.body)).toEqual([{ keepPeople: true }, { keepPeople: true }, { keepPeople: false }]);
});

test("the policy that the guided path switches on is the one that was shown", async () => {
  const service = new FakeService();
  Object.assign(service.overview, { mode: "off", modeSince: null });
  service.policy.mode = "off";
  await open(service, "setup/confirm");
  await expect.element(page.getByRole("row", { name: "Everybody at contoso.example" })).toBeVisible();
  service.changed("/policy");
  service.trail = [change("policy.changed", { before: { mode: "off", whenConnectionFails: "password" }, after: { mode: "off", whenConnectionFails: "sso" } }, "Pat Policy", now())];
  await press("Switch on for everybody");
  await heading("Pat Policy changed this 2 minutes ago");
  await sees("changed the sign-in policy: If the consent is withdrawn at Microsoft: from People sign in with their password to Nobody signs in.");
  expect(service.policy.mode).toBe("off");
  await press("Keep mine");
  await heading("Microsoft sign-in is on for everybody");
  expect(service.policy.mode).toBe("on");
});

test("an exception that somebody changed while it was edited shows theirs, and who it was", async () => {
  const service = new FakeService();
  await open(service, "exceptions");
  await press("Edit emergency@contoso.example");
  await labelled("Reason").fill("Door");
  Object.assign(service.entries[0]!, { reason: "Lift", updatedAt: now() });
  service.changed(service.entries[0]!.exceptionId);
  service.trail = [change("exception.changed", { person: "r", email: "emergency@contoso.example", reason: "Lift" }, "Pat Policy", now())];
  await press("Save");
  await heading("Pat Policy changed this 2 minutes ago");
  await sees("Lift");
  await press("Keep mine");
  await sees("The exception for emergency@contoso.example was changed.");
  expect(service.entries[0]!.reason).toBe("Door");
});

test("exceptions that somebody changed are not removed with the others, but after another look", async () => {
  const service = new FakeService();
  service.entries = ["a", "b", "c"].map((each) => entry(`${each}@contoso.example`, "Kiosk"));
  await open(service, "exceptions");
  await labelled("Select all on this page").click();
  Object.assign(service.entries[1]!, { reason: "Lift", updatedAt: now() });
  const last = service.entries[2]!;
  service.always("DELETE /exceptions/ID", (asked, id) => {
    if (id !== last.exceptionId || last.reason === "Door") return service.usual("DELETE /exceptions/ID", asked, id);
    Object.assign(last, { reason: "Door", updatedAt: now() });
    return problem(412);
  });
  await press("Remove selected…");
  await heading("Remove 3 people from the list?");
  await press("Remove from the list");
  await sees("2 entries were changed by somebody meanwhile and are still there.");
  await sees("b@contoso.example: Lift");
  await press("Remove them all the same");
  await expect.poll(() => service.entries).toEqual([]);
  expect(button("Undo").query()).not.toBeNull();
  expect(text("b@contoso.example: Lift").query()).toBeNull();
});
