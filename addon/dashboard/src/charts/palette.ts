/** The tokens of the page as the charts need them: resolved colours, fills laid on the card, patterns. */
import { mix } from './colour';

export type Fill = string | CanvasPattern;

type Of<T> = Record<SeriesColour, T>;

export interface Palette {
  dark: boolean;
  card: string;
  line: string;
  ink: string;
  ink2: string;
  error: string;
  grid: string;
  gridText: string;
  fill: Of<Fill>;
  edge: Of<string>;
  /** The energy colour itself. */
  plain: Of<string>;
  hatch: Fill;
}

export const SERIES_COLOURS = ['solar', 'battery_discharge', 'grid_import', 'battery_charge', 'grid_export', 'use-1', 'use-2', 'use-3', 'gas', 'water'] as const;
export type SeriesColour = (typeof SERIES_COLOURS)[number];

const TOKEN: Record<SeriesColour, string> = {
  solar: 'solar',
  battery_discharge: 'discharge',
  grid_import: 'grid',
  battery_charge: 'charge',
  grid_export: 'export',
  'use-1': 'use',
  'use-2': 'use',
  'use-3': 'use',
  gas: 'gas',
  water: 'water',
};

/** A pattern; the plain colour in a browser that draws none. */
function tile(size: number, colour: string, draw: (context: CanvasRenderingContext2D) => void): Fill {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  const context = canvas.getContext('2d');
  if (context) draw(context);
  return context?.createPattern(canvas, 'repeat') ?? colour;
}

function diagonals(context: CanvasRenderingContext2D, size: number): void {
  for (const offset of [-size, 0, size]) {
    context.beginPath();
    context.moveTo(offset - 1, size + 1);
    context.lineTo(offset + size + 1, -1);
    context.stroke();
  }
}

const STRIPE_SIZE = 6;
const HATCH_SIZE = 8;

function forEach<T>(of: (series: SeriesColour) => T): Of<T> {
  return Object.fromEntries(SERIES_COLOURS.map((series) => [series, of(series)])) as Of<T>;
}

function striped(colour: string, dark: boolean): Fill {
  return tile(STRIPE_SIZE, colour, (context) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, STRIPE_SIZE, STRIPE_SIZE);
    context.strokeStyle = dark ? 'rgb(28 28 28 / 0.55)' : 'rgb(255 255 255 / 0.6)';
    context.lineWidth = 1.6;
    diagonals(context, STRIPE_SIZE);
  });
}

/** Reads the tokens that are in force now. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const card = token('card');
  const dark = document.documentElement.dataset.theme === 'dark';
  const share = parseFloat(token('fill')) / 100;
  const plain = forEach((series) => token(TOKEN[series]));
  const edge = forEach((series) => token(`${TOKEN[series]}-edge`));
  const fill = forEach((series): Fill => {
    if (series === 'battery_discharge') return striped(plain[series], dark);
    if (series === 'battery_charge') return striped(mix(plain[series], card, 0.8), dark);
    return series.startsWith('use-') ? token(series) : mix(plain[series], card, share);
  });
  const error = token('error');
  const hatch = tile(HATCH_SIZE, error, (context) => {
    context.strokeStyle = error;
    context.globalAlpha = 0.75;
    context.lineWidth = 1;
    diagonals(context, HATCH_SIZE);
  });
  return { dark, card, line: token('line'), ink: token('ink'), ink2: token('ink-2'), error, grid: token('grid'), gridText: token('grid-text'), fill, edge, plain, hatch };
}
