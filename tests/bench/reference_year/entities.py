"""The 200 Entities of the reference year: 40 report every 20 s, 60 every minute, 100 every 10 minutes.

In a year that is 63.1 M + 31.5 M + 5.3 M = 99.9 M readings, of which 3 % are missing: 96.9 M are stored. Twelve
Entities are the meters of a home with solar and a battery: five at 20 s, seven devices at a minute.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from energy_server.model.entity import Entity, Kind, Role, RoleAssignment, StateClass
from energy_server.model.site import Site

SITE = Site(
    id="reference0000000000000000000year",
    name="Reference home",
    time_zone="Europe/Amsterdam",
    currency="EUR",
    country="NL",
    ha_version="2026.10.4",
    integration_version="0.1.0",
)


class Shape(StrEnum):
    """How a signal runs through a day."""

    SUN = "sun"
    HOME = "home"
    STEPS = "steps"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Signal:
    """An Entity and how its readings are made. `level`: units per day of a counter, the mean of a gauge."""

    place: int
    entity: Entity
    interval_s: int
    shape: Shape
    level: float
    decimals: int


@dataclass(frozen=True, slots=True)
class _Group:
    """`count` Entities that differ only in their name."""

    name: str
    count: int
    interval_s: int
    kind: Kind
    unit: str
    state_class: StateClass
    shape: Shape
    level: float
    decimals: int
    role: tuple[Role, str] | None = None


_UP = StateClass.TOTAL_INCREASING
_NOW = StateClass.MEASUREMENT
_GROUPS = (
    _Group("grid_import", 1, 20, Kind.ENERGY, "kWh", _UP, Shape.HOME, 8.0, 3, (Role.GRID_IMPORT, "grid:0")),
    _Group("grid_export", 1, 20, Kind.ENERGY, "kWh", _UP, Shape.SUN, 6.0, 3, (Role.GRID_EXPORT, "grid:0")),
    _Group("solar", 1, 20, Kind.ENERGY, "kWh", _UP, Shape.SUN, 14.0, 3, (Role.SOLAR, "solar:0")),
    _Group("battery_out", 1, 20, Kind.ENERGY, "kWh", _UP, Shape.HOME, 3.0, 3, (Role.BATTERY_DISCHARGE, "battery:0")),
    _Group("battery_in", 1, 20, Kind.ENERGY, "kWh", _UP, Shape.SUN, 3.5, 3, (Role.BATTERY_CHARGE, "battery:0")),
    _Group("power", 35, 20, Kind.POWER, "W", _NOW, Shape.STEPS, 450.0, 1),
    _Group("device", 7, 60, Kind.ENERGY, "kWh", _UP, Shape.HOME, 1.5, 3, (Role.DEVICE, "device:{}")),
    _Group("circuit", 23, 60, Kind.ENERGY, "kWh", _UP, Shape.HOME, 0.8, 3),
    _Group("circuit_power", 30, 60, Kind.POWER, "W", _NOW, Shape.STEPS, 120.0, 1),
    _Group("temperature", 50, 600, Kind.TEMPERATURE, "°C", _NOW, Shape.SLOW, 18.0, 1),
    _Group("charge", 20, 600, Kind.BATTERY_LEVEL, "%", _NOW, Shape.SLOW, 60.0, 0),
    _Group("price", 10, 600, Kind.PRICE, "EUR/kWh", _NOW, Shape.STEPS, 0.25, 4),
    _Group("water", 10, 600, Kind.WATER, "m³", _UP, Shape.HOME, 0.3, 3),
    _Group("gas", 10, 600, Kind.GAS, "m³", _UP, Shape.HOME, 2.0, 3),
)


def signals(since_us: int) -> list[Signal]:
    """Return all signals, listened to since then."""
    return list(_signals(since_us))


def _signals(since_us: int) -> Iterator[Signal]:
    place = 0
    for group in _GROUPS:
        for number in range(group.count):
            yield Signal(
                place, _entity(group, number, since_us), group.interval_s, group.shape, group.level, group.decimals
            )
            place += 1


def _entity(group: _Group, number: int, since_us: int) -> Entity:
    name = f"{group.name}_{number}"
    roles: tuple[RoleAssignment, ...] = ()
    if group.role is not None:
        role, tie = group.role
        roles = (RoleAssignment(role, tie.format(number), name),)
    return Entity(
        site=SITE.id,
        key=hashlib.blake2b(name.encode(), digest_size=16).hexdigest(),
        entity_id=f"sensor.{name}",
        name=name.replace("_", " ").capitalize(),
        area=None,
        device=None,
        kind=group.kind,
        unit=group.unit,
        state_class=group.state_class,
        source="state",
        since_us=since_us,
        roles=roles,
    )
