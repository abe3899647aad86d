"""Who fed whom: the Balance of solar, battery, grid and home. Pure.

In:   energy of the five measured flows per interval, kWh, as parallel columns; what is absent is 0.
Out:  the eight flows that nobody measures.

The rule is that of Home Assistant's Energy page (`computeConsumptionSingle` in the frontend's `src/data/energy.ts`),
so that both show the same home: the home used what came in and did not go out; what the grid delivered beyond the
home's use charged the battery; then, each from what is left, solar fed the battery, solar the grid, battery the grid,
grid the battery; then solar, battery and grid, in this order, the home.

Home Assistant applies it to the hours, days or months of the period shown; here it is applied to 5 minutes (hours,
where only hourly Statistics exist) and summed. `home` is the same in both, as it is linear; a share such as "solar to
home" is not: when a house imports in the morning and exports at noon, the day as a whole would say that no energy
left it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Energy = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """The flows that meters measure."""

    solar: Energy
    battery_discharge: Energy
    grid_import: Energy
    battery_charge: Energy
    grid_export: Energy


@dataclass(frozen=True, slots=True)
class Shares:
    """The flows that follow; `home` may be negative where meters disagree, the others never are."""

    home: Energy
    solar_to_home: Energy
    solar_to_battery: Energy
    solar_to_grid: Energy
    battery_to_home: Energy
    battery_to_grid: Energy
    grid_to_home: Energy
    grid_to_battery: Energy


def balance(measured: Measured) -> Shares:
    """Split every interval on its own. Sources = uses: solar + discharge + import = home + charge + export."""
    home = (measured.solar + measured.battery_discharge + measured.grid_import) - (
        measured.battery_charge + measured.grid_export
    )
    solar, battery, grid = (
        np.maximum(flow, 0.0) for flow in (measured.solar, measured.battery_discharge, measured.grid_import)
    )
    charge, export = np.maximum(measured.battery_charge, 0.0), np.maximum(measured.grid_export, 0.0)
    use = np.maximum(home, 0.0)

    grid_to_battery = np.clip(grid - use, 0.0, charge)
    charge -= grid_to_battery
    grid -= grid_to_battery
    solar_to_battery = _give(solar, charge)
    solar_to_grid = _give(solar, export)
    battery_to_grid = _give(battery, export)
    grid_to_battery += _give(grid, charge)
    solar_to_home = _give(solar, use)
    battery_to_home = _give(battery, use)
    grid_to_home = _give(grid, use)
    return Shares(
        home=home,
        solar_to_home=solar_to_home,
        solar_to_battery=solar_to_battery,
        solar_to_grid=solar_to_grid,
        battery_to_home=battery_to_home,
        battery_to_grid=battery_to_grid,
        grid_to_home=grid_to_home,
        grid_to_battery=grid_to_battery,
    )


def _give(source: Energy, use: Energy) -> Energy:
    """Return what goes from source to use, and take it from both: a year of 5 minutes has no time for copies."""
    given = np.minimum(source, use)
    source -= given
    use -= given
    return given
