/** Red, green and blue of `#rgb` or `#rrggbb`: a minifier writes the short form where it can. */
function channels(hex: string): number[] {
  const digits = hex.replace('#', '');
  const long = digits.length === 3 ? digits.replace(/./g, '$&$&') : digits;
  return [0, 2, 4].map((i) => parseInt(long.slice(i, i + 2), 16));
}

/** One colour laid on another, opaque, so that stacks stay clean. */
export function mix(colour: string, ground: string, share: number): string {
  const under = channels(ground);
  const mixed = channels(colour).map((value, i) => Math.round(value * share + (under[i] ?? 0) * (1 - share)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}
