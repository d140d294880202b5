// Words, one file a language. The page's language decides; English is the one that is always complete.

import { Format } from "../format.js";
import { de } from "./de.js";
import { en } from "./en.js";

export type Words = ReturnType<typeof en>;

const LANGUAGES: Record<string, (format: Format) => Words> = { en, de };

/** The words and the formats for a language tag such as `de-AT`; English for one that has no words yet. */
export function wordsFor(tag: string): { words: Words; format: Format } {
  const known = LANGUAGES[tag.split("-")[0]?.toLowerCase() ?? ""];
  const format = new Format(known ? tag : "en");
  return { words: (known ?? en)(format), format };
}
