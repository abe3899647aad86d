/** Who feeds whom, in kW. All are zero or positive. */
export interface Links {
  solar_to_home: number;
  solar_to_battery: number;
  solar_to_grid: number;
  battery_to_home: number;
  battery_to_grid: number;
  grid_to_home: number;
  grid_to_battery: number;
}

export type LinkName = keyof Links;

/** Signed powers: positive into the home (import, production, discharge). */
export interface Powers {
  solar: number;
  grid: number;
  battery: number;
}

/**
 * Divides what comes in over what goes out. The order is that of Home Assistant's own energy page: grid power beyond the
 * home's use charges the battery, the rest of the charge and the export come from solar first, and the home takes what is left.
 */
export function divide({ solar, grid, battery }: Powers): Links {
  let sun = Math.max(0, solar);
  let imported = Math.max(0, grid);
  let discharge = Math.max(0, battery);
  let charge = Math.max(0, -battery);
  let exported = Math.max(0, -grid);
  const home = Math.max(0, sun + imported + discharge - charge - exported);

  const excess = Math.min(charge, Math.max(0, imported - home));
  charge -= excess;
  imported -= excess;
  const solarToBattery = Math.min(sun, charge);
  sun -= solarToBattery;
  charge -= solarToBattery;
  const solarToGrid = Math.min(sun, exported);
  sun -= solarToGrid;
  exported -= solarToGrid;
  const batteryToGrid = Math.min(discharge, exported);
  discharge -= batteryToGrid;
  const gridToBattery = Math.min(imported, charge);
  imported -= gridToBattery;
  const solarToHome = Math.min(home, sun);
  const batteryToHome = Math.min(home - solarToHome, discharge);
  return {
    solar_to_home: solarToHome,
    solar_to_battery: solarToBattery,
    solar_to_grid: solarToGrid,
    battery_to_home: batteryToHome,
    battery_to_grid: batteryToGrid,
    grid_to_home: Math.max(0, Math.min(home - solarToHome - batteryToHome, imported)),
    grid_to_battery: gridToBattery + excess,
  };
}
