/** What is to be said of a period's energy besides its numbers: jumps of meters, and energy that no meter counts. */
import type { Energy, Entity } from '../api/types';
import { t, tn } from '../i18n';
import { listWords, type Formats } from './format';

export interface Note {
  text: string;
  /** More to it, for who wants to know. */
  details: string[];
}

const MOST_JUMPS = 20;
/** What a home may well take in an hour is not worth a line, however quiet its days were before: a car is charged, a pool is filled. */
const BELIEVABLE: Partial<Record<string, number>> = { kWh: 30, 'm³': 10 };

/** `nowUs` decides how an instant is printed. */
export function notesOf({ jumps, integrated }: Energy, entities: readonly Entity[], formats: Formats, nowUs: number): Note[] {
  const entityOf = (key: string): Entity | undefined => entities.find((entity) => entity.key === key);
  const notes: Note[] = [];
  const told = jumps.filter(({ key, change }) => Math.abs(change) > (BELIEVABLE[entityOf(key)?.unit ?? ''] ?? 0));
  if (told.length > 0) {
    const details = told.slice(0, MOST_JUMPS).map(({ key, start_us, change }) => {
      const entity = entityOf(key);
      return t('energy.jump', { name: entity?.name ?? key, change: `${formats.reading(change)} ${entity?.unit ?? ''}`.trim(), time: formats.moment(start_us, nowUs) });
    });
    if (told.length > MOST_JUMPS) details.push(t('energy.jumps.more', { n: told.length - MOST_JUMPS }));
    notes.push({ text: tn('energy.jumps', told.length), details });
  }
  const names = integrated.map((key) => entityOf(key)?.name ?? key);
  if (names.length > 0) notes.push({ text: t('energy.integrated', { names: listWords(names) }), details: [] });
  return notes;
}
