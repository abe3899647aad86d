/** One presenter makes the figures of a period for all views: what is printed adds up. */
import type { Energy, Flows } from '../api/types';
import { deviceFigures, topLevel, type DeviceFigures } from './devices';
import { roundParts, roundTo } from './rounding';

export interface UseRow {
  id: string;
  name: string | null;
  kwh: number;
}

/** Printed figures of a period, kWh. */
export interface Figures {
  known: boolean;
  /** Of all printed kWh, so that they add up as they are read. */
  decimals: number;
  solar: number;
  battery_discharge: number;
  grid_import: number;
  totalFrom: number;
  home: number;
  battery_charge: number;
  grid_export: number;
  totalTo: number;
  devices: DeviceFigures;
  /** The two biggest top-level devices, then all other use; they add up to home. */
  uses: UseRow[];
  /** 0 to 1, or null. */
  selfSufficiency: number | null;
  selfConsumption: number | null;
  gas: number | null;
  water: number | null;
}

export const BIGGEST_USES = 2;

/** Decimals of printed kWh: 1, none from 1,000 up. */
const kwhDecimals = (kwh: number): number => (Math.abs(kwh) >= 999.95 ? 0 : 1);

/** The keys of the biggest top-level devices of a period, biggest first. */
export function biggestUses(energy: Energy, count = BIGGEST_USES): string[] {
  return topLevel(energy)
    .filter((device) => (device.total ?? 0) >= 0.05)
    .sort((a, b) => (b.total ?? 0) - (a.total ?? 0))
    .slice(0, count)
    .map((device) => device.key);
}

const amount = (value: number | null): number => Math.max(0, value ?? 0);

/** The figures of a period. `uses`: the devices to name, in order, so that two periods that are compared name the same. */
export function figuresOf(energy: Energy, uses: readonly string[] = biggestUses(energy)): Figures {
  const { totals } = energy;
  const sources = [totals.solar, totals.battery_discharge, totals.grid_import].map(amount);
  const sinks = [totals.home, totals.battery_charge, totals.grid_export].map(amount);
  const decimals = kwhDecimals(sum(sources));
  const [solar, discharge, imported] = three(roundParts(sources, decimals));
  const totalFrom = roundTo(solar + discharge + imported, decimals);
  // Where meters disagree by more than rounding, each side prints its own sum.
  const closes = Math.abs(sum(sinks) - sum(sources)) < 0.05;
  const [home, charge, exported] = three(roundParts(sinks, decimals, closes ? totalFrom : sum(sinks)));
  const devices = deviceFigures(energy, home, decimals);
  return {
    known: isKnown(totals),
    decimals,
    solar,
    battery_discharge: discharge,
    grid_import: imported,
    totalFrom,
    home,
    battery_charge: charge,
    grid_export: exported,
    totalTo: roundTo(home + charge + exported, decimals),
    devices,
    uses: useRows(devices, uses, home, decimals),
    selfSufficiency: totals.self_sufficiency,
    selfConsumption: totals.self_consumption,
    ...volumes(energy),
  };
}

const volumes = ({ gas, water }: Energy): Pick<Figures, 'gas' | 'water'> => ({ gas: gas?.total ?? null, water: water?.total ?? null });
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const three = (values: readonly number[]): [number, number, number] => [values[0] ?? 0, values[1] ?? 0, values[2] ?? 0];

function isKnown(totals: Flows<number | null>): boolean {
  return [totals.solar, totals.battery_discharge, totals.grid_import, totals.home, totals.battery_charge, totals.grid_export].some(
    (value) => value !== null,
  );
}

function useRows({ devices }: DeviceFigures, keys: readonly string[], home: number, decimals: number): UseRow[] {
  const named = keys.map((key) => devices.find(({ id }) => id === key)).filter((device) => device !== undefined);
  const rest = roundTo(Math.max(0, home - sum(named.map(({ kwh }) => kwh))), decimals);
  return [...named.map(({ id, name, kwh }): UseRow => ({ id, name, kwh })), { id: 'rest', name: null, kwh: rest }];
}

export interface UseColumn {
  id: string;
  name: string | null;
  values: (number | null)[];
}

/** Use by interval of the named devices and of the rest: columns of kWh that add up to home, null where it or the device is unknown. */
export function useColumns(energy: Energy, keys: readonly string[]): UseColumn[] {
  const named = keys.map((key) => energy.devices.find((device) => device.key === key)).filter((device) => device !== undefined);
  const home = energy.flows.home;
  const left = home.map((value) => (value === null ? null : Math.max(0, value)));
  const columns: UseColumn[] = named.map((device) => ({
    id: device.key,
    name: device.name,
    values: home.map((_, i) => {
      const room = left[i] ?? null;
      const own = device.values[i] ?? null;
      if (room === null || own === null) return null;
      const value = Math.min(room, amount(own));
      left[i] = room - value;
      return value;
    }),
  }));
  return [...columns, { id: 'rest', name: null, values: left }];
}
