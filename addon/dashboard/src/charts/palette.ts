/** The tokens of the page as the charts need them: resolved colours, fills laid on the card, patterns. */
import { mix } from './colour';

export interface Pattern {
  image: HTMLCanvasElement;
  repeat: 'repeat';
}
export type Fill = string | Pattern;

export interface Palette {
  dark: boolean;
  card: string;
  line: string;
  ink: string;
  ink2: string;
  error: string;
  grid: string;
  gridText: string;
  fill: (series: SeriesColour) => Fill;
  edge: (series: SeriesColour) => string;
  /** The energy colour itself. */
  plain: (series: SeriesColour) => string;
  hatch: () => Pattern;
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


function tile(size: number, draw: (context: CanvasRenderingContext2D) => void): Pattern {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  const context = canvas.getContext('2d');
  if (context) draw(context);
  return { image: canvas, repeat: 'repeat' };
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

/** Reads the tokens that are in force now. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const card = token('card');
  const dark = document.documentElement.dataset.theme === 'dark';
  const share = parseFloat(token('fill')) / 100;
  const striped = (colour: string): Pattern =>
    tile(STRIPE_SIZE, (context) => {
      context.fillStyle = colour;
      context.fillRect(0, 0, STRIPE_SIZE, STRIPE_SIZE);
      context.strokeStyle = dark ? 'rgb(28 28 28 / 0.55)' : 'rgb(255 255 255 / 0.6)';
      context.lineWidth = 1.6;
      diagonals(context, STRIPE_SIZE);
    });
  return {
    dark,
    card,
    line: token('line'),
    ink: token('ink'),
    ink2: token('ink-2'),
    error: token('error'),
    grid: token('grid'),
    gridText: token('grid-text'),
    fill: (series) => {
      if (series === 'battery_discharge') return striped(token('discharge'));
      if (series === 'battery_charge') return striped(mix(token('charge'), card, 0.8));
      if (series.startsWith('use-')) return token(series);
      return mix(token(TOKEN[series]), card, share);
    },
    plain: (series) => token(TOKEN[series]),
    edge: (series) => token(`${TOKEN[series]}-edge`),
    hatch: () =>
      tile(HATCH_SIZE, (context) => {
        context.strokeStyle = token('error');
        context.globalAlpha = 0.75;
        context.lineWidth = 1;
        diagonals(context, HATCH_SIZE);
      }),
  };
}
