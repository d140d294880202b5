// Words, one file a language. The page's language decides; English is the one that is always complete.

import { Format } from "../format.js";
import { de } from "./de.js";
import { en } from "./en.js";

export type Words = ReturnType<typeof en>;

const LANGUAGES: Record<string, (format: Format) => Words> = { en, de };

interface Language {
  words: Words;
  format: Format;
}

let last: (Language & { tag: string }) | undefined;

/** The words and the formats for a language tag such as `de-AT`; English for one that has no words yet. */
export function wordsFor(tag: string): Language {
  if (last?.tag !== tag) {
    const name = tag.split("-")[0]!.toLowerCase();
    const known = LANGUAGES[name];
    const format = new Format(regional(known ? tag : "en"));
    last = { tag, format, words: (known ?? en)(format) };
  }
  return last;
}

/** A page that says only the language leaves it to the browser's settings how dates and times are written in it. */
function regional(tag: string): string {
  const same = (each: string) => each.toLowerCase().startsWith(`${tag.toLowerCase()}-`);
  return tag.includes("-") ? tag : navigator.languages.find(same) ?? tag;
}
