/** A believable home for developing the dashboard without a server: every power is a pure function of time. */
import { divide, type Links } from '../src/domain/balance.ts';
import { DAY_US, MINUTE_US, addDays, dateOf, startOfDay } from '../src/domain/time.ts';

export const ZONE = 'Europe/Berlin';
export const DEVICE_NAMES = ['EV charger', 'Heat pump', 'Washing machine', 'Dishwasher', 'Fridge', 'Network and server', 'Oven', 'Living room'] as const;
export type DeviceName = (typeof DEVICE_NAMES)[number];

export interface Minute {
  solar: number;
  home: number;
  /** Signed kW, positive into the home. */
  grid: number;
  battery: number;
  charge: number;
  devices: Record<DeviceName, number>;
  links: Links;
}

function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  h ^= h >>> 13;
  h = Math.imul(h, 0x5bd1e995);
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296;
}

const bell = (minute: number, centre: number, width: number): number => Math.exp(-(((minute - centre) / width) ** 2));

function devicesAt(date: string, minute: number): Record<DeviceName, number> {
  const on = (name: string, chance: number): boolean => hash(date + name) < chance;
  const at = (name: string, from: number, spread: number): number => from + Math.floor(hash(`${date}${name}at`) * spread);
  const run = (name: string, chance: number, start: number, length: number): boolean =>
    on(name, chance) && minute >= start && minute < start + length;
  const evStart = at('ev', 640, 60);
  const dish = at('dish', 1210, 50);
  const wash = at('wash', 560, 200);
  const noise = (name: string): number => hash(`${date}${name}${minute}`) - 0.5;
  const heating = (minute + Math.floor(hash(date) * 50)) % 52 < 30 ? 0.62 : 0.02;
  return {
    'EV charger': run('ev', 0.7, evStart, 170) ? 1.84 : 0,
    'Heat pump': heating + 0.02 * noise('hp') + (minute >= 300 && minute < 338 ? 1.7 : 0),
    'Washing machine': run('wash', 0.6, wash, 88) ? (minute - wash < 26 ? 1.98 : 0.18) : 0.001,
    Dishwasher: run('dish', 0.7, dish, 96) ? ((minute - dish) % 50 < 18 ? 1.95 : 0.07) : 0.001,
    Fridge: (minute + Math.floor(hash(date) * 40)) % 47 < 19 ? 0.084 : 0.006,
    'Network and server': 0.086 + 0.004 * noise('it'),
    Oven: run('oven', 0.6, at('oven', 1050, 50), 42) ? (minute % 7 < 3 ? 2.2 : 0.06) : 0.002,
    'Living room': minute > 1110 && minute < 1390 ? 0.165 : 0.021,
  };
}

function solarAt(date: string, minute: number): number {
  const clear = 0.45 + 0.5 * hash(`${date}sky`);
  const cloud = hash(`${date}${Math.floor(minute / 9)}cloud`) < 0.25 * (1.4 - clear) ? 0.45 : 1;
  const sun = Math.max(0, Math.sin(((minute - 370) / 800) * Math.PI));
  return minute < 370 || minute > 1170 ? 0 : 5.2 * sun ** 1.3 * clear * cloud * (1 + 0.03 * (hash(`${date}${minute}s`) - 0.5));
}

const cache = new Map<string, Minute[]>();
const CACHED_DAYS = 60;

/** The 1,440 minutes of a local day. */
export function dayOf(date: string): Minute[] {
  const known = cache.get(date);
  if (known) return known;
  const minutes: Minute[] = [];
  let stored = 4.2;
  for (let minute = 0; minute < 1440; minute++) {
    const devices = devicesAt(date, minute);
    const tracked = Object.values(devices).reduce((a, b) => a + b, 0);
    const home = tracked + 0.12 + 0.02 * (hash(`${date}${minute}rest`) - 0.5) + 0.25 * bell(minute, 430, 25);
    const solar = solarAt(date, minute);
    const surplus = solar - home;
    const battery = surplus > 0 ? -Math.min(surplus, 2.6, (10 - stored) * 20) : Math.min(-surplus, 2.4, (stored - 0.5) * 20);
    stored = Math.min(10, Math.max(0.5, stored - battery / 60));
    const grid = home - solar - battery;
    minutes.push({ solar, home, grid, battery, charge: stored * 10, devices, links: divide({ solar, grid, battery }) });
  }
  if (cache.size >= CACHED_DAYS) cache.clear();
  cache.set(date, minutes);
  return minutes;
}

/** The minute that contains an instant. */
export function minuteAt(us: number): Minute {
  const date = dateOf(us, ZONE);
  const index = Math.floor((us - startOfDay(date, ZONE)) / MINUTE_US);
  const minute = dayOf(date)[Math.min(1439, Math.max(0, index))];
  if (!minute) throw new Error(`no minute at ${us}`);
  return minute;
}

/** A value with the flicker of a real sensor, W. */
export function flicker(kw: number, name: string, us: number): number {
  if (kw === 0) return 0;
  return Math.round(kw * 1000 * (1 + 0.012 * (hash(name + String(Math.floor(us / 2_000_000))) - 0.5)));
}

/** Price of an hour, EUR/kWh. */
export function priceAt(us: number): number {
  const hour = Math.floor(((us - startOfDay(dateOf(us, ZONE), ZONE)) / DAY_US) * 24);
  const jitter = hash(dateOf(us, ZONE) + String(hour)) * 0.03;
  return Number((0.25 + 0.06 * bell(hour, 18.5, 2.5) - 0.05 * bell(hour, 13, 3) - 0.03 * bell(hour, 3, 3) + jitter).toFixed(4));
}

export function carbonAt(us: number): number {
  const hour = ((us - startOfDay(dateOf(us, ZONE), ZONE)) / DAY_US) * 24;
  return Math.round(238 - 90 * bell(hour, 13, 4) + 40 * bell(hour, 19, 2));
}

export const yesterday = (us: number): string => addDays(dateOf(us, ZONE), -1);
