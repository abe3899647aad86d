/** What is to be said of a period's energy besides its numbers: jumps of meters, and energy that no meter counts. */
import type { Energy, Entity } from '../api/types';
import { t } from '../i18n';
import { listWords, type Formats } from './format';

const MOST_JUMPS = 2;

/** A line for each note. `nowUs` decides how an instant is printed. */
export function notesOf({ jumps, integrated }: Energy, entities: readonly Entity[], formats: Formats, nowUs: number): string[] {
  const entityOf = (key: string): Entity | undefined => entities.find((entity) => entity.key === key);
  const lines = jumps.slice(0, MOST_JUMPS).map(({ key, start_us, change }) => {
    const entity = entityOf(key);
    const amount = `${formats.reading(change)} ${entity?.unit ?? ''}`.trim();
    return t('energy.jump', { name: entity?.name ?? key, change: amount, time: formats.moment(start_us, nowUs) });
  });
  if (jumps.length > MOST_JUMPS) lines.push(t('energy.jumps.more', { n: jumps.length - MOST_JUMPS }));
  const names = integrated.map((key) => entityOf(key)?.name ?? key);
  return names.length > 0 ? [...lines, t('energy.integrated', { names: listWords(names) })] : lines;
}
