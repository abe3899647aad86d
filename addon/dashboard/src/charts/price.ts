/** The price of a day as a step line, with its lowest and highest value and the present moment. */
import { scaleFor } from '../domain/axis';
import { mix } from './colour';
import { fillArea, sharp, strokeLine, write, type Point, type Size } from './drawing';
import type { Palette } from './palette';

export interface PriceModel {
  startUs: number;
  endUs: number;
  nowUs: number;
  /** Ascending; each holds until the next, the last until now. */
  steps: readonly { us: number; value: number }[];
  ticks: readonly { us: number; label: string }[];
  nowLabel: string;
  print: (value: number) => string;
}

const PLOT = { left: 4, right: 4, top: 18, bottom: 22 };
const LABEL_DOWN = 14;

type Coord = (us: number, value: number) => Point;

function stepPoints(model: PriceModel, coord: Coord): Point[] {
  return model.steps.flatMap((step, i) => {
    const until = model.steps[i + 1]?.us ?? model.nowUs;
    return [coord(Math.max(step.us, model.startUs), step.value), coord(until, step.value)];
  });
}

type Step = PriceModel['steps'][number];

function extremes(model: PriceModel): [Step | null, Step | null] {
  const sorted = [...model.steps].sort((a, b) => a.value - b.value);
  const lowest = sorted[0];
  const highest = sorted.at(-1);
  if (!lowest || !highest) return [null, null];
  return lowest.value === highest.value ? [null, highest] : [lowest, highest];
}

function coordOf(model: PriceModel, { width, height }: Size): Coord {
  const highest = scaleFor(Math.max(0, ...model.steps.map((step) => step.value)) * 1.12, 2).max;
  const lowest = Math.min(0, ...model.steps.map((step) => step.value));
  const across = (width - PLOT.left - PLOT.right) / (model.endUs - model.startUs);
  const up = (height - PLOT.top - PLOT.bottom) / (highest - lowest);
  return (us, value) => [PLOT.left + (us - model.startUs) * across, PLOT.top + (highest - value) * up];
}

function drawTicks(context: CanvasRenderingContext2D, model: PriceModel, palette: Palette, coord: Coord, bottom: number): void {
  for (const { us, label } of model.ticks) {
    const align = us === model.startUs ? 'left' : us === model.endUs ? 'right' : 'center';
    write(context, label, [coord(us, 0)[0], bottom + LABEL_DOWN], { colour: palette.ink2, align });
  }
}

export function drawPriceChart(context: CanvasRenderingContext2D, model: PriceModel, palette: Palette, size: Size): void {
  const coord = coordOf(model, size);
  const bottom = size.height - PLOT.bottom;
  strokeLine(context, [[PLOT.left, sharp(bottom)], [size.width - PLOT.right, sharp(bottom)]], { colour: palette.ink2 });
  drawTicks(context, model, palette, coord, bottom);
  const points = stepPoints(model, coord);
  const [nowX, zero] = coord(model.nowUs, 0);
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return;
  const label = (text: string, x: number, y: number): void => {
    write(context, text, [x, y], { colour: palette.ink, align: 'center', baseline: 'bottom' });
  };
  fillArea(context, [...points, [last[0], zero], [first[0], zero]], mix(palette.grid, palette.card, 0.16));
  strokeLine(context, points, { colour: palette.gridText, width: 2 });
  strokeLine(context, [[nowX, PLOT.top - 2], [nowX, zero]], { colour: palette.ink, width: 1.5 });
  label(model.nowLabel, nowX, PLOT.top - 3);
  const [lowest, highest] = extremes(model);
  for (const step of [lowest, highest]) {
    if (!step) continue;
    const until = model.steps[model.steps.indexOf(step) + 1]?.us ?? model.nowUs;
    const [x, y] = coord((Math.max(step.us, model.startUs) + until) / 2, step.value);
    if (Math.abs(x - nowX) > 22) label(model.print(step.value), Math.max(x, first[0] + 14), step === lowest ? y + 18 : y - 3);
  }
}
