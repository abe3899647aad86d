/** Who fed whom as a Sankey: sources left, the home in the middle, uses right. */
import type { Fed, FedLink, FedNode, NodeId } from '../domain/fed';
import { mix } from './colour';
import { fillBox, write, type Size } from './drawing';
import { NODE_WIDTH, placeFed, type Ribbon } from './fed-layout';
import type { Fill, Palette } from './palette';

const NARROW = 600;
const NARROW_NAME = 16;
const MARGIN_Y = 6;
const LABEL_GAP = 5;

const shorten = (name: string, narrow: boolean): string => (narrow && name.length > NARROW_NAME ? `${name.slice(0, NARROW_NAME - 1).trimEnd()}…` : name);

function colourOf(id: NodeId, palette: Palette): Fill {
  switch (id) {
    case 'solar':
      return palette.plain.solar;
    case 'grid':
      return palette.plain.grid_import;
    case 'battery':
      return palette.fill.battery_discharge;
    case 'toBattery':
      return palette.fill.battery_charge;
    case 'toGrid':
      return palette.plain.grid_export;
    case 'home':
      return palette.edge['use-1'];
    default:
      return palette.plain['use-1'];
  }
}

function linkColour({ from, to }: FedLink, palette: Palette): string {
  if (to === 'toGrid') return palette.plain.grid_export;
  if (to === 'toBattery') return palette.plain.battery_charge;
  if (from === 'battery') return palette.plain.battery_discharge;
  if (from === 'solar') return palette.plain.solar;
  return from === 'grid' ? palette.plain.grid_import : palette.plain['use-1'];
}

function fillRibbon(context: CanvasRenderingContext2D, { x0, y0, x1, y1, thickness }: Ribbon, fill: Fill): void {
  const middle = (x0 + x1) / 2;
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
  context.lineTo(x1, y1 + thickness);
  context.bezierCurveTo(middle, y1 + thickness, middle, y0 + thickness, x0, y0 + thickness);
  context.closePath();
  context.fillStyle = fill;
  context.fill();
}

/** What the nodes are called, and their kWh in print. */
export interface FedWords {
  nameOf: (node: FedNode) => string;
  print: (kwh: number) => string;
}

export function drawFedChart(context: CanvasRenderingContext2D, fed: Fed, { nameOf, print }: FedWords, palette: Palette, { width, height }: Size): void {
  const narrow = width < NARROW;
  const area = { x: 0, y: MARGIN_Y, width: width - (narrow ? 140 : 170), height: height - 2 * MARGIN_Y };
  const { nodes, ribbons } = placeFed(fed, area, narrow ? 10 : 12);
  for (const ribbon of ribbons) fillRibbon(context, ribbon, mix(linkColour(ribbon.link, palette), palette.card, palette.dark ? 0.34 : 0.28));
  for (const { node, x, y, height: tall } of nodes) fillBox(context, { x, y, width: NODE_WIDTH, height: tall }, colourOf(node.id, palette));
  for (const { node, x, y, height: tall } of nodes) {
    const [left, middle] = [x + NODE_WIDTH + LABEL_GAP, y + tall / 2];
    const name = `${shorten(nameOf(node), narrow)}  `;
    write(context, name, [left, middle], { colour: palette.ink });
    write(context, print(node.kwh), [left + context.measureText(name).width, middle], { colour: palette.ink, bold: true });
  }
}
