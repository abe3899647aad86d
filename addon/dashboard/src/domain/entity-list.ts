/** The list of Entities, searched and sorted. */
import type { Entity } from '../api/types';
import type { LatestValues } from './power';

export type Column = 'name' | 'value' | 'last' | 'rate' | 'complete';

export interface Sorting {
  column: Column;
  descending: boolean;
}

const byName = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Those whose name, entity id, area or device contains every word of the search; equal ones by name. */
export function listEntities(entities: readonly Entity[], latest: LatestValues, search: string, { column, descending }: Sorting): Entity[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (entity: Entity): string => [entity.name, entity.entity_id, entity.area ?? '', entity.device ?? ''].join(' ').toLowerCase();
  const number: Record<Exclude<Column, 'name'>, (entity: Entity) => number> = {
    value: (entity) => latest.get(entity.key)?.value ?? -Infinity,
    last: (entity) => latest.get(entity.key)?.ts_us ?? 0,
    rate: (entity) => entity.readings_per_min,
    complete: (entity) => entity.complete_24h,
  };
  const sign = descending ? -1 : 1;
  const order = (a: Entity, b: Entity): number => {
    const difference = column === 'name' ? 0 : number[column](a) - number[column](b);
    return sign * (Number.isNaN(difference) || difference === 0 ? byName.compare(a.name, b.name) : difference);
  };
  return entities.filter((entity) => words.every((word) => text(entity).includes(word))).sort(order);
}
