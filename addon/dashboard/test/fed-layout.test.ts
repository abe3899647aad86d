import { describe, expect, it } from 'vitest';
import { NODE_WIDTH, placeFed } from '../src/charts/fed-layout';
import type { Fed, FedLink, NodeId } from '../src/domain/fed';

const AREA = { x: 0, y: 6, width: 210, height: 100 };
const GAP = 10;

function fed(...links: [NodeId, NodeId, number][]): Fed {
  const order: NodeId[] = ['grid', 'battery', 'solar', 'home', 'device a', 'untracked', 'toBattery', 'toGrid'];
  const nodes = order.filter((id) => links.some(([from, to]) => id === from || id === to)).map((id) => ({ id, name: null, kwh: 0 }));
  return { decimals: 1, nodes, links: links.map(([from, to, kwh]): FedLink => ({ from, to, kwh })) };
}

const FULL = fed(['grid', 'home', 4], ['solar', 'home', 3], ['solar', 'toGrid', 2], ['home', 'device a', 5], ['home', 'untracked', 2]);

describe('placeFed', () => {
  it('puts sources left, the home in the middle and uses right, one below the other', () => {
    const { nodes } = placeFed(FULL, AREA, GAP);
    const placed = Object.fromEntries(nodes.map(({ node, ...place }) => [node.id, place]));
    expect(nodes.map(({ node, x }) => [node.id, x])).toEqual([['grid', 0], ['solar', 0], ['home', 100], ['device a', 200], ['untracked', 200], ['toGrid', 200]]);
    expect(placed.grid?.y).toBe(AREA.y);
    expect(placed.solar?.y).toBeCloseTo(AREA.y + (placed.grid?.height ?? 0) + GAP, 9);
  });

  it('gives every kWh the same height, the most that the fullest column has room for', () => {
    const { nodes, ribbons } = placeFed(FULL, AREA, GAP);
    const lowest = Math.max(...nodes.map(({ y, height }) => y + height));
    expect(lowest).toBeCloseTo(AREA.y + AREA.height, 9);
    const each = ribbons.map(({ link, thickness }) => thickness / link.kwh);
    for (const one of each) expect(one).toBeCloseTo((AREA.height - 2 * GAP) / 9, 9);
  });

  it('lets links fill the edges of their nodes without overlap, in the order of their other ends', () => {
    const { ribbons } = placeFed(FULL, AREA, GAP);
    const perKwh = (AREA.height - 2 * GAP) / 9;
    const grid = 4 * perKwh;
    const solarTop = AREA.y + grid + GAP;
    const usesEnd = AREA.y + 7 * perKwh + 2 * GAP;
    const ends = ribbons.filter(({ link }) => link.to === 'home' || link.to === 'toGrid').map(({ x0, y0, y1 }) => [x0, y0, y1].map((at) => Number(at.toFixed(6))));
    const expected = [
      [NODE_WIDTH, AREA.y, AREA.y],
      [NODE_WIDTH, solarTop, AREA.y + grid],
      [NODE_WIDTH, solarTop + 3 * perKwh, usesEnd],
    ];
    expect(ends).toEqual(expected.map((row) => row.map((at) => Number(at.toFixed(6)))));
  });

  it('has two columns where no device is known, and nothing where nothing flows', () => {
    expect(placeFed(fed(['grid', 'home', 1]), AREA, GAP).nodes.map(({ x }) => x)).toEqual([0, 200]);
    expect(placeFed(fed(), AREA, GAP)).toEqual({ nodes: [], ribbons: [] });
  });
});
