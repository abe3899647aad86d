/** What is to be said of a period's energy besides its numbers: jumps of meters, energy that no meter counts, meters left out. */
import type { Energy, Entity } from '../api/types';
import { t, tn } from '../i18n';
import { listWords, type Formats } from './format';

export interface Note {
  text: string;
  /** More to it, for who wants to know. */
  details: string[];
}

const MOST_JUMPS = 20;

/** `nowUs` decides how an instant is printed. */
export function notesOf({ jumps, integrated, left_out }: Energy, entities: readonly Entity[], formats: Formats, nowUs: number): Note[] {
  const entityOf = (key: string): Entity | undefined => entities.find((entity) => entity.key === key);
  const notes: Note[] = [];
  if (jumps.length > 0) {
    const details = jumps.slice(0, MOST_JUMPS).map(({ key, start_us, change }) => {
      const entity = entityOf(key);
      return t('energy.jump', { name: entity?.name ?? key, change: `${formats.reading(change)} ${unitOfChange(entity)}`.trim(), time: formats.moment(start_us, nowUs) });
    });
    if (jumps.length > MOST_JUMPS) details.push(t('energy.jumps.more', { n: jumps.length - MOST_JUMPS }));
    notes.push({ text: tn('energy.jumps', jumps.length), details });
  }
  const named = (keys: readonly string[]): string => listWords(keys.map((key) => entityOf(key)?.name ?? key));
  if (integrated.length > 0) notes.push({ text: t('energy.integrated', { names: named(integrated) }), details: [] });
  if (left_out.length > 0) notes.push({ text: t('energy.leftOut', { names: named(left_out) }), details: [] });
  return notes;
}

/** The change of a power is its energy. */
function unitOfChange(entity: Entity | undefined): string {
  return entity?.kind === 'power' ? 'kWh' : (entity?.unit ?? '');
}
