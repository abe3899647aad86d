"""The flows of a home, measured and derived, as one shape for columns and for totals. Pure."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Flows[T]:
    """The flows of a home, kWh."""

    solar: T
    battery_discharge: T
    grid_import: T
    home: T
    battery_charge: T
    grid_export: T
    solar_to_home: T
    solar_to_battery: T
    solar_to_grid: T
    battery_to_home: T
    battery_to_grid: T
    grid_to_home: T
    grid_to_battery: T


FLOWS = tuple(field.name for field in fields(Flows))
