/** One day's completeness: its hours and its Entities, the least complete first. */
import type { Entity, EntityCompleteness, HourCompleteness } from '../api/types';
import { lackOf } from './completeness';

/** `off`: what is missing of it is missing since Home Assistant was off. */
export type Known = 'live' | 'backfilled' | 'statistics' | 'missing' | 'off' | 'ahead';

interface Seconds {
  length_s: number;
  live_s: number;
  backfilled_s: number;
  statistics_s: number;
  missing_s: number;
  ha_off_s: number;
}

export interface DayEntity {
  key: string;
  name: string;
  /** 0 to 1. */
  share: number;
  missing_s: number;
  kind: Known;
}

export interface DayHour {
  start_us: number;
  kind: Known;
  missing_s: number;
  ha_off_s: number;
}

export interface DayKnown {
  date: string;
  /** How long Home Assistant was off. */
  ha_off_s: number;
  hours: DayHour[];
  entities: DayEntity[];
}

/** How a span is known: missing where something is, else by what most of it is known. */
function kindOf({ live_s, backfilled_s, statistics_s, ...rest }: Seconds): Known {
  const lack = lackOf(rest);
  if (lack) return lack;
  const [kind, seconds] = ([['live', live_s], ['backfilled', backfilled_s], ['statistics', statistics_s]] as const).reduce((most, own) => (own[1] > most[1] ? own : most));
  return seconds > 0 ? kind : 'ahead';
}

export function dayOf(date: string, { hours }: HourCompleteness, { entities }: EntityCompleteness, known: readonly Entity[]): DayKnown {
  const names = new Map(known.map(({ key, name }) => [key, name]));
  return {
    date,
    ha_off_s: hours.reduce((sum, hour) => sum + hour.ha_off_s, 0),
    hours: hours.map((hour) => ({ start_us: hour.start_us, kind: kindOf(hour), missing_s: hour.missing_s, ha_off_s: hour.ha_off_s })),
    entities: entities
      .filter(({ key, length_s }) => names.has(key) && length_s > 0)
      .map((entity) => ({
        key: entity.key,
        name: names.get(entity.key) ?? entity.key,
        share: 1 - entity.missing_s / entity.length_s,
        missing_s: entity.missing_s,
        kind: kindOf(entity),
      }))
      .sort((a, b) => a.share - b.share || a.name.localeCompare(b.name)),
  };
}
