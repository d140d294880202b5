// A CSV file of exceptions as the panel previews it. The service reads each record once more, and its rules decide.

import Papa from "papaparse";

export type Kind = "add" | "change" | "same" | "bad";
export type Fault = "email" | "reason" | "end" | "twice" | "quotes";

export interface Line {
  /** Its first line in the file, counted from 1. */
  line: number;
  email: string;
  reason: string;
  ends: string;
  kind: Kind;
  fault?: Fault;
}

export interface Listed {
  reason: string;
  ends: string;
}

const COLUMNS: Record<string, "email" | "reason" | "ends"> = { email: "email", reason: "reason", expiresat: "ends" };
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i;
const AROUND = /^[\s\u00a0\u200b-\u200f\u2060\ufeff]+|[\s\u00a0\u200b-\u200f\u2060\ufeff]+$/g;
/** Where a spreadsheet could begin a cell, also inside one of ours, and run what follows. */
const FORMULA = /(^|[,;\t\r\n])(?=[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"]*[=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b-])/g;

/** The records of the text, or null if its first line does not name the columns. */
export function readCsv(text: string, listed: ReadonlyMap<string, Listed>): Line[] | null {
  const body = text.replace(/^\ufeff/, "");
  const separator = /^sep=.\r?\n/i.exec(body)?.[0] ?? "";
  const parsed = Papa.parse<string[]>(body.slice(separator.length), { delimitersToGuess: [",", ";", "\t"] });
  const [header = [], ...records] = parsed.data;
  const columns = header.map((name) => COLUMNS[name.toLowerCase().replace(/[ _-]/g, "")]);
  if (columns.includes(undefined) || !columns.includes("email") || !columns.includes("reason")) return null;
  const broken = new Set(parsed.errors.filter((each) => each.type === "Quotes").map((each) => each.row ?? -1));
  const lines: Line[] = [];
  let at = (separator ? 1 : 0) + 1 + lineEnds(header);
  records.forEach((cells, index) => {
    at += 1;
    const line = at;
    at += lineEnds(cells);
    if (cells.every((cell) => !cell.trim())) return;
    const value = (name: string) => (cells[columns.indexOf(name as "email")] ?? "").replace(AROUND, "");
    const record = { line, email: bare(value("email")), reason: value("reason"), ends: bare(value("ends")) };
    lines.push({ ...record, ...judged(record, listed, broken.has(index + 1)) });
  });
  return withoutRepeats(lines);
}

/** The records as a file again, for the service or for the person who corrects them. */
export function writeCsv(lines: readonly Line[], more?: { title: string; of: (line: Line) => string }): string {
  const fields = ["email", "reason", "expiresAt", ...(more ? [more.title] : [])];
  const data = lines.map((line) => [line.email, line.reason, line.ends, ...(more ? [more.of(line)] : [])]);
  return Papa.unparse({ fields, data: more ? data.map((cells) => cells.map(guarded)) : data }, { quotes: Boolean(more) });
}

/** An apostrophe before whatever a spreadsheet could run, as the service exports (shared/users/formulas.py). */
function guarded(cell: string): string {
  return cell.replace(FORMULA, "$1'");
}

function judged(record: Omit<Line, "kind">, listed: ReadonlyMap<string, Listed>, quotes: boolean): Pick<Line, "kind" | "fault"> {
  if (quotes) return { kind: "bad", fault: "quotes" };
  if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(record.email)) return { kind: "bad", fault: "email" };
  if (!record.reason) return { kind: "bad", fault: "reason" };
  if (record.ends && !TIME.test(record.ends)) return { kind: "bad", fault: "end" };
  const now = listed.get(record.email.toLowerCase());
  if (!now) return { kind: "add" };
  return { kind: now.reason === record.reason && sameTime(now.ends, record.ends) ? "same" : "change" };
}

/** Of several records for one address the service stores the last one. */
function withoutRepeats(lines: Line[]): Line[] {
  const last = new Map(lines.filter((each) => each.kind !== "bad").map((each) => [each.email.toLowerCase(), each.line]));
  return lines.map((each) => (each.kind === "bad" || last.get(each.email.toLowerCase()) === each.line ? each : { ...each, kind: "bad", fault: "twice" }));
}

function sameTime(a: string, b: string): boolean {
  return a === b || (a !== "" && b !== "" && new Date(a).getTime() === new Date(b).getTime());
}

/** Spreadsheets mark text by an apostrophe before it. */
function bare(cell: string): string {
  return cell.replace(/^'/, "");
}

function lineEnds(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
}
