// What the client does before a screen knows of it: a token that is asked for again once, and problems in words.

import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { heading, labelled, open, press, sees, show } from "./panel.js";
import { FakeService, gone, NUMBER, problem } from "./service.js";

test("a token that is refused is asked for again, once", async () => {
  const service = new FakeService();
  let asked = 0;
  service.next("GET /overview", problem(401));
  await open(service, "overview", { getToken: async () => `token ${(asked += 1)}` });
  expect(service.tokens).toEqual(["token 1", "token 2"]);

  service.next("PUT /policy", problem(401), problem(401));
  await screenOf("policy");
  await labelled("Mail").click();
  await press("Save changes");
  await sees("Sign in to the control panel again");
  expect(service.calls("PUT /policy").length).toBe(2);
  expect(service.policy.applicationsOff).toEqual([]);
  await press("Save changes");
  await sees("Saved. It is in force");
});

test("a change is sent again with its body when the token was renewed", async () => {
  const service = new FakeService();
  await open(service, "policy");
  service.next("PUT /policy", problem(401));
  await labelled("Mail").click();
  await press("Save changes");
  await sees("Saved. It is in force");
  expect(service.calls("PUT /policy").map((each) => each.body)).toEqual([1, 2].map(() => ({ mode: "on", applicationsOff: ["mail"], whenConnectionFails: "password", sessionHours: null })));
});

test("a page that gives no token is told to sign in, and nothing is sent", async () => {
  const service = new FakeService();
  for (const getToken of [() => "", () => Promise.reject(new Error("session over"))]) {
    show(service, "overview", { getToken });
    await heading("You are not signed in any more");
    expect(service.asked).toEqual([]);
    document.body.replaceChildren();
  }
});

test("a service that is gone and an origin that is not let in are told apart", async () => {
  const service = new FakeService();
  service.next("GET /overview", gone);
  service.next("GET /health", gone, gone);
  show(service, "overview");
  await heading("This page cannot be shown at the moment");
  await sees("The service did not answer. Check your connection");
  service.next("GET /overview", gone);
  service.next("GET /health", gone);
  await press("Try again");
  await heading("This page may not call the service");
  await sees(location.origin);
});

test("a service that is unavailable says when it tries again, and does", async () => {
  const service = new FakeService();
  service.next("GET /overview", problem(503, {}, { "Retry-After": "1" }));
  show(service, "overview");
  await sees("It tries again by itself in 1 second.");
  await sees(NUMBER);
  await heading("Everybody signs in with Microsoft");
});

test("each kind of person who may not is told whose page this is", async () => {
  for (const [status, title] of [[403, "This page is for Security Managers"], [404, "This account is not known here yet"], [500, "This page cannot be shown at the moment"]] as const) {
    const service = new FakeService();
    service.always("GET /overview", () => problem(status));
    show(service, "overview");
    await heading(title);
    document.body.replaceChildren();
  }
});

test("another account is read anew, and an answer that comes late for the one before is dropped", async () => {
  const service = new FakeService();
  const late = Promise.withResolvers<Response>();
  service.next("GET /overview", () => late.promise);
  const panel = show(service, "overview");
  await expect.poll(() => service.asked.length).toBe(1);
  const other = new FakeService();
  other.overview.mode = "off";
  globalThis.fetch = other.fetch as typeof fetch;
  panel.account = "fabrikam";
  await expect.poll(() => other.asked.length).toBe(1);
  late.resolve(problem(404));
  await heading("Microsoft sign-in is ready, and switched off");
});

async function screenOf(name: string): Promise<void> {
  location.hash = `#${name}`;
  await expect.element(page.getByRole("heading", { level: 3 })).toBeVisible();
}
