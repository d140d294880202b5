// A CSV file of exceptions, read as the service reads one (shared/users/csv_file.py and exchange.py), so that the preview
// takes nothing inside a cell for a record. The records are sent as JSON, and the rules of the service decide.

export type Kind = "add" | "change" | "same" | "bad";
export type Fault = "email" | "reason" | "end" | "twice" | "cells" | "long" | "quotes";

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

/** Its first line, and its cells, or why it cannot be read. After unbalanced quotation marks nothing more is read. */
interface Row {
  line: number;
  cells: string[];
  fault?: "long" | "quotes";
}

const COLUMNS: Record<string, "email" | "reason" | "ends"> = { email: "email", reason: "reason", expiresat: "ends" };
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i;
const SEPARATOR = /^"?sep=.?"?[,;\t]*$/i;
const DELIMITERS = [",", ";", "\t"];
const LONGEST = 32_768;
const MOST_LINES = 100;

/** Invisible characters around a cell, and, after the tab, those that separate no cells. */
const UNSEEN = "\\n\\v\\f\\r\\x1c-\\x20\\x85\\xa0\\xad\\u061c\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u2064\\u2066-\\u206f\\u3000\\ufeff";
const AROUND = new RegExp(`^[\\t${UNSEEN}]+|[\\t${UNSEEN}]+$`, "g");

/** What a spreadsheet runs, and the apostrophe by which an export keeps it from that (shared/users/formulas.py).
 *  Unlike what the service stores, a line that was refused can have several lines. */
const FORMULA = `(?=[${UNSEEN}'"]*[=+@\\uff1d\\uff0b\\uff0d\\uff20\\ufe66\\ufe62\\ufe63\\ufe6b-])`;
const BARE = new RegExp(`(^|[,;\\t\\r\\n])${FORMULA}`, "g");
const GUARDED = new RegExp(`(^|[,;\\t\\r\\n])'${FORMULA}`, "g");

/** The text of a file, or null if it is not in UTF-8: guessing would change names. */
export function textOf(bytes: ArrayBuffer): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

/** The records of the text, or null if its first line does not name the columns. */
export function readCsv(text: string, listed: ReadonlyMap<string, Listed>): Line[] | null {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  const first = SEPARATOR.test(lines[0] ?? "") ? 1 : 0;
  for (const delimiter of DELIMITERS) {
    const columns = columnsOf(lines[first] ?? "", delimiter);
    if (columns) return withoutRepeats([...readLines(rows(lines, first + 1, delimiter), columns, listed)]);
  }
  return null;
}

/** The records as a file again, for the person who corrects them: every cell is quoted, and none of it is a formula. */
export function writeCsv(lines: readonly Line[], more: { title: string; of: (line: Line) => string }): string {
  const written = lines.map((line) => [line.email.startsWith("'") ? `'${line.email}` : guarded(line.email), guarded(line.reason), guarded(line.ends), guarded(more.of(line))]);
  return [["email", "reason", "expiresAt", more.title], ...written].map((cells) => cells.map(quoted).join(",")).join("\r\n");
}

function columnsOf(header: string, delimiter: string): ("email" | "reason" | "ends")[] | null {
  const [row] = [...rows([header], 0, delimiter)];
  const names = (row?.fault ? [] : (row?.cells ?? [])).map(trimmed);
  while (names.length && !names.at(-1)) names.pop();
  const columns = names.map((name) => COLUMNS[name.toLowerCase().replace(/[ _-]/g, "")]);
  const known = columns.filter((each) => each !== undefined);
  const whole = known.length === columns.length && new Set(known).size === known.length;
  return whole && known.includes("email") && known.includes("reason") ? known : null;
}

