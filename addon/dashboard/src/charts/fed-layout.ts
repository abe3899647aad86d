/** Where the nodes and links of "who fed whom" stand: sources left, the home in the middle, uses right, each column from the top. Pure. */
import type { Fed, FedLink, FedNode, NodeId } from '../domain/fed';
import type { Box } from './drawing';

export const NODE_WIDTH = 10;

export interface PlacedNode {
  node: FedNode;
  x: number;
  y: number;
  height: number;
}

/** A link from (x0, y0) to (x1, y1), its upper ends. */
export interface Ribbon {
  link: FedLink;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  thickness: number;
}

const SOURCES: readonly NodeId[] = ['grid', 'battery', 'solar'];
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export function placeFed({ nodes, links }: Fed, area: Box, gap: number): { nodes: PlacedNode[]; ribbons: Ribbon[] } {
  const deepest = links.some(({ from }) => from === 'home') ? 2 : 1;
  const columnOf = ({ id }: FedNode): number => (SOURCES.includes(id) ? 0 : id === 'home' ? 1 : deepest);
  const amount = (end: 'from' | 'to', id: NodeId): number => sum(links.filter((link) => link[end] === id).map(({ kwh }) => kwh));
  const sizes = new Map(nodes.map(({ id }) => [id, Math.max(amount('from', id), amount('to', id))]));
  const columns = Array.from({ length: deepest + 1 }, (_, column) => nodes.filter((node) => columnOf(node) === column));
  const scales = columns.filter(({ length }) => length > 0).map((own) => Math.max(0, area.height - (own.length - 1) * gap) / sum(own.map(({ id }) => sizes.get(id) ?? 0)));
  const scale = scales.length > 0 ? Math.min(...scales) : 0;

  const placed = columns.flatMap((own, column) => {
    let y = area.y;
    return own.map((node): PlacedNode => {
      const height = (sizes.get(node.id) ?? 0) * scale;
      const x = area.x + ((area.width - NODE_WIDTH) * column) / deepest;
      y += height + gap;
      return { node, x, y: y - height - gap, height };
    });
  });
  return { nodes: placed, ribbons: ribbonsOf(links, placed, scale) };
}

/** Links leave and arrive in the order of their other ends, so that they cross as little as can be. */
function ribbonsOf(links: readonly FedLink[], placed: readonly PlacedNode[], scale: number): Ribbon[] {
  const at = new Map(placed.map((own) => [own.node.id, own]));
  const ribbons = links.flatMap((link): Ribbon[] => {
    const [from, to] = [at.get(link.from), at.get(link.to)];
    return from && to ? [{ link, x0: from.x + NODE_WIDTH, y0: from.y, x1: to.x, y1: to.y, thickness: link.kwh * scale }] : [];
  });
  const [tops, bottoms] = [ribbons.map(({ y0 }) => y0), ribbons.map(({ y1 }) => y1)];
  const before = (i: number, end: 'from' | 'to', others: readonly number[]): number =>
    sum(ribbons.filter(({ link }, j) => link[end] === ribbons[i]?.link[end] && isBefore(others, j, i)).map(({ thickness }) => thickness));
  return ribbons.map((ribbon, i) => ({ ...ribbon, y0: ribbon.y0 + before(i, 'from', bottoms), y1: ribbon.y1 + before(i, 'to', tops) }));
}

const isBefore = (heights: readonly number[], a: number, b: number): boolean => {
  const difference = (heights[a] ?? 0) - (heights[b] ?? 0);
  return difference < 0 || (difference === 0 && a < b);
};
