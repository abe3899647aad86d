/** Who fed whom as a Sankey: sources left, the home in the middle, uses right. */
import type { SankeySeriesOption } from 'echarts/charts';
import type { Fed, FedLink, FedNode, NodeId } from '../domain/fed';
import type { ChartOption } from './engine';
import { mix } from './colour';
import type { Fill, Palette } from './palette';

type Item = NonNullable<SankeySeriesOption['data']>[number];

const NARROW = 600;
const NARROW_NAME = 16;

const shorten = (name: string, narrow: boolean): string => (narrow && name.length > NARROW_NAME ? `${name.slice(0, NARROW_NAME - 1).trimEnd()}…` : name);

function colourOf(id: NodeId, palette: Palette): Fill {
  switch (id) {
    case 'solar':
      return palette.plain('solar');
    case 'grid':
      return palette.plain('grid_import');
    case 'battery':
      return palette.fill('battery_discharge');
    case 'toBattery':
      return palette.fill('battery_charge');
    case 'toGrid':
      return palette.plain('grid_export');
    case 'home':
      return palette.edge('use-1');
    default:
      return palette.plain('use-1');
  }
}

function linkColour({ from, to }: FedLink, palette: Palette): string {
  if (to === 'toGrid') return palette.plain('grid_export');
  if (to === 'toBattery') return palette.plain('battery_charge');
  if (from === 'battery') return palette.plain('battery_discharge');
  if (from === 'solar') return palette.plain('solar');
  return from === 'grid' ? palette.plain('grid_import') : palette.plain('use-1');
}

const ends = (id: NodeId): boolean => id === 'toBattery' || id === 'toGrid';

export function fedOption(fed: Fed, nameOf: (node: FedNode) => string, print: (kwh: number) => string, palette: Palette, width: number): ChartOption {
  const text = { color: palette.ink, fontSize: 12, fontFamily: 'Roboto, sans-serif' };
  const narrow = width < NARROW;
  const deepest = fed.links.some(({ from }) => from === 'home') ? 2 : 1;
  const data: Item[] = fed.nodes.map((node) => ({
    name: node.id,
    ...(ends(node.id) ? { depth: deepest } : {}),
    label: { ...text, position: 'right', formatter: () => `${shorten(nameOf(node), narrow)}  {number|${print(node.kwh)}}`, rich: { number: { ...text, fontWeight: 500 } } },
    itemStyle: { color: colourOf(node.id, palette) as string, borderWidth: 0 },
  }));
  return {
    animation: false,
    series: [
      {
        type: 'sankey',
        left: 0,
        right: narrow ? 140 : 170,
        top: 6,
        bottom: 6,
        nodeWidth: 10,
        nodeGap: narrow ? 10 : 12,
        layoutIterations: 0,
        draggable: false,
        silent: true,
        data,
        links: fed.links.map((link) => ({
          source: link.from,
          target: link.to,
          value: link.kwh,
          lineStyle: { color: mix(linkColour(link, palette), palette.card, palette.dark ? 0.34 : 0.28), opacity: 1, curveness: 0.5 },
        })),
      },
    ],
  };
}
