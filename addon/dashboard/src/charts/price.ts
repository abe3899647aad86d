/** The price of a day as a step line, with its lowest and highest value and the present moment. */
import type { CustomSeriesOption } from 'echarts/charts';
import { scaleFor } from '../domain/axis';
import { mix } from './colour';
import type { ChartOption } from './engine';
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

type Node = NonNullable<ReturnType<NonNullable<CustomSeriesOption['renderItem']>>>;
type Point = [number, number];

const FONT = '12px Roboto, sans-serif';

function stepPoints(model: PriceModel, coord: (data: Point) => Point): Point[] {
  return model.steps.flatMap((step, i) => {
    const until = model.steps[i + 1]?.us ?? model.nowUs;
    return [coord([Math.max(step.us, model.startUs), step.value]), coord([until, step.value])];
  });
}

function label(text: string, x: number, y: number, palette: Palette): Node {
  return { type: 'text', style: { text, x, y, fill: palette.ink, font: FONT, align: 'center', verticalAlign: 'bottom' } };
}

type Step = PriceModel['steps'][number];

function extremes(model: PriceModel): [Step | null, Step | null] {
  const sorted = [...model.steps].sort((a, b) => a.value - b.value);
  const lowest = sorted[0];
  const highest = sorted.at(-1);
  if (!lowest || !highest) return [null, null];
  return lowest.value === highest.value ? [null, highest] : [lowest, highest];
}

function draw(model: PriceModel, palette: Palette, coord: (data: Point) => Point): Node[] {
  const points = stepPoints(model, coord);
  const [, zero] = coord([model.startUs, 0]);
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return [];
  const [nowX, top] = coord([model.nowUs, scaleOf(model).max]);
  const nodes: Node[] = [
    { type: 'polygon', shape: { points: [...points, [last[0], zero], [first[0], zero]] }, style: { fill: mix(palette.grid, palette.card, 0.16) } },
    { type: 'polyline', shape: { points }, style: { stroke: palette.gridText, lineWidth: 2, fill: 'none' } },
    { type: 'line', shape: { x1: nowX, x2: nowX, y1: top - 2, y2: zero }, style: { stroke: palette.ink, lineWidth: 1.5 } },
    label(model.nowLabel, nowX, top - 3, palette),
  ];
  const [lowest, highest] = extremes(model);
  for (const step of [lowest, highest]) {
    if (!step) continue;
    const until = model.steps[model.steps.indexOf(step) + 1]?.us ?? model.nowUs;
    const [x, y] = coord([(Math.max(step.us, model.startUs) + until) / 2, step.value]);
    if (Math.abs(x - nowX) > 22) nodes.push(label(model.print(step.value), Math.max(x, first[0] + 14), step === lowest ? y + 18 : y - 3, palette));
  }
  return nodes;
}

const scaleOf = (model: PriceModel): { max: number; step: number } => scaleFor(Math.max(0, ...model.steps.map((step) => step.value)) * 1.12, 2);

export function priceOption(model: PriceModel, palette: Palette): ChartOption {
  const labels = new Map(model.ticks.map((tick) => [tick.us, tick.label]));
  const lowest = Math.min(0, ...model.steps.map((step) => step.value));
  return {
    animation: false,
    grid: { left: 4, right: 4, top: 18, bottom: 22, outerBoundsMode: 'none' },
    xAxis: {
      type: 'value',
      min: model.startUs,
      max: model.endUs,
      axisLine: { onZero: false, lineStyle: { color: palette.ink2 } },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: {
        color: palette.ink2,
        fontSize: 12,
        fontFamily: 'Roboto, sans-serif',
        margin: 6,
        customValues: model.ticks.map((tick) => tick.us),
        alignMinLabel: 'left',
        alignMaxLabel: 'right',
        formatter: (us: number) => labels.get(us) ?? '',
      },
    },
    yAxis: { type: 'value', show: false, min: lowest, max: scaleOf(model).max },
    series: [
      {
        type: 'custom',
        silent: true,
        data: [0],
        renderItem: (_params, api) => ({ type: 'group', children: draw(model, palette, (data) => api.coord(data) as Point) }),
      },
    ],
  };
}
