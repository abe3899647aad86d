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
  const left = target - units.reduce((sum, unit) => sum + unit, 0);
  const order = parts.map((_, index) => index);
  const remainder = (index: number): number => (parts[index] ?? 0) * factor - (units[index] ?? 0);
  order.sort((a, b) => (left > 0 ? remainder(b) - remainder(a) : remainder(a) - remainder(b)));
  // More units are left than parts, or too many were given, only where the total is not the sum of its parts.
  for (let given = 0, turn = 0; given < Math.abs(left) && turn < order.length * (Math.abs(left) + 1); turn++) {
    const index = order[turn % order.length] ?? 0;
    const unit = (units[index] ?? 0) + Math.sign(left);
    if (unit < 0) continue;
    units[index] = unit;
    given += 1;
  }
  return units.map((unit) => unit / factor);
}

/** Rounds down, for shares that must never be printed as more than they are. */
export function floorTo(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.floor(value * factor + 1e-9) / factor;
}
