"""Which Entity measures which flow, from the roles that Home Assistant's Energy settings give them. Pure.

In:   the Entities of a Site.
Out:  `Meters`: for each measured flow the Entities whose change counts, and which part of it; devices, gas, water.

In each group a counter goes before a gauge: the integral of `grid_power`, `solar_power`, `battery_power` or
`device_power` counts only where the group has no counter. A signed Entity is split per period: what flows into the
home is positive, the negative part is export or charge. So is a `total` of import (or discharge) in a group without a
counter of the other way. `home_power` counts nowhere: the home's use follows from the balance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from energy_server.model.entity import Entity, Role, RoleAssignment, StateClass


class Part(StrEnum):
    """Which part of a change counts, per period."""

    WHOLE = "whole"
    POSITIVE = "positive"
    NEGATIVE = "negative"
    """The negative part, as a positive amount."""


class Source(StrEnum):
    """What a home can draw from and feed."""

    SOLAR = "solar"
    BATTERY = "battery"
    GRID = "grid"


class MeasuredFlow(StrEnum):
    """The flows of `balance.Measured`."""

    SOLAR = "solar"
    BATTERY_DISCHARGE = "battery_discharge"
    GRID_IMPORT = "grid_import"
    BATTERY_CHARGE = "battery_charge"
    GRID_EXPORT = "grid_export"


@dataclass(frozen=True, slots=True)
class Contribution:
    """One Entity's part of one flow."""

    key: str
    source: Source
    flow: MeasuredFlow
    part: Part


@dataclass(frozen=True, slots=True)
class Device:
    """One consumer; `parent` is the device Entity that includes it."""

    key: str
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Fluid:
    """Gas or water: the Entities that count it, all in one unit, and those that count it in another one.

    The integration makes every volume m³, but gas may be counted in kWh, too: how much energy a m³ has, nobody says.
    """

    keys: tuple[str, ...]
    unit: str
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meters:
    """What the home is measured by."""

    contributions: tuple[Contribution, ...]
    devices: tuple[Device, ...]
    gas: Fluid | None
    water: Fluid | None

    def has(self, source: Source) -> bool:
        """Say whether the home has it."""
        return any(contribution.source is source for contribution in self.contributions)

    def measures(self, flow: MeasuredFlow) -> bool:
        """Say whether something measures the flow."""
        return any(contribution.flow is flow for contribution in self.contributions)

    @property
    def balance_keys(self) -> list[str]:
        """Return the Entities that the balance needs, whose finest Statistics count."""
        return list(dict.fromkeys(contribution.key for contribution in self.contributions))

    @property
    def left_out(self) -> list[str]:
        """Return the Entities that count gas or water and cannot be added to the others."""
        return [key for fluid in (self.gas, self.water) if fluid for key in fluid.left_out]

    @property
    def keys(self) -> list[str]:
        """Return all Entities that are needed."""
        return self.balance_keys + self.other_keys

    @property
    def other_keys(self) -> list[str]:
        """Return the Entities of which only sums are needed."""
        fluids = [key for fluid in (self.gas, self.water) if fluid for key in fluid.keys]
        needed = dict.fromkeys([*(device.key for device in self.devices), *fluids])
        return [key for key in needed if key not in self.balance_keys]


@dataclass(frozen=True, slots=True)
class _SourceRow:
    """The roles of a source: its counters' flows, its gauge, and the flow of each sign of a signed Entity."""

    source: Source
    counters: dict[Role, MeasuredFlow]
    gauge: Role
    positive: MeasuredFlow
    negative: MeasuredFlow | None


_SOURCES = (
    _SourceRow(Source.SOLAR, {Role.SOLAR: MeasuredFlow.SOLAR}, Role.SOLAR_POWER, MeasuredFlow.SOLAR, None),
    _SourceRow(
        Source.BATTERY,
        {
            Role.BATTERY_DISCHARGE: MeasuredFlow.BATTERY_DISCHARGE,
            Role.BATTERY_CHARGE: MeasuredFlow.BATTERY_CHARGE,
        },
        Role.BATTERY_POWER,
        MeasuredFlow.BATTERY_DISCHARGE,
        MeasuredFlow.BATTERY_CHARGE,
    ),
    _SourceRow(
        Source.GRID,
        {Role.GRID_IMPORT: MeasuredFlow.GRID_IMPORT, Role.GRID_EXPORT: MeasuredFlow.GRID_EXPORT},
        Role.GRID_POWER,
        MeasuredFlow.GRID_IMPORT,
        MeasuredFlow.GRID_EXPORT,
    ),
)

type _Assigned = list[tuple[Entity, RoleAssignment]]


def meters(entities: Sequence[Entity]) -> Meters:
    """Read the roles of the Entities that are in the catalog now."""
    assigned = [(entity, role) for entity in entities if entity.until_us is None for role in entity.roles]
    groups: dict[str, _Assigned] = {}
    for entity, role in assigned:
        groups.setdefault(role.group, []).append((entity, role))
    contributions = [
        contribution for group in groups.values() for row in _SOURCES for contribution in _contributions(row, group)
    ]
    devices = [device for group in groups.values() for device in _devices(group)]
    return Meters(
        contributions=tuple(dict.fromkeys(contributions)),
        devices=tuple({device.key: device for device in reversed(devices)}.values())[::-1],
        gas=_fluid(assigned, Role.GAS),
        water=_fluid(assigned, Role.WATER),
    )


def _contributions(row: _SourceRow, group: _Assigned) -> list[Contribution]:
    counters = [(entity, row.counters[role.role]) for entity, role in group if role.role in row.counters]
    if not counters:
        gauges = [entity for entity, role in group if role.role is row.gauge]
        return [part for entity in gauges for part in _signed(row, entity.key)]
    two_way = row.negative is None or any(flow is row.negative for _, flow in counters)
    contributions = []
    for entity, flow in counters:
        if not two_way and entity.state_class is StateClass.TOTAL:
            contributions += _signed(row, entity.key)
        else:
            contributions.append(Contribution(entity.key, row.source, flow, Part.WHOLE))
    return contributions


def _signed(row: _SourceRow, key: str) -> list[Contribution]:
    parts = [Contribution(key, row.source, row.positive, Part.POSITIVE)]
    if row.negative is not None:
        parts.append(Contribution(key, row.source, row.negative, Part.NEGATIVE))
    return parts


def _devices(group: _Assigned) -> list[Device]:
    for wanted in (Role.DEVICE, Role.DEVICE_POWER):
        found = [
            Device(entity.key, role.name or entity.name, role.parent) for entity, role in group if role.role is wanted
        ]
        if found:
            return found
    return []


def _fluid(assigned: _Assigned, wanted: Role) -> Fluid | None:
    """Return the meters in the unit of the first one in the settings, by whose order groups are numbered."""
    inside = [(role.group, entity) for entity, role in assigned if role.role is wanted]
    found = {entity.key: entity.unit for _, entity in sorted(inside, key=lambda one: (len(one[0]), one[0]))}
    if not found:
        return None
    unit = next(iter(found.values()))
    left_out = tuple(key for key, its_unit in found.items() if its_unit != unit)
    return Fluid(tuple(key for key in found if key not in left_out), unit, left_out)
