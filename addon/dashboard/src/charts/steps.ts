/** Stacked steps or bars, from above zero and to below it, drawn by one set of rules. All values are zero or positive. */
import type { CustomSeriesOption } from 'echarts/charts';
import type { Scale } from '../domain/axis';
import type { Mark } from '../domain/provenance';
import type { ChartOption } from './engine';
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

type Node = NonNullable<ReturnType<NonNullable<CustomSeriesOption['renderItem']>>>;
type Point = [number, number];
type Coord = (data: Point) => Point;
type Draw = (coord: Coord) => Node[];

const NARROW = 480;
const BAR_SPACE = 0.13;
const DIGIT_WIDTH = 6.8;
const LABEL_GAP = 10;
const FONT = '12px Roboto, sans-serif';
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

/** All of it is one series, drawn from back to front: each further series would cost a phone some milliseconds. */
function drawn(parts: readonly Draw[]): CustomSeriesOption {
  return {
    type: 'custom',
    silent: true,
    data: [0],
    renderItem: (_params, api) => ({ type: 'group', children: parts.flatMap((draw) => draw((data) => api.coord(data) as Point)) }),
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

function drawSteps({ base, values, sign, fill, edge }: Layer): Draw {
  return (coord) =>
    runs(values).flatMap(([from, until]): Node[] => {
      const outer: Point[] = [];
      const inner: Point[] = [];
      for (let i = from; i < until; i++) {
        const low = base[i] ?? 0;
        const high = low + (values[i] ?? 0);
        outer.push(coord([i, sign * high]), coord([i + 1, sign * high]));
        inner.push(coord([i, sign * low]), coord([i + 1, sign * low]));
      }
      return [
        { type: 'polygon', shape: { points: [...outer, ...inner.reverse()] }, style: { fill: fill } },
        { type: 'polyline', shape: { points: outer }, style: { stroke: edge, lineWidth: 1, fill: 'none' } },
      ];
    });
}

function drawBars({ base, values, sign, fill, edge }: Layer): Draw {
  return (coord) =>
    values.flatMap((value, i): Node[] => {
      if (value === null || value <= 0) return [];
      const low = base[i] ?? 0;
      const [x0, y0] = coord([i + BAR_SPACE, sign * (low + value)]);
      const [x1, y1] = coord([i + 1 - BAR_SPACE, sign * low]);
      const y = Math.min(y0, y1);
      const height = Math.abs(y1 - y0);
      if (height < 0.35) return [];
      const shape = { x: Math.round(x0) + 0.5, y, width: Math.round(x1 - x0) - 1, height };
      return [{ type: 'rect', shape, style: { fill: fill, stroke: height > 2 ? edge : 'none', lineWidth: 1 } }];
    });
}

function layers(series: readonly StepSeries[], sign: 1 | -1, model: StepsModel, palette: Palette): Draw[] {
  let base = Array.from({ length: model.count }, () => 0);
  return series.map(({ colour, values }) => {
    const layer: Layer = { base, values, sign, fill: palette.fill(colour), edge: palette.edge(colour) };
    base = base.map((low, i) => low + (values[i] ?? 0));
    return model.bars ? drawBars(layer) : drawSteps(layer);
  });
}

function drawLine(values: readonly (number | null)[], palette: Palette): Draw {
  return (coord) => {
    const nodes: Node[] = [];
    let points: Point[] = [];
    for (let i = 0; i <= values.length; i++) {
      const value = values[i] ?? null;
      if (value !== null) points.push(coord([i, value]), coord([i + 1, value]));
      else if (points.length > 0) {
        nodes.push({ type: 'polyline', shape: { points }, style: { stroke: palette.ink, lineWidth: 2, fill: 'none', lineJoin: 'round' } });
        points = [];
      }
    }
    return nodes;
  };
}

function drawMark(mark: Mark, model: StepsModel, palette: Palette): Draw {
  const lowest = model.below.length > 0 ? -model.scale.max : 0;
  return (coord) => {
    const [x0, bottom] = coord([mark.from, lowest]);
    const [x1, top] = coord([mark.until, model.scale.max]);
    if (mark.partly) return [partlySign(x0, x1, bottom, palette)];
    if (mark.kind === 'missing') return missingBand(x0, x1, top, bottom, model.markLabel(mark), palette);
    const line = (y: number, style: object): Node => ({ type: 'line', shape: { x1: x0 + 1, x2: x1 - 1, y1: y, y2: y }, style: { stroke: palette.ink, ...style } });
    const y = Math.round(bottom) + MARK_BELOW_AXIS;
    if (mark.kind === 'backfilled') return [line(y, { lineWidth: 3, lineDash: [3, 2] })];
    if (mark.kind === 'interpolated') return [line(y + 0.5, { lineWidth: 1, lineDash: [6, 3] })];
    return [line(y - 1.5, { lineWidth: 1, stroke: palette.ink2 }), line(y + 1.5, { lineWidth: 1, stroke: palette.ink2 })];
  };
}

/** Something is missing of steps that are known: a sign under them, since the bar stands. */
function partlySign(x0: number, x1: number, bottom: number, palette: Palette): Node {
  const width = Math.min(x1 - x0 - 2, PARTLY_WIDTH);
  const shape = { x: Math.round((x0 + x1 - width) / 2), y: Math.round(bottom) + 2, width: Math.max(2, Math.round(width)), height: PARTLY_HEIGHT };
  return { type: 'rect', shape, style: { fill: palette.error } };
}

function missingBand(x0: number, x1: number, top: number, bottom: number, label: string, palette: Palette): Node[] {
  const width = x1 - x0;
  const band: Node = { type: 'rect', shape: { x: x0, y: top, width, height: bottom - top }, style: { fill: palette.hatch() } };
  if (width < label.length * 6 + 12) return [band];
  const style = { text: label, x: (x0 + x1) / 2, y: top + 14, fill: palette.ink, font: FONT, align: 'center', verticalAlign: 'middle', backgroundColor: palette.card, padding: [2, 4] };
  return [band, { type: 'text', style } as Node];
}

function drawEnds(model: StepsModel, palette: Palette): Draw {
  return (coord) => {
    const placed = model.ends.map(({ text, value }) => ({ text, at: coord([model.count, value]) })).sort((a, b) => a.at[1] - b.at[1]);
    let lowest = -Infinity;
    return placed.map(({ text, at: [x, y] }): Node => {
      const clear = Math.max(y, lowest + 15);
      lowest = clear;
      return { type: 'text', style: { text, x: x + 6, y: clear, fill: palette.ink, font: FONT, verticalAlign: 'middle' } };
    });
  };
}

function axes(model: StepsModel, palette: Palette, plot: Plot): Pick<ChartOption, 'grid' | 'xAxis' | 'yAxis'> {
  const label = { color: palette.ink2, fontSize: 12, lineHeight: 16, fontFamily: 'Roboto, sans-serif' };
  const inside = plot.right < 18;
  const labels = new Map(model.ticks.map((tick) => [tick.at, tick.label]));
  return {
    grid: { ...plot, outerBoundsMode: 'none' },
    xAxis: {
      type: 'value',
      min: 0,
      max: model.count,
      axisLine: { show: model.below.length === 0, onZero: false, lineStyle: { color: palette.ink2 } },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: {
        ...label,
        margin: model.marks.length > 0 || model.below.length > 0 ? 12 : 6,
        customValues: model.ticks.map((tick) => tick.at),
        alignMinLabel: inside && labels.has(0) ? 'left' : 'center',
        alignMaxLabel: inside && labels.has(model.count) ? 'right' : 'center',
        formatter: (value: number) => labels.get(value) ?? '',
      },
    },
    yAxis: {
      type: 'value',
      min: model.below.length > 0 ? -model.scale.max : 0,
      max: model.scale.max,
      interval: model.scale.step,
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: palette.line } },
      axisLabel: { ...label, formatter: (value: number) => model.print(Math.abs(value)) },
    },
  };
}

