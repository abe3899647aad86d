"""The values that travel along the pipeline. Pure.

Out:  an Entity as the wire protocol names it, a Catalog of Entities whose places rows refer to, the tables of kinds.
Units are canonical, instants integers in microseconds since 1970 UTC, powers positive into the home.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

type Encode = Callable[[object], bytes]
"""JSON encoder; Home Assistant's own is passed in, so that this layer needs nothing of it."""


class Kind(StrEnum):
    """What an Entity measures."""

    ENERGY = "energy"
    POWER = "power"
    GAS = "gas"
    WATER = "water"
    PRICE = "price"
    CARBON = "carbon"
    BATTERY_LEVEL = "battery_level"
    TEMPERATURE = "temperature"


class Role(StrEnum):
    """What an Entity is in the home, by Home Assistant's Energy settings."""

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


class Source(StrEnum):
    """Where the readings of an Entity come from: its states, or external statistics without an entity."""

    STATE = "state"
    STATISTIC = "statistic"


KIND_OF_ROLE: dict[Role, Kind] = {
    Role.GRID_IMPORT: Kind.ENERGY,
    Role.GRID_EXPORT: Kind.ENERGY,
    Role.GRID_POWER: Kind.POWER,
    Role.SOLAR: Kind.ENERGY,
    Role.SOLAR_POWER: Kind.POWER,
    Role.BATTERY_DISCHARGE: Kind.ENERGY,
    Role.BATTERY_CHARGE: Kind.ENERGY,
    Role.BATTERY_POWER: Kind.POWER,
    Role.BATTERY_LEVEL: Kind.BATTERY_LEVEL,
    Role.GAS: Kind.GAS,
    Role.WATER: Kind.WATER,
    Role.DEVICE: Kind.ENERGY,
    Role.DEVICE_POWER: Kind.POWER,
    Role.WATER_DEVICE: Kind.WATER,
    Role.PRICE_IMPORT: Kind.PRICE,
    Role.PRICE_EXPORT: Kind.PRICE,
    Role.HOME_POWER: Kind.POWER,
    Role.CARBON: Kind.CARBON,
}

COUNTERS = frozenset({"total", "total_increasing"})
"""State classes of meters that count up: their growth is what matters."""

STATE_CLASSES = COUNTERS | {"measurement"}


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """One role of an Entity; `group` ties the Entities of one source or device together."""

    role: Role
    group: str
    name: str | None = None
    parent: str | None = None

    def message(self) -> dict[str, str | None]:
        """Return the role as the wire has it."""
        message: dict[str, str | None] = {"role": self.role, "group": self.group}
        if self.name is not None:
            message["name"] = self.name
        if self.parent is not None:
            message["parent"] = self.parent
        return message


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity that is recorded. `source_unit` is the unit that its states had last, `unit` the canonical one."""

    key: str
    entity_id: str
    name: str
    kind: Kind
    unit: str
    area: str | None = None
    device: str | None = None
    state_class: str | None = None
    source: Source = Source.STATE
    source_unit: str | None = None
    roles: tuple[RoleAssignment, ...] = ()

    @property
    def counter(self) -> bool:
        """True for a meter that counts up, False for a gauge."""
        return self.state_class in COUNTERS

    def message(self, since_us: int, was: str | None) -> dict[str, object]:
        """Return the Entity as the wire has it."""
        message: dict[str, object] = {
            "key": self.key,
            "since_us": since_us,
            "entity_id": self.entity_id,
            "name": self.name,
            "area": self.area,
            "device": self.device,
            "kind": self.kind,
            "unit": self.unit,
            "state_class": self.state_class,
            "source": self.source,
            "roles": [role.message() for role in self.roles],
        }
        if was is not None:
            message["was"] = was
        return message


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """What the places of rows refer to: the Entities in order, and their JSON as it is sent."""

    rev: int
    entities: tuple[Entity, ...]
    body: bytes
    places: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Index the keys."""
        object.__setattr__(self, "places", {entity.key: place for place, entity in enumerate(self.entities)})


@dataclass(frozen=True, slots=True)
class Site:
    """This Home Assistant, as `hello` presents it."""

    id: str
    name: str
    time_zone: str
    currency: str | None
    country: str | None
    ha_version: str

    def message(self) -> dict[str, str | None]:
        """Return the Site as the wire has it."""
        return {
            "id": self.id,
            "name": self.name,
            "time_zone": self.time_zone,
            "currency": self.currency,
            "country": self.country,
            "ha_version": self.ha_version,
        }
