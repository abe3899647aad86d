/** Rounds half away from zero to `decimals`, without the binary residue of a plain multiplication. */
export function roundTo(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  const rounded = (Math.sign(value) * Math.round(Math.abs(value) * factor * (1 + Number.EPSILON))) / factor;
  return rounded === 0 ? 0 : rounded;
}

/**
 * Rounds non-negative parts by largest remainder, so that the printed parts add up to the printed total.
 * `total` is the printed total where it is known from elsewhere; else the rounded sum of the parts.
 */
export function roundParts(parts: readonly number[], decimals: number, total?: number): number[] {
  if (parts.length === 0) return [];
  const factor = 10 ** decimals;
  const target = Math.round((total ?? parts.reduce((sum, part) => sum + part, 0)) * factor);
  const units = parts.map((part) => Math.floor(part * factor + 1e-9));
  let left = target - units.reduce((sum, unit) => sum + unit, 0);
  const order = parts
    .map((part, index) => ({ index, remainder: part * factor - (units[index] ?? 0) }))
    .sort((a, b) => (left >= 0 ? b.remainder - a.remainder : a.remainder - b.remainder));
  // A total that is not the sum of its parts is spread over the largest remainders too, but no part falls below zero.
  for (let turn = 0; left !== 0 && turn < order.length * 100; turn++) {
    const index = order[turn % order.length]?.index ?? 0;
    const unit = units[index] ?? 0;
    if (left > 0) units[index] = unit + 1;
    else if (unit > 0) units[index] = unit - 1;
    else continue;
    left += left > 0 ? -1 : 1;
  }
  return units.map((unit) => unit / factor);
}

/** Rounds down, for shares that must never be printed as more than they are. */
export function floorTo(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.floor(value * factor + 1e-9) / factor;
}
