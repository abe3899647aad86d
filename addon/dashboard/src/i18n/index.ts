import { en, type Messages } from './en';

type Names<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type Filled<S extends string> = [Names<S>] extends [never] ? [] : [values: Record<Names<S>, string | number>];

export type Key = keyof Messages;
type CountedStem = { [K in Key]: K extends `${infer Stem}.other` ? (`${Stem}.one` extends Key ? Stem : never) : never }[Key];

const plural = new Intl.PluralRules('en');

const fill = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));

/** The text of a key, its placeholders filled in; the compiler knows which ones it has. */
export function t<K extends Key>(key: K, ...[values]: Filled<Messages[K]>): string {
  return values === undefined ? en[key] : fill(en[key], values);
}

/** The text of a key that has forms by count; `shown` replaces the printed count. */
export function tn(stem: CountedStem, count: number, values: Record<string, string | number> = {}): string {
  const form = plural.select(count) === 'one' ? 'one' : 'other';
  return fill(en[`${stem}.${form}`], { count, n: count, ...values });
}

/** The text of `prefix.code`, or `prefix.fallback` with the code filled in where the code is new to this build. */
export function tcode(prefix: string, code: string, fallback: Key): string {
  const known: Record<string, string> = en;
  return known[`${prefix}.${code}`] ?? fill(en[fallback], { code });
}
