// Values that words.mjs has taken the names from get those of the English words again.

type Shape = Record<string, unknown>;

export function shaped<T extends object>(like: T, values: readonly unknown[]): T {
  const named = Object.entries(like as Shape).map(([name, each], at) => {
    const nested = typeof each === "object" && each !== null && !Array.isArray(each);
    return [name, nested ? shaped(each, values[at] as readonly unknown[]) : values[at]];
  });
  return Object.fromEntries(named) as T;
}
