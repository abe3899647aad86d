/** Stacked steps or bars, from above zero and to below it, drawn by one set of rules. All values are zero or positive. */
import type { Scale } from '../domain/axis';
import type { Mark } from '../domain/provenance';
import { fillArea, fillBox, sharp, strokeLine, write, type Box, type Line, type Point, type Size } from './drawing';
import type { Fill, Palette, SeriesColour } from './palette';

export interface StepSeries {
  id: string;
  name: string;
  colour: SeriesColour;
  values: readonly (number | null)[];
}

export interface StepsModel {
  /** Steps on the axis. */
  count: number;
  above: readonly StepSeries[];
  below: readonly StepSeries[];
  line: { name: string; values: readonly (number | null)[] } | null;
  /** Bars with space between them, or steps without. */
  bars: boolean;
  /** Labels at step edges, or between them. */
  ticks: readonly { at: number; label: string }[];
  scale: Scale;
  /** A value of the axis in print. */
  print: (value: number) => string;
  marks: readonly Mark[];
  /** Printed in a missing band that has room for it. */
  markLabel: (mark: Mark) => string;
  captions: { above: string; below: string } | null;
  /** Steps at the left that lie before anything was known, and what to say there. */
  before: { until: number; label: string } | null;
  /** Printed at the right end, at the height of their value. */
  ends: readonly { text: string; value: number }[];
}

