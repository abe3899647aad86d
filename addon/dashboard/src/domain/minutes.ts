/** Means of a gauge over buckets: a reading holds until the next one or the end of what is known. */

export interface Samples {
  /** Ascending. */
  ts_us: number[];
  value: (number | null)[];
}

/** Appends a live reading, unless it is older than what is there; drops what lies before `keepFromUs` except the reading in force. */
export function appendSample(samples: Samples, tsUs: number, value: number | null, keepFromUs: number): void {
  const last = samples.ts_us.at(-1); // live readings come in order; what was fetched may overlap them
  if (last !== undefined && tsUs < last) return;
  if (last === tsUs) samples.value[samples.value.length - 1] = value;
  else {
    samples.ts_us.push(tsUs);
    samples.value.push(value);
  }
  const inForce = samples.ts_us.findIndex((ts) => ts >= keepFromUs) - 1;
  if (inForce > 64) {
    samples.ts_us.splice(0, inForce);
    samples.value.splice(0, inForce);
  }
}

/** Begins a day with the means of its hours, up to the first reading. */
export function beginWithHours(samples: Samples, hours: Samples, dayStartUs: number): Samples {
  const first = samples.ts_us[0] ?? Infinity;
  if (first <= dayStartUs) return samples;
  const count = hours.ts_us.filter((ts) => ts < first).length;
  return { ts_us: [...hours.ts_us.slice(0, count), ...samples.ts_us], value: [...hours.value.slice(0, count), ...samples.value] };
}

interface Sum {
  knownUs: number;
  area: number;
}

/**
 * The time-weighted mean of `project(value)` in each bucket `[start + i * width, ...)`, null where less than half of the
 * bucket's part before `untilUs` is known.
 */
export function bucketMeans(
  samples: Samples,
  startUs: number,
  widthUs: number,
  count: number,
  untilUs: number,
  project: (value: number) => number = (value) => value,
): (number | null)[] {
  const sums: Sum[] = Array.from({ length: count }, () => ({ knownUs: 0, area: 0 }));
  for (let i = 0; i < samples.ts_us.length; i++) {
    const value = samples.value[i] ?? null;
    if (value === null) continue;
    const from = Math.max(samples.ts_us[i] ?? 0, startUs);
    const until = Math.min(samples.ts_us[i + 1] ?? untilUs, untilUs, startUs + widthUs * count);
    if (until > from) spread(sums, from - startUs, until - startUs, widthUs, project(value));
  }
  return sums.map(({ knownUs, area }, index) => {
    const elapsed = Math.min(untilUs, startUs + (index + 1) * widthUs) - (startUs + index * widthUs);
    return knownUs > 0 && knownUs * 2 >= elapsed ? area / knownUs : null;
  });
}

function spread(sums: Sum[], from: number, until: number, widthUs: number, value: number): void {
  for (let bucket = Math.floor(from / widthUs); bucket * widthUs < until; bucket++) {
    const sum = sums[bucket];
    if (!sum) return;
    const part = Math.min(until, (bucket + 1) * widthUs) - Math.max(from, bucket * widthUs);
    sum.knownUs += part;
    sum.area += part * value;
  }
}

/** Sums columns; null where any of them is null. */
export function addColumns(columns: readonly (number | null)[][]): (number | null)[] {
  const [first, ...rest] = columns;
  if (!first) return [];
  return first.map((value, index) =>
    rest.reduce<number | null>((sum, column) => {
      const next = column[index] ?? null;
      return sum === null || next === null ? null : sum + next;
    }, value),
  );
}
