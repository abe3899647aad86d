import { describe, expect, it } from 'vitest';
import { layoutOf, widthsOf, type Box } from '../src/components/flow/geometry';

const apart = (a: Box, b: Box): boolean => a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;

describe('the layout of the flow', () => {
  const all = { solar: true, battery: true, devices: true };

  it.each([262, 302, 332, 400, 540, 598, 654, 690, 740, 1014, 1358])('has room for everything at %s px', (width) => {
    const { tiles, deviceX, height } = layoutOf({ ...all, width });
    const boxes = Object.values(tiles);
    boxes.forEach((box, i) => {
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.w).toBeLessThanOrEqual(deviceX ?? width);
      expect(box.y + box.h).toBeLessThanOrEqual(height);
      boxes.slice(i + 1).forEach((other) => {
        expect(apart(box, other)).toBe(true);
      });
    });
  });

  it.each([262, 302, 332, 654, 1014])('lets links bend before they arrive at %s px', (width) => {
    const { paths, tiles } = layoutOf({ ...all, width });
    const bend = Number(/Q\S+ \S+ (\S+) /.exec(paths.solar_to_home)?.[1]);
    expect(bend).toBeLessThanOrEqual(tiles.home.x);
  });

  it('lists devices beside the flow only where there is room', () => {
    expect(layoutOf({ ...all, width: 332 }).deviceX).toBeNull();
    expect(layoutOf({ ...all, width: 654 }).deviceX).toBe(482);
    expect(layoutOf({ ...all, devices: false, width: 1014 }).deviceX).toBeNull();
  });

  it('needs no room for what is not there', () => {
    const plain = layoutOf({ solar: false, battery: false, devices: false, width: 332 });
    expect(plain.height).toBeLessThan(80);
    expect(plain.tiles.grid.y).toBeGreaterThanOrEqual(0);
  });
});

it('widths are in proportion until the thickest has no room, and never vanish', () => {
  expect(widthsOf([1, 2], 7)).toEqual([7, 14]);
  expect(widthsOf([10, 5, 0.01], 7)).toEqual([30, 15, 3]);
  expect(widthsOf([], 7)).toEqual([]);
});
