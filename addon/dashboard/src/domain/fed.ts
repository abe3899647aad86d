/** Who fed whom over a period, as nodes and links in printed kWh. */
import type { Energy } from '../api/types';
import type { Figures } from './figures';
import { roundTo } from './rounding';

export type NodeId = 'grid' | 'battery' | 'solar' | 'home' | 'toBattery' | 'toGrid' | 'others' | 'untracked' | `device ${string}`;

export interface FedNode {
  id: NodeId;
  /** A device's name; null for the fixed nodes. */
  name: string | null;
  kwh: number;
}

export interface FedLink {
  from: NodeId;
  to: NodeId;
  /** Exact, for the width. */
  kwh: number;
}

export interface Fed {
  /** Of the printed kWh. */
  decimals: number;
  nodes: FedNode[];
  links: FedLink[];
}

const SHOWN_DEVICES = 4;
const LEAST_KWH = 0.005;

export function fedOf(energy: Energy, figures: Figures): Fed {
  const { totals } = energy;
  const links: FedLink[] = [
    { from: 'grid', to: 'home', kwh: totals.grid_to_home ?? 0 },
    { from: 'grid', to: 'toBattery', kwh: totals.grid_to_battery ?? 0 },
    { from: 'battery', to: 'home', kwh: totals.battery_to_home ?? 0 },
    { from: 'battery', to: 'toGrid', kwh: totals.battery_to_grid ?? 0 },
    { from: 'solar', to: 'home', kwh: totals.solar_to_home ?? 0 },
    { from: 'solar', to: 'toBattery', kwh: totals.solar_to_battery ?? 0 },
    { from: 'solar', to: 'toGrid', kwh: totals.solar_to_grid ?? 0 },
  ];
  const uses = usesOf(figures);
  const nodes: FedNode[] = [
    { id: 'grid', name: null, kwh: figures.grid_import },
    { id: 'battery', name: null, kwh: figures.battery_discharge },
    { id: 'solar', name: null, kwh: figures.solar },
    { id: 'home', name: null, kwh: figures.home },
    ...uses.map(({ id, name, kwh }) => ({ id, name, kwh })),
    { id: 'toBattery', name: null, kwh: figures.battery_charge },
    { id: 'toGrid', name: null, kwh: figures.grid_export },
  ];
  const all = [...links, ...uses.map(({ id, exact }): FedLink => ({ from: 'home', to: id, kwh: exact }))].filter(({ kwh }) => kwh >= LEAST_KWH);
  // What prints as zero is left out, with its links.
  const printed = new Set(nodes.filter(({ kwh }) => kwh > 0).map(({ id }) => id));
  const shown = all.filter(({ from, to }) => printed.has(from) && printed.has(to));
  const used = new Set(shown.flatMap(({ from, to }) => [from, to]));
  return { decimals: figures.decimals, nodes: nodes.filter(({ id }) => used.has(id)), links: shown };
}

interface Use extends FedNode {
  exact: number;
}

function usesOf({ devices: { devices, untracked }, decimals }: Figures): Use[] {
  const shown = devices.filter(({ exact }) => exact >= LEAST_KWH);
  if (shown.length === 0) return [];
  const named = shown.length > SHOWN_DEVICES + 1 ? shown.slice(0, SHOWN_DEVICES) : shown;
  const others = shown.slice(named.length);
  const total = (of: 'kwh' | 'exact'): number => others.reduce((sum, device) => sum + device[of], 0);
  return [
    ...named.map(({ id, name, kwh, exact }): Use => ({ id: `device ${id}`, name, kwh, exact })),
    ...(others.length > 0 ? [{ id: 'others' as const, name: null, kwh: roundTo(total('kwh'), decimals), exact: total('exact') }] : []),
    { id: 'untracked', name: null, ...untracked },
  ];
}