/** The chart's option for the palette and width in force. */
export function stepsOption(model: StepsModel, palette: Palette, width: number): ChartOption {
  const plot = plotOf(model, width);
  const text = { fill: palette.ink2, font: FONT };
  return {
    animation: false,
    ...axes(model, palette, plot),
    series: [drawn(partsOf(model, palette, plot))],
    graphic: model.captions
      ? [
          { type: 'text', silent: true, left: plot.left + 4, top: plot.top - 18, style: { ...text, text: model.captions.above } },
          { type: 'text', silent: true, ...captionPlace(model, plot, width), bottom: plot.bottom + 4, style: { ...text, text: model.captions.below } },
        ]
      : [],
  };
}

function partsOf(model: StepsModel, palette: Palette, plot: Plot): Draw[] {
  const behind = model.marks.filter(({ kind }) => kind === 'missing');
  const under = model.marks.filter(({ kind }) => kind !== 'missing');
  const mark = (own: Mark): Draw => drawMark(own, model, palette);
  return [
    ...behind.map(mark),
    ...(model.before ? [drawBefore(model.before, model.scale, palette)] : []),
    ...layers(model.above, 1, model, palette),
    ...layers(model.below, -1, model, palette),
    ...(model.line ? [drawLine(model.line.values, palette)] : []),
    ...(model.below.length > 0 ? [(coord: Coord) => zeroLine(coord, model.count, palette)] : []),
    ...under.map(mark),
    ...(model.ends.length > 0 && plot.right > 18 ? [drawEnds(model, palette)] : []),
  ];
}

const CAPTION_WIDTH = 64;
const CAPTION_HEIGHT = 22;
/** Of the plot's lower half, at the least. */
const CAPTION_HALF_HEIGHT = 110;

/** The lower caption stands at the right, or where no bar reaches down to it. */
function captionPlace(model: StepsModel, plot: Plot, width: number): { left: number } | { right: number } {
  const steps = Math.min(model.count, Math.ceil((CAPTION_WIDTH * model.count) / Math.max(1, width - plot.left - plot.right)));
  const room = model.scale.max * (1 - CAPTION_HEIGHT / CAPTION_HALF_HEIGHT);
  const lowest = (i: number): number => model.below.reduce((sum, { values }) => sum + Math.max(0, values[i] ?? 0), 0);
  const free = (from: number): boolean => Array.from({ length: steps }, (_, i) => lowest(from + i)).every((value) => value <= room);
  return !free(model.count - steps) && free(0) ? { left: plot.left + 4 } : { right: plot.right + 4 };
}

function drawBefore({ until, label }: NonNullable<StepsModel['before']>, scale: Scale, palette: Palette): Draw {
  return (coord) => {
    const [x0, bottom] = coord([0, 0]);
    const [x1, top] = coord([until, scale.max]);
    if (x1 - x0 < label.length * 6) return [];
    return [{ type: 'text', style: { text: label, x: (x0 + x1) / 2, y: (top + bottom) / 2, fill: palette.ink2, font: FONT, align: 'center', verticalAlign: 'middle', backgroundColor: palette.card, padding: [2, 6] } }];
  };
}

function zeroLine(coord: Coord, count: number, palette: Palette): Node[] {
  const [x1, y] = coord([0, 0]);
  const [x2] = coord([count, 0]);
  return [{ type: 'line', shape: { x1, x2, y1: y, y2: y }, style: { stroke: palette.ink, lineWidth: 1 } }];
}
