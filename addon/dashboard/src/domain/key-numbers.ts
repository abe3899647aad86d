/** The key numbers of a period as printed, with what they are compared with. */
import type { Energy } from '../api/types';
import { t, tn } from '../i18n';
import type { Figures } from './figures';
import type { Formats } from './format';
import { roundTo } from './rounding';

export interface KeyNumber {
  name: string;
  value: string;
  unit: string;
  /** In words, for wide pages. */
  compared: string;
  /** With a sign, for narrow ones. */
  change: string;
}

const NONE = '–';

/** What the numbers are compared with: figures and their day in words. */
interface Against {
  was: Figures | null;
  day: string;
  formats: Formats;
}

type Of = (figures: Figures) => number | null;

/** A number, and how it has changed; `scale` and `decimals` are those of the print. */
interface Kind {
  unit: string;
  scale: number;
  decimals: number;
  print: (value: number, formats: Formats) => string;
  /** An amount of change in words. */
  amount: (value: number, formats: Formats) => string;
}

const kwhKind = (decimals: number): Kind => ({ unit: 'kWh', scale: 1, decimals, print: (value, formats) => formats.number(value, decimals), amount: (value, formats) => `${formats.number(value, decimals)} kWh` });
const SHARE: Kind = { unit: '%', scale: 100, decimals: 0, print: (value, formats) => formats.number(value, 0), amount: (value) => tn('energy.points', value) };
const volume = (unit: string): Kind => ({
  unit,
  scale: 1,
  decimals: 2,
  print: (value, formats) => formats.number(value, 2),
  amount: (value, formats) => `${formats.number(value, 2)} ${unit}`,
});

function keyNumber(name: string, kind: Kind, figures: Figures, of: Of, against: Against, without = t('row.none')): KeyNumber {
  const value = of(figures);
  if (value === null) return { name, value: NONE, unit: '', compared: without, change: '' };
  const before = against.was && of(against.was);
  const shown = { name, value: kind.print(value * kind.scale, against.formats), unit: kind.unit };
  return { ...shown, ...(before === null ? { compared: '', change: '' } : compare(value * kind.scale, before * kind.scale, kind, against)) };
}

function compare(value: number, before: number, kind: Kind, { day, formats }: Against): Pick<KeyNumber, 'compared' | 'change'> {
  const { decimals } = kind;
  const difference = roundTo(roundTo(value, decimals) - roundTo(before, decimals), decimals);
  const change = `${formats.change(difference, decimals)} ${kind === SHARE ? t(Math.abs(difference) === 1 ? 'energy.pointWord' : 'energy.pointsWord') : kind.unit}`;
  if (difference === 0) return { compared: t('energy.same', { day }), change };
  const amount = kind.amount(Math.abs(difference), formats);
  return { compared: t(difference > 0 ? 'energy.more' : 'energy.less', { amount, day }), change };
}

/** `was`: the figures compared with, or null; `day`: their day in words. */
export function keyNumbersOf({ has, gas, water }: Energy, figures: Figures, was: Figures | null, day: string, formats: Formats): KeyNumber[] {
  const against: Against = { was, day, formats };
  const number = (name: string, kind: Kind, of: Of, without?: string): KeyNumber => keyNumber(name, kind, figures, of, against, without);
  const kwh = kwhKind(figures.decimals);
  const numbers = [number(t('row.home'), kwh, ({ home }) => home)];
  if (has.solar || has.battery) numbers.push(number(t('row.self_sufficiency'), SHARE, ({ selfSufficiency }) => selfSufficiency, t('energy.noUse')));
  if (has.solar) numbers.push(number(t('row.self_consumption'), SHARE, ({ selfConsumption }) => selfConsumption, t('energy.noSolar')));
  else if (has.grid) numbers.push(number(t('row.grid_import'), kwh, ({ grid_import }) => grid_import));
  if (gas) numbers.push(number(t('row.gas'), volume(gas.unit), (of) => of.gas));
  if (water) numbers.push(number(t('row.water'), volume(water.unit), (of) => of.water));
  return numbers;
}
