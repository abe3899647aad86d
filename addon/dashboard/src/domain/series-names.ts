import { t } from '../i18n';
import type { Column } from './steps';

const NAMES = {
  solar: 'series.solar',
  battery_discharge: 'series.battery_discharge',
  grid_import: 'series.grid_import',
  battery_charge: 'series.battery_charge',
  grid_export: 'series.grid_export',
} as const;

/** A series in words; `alone`: no device is drawn by name, so the rest is all use. */
export function seriesName({ id, name }: Pick<Column, 'id' | 'name'>, alone: boolean): string {
  if (id in NAMES) return t(NAMES[id as keyof typeof NAMES]);
  return name ?? t(alone ? 'series.homeUse' : 'series.otherUse');
}
