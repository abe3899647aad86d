/** A period's devices as they are printed, in one place for all cards: parts that add up to their whole, biggest first. */
import type { Energy } from '../api/types';
import { roundParts } from './rounding';

export interface DeviceFigure {
  /** The Entity's key; `rest` for what a device uses besides those that it includes. */
  id: string;
  /** Null for the rest. */
  name: string | null;
  /** As printed. */
  kwh: number;
  exact: number;
  /** kWh of each interval; empty for the rest. */
  values: readonly (number | null)[];
  /** Whether it is not known at all, or not all the time that the home is; what the home lacks too is said of the home. */
  missing: 'wholly' | 'partly' | null;
  /** Of a rest: the names of the devices whose use is in it while they were not known. */
  holds: readonly string[];
  /** The devices that it includes, and the rest of it. */
  parts: DeviceFigure[];
}

export interface DeviceFigures {
  /** Those that no other includes. */
  devices: DeviceFigure[];
  /** Home use that no device accounts for; together with the devices it is the home's use. */
  untracked: Rest;
}

type Rest = Pick<DeviceFigure, 'kwh' | 'exact' | 'holds'>;
type Device = Energy['devices'][number];

const exactOf = ({ total }: Device): number => Math.max(0, total ?? 0);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
/** Meters that disagree by less than this disagree by rounding. */
const CLOSES_KWH = 0.05;

/** The keys of the devices that no other includes. A parent that includes itself, however indirectly, is none. */
export function topLevel({ devices }: Energy): Device[] {
  const byKey = new Map(devices.map((device) => [device.key, device]));
  const isTop = (device: Device): boolean => {
    const seen = new Set<string>();
    let above = device.parent === null ? undefined : byKey.get(device.parent);
    while (above && !seen.has(above.key)) {
      if (above.key === device.key) return true;
      seen.add(above.key);
      above = above.parent === null ? undefined : byKey.get(above.parent);
    }
    return device.parent === null || !byKey.has(device.parent);
  };
  return devices.filter(isTop);
}

function howMissing({ flows, provenance }: Energy, device: Device): DeviceFigure['missing'] {
  if (device.total === null) return 'wholly';
  const alone = (i: number): boolean => device.values[i] == null || provenance[i] !== 'missing';
  return device.provenance.some((kind, i) => kind === 'missing' && flows.home[i] != null && alone(i)) ? 'partly' : null;
}

/** `home`: what is printed of the home's use. */
export function deviceFigures(energy: Energy, home: number, decimals: number): DeviceFigures {
  const top = topLevel(energy);
  const tops = new Set(top.map(({ key }) => key));
  const partsOf = (device: Device): Device[] => energy.devices.filter(({ key, parent }) => parent === device.key && !tops.has(key));

  const print = (list: readonly Device[], whole: number, printed: number): { figures: DeviceFigure[]; rest: Rest } => {
    const exact = list.map(exactOf);
    const rest = Math.max(0, whole - sum(exact));
    const closes = Math.abs(sum(exact) + rest - printed) < CLOSES_KWH + 10 ** -decimals;
    const kwh = roundParts([...exact, rest], decimals, closes ? printed : undefined);
    const figures = list.map((device, i): DeviceFigure => {
      const own = { id: device.key, name: device.name, kwh: kwh[i] ?? 0, exact: exact[i] ?? 0, values: device.values };
      return { ...own, missing: howMissing(energy, device), holds: [], parts: inside(device, own.exact, own.kwh) };
    });
    const holds = list.filter((device) => howMissing(energy, device) !== null).map(({ name }) => name);
    return { figures: figures.sort((a, b) => b.exact - a.exact), rest: { kwh: kwh[list.length] ?? 0, exact: rest, holds } };
  };

  const inside = (device: Device, whole: number, printed: number): DeviceFigure[] => {
    const parts = partsOf(device);
    if (parts.length === 0) return [];
    const { figures, rest } = print(parts, whole, printed);
    return rest.kwh > 0 ? [...figures, { id: 'rest', name: null, ...rest, values: [], missing: null, parts: [] }] : figures;
  };

  const { figures, rest } = print(top, Math.max(0, energy.totals.home ?? 0), home);
  return { devices: figures, untracked: rest };
}
