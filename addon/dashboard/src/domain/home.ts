import type { Entity, RoleName } from '../api/types';

/** A source of the home: is there one, and which power Entities measure it (signed, W, positive into the home). */
export interface Source {
  present: boolean;
  powerKeys: string[];
}

export interface Device {
  key: string;
  name: string;
  group: string;
}

/** What the Entities' roles say of the home. */
export interface Home {
  solar: Source;
  grid: Source;
  battery: Source;
  homePowerKeys: string[];
  chargeKeys: string[];
  /** Top-level devices with a power Entity: one that another device includes is left out. */
  devices: Device[];
  priceKey: string | null;
  carbonKey: string | null;
}

const SOLAR: readonly RoleName[] = ['solar', 'solar_power'];
const GRID: readonly RoleName[] = ['grid_import', 'grid_export', 'grid_power'];
const BATTERY: readonly RoleName[] = ['battery_discharge', 'battery_charge', 'battery_power'];

/** Reads the home from the Entities that are in the catalog now. */
export function describeHome(entities: readonly Entity[]): Home {
  const current = entities.filter((entity) => entity.until_us === null);
  const keysOf = (role: RoleName): string[] =>
    current.filter((entity) => entity.roles.some((assigned) => assigned.role === role)).map((entity) => entity.key);
  const source = (roles: readonly RoleName[], power: RoleName): Source => ({
    present: current.some((entity) => entity.roles.some((assigned) => roles.includes(assigned.role))),
    powerKeys: keysOf(power),
  });
  return {
    solar: source(SOLAR, 'solar_power'),
    grid: source(GRID, 'grid_power'),
    battery: source(BATTERY, 'battery_power'),
    homePowerKeys: keysOf('home_power'),
    chargeKeys: keysOf('battery_level'),
    devices: topLevelDevices(current),
    priceKey: keysOf('price_import')[0] ?? null,
    carbonKey: keysOf('carbon')[0] ?? current.find((entity) => entity.kind === 'carbon')?.key ?? null,
  };
}

function topLevelDevices(entities: readonly Entity[]): Device[] {
  const assigned = entities.flatMap((entity) => entity.roles.map((role) => ({ ...role, key: entity.key, title: role.name ?? entity.name })));
  const devices = assigned.filter(({ role }) => role === 'device' || role === 'device_power');
  const nested = new Set(devices.filter(({ parent }) => parent !== null).map(({ group }) => group));
  return devices
    .filter(({ role, group }) => role === 'device_power' && !nested.has(group))
    .map(({ key, title, group }) => ({ key, name: title, group }));
}

/** Every Entity whose readings the live flow needs. */
export function powerKeys(home: Home): string[] {
  return [...home.solar.powerKeys, ...home.grid.powerKeys, ...home.battery.powerKeys, ...home.homePowerKeys];
}
