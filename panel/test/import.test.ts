// A CSV file: what it would change, sent in parts, left and resumed, stopped by a service that is gone, and what was left out.

import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { readCsv, textOf, writeCsv } from "../src/csv.js";
import { button, heading, open, press, sees } from "./panel.js";
import { entry, FakeService, gone, json, problem, type Asked } from "./service.js";

const file = (text: string, name = "staff.csv") => new File([text], name, { type: "text/csv" });
const people = (count: number) => Array.from({ length: count }, (_, at) => `person-${at}@contoso.example,Field staff`).join("\n");
const choose = (chosen: File) => userEvent.upload(page.getByLabelText(/Choose/), chosen);
const sizes = (asked: Asked[]) => asked.map((each) => (each.body as unknown[]).length);

test("the preview says what would change, line by line, and sends nothing", async () => {
  const service = new FakeService();
  service.entries = [entry("same@contoso.example", "Kiosk"), entry("other@contoso.example", "Kiosk")];
  await open(service, "exceptions/import");
  await choose(file("email,reason\nnew@contoso.example,Lift\nother@contoso.example,Door\nsame@contoso.example,Kiosk\nnobody,Kiosk\n"));
  await heading("Import: check before anything changes");
  await sees("2 lines are ready:");
  await sees("1 adds a person, 1 changes an entry. 1 says what is on the list already.");
  await sees("1 line looks wrong");
  await page.getByLabelText("Look wrong 1").click();
  await expect.element(page.getByRole("row", { name: /nobody/ })).toHaveTextContent("this is not an email address");
  expect(page.getByRole("row", { name: /new@contoso/ }).query()).toBeNull();
  await page.getByLabelText("Change 1", { exact: true }).click();
  await expect.element(page.getByRole("row", { name: /other@contoso/ })).toHaveTextContent("Changes the entry on the list");
  expect(service.calls("POST /exceptions")).toEqual([]);
});

test("a file without the columns, or in another encoding, is not guessed at", async () => {
  await open(new FakeService(), "exceptions/import");
  await choose(file("name,phone\nAlice,1\n"));
  await sees("its first line must name the columns email and reason");
  await choose(new File([new Uint8Array([0x65, 0x6d, 0xe4, 0x69])], "latin.csv"));
  await sees("it is not UTF-8 text");
});

test("records go in parts of 98, with progress, and what the service refuses is in the report with its reason", async () => {
  const service = new FakeService();
  await open(service, "exceptions/import");
  await choose(file(`email,reason\n${people(250)}\nnobody,Kiosk\n`));
  const second = Promise.withResolvers<void>();
  service.next("POST /exceptions", null, async (asked, id) => {
    await second.promise;
    const report = { accepted: 97, refused: 1, expired: 0, problems: [{ line: 5, detail: "email: Not at a domain of yours." }], warnings: [{ line: 7, detail: "Check the spelling." }] };
    void service.usual("POST /exceptions", asked, id);
    return json(report);
  });
  await press("Import 250 lines");
  await sees("98 of 250 lines sent");
  await expect.element(page.getByRole("progressbar")).toHaveValue(98);
  second.resolve();
  await heading("Import finished: 249 stored, 2 left out");
  expect(sizes(service.calls("POST /exceptions"))).toEqual([98, 98, 54]);
  await expect.element(page.getByRole("row", { name: /person-102@/ })).toHaveTextContent("email: Not at a domain of yours.");
  await expect.element(page.getByRole("row", { name: /nobody/ })).toHaveTextContent("this is not an email address");
  await sees("Check the spelling.");
});

test("a service that is gone in the middle keeps what was sent, and the same file sends only the rest", async () => {
  const service = new FakeService();
  service.entries = [];
  await open(service, "exceptions/import");
  await choose(file(`email,reason\n${people(250)}\n`));
  service.next("POST /exceptions", null, null, gone);
  await press("Import 250 lines");
  await heading("Import stopped: 196 stored, 54 not sent");
  await sees("to send the rest, import the same file again");
  document.body.replaceChildren();
  await open(service, "exceptions/import");
  await choose(file(`email,reason\n${people(250)}\n`));
  await sees("196 say what is on the list already.");
  await press("Import 54 lines");
  await heading("Import finished: 54 stored, 0 left out");
  expect(service.entries.length).toBe(250);
});

test("an import that is left stops after its part, and its page asks before that", async () => {
  const service = new FakeService();
  await open(service, "exceptions/import");
  await choose(file(`email,reason\n${people(300)}\n`));
  const part = Promise.withResolvers<void>();
  service.next("POST /exceptions", async (asked, id) => { await part.promise; return service.usual("POST /exceptions", asked, id); });
  await press("Import 300 lines");
  await sees("0 of 300 lines sent");
  const leaving = new Event("beforeunload", { cancelable: true });
  dispatchEvent(leaving);
  expect(leaving.defaultPrevented).toBe(true);
  await press("Stop after this part");
  part.resolve();
  await heading("Import stopped: 98 stored, 202 not sent");
  expect(sizes(service.calls("POST /exceptions"))).toEqual([98]);
  const after = new Event("beforeunload", { cancelable: true });
  dispatchEvent(after);
  expect(after.defaultPrevented).toBe(false);
});

test("twenty thousand lines are previewed without a page of that length", async () => {
  const service = new FakeService();
  const panel = await open(service, "exceptions/import");
  await choose(file(`email,reason\n${people(20_000)}\n`));
  await sees("The first 100 of 20,000 lines");
  expect(panel.shadowRoot!.querySelectorAll("tbody tr").length).toBe(100);
  await expect.element(button("Import 20,000 lines")).toBeEnabled();
});

test("a file that cannot be read against the list says so, and can be chosen again", async () => {
  const service = new FakeService();
  await open(service, "exceptions/import");
  service.next("GET /exceptions", problem(503));
  await choose(file(`email,reason\n${people(1)}\n`));
  await sees("A part of the service does not answer at the moment.");
  await choose(file(`email,reason\n${people(1)}\n`));
  await sees("1 line is ready:");
});

test("a report of refused lines is a file that can be corrected and read again, and runs as no formula", () => {
  const lines = readCsv("email;reason;expiresAt\n=a@b.example;=1+1;\n", new Map())!;
  const written = writeCsv(lines, { title: "Why", of: () => "because" });
  expect(written).toBe('"email","reason","expiresAt","Why"\r\n"\'=a@b.example","\'=1+1","","because"');
  expect(readCsv(written.replace(',"Why"', "").replace(',"because"', ""), new Map())).toEqual(lines);
  expect(textOf(new Uint8Array([0xff, 0xfe]).buffer)).toBeNull();
});
