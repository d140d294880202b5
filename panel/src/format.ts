// Dates, times and numbers in the language of the page, by Intl; every time of day carries its zone.

const DAY = 86_400_000;

export class Format {
  private readonly numbers: Intl.NumberFormat;
  private readonly plurals: Intl.PluralRules;
  private readonly relative: Intl.RelativeTimeFormat;
  private readonly lists: Intl.ListFormat;

  constructor(readonly language: string) {
    this.numbers = new Intl.NumberFormat(language);
    this.plurals = new Intl.PluralRules(language);
    this.relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
    this.lists = new Intl.ListFormat(language);
  }

  number(value: number): string {
    return this.numbers.format(value);
  }

  /** `one` or `other`, as the number has it; both may name the number themselves. */
  plural(value: number, one: string, other: string): string {
    return this.plurals.select(value) === "one" ? one : other;
  }

  list(items: readonly string[]): string {
    return this.lists.format(items);
  }

  /** "today at 10:58 CET", "12 November at 09:20 CET"; the year only if it is another one. */
  moment(iso: string): string {
    const at = new Date(iso);
    const days = daysBetween(new Date(), at);
    return this.at(Math.abs(days) <= 1 ? this.relative.format(days, "day") : this.date(at), this.time(iso));
  }

  /** "12 November"; the year only if it is another one. */
  day(iso: string): string {
    return this.date(new Date(iso));
  }

  /** "in 8 days" */
  away(iso: string): string {
    return this.relative.format(daysBetween(new Date(), new Date(iso)), "day");
  }

  /** "9 minutes ago", for what is less than an hour old; else the moment. */
  ago(iso: string): string {
    const seconds = (new Date(iso).getTime() - Date.now()) / 1000;
    if (seconds > 0 || seconds < -3600) return this.moment(iso);
    return seconds > -60 ? this.relative.format(Math.floor(seconds), "second") : this.relative.format(Math.ceil(seconds / 60), "minute");
  }

  time(iso: string): string {
    return new Date(iso).toLocaleTimeString(this.language, { hour: "numeric", minute: "2-digit", timeZoneName: "short" });
  }

  zone(): string {
    const parts = new Intl.DateTimeFormat(this.language, { timeZoneName: "short" }).formatToParts(new Date());
    return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  }

  /** Everything of it, for those who look twice. */
  full(iso: string): string {
    return new Date(iso).toLocaleString(this.language, { dateStyle: "full", timeStyle: "long" });
  }

  /** The heading of a day of the trail: "Today, 26 November". */
  heading(iso: string): string {
    const at = new Date(iso);
    const days = daysBetween(new Date(), at);
    if (days < -1) return this.date(at);
    return `${this.capital(this.relative.format(days, "day"))}, ${this.date(at)}`;
  }

  /** As it begins a sentence. */
  capital(text: string): string {
    return text.charAt(0).toLocaleUpperCase(this.language) + text.slice(1);
  }

  private date(at: Date): string {
    const year = at.getFullYear() === new Date().getFullYear() ? {} : ({ year: "numeric" } as const);
    return at.toLocaleDateString(this.language, { day: "numeric", month: "long", ...year });
  }

  private at(day: string, time: string): string {
    return this.language.startsWith("de") ? `${day} um ${time}` : `${day} at ${time}`;
  }
}

function daysBetween(from: Date, to: Date): number {
  return Math.round((midnight(to) - midnight(from)) / DAY);
}

function midnight(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}
