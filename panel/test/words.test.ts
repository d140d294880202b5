// Both languages say the same things, with the same numbers and names in them, and every event has a sentence.

import { expect, test } from "vitest";
import events from "../../docs/events.md?raw";
import { wordsFor, type Words } from "../src/words/index.js";
import { sentence } from "../src/trail.js";
import { change } from "./service.js";

const LANGUAGES = ["en", "de"] as const;
const english = wordsFor("en-GB").words;
const german = wordsFor("de-DE").words;

type Said = (...given: unknown[]) => unknown;

/** Every text of a language by its path, such as `policy.title`. */
function texts(words: object, path = ""): [string, unknown][] {
  return Object.entries(words).flatMap(([name, each]): [string, unknown][] => (typeof each === "object" && each !== null ? texts(each, `${path}${name}.`) : [[path + name, each]]));
}

/** Which of its arguments a text shows, if they are names, and if they are numbers. */
function shown(text: Said): string[] {
  const names = Array.from({ length: text.length }, (_, at) => `name-${at}`);
  const numbers = names.map((_, at) => 71 + at);
  return [names, numbers].map((given) => {
    try {
      const made = JSON.stringify(text(...given));
      return given.filter((each) => made.includes(String(each))).join();
    } catch {
      return "takes something else";
    }
  });
}

test("German has the texts that English has, and no others", () => {
  expect(texts(german).map(([path]) => path)).toEqual(texts(english).map(([path]) => path));
  expect(texts(english).length).toBeGreaterThan(400);
});

test("each text has the same placeholders in both languages, and none is empty or forgotten", () => {
  const theirs = new Map(texts(german));
  for (const [path, text] of texts(english)) {
    const other = theirs.get(path);
    expect(typeof other, path).toBe(typeof text);
    if (typeof text === "string") expect(other, path).not.toBe("");
    else if (typeof text === "function") expect([path, ...shown(other as Said)]).toEqual([path, ...shown(text as Said)]);
  }
});

test("German is not English that was left", () => {
  const same = new Set(["problem.originTitle", "exceptions.export", "tabs.domains", "domains.title", "domains.domain", "setup.steps.2", "domains.caption", "roles.SecurityManager", "roles.SecurityReader", "roles.Operator", "importing.kinds.same"]);
  const left = texts(english).filter(([path, text]) => typeof text === "string" && text.length > 12 && !/^overview\.what\..*\.0$/.test(path) && new Map(texts(german)).get(path) === text && !same.has(path));
  expect(left).toEqual([]);
});

const DETAILS = {
  email: "alice@contoso.example", reason: "Kiosk", expiresAt: "2027-01-01T00:00:00Z", tenantName: "Contoso", tenantId: "c0c00000-0000-4000-8000-000000000000", consentedBy: { name: "Ada" },
  explanation: "It was declined.", outcome: "ok", domain: "contoso.example", domains: { "contoso.example": "routed" }, enabled: true, keepPeople: true, kept: false, count: 3, role: "SecurityManager", person: { name: "Pat" }, lines: [1, 3],
  domainsLeft: ["fabrikam.example"], domainsLeftCount: 1, before: { mode: "off", applicationsOff: [], whenConnectionFails: "password" }, after: { mode: "on", applicationsOff: ["mail"], whenConnectionFails: "sso" },
};
const actions = [...events.matchAll(/^\| `([a-z_.]+)` \|/gm)].map((match) => match[1]!).filter((action) => !action.startsWith("application."));

for (const language of LANGUAGES)
  test(`every event that can stand in the trail of an account has a sentence: ${language}`, () => {
    expect(actions.length).toBeGreaterThan(20);
    const { words, format } = wordsFor(language);
    for (const action of actions) {
      const said = sentence({ words, format }, change(action, DETAILS));
      expect(said, action).not.toBe(words.activity.says.other(action));
      expect(said, action).toMatch(/^[a-zäöü].*\.$|: It was declined\.$/s);
      expect(said, action).not.toMatch(/undefined|null|NaN|\[object|false|true/);
    }
  });

test("a sentence about a person who was erased names nobody", () => {
  for (const language of LANGUAGES) {
    const { words, format } = wordsFor(language);
    const said = sentence({ words, format }, change("exception.removed", { email: null, reason: null }));
    expect(said).toContain(words.erased);
  }
});

test("every kind by which the service searches a trail can be chosen", () => {
  const kinds = new Set(actions.map((action) => action.replace(/s?\..*/, "")));
  const offered = new Set(Object.keys((english as Words).activity.kinds));
  expect([...kinds].filter((kind) => !offered.has(kind))).toEqual([]);
});