function* readLines(found: Iterable<Row>, columns: readonly string[], listed: ReadonlyMap<string, Listed>): Generator<Line> {
  for (const { line, cells, fault } of found) {
    const values = cells.map(trimmed);
    if (!fault && !values.some(Boolean)) continue;
    const value = (name: string) => values[columns.indexOf(name)] ?? "";
    const record = { line, email: bare(value("email")), reason: value("reason").replace(GUARDED, "$1"), ends: bare(value("ends")) };
    const extra = values.slice(columns.length).some(Boolean) ? ("cells" as const) : undefined;
    yield { ...record, ...judged(record, listed, fault ?? extra) };
  }
}

/** The records from a line on. */
function* rows(lines: readonly string[], from: number, delimiter: string): Generator<Row> {
  for (let at = from; at < lines.length; at += 1) {
    const line = at + 1;
    const text = lines[at] ?? "";
    if (!text.includes('"')) {
      yield text.length > LONGEST ? { line, cells: [], fault: "long" } : { line, cells: text.split(delimiter) };
      continue;
    }
    const record = new QuotedRecord(delimiter);
    let state = record.feed(text);
    while (state === "open") state = record.feed(lines[(at += 1)]);
    if (state === "quotes") {
      yield { line, cells: [], fault: "quotes" };
      return;
    }
    yield { line, cells: record.cells };
  }
}

/** A record with quotation marks, fed line by line. Its cells may have line ends, and space around the marks. */
class QuotedRecord {
  readonly cells: string[] = [];
  private parts: string[] | undefined;
  private lines = 0;
  private length = 0;
  private readonly opening: RegExp;
  private readonly closing: RegExp;
  private readonly plain: RegExp;
  private readonly inside = /[^"]*(?:""[^"]*)*/y;

  constructor(delimiter: string) {
    const space = `[${delimiter === "\t" ? "" : "\\t"}${UNSEEN}]*`;
    this.opening = new RegExp(`${space}"`, "y");
    this.closing = new RegExp(`"${space}(${delimiter}|$)`, "y");
    this.plain = new RegExp(`[^${delimiter}]*`, "y");
  }

  /** Takes the next line: is the record whole, or a cell open still, or are its marks unbalanced? */
  feed(line: string | undefined): "whole" | "open" | "quotes" {
    this.lines += 1;
    this.length += (line?.length ?? 0) + 1;
    if (line === undefined || this.lines > MOST_LINES || this.length > LONGEST + 1) return "quotes";
    for (let at = 0; at <= line.length; ) {
      const opened = this.parts ? null : matched(this.opening, line, at);
      if (opened) {
        this.parts = [];
        at += opened[0].length;
      }
      const end = this.parts ? this.quoted(this.parts, line, at) : this.unquoted(line, at);
      if (typeof end === "string") return end;
      at = end;
    }
    return "whole";
  }

  /** Takes a cell without marks around it; returns where the next begins. */
  private unquoted(line: string, at: number): number | "quotes" {
    const cell = matched(this.plain, line, at)?.[0] ?? "";
    if (cell.split('"').length % 2 === 0) return "quotes";
    this.cells.push(cell);
    return at + cell.length + 1;
  }

  /** Takes this line's part of a quoted cell; returns where the next cell begins. */
  private quoted(parts: string[], line: string, at: number): number | "open" | "quotes" {
    const part = matched(this.inside, line, at)?.[0] ?? "";
    parts.push(part);
    const end = at + part.length;
    if (end === line.length) return "open";
    const closed = matched(this.closing, line, end);
    if (!closed) return "quotes";
    this.cells.push(parts.join("\n").replaceAll('""', '"'));
    this.parts = undefined;
    return closed[1] ? end + closed[0].length : line.length + 1;
  }
}

function matched(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function judged(record: Omit<Line, "kind">, listed: ReadonlyMap<string, Listed>, fault: Fault | undefined): Pick<Line, "kind" | "fault"> {
  if (fault) return { kind: "bad", fault };
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

function trimmed(cell: string): string {
  return cell.replace(AROUND, "");
}

/** Spreadsheets mark text by an apostrophe before it. */
function bare(cell: string): string {
  return cell.replace(/^'/, "");
}

function guarded(text: string): string {
  return text.replace(BARE, "$1'");
}

function quoted(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`;
}
