import { describe, expect, it } from 'vitest';
import { divide, type Links } from '../src/domain/balance';

const NONE: Links = { solar_to_home: 0, solar_to_battery: 0, solar_to_grid: 0, battery_to_home: 0, battery_to_grid: 0, grid_to_home: 0, grid_to_battery: 0 };

describe('divide', () => {
  it.each([
    ['solar covers all, the rest charges and is exported', { solar: 4, grid: -0.5, battery: -1 }, { solar_to_home: 2.5, solar_to_battery: 1, solar_to_grid: 0.5 }],
    ['a night on the battery and the grid', { solar: 0, grid: 0.4, battery: 1.1 }, { battery_to_home: 1.1, grid_to_home: 0.4 }],
    ['the grid charges the battery at night', { solar: 0, grid: 3, battery: -2 }, { grid_to_battery: 2, grid_to_home: 1 }],
    ['the battery feeds the grid', { solar: 0, grid: -1, battery: 2 }, { battery_to_grid: 1, battery_to_home: 1 }],
    ['the grid alone', { solar: 0, grid: 0.7, battery: 0 }, { grid_to_home: 0.7 }],
    ['nothing at all', { solar: 0, grid: 0, battery: 0 }, {}],
  ])('%s', (_, powers, expected) => {
    const links = divide(powers);
    for (const name of Object.keys(NONE) as (keyof Links)[]) expect(links[name], name).toBeCloseTo({ ...NONE, ...expected }[name], 9);
  });

  it('neither makes nor loses energy, whatever the meters say', () => {
    for (let i = 0; i < 2000; i++) {
      const solar = (i * 7919) % 50;
      const grid = ((i * 104_729) % 80) - 40;
      const battery = ((i * 1299) % 60) - 30;
      const links = divide({ solar, grid, battery });
      const home = Math.max(0, solar + grid + battery);
      expect(links.solar_to_home + links.battery_to_home + links.grid_to_home).toBeLessThanOrEqual(home + 1e-9);
      if (solar + grid + battery >= 0) {
        expect(links.solar_to_home + links.battery_to_home + links.grid_to_home).toBeCloseTo(home, 9);
        expect(links.solar_to_grid + links.battery_to_grid).toBeCloseTo(Math.max(0, -grid), 9);
        expect(links.solar_to_battery + links.grid_to_battery).toBeCloseTo(Math.max(0, -battery), 9);
      }
      expect(Math.min(...(Object.values(links) as number[]))).toBeGreaterThanOrEqual(0);
    }
  });
});
