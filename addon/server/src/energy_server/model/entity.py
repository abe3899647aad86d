"""The Entity: one Home Assistant entity (or external statistic) that is recorded."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an Entity measures; it decides the canonical unit and the rules of accumulation."""

    ENERGY = "energy"
    POWER = "power"
    GAS = "gas"
    WATER = "water"
    PRICE = "price"
    CARBON = "carbon"
    BATTERY_LEVEL = "battery_level"
    TEMPERATURE = "temperature"


class StateClass(StrEnum):
    """Home Assistant's state classes."""

    MEASUREMENT = "measurement"
    TOTAL = "total"
    TOTAL_INCREASING = "total_increasing"


class Role(StrEnum):
    """What an Entity is in the home, from Home Assistant's Energy settings."""

    GRID_IMPORT = "grid_import"
    GRID_EXPORT = "grid_export"
    GRID_POWER = "grid_power"
    SOLAR = "solar"
    SOLAR_POWER = "solar_power"
    BATTERY_DISCHARGE = "battery_discharge"
    BATTERY_CHARGE = "battery_charge"
    BATTERY_POWER = "battery_power"
    BATTERY_LEVEL = "battery_level"
    GAS = "gas"
    WATER = "water"
    DEVICE = "device"
    DEVICE_POWER = "device_power"
    WATER_DEVICE = "water_device"
    PRICE_IMPORT = "price_import"
    PRICE_EXPORT = "price_export"
    HOME_POWER = "home_power"
    CARBON = "carbon"


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """One role of an Entity; `group` ties the Entities of one source or device together."""

    role: Role
    group: str
    name: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """One recorded entity. `since_us`: listening began; `until_us`: it left the catalog, or None."""

    site: str
    key: str
    entity_id: str
    name: str
    area: str | None
    device: str | None
    kind: Kind
    unit: str
    state_class: StateClass | None
    source: str
    since_us: int
    until_us: int | None = None
    roles: tuple[RoleAssignment, ...] = ()

    @property
    def counter(self) -> bool:
        """True for a meter that counts up (its growth is what matters), False for a gauge."""
        return self.state_class in (StateClass.TOTAL, StateClass.TOTAL_INCREASING)

    @property
    def readable(self) -> bool:
        """True for an entity with states, False for an external statistic, of which there are only hours."""
        return self.source == "state"