export interface Plot {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

type Coord = (step: number, value: number) => Point;
/** What the parts of a chart are drawn with. */
interface Pen {
  context: CanvasRenderingContext2D;
  palette: Palette;
  coord: Coord;
}

const NARROW = 480;
const BAR_SPACE = 0.13;
const DIGIT_WIDTH = 6.8;
const LABEL_GAP = 10;
const TEXT_HEIGHT = 12;
const LABEL_HEIGHT = 16;
const VALUE_GAP = 8;
const MARK_BELOW_AXIS = 6;
const PARTLY_WIDTH = 10;
const PARTLY_HEIGHT = 7;

/** The margins of the plot within the chart, so that an overlay can find a step's place. */
export function plotOf(model: StepsModel, width: number): Plot {
  const narrow = width < NARROW;
  return {
    left: Math.max(narrow ? 28 : 34, Math.ceil(model.print(model.scale.max).length * DIGIT_WIDTH) + LABEL_GAP),
    right: model.ends.length > 0 && !narrow ? 88 : narrow ? 6 : 18,
    top: model.captions ? 24 : 10,
    bottom: model.marks.length > 0 || model.below.length > 0 ? 30 : 24,
  };
}

function runs(values: readonly (number | null)[]): [number, number][] {
  const found: [number, number][] = [];
  let from = -1;
  for (let i = 0; i <= values.length; i++) {
    const drawn = i < values.length && (values[i] ?? 0) > 0;
    if (drawn && from < 0) from = i;
    if (!drawn && from >= 0) {
      found.push([from, i]);
      from = -1;
    }
  }
  return found;
}

interface Layer {
  base: readonly number[];
  values: readonly (number | null)[];
  sign: 1 | -1;
  fill: Fill;
  edge: string;
}

function drawSteps({ context, coord }: Pen, { base, values, sign, fill, edge }: Layer): void {
  for (const [from, until] of runs(values)) {
    const outer: Point[] = [];
    const inner: Point[] = [];
    for (let i = from; i < until; i++) {
      const low = base[i] ?? 0;
      const high = low + (values[i] ?? 0);
      outer.push(coord(i, sign * high), coord(i + 1, sign * high));
      inner.push(coord(i, sign * low), coord(i + 1, sign * low));
    }
    fillArea(context, [...outer, ...inner.reverse()], fill);
    strokeLine(context, outer, { colour: edge });
  }
}

function drawBars({ context, coord }: Pen, { base, values, sign, fill, edge }: Layer): void {
  values.forEach((value, i) => {
    if (value === null || value <= 0) return;
    const low = base[i] ?? 0;
    const [x0, y0] = coord(i + BAR_SPACE, sign * (low + value));
    const [x1, y1] = coord(i + 1 - BAR_SPACE, sign * low);
    const height = Math.abs(y1 - y0);
    if (height < 0.35) return;
    const box = { x: Math.round(x0) + 0.5, y: Math.min(y0, y1), width: Math.round(x1 - x0) - 1, height };
    fillBox(context, box, fill, height > 2 ? edge : null);
  });
}

function drawLayers(pen: Pen, model: StepsModel, series: readonly StepSeries[], sign: 1 | -1): void {
  let base = Array.from({ length: model.count }, () => 0);
  for (const { colour, values } of series) {
    const layer: Layer = { base, values, sign, fill: pen.palette.fill[colour], edge: pen.palette.edge[colour] };
    if (model.bars) drawBars(pen, layer);
    else drawSteps(pen, layer);
    base = base.map((low, i) => low + (values[i] ?? 0));
  }
}

function drawLine({ context, palette, coord }: Pen, values: readonly (number | null)[]): void {
  let points: Point[] = [];
  for (let i = 0; i <= values.length; i++) {
    const value = values[i] ?? null;
    if (value !== null) points.push(coord(i, value), coord(i + 1, value));
    else if (points.length > 0) {
      strokeLine(context, points, { colour: palette.ink, width: 2, join: 'round' });
      points = [];
    }
  }
}

function drawMark(pen: Pen, model: StepsModel, mark: Mark): void {
  const { context, palette, coord } = pen;
  const [x0, bottom] = coord(mark.from, lowestOf(model));
  const [x1, top] = coord(mark.until, model.scale.max);
  if (mark.partly) {
    drawPartly(pen, x0, x1, bottom);
    return;
  }
  if (mark.kind === 'missing') {
    drawMissing(pen, { x: x0, y: top, width: x1 - x0, height: bottom - top }, model.markLabel(mark));
    return;
  }
  const y = Math.round(bottom) + MARK_BELOW_AXIS;
  const line = (at: number, style: Partial<Line>): void => {
    strokeLine(context, [[x0 + 1, at], [x1 - 1, at]], { colour: palette.ink, ...style });
  };
  if (mark.kind === 'backfilled') line(y, { width: 3, dash: [3, 2] });
  else if (mark.kind === 'interpolated') line(y + 0.5, { dash: [6, 3] });
  else {
    line(y - 1.5, { colour: palette.ink2 });
    line(y + 1.5, { colour: palette.ink2 });
  }
}

/** Something is missing of steps that are known: a sign under them, since the bar stands. */
function drawPartly({ context, palette }: Pen, x0: number, x1: number, bottom: number): void {
  const width = Math.min(x1 - x0 - 2, PARTLY_WIDTH);
  const box = { x: Math.round((x0 + x1 - width) / 2), y: Math.round(bottom) + 2, width: Math.max(2, Math.round(width)), height: PARTLY_HEIGHT };
  fillBox(context, box, palette.error);
}

function drawMissing({ context, palette }: Pen, band: Box, label: string): void {
  fillBox(context, band, palette.hatch);
  if (band.width < label.length * 6 + 12) return;
  write(context, label, [band.x + band.width / 2, band.y + 14], { colour: palette.ink, align: 'center', ground: palette.card });
}

function drawEnds({ context, palette, coord }: Pen, model: StepsModel): void {
  const placed = model.ends.map(({ text, value }) => ({ text, at: coord(model.count, value) })).sort((a, b) => a.at[1] - b.at[1]);
  let lowest = -Infinity;
  for (const { text, at: [x, y] } of placed) {
    lowest = Math.max(y, lowest + 15);
    write(context, text, [x + 6, lowest], { colour: palette.ink });
  }
}

const lowestOf = (model: StepsModel): number => (model.below.length > 0 ? -model.scale.max : 0);

function drawValues({ context, palette, coord }: Pen, model: StepsModel): void {
  const { max, step } = model.scale;
  const lines = Math.round(max / step);
  for (let i = model.below.length > 0 ? -lines : 0; i <= lines; i++) {
    const [left, y] = coord(0, i * step);
    const [right] = coord(model.count, 0);
    const isAxis = i === 0 && model.below.length === 0;
    strokeLine(context, [[left, sharp(y)], [right, sharp(y)]], { colour: isAxis ? palette.ink2 : palette.line });
    write(context, model.print(Math.abs(i * step)), [left - VALUE_GAP, y], { colour: palette.ink2, align: 'right' });
  }
}

function drawTicks({ context, palette, coord }: Pen, model: StepsModel, plot: Plot): void {
  const inside = plot.right < 18;
  const gap = (model.marks.length > 0 || model.below.length > 0 ? 12 : 6) + LABEL_HEIGHT / 2;
  for (const { at, label } of model.ticks) {
    const [x, y] = coord(at, lowestOf(model));
    const align = inside && at === 0 ? 'left' : inside && at === model.count ? 'right' : 'center';
    write(context, label, [x, y + gap], { colour: palette.ink2, align });
  }
}

/** Draws the chart in the palette and size in force, from back to front. */
export function drawStepsChart(context: CanvasRenderingContext2D, model: StepsModel, palette: Palette, size: Size): void {
  const plot = plotOf(model, size.width);
  const [lowest, highest] = [lowestOf(model), model.scale.max];
  const across = (size.width - plot.left - plot.right) / model.count;
  const up = (size.height - plot.top - plot.bottom) / (highest - lowest);
  const pen: Pen = { context, palette, coord: (step, value) => [plot.left + step * across, plot.top + (highest - value) * up] };
  drawValues(pen, model);
  drawTicks(pen, model, plot);
  if (model.captions) drawCaptions(pen, model, model.captions, plot, size);
  for (const mark of model.marks) if (mark.kind === 'missing') drawMark(pen, model, mark);
  if (model.before) drawBefore(pen, model.before, model.scale);
  drawLayers(pen, model, model.above, 1);
  drawLayers(pen, model, model.below, -1);
  if (model.line) drawLine(pen, model.line.values);
  if (model.below.length > 0) strokeLine(context, [pen.coord(0, 0), pen.coord(model.count, 0)], { colour: palette.ink });
  for (const mark of model.marks) if (mark.kind !== 'missing') drawMark(pen, model, mark);
  if (plot.right > 18) drawEnds(pen, model);
}

const CAPTION_WIDTH = 64;
const CAPTION_HEIGHT = 22;
/** Of the plot's lower half, at the least. */
const CAPTION_HALF_HEIGHT = 110;

/** The lower caption stands at the right, or where no bar reaches down to it. */
function isLeftCaption(model: StepsModel, plotWidth: number): boolean {
  const steps = Math.min(model.count, Math.ceil((CAPTION_WIDTH * model.count) / Math.max(1, plotWidth)));
  const room = model.scale.max * (1 - CAPTION_HEIGHT / CAPTION_HALF_HEIGHT);
  const lowest = (i: number): number => model.below.reduce((sum, { values }) => sum + Math.max(0, values[i] ?? 0), 0);
  const free = (from: number): boolean => Array.from({ length: steps }, (_, i) => lowest(from + i)).every((value) => value <= room);
  return !free(model.count - steps) && free(0);
}

function drawCaptions({ context, palette }: Pen, model: StepsModel, captions: NonNullable<StepsModel['captions']>, plot: Plot, { width, height }: Size): void {
  const colour = palette.ink2;
  write(context, captions.above, [plot.left + 4, plot.top - 18 + TEXT_HEIGHT / 2], { colour });
  const y = height - plot.bottom - 4 - TEXT_HEIGHT / 2;
  if (isLeftCaption(model, width - plot.left - plot.right)) write(context, captions.below, [plot.left + 4, y], { colour });
  else write(context, captions.below, [width - plot.right - 4, y], { colour, align: 'right' });
}

function drawBefore({ context, palette, coord }: Pen, { until, label }: NonNullable<StepsModel['before']>, scale: Scale): void {
  const [x0, bottom] = coord(0, 0);
  const [x1, top] = coord(until, scale.max);
  if (x1 - x0 < label.length * 6) return;
  write(context, label, [(x0 + x1) / 2, (top + bottom) / 2], { colour: palette.ink2, align: 'center', ground: palette.card });
}
