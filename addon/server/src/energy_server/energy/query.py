"""The answer to "how much energy flowed between these edges": flows, devices, gas, water, and how it is known. Pure.

In:   the Entities of a Site with their roles; their Statistics as columns ordered by (place, start_us), covering the
      UTC hours of the edges; the edges; until when the worker has rolled up.
Out:  `EnergyAnswer`: one element of each column for each interval between edges; NaN = nothing known.

The balance (`balance.py`) is struck for each 5 minutes, or for the hour where only an imported hour is known of one
of its meters, and then summed. Amounts of Entities are sums of their changes, so any partition of a span gives the
same sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.flows import FLOWS, Flows
from energy_server.energy.meters import Device, Fluid, MeasuredFlow, Meters, Source, meters
from energy_server.energy.precedence import series
from energy_server.energy.series import Series, Tally, on_hours
from energy_server.energy.slots import Slots
from energy_server.model.entity import Entity
from energy_server.model.statistic import FIVE_MINUTES_US, Provenance, StatisticColumns

type Instants = NDArray[np.int64]
type Energy = NDArray[np.float64]


_NEEDS = {
    # What must be known for a flow to be known; a source that the home lacks is known to be 0.
    "solar": (Source.SOLAR,),
    "battery_discharge": (Source.BATTERY,),
    "grid_import": (Source.GRID,),
    "battery_charge": (Source.BATTERY,),
    "grid_export": (Source.GRID,),
    "solar_to_home": (Source.SOLAR,),
    "solar_to_battery": (Source.SOLAR, Source.BATTERY),
    "solar_to_grid": (Source.SOLAR, Source.GRID),
    "battery_to_home": (Source.BATTERY,),
    "battery_to_grid": (Source.BATTERY, Source.GRID),
    "grid_to_home": (Source.GRID,),
    "grid_to_battery": (Source.GRID, Source.BATTERY),
}


@dataclass(frozen=True, slots=True)
class Has:
    """Which sources the home has."""

    solar: bool
    battery: bool
    grid: bool
    export: bool
    gas: bool
    water: bool


@dataclass(frozen=True, slots=True)
class DeviceEnergy:
    """What one device used, kWh; `parent` is the key of the device that includes it, if that one is shown too."""

    key: str
    name: str
    parent: str | None
    values: Energy
    total: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount of gas or water."""

    unit: str
    values: Energy
    total: float


@dataclass(frozen=True, slots=True)
class EnergyAnswer:
    """All that /api/energy says. `totals`, `untracked_total` and the shares are NaN where nothing is known."""

    edges_us: Instants
    has: Has
    flows: Flows[Energy]
    devices: list[DeviceEnergy]
    untracked: Energy
    gas: Quantity | None
    water: Quantity | None
    provenance: NDArray[np.uint8]
    totals: Flows[float]
    untracked_total: float
    self_sufficiency: float
    self_consumption: float


def wanted(entities: Sequence[Entity], edges_us: Instants) -> tuple[list[str], list[str]]:
    """Return the keys of which Statistics of 5 minutes are needed, and those of which hours are enough."""
    home = meters(entities)
    if on_hours(edges_us):
        return home.balance_keys, home.other_keys
    return home.balance_keys + home.other_keys, []


def answer(
    entities: Sequence[Entity],
    five: StatisticColumns,
    hours: StatisticColumns,
    imported: StatisticColumns,
    edges_us: Instants,
    until_us: int,
) -> EnergyAnswer:
    """Answer from Statistics: rollups of 5 minutes, rollups of hours (for Entities without the former), imported hours.

    `until_us`: up to then every period has been rolled up, so what has no row is missing and not merely to come.
    """
    home = meters(entities)
    chosen = series(home.balance_keys + home.other_keys, five, hours, imported)
    tallies = {key: Tally.of(one, edges_us) for key, one in chosen.items()}
    since_us = {entity.key: entity.since_us for entity in entities}
    flows = _flows(home, chosen, tallies, edges_us)
    devices = [_device(device, home, tallies) for device in home.devices]
    untracked, untracked_total = _untracked(flows.home, devices)
    totals = Flows(**{name: total(getattr(flows, name)) for name in FLOWS})
    judged = home.balance_keys or home.other_keys
    provenance = [_provenance(tallies[key], since_us[key], edges_us, until_us) for key in judged]
    return EnergyAnswer(
        edges_us=edges_us,
        has=_has(home),
        flows=flows,
        devices=devices,
        untracked=untracked,
        gas=_quantity(home.gas, tallies),
        water=_quantity(home.water, tallies),
        provenance=_worst(provenance, len(edges_us) - 1),
        totals=totals,
        untracked_total=untracked_total,
        self_sufficiency=_share(totals.solar_to_home + totals.battery_to_home, totals.grid_to_home),
        self_consumption=_share(totals.solar_to_home + totals.solar_to_battery, totals.solar_to_grid),
    )


def total(values: Energy) -> float:
    """Return the sum of what is known, NaN if nothing is."""
    known = values[~np.isnan(values)]
    return float(known.sum()) if len(known) else float("nan")


def _has(home: Meters) -> Has:
    return Has(
        solar=home.has(Source.SOLAR),
        battery=home.has(Source.BATTERY),
        grid=home.has(Source.GRID),
        export=home.measures(MeasuredFlow.GRID_EXPORT),
        gas=home.gas is not None,
        water=home.water is not None,
    )


def _share(part: float, rest: float) -> float:
    whole = part + rest
    return part / whole if whole > 0 else float("nan")


def _flows(home: Meters, chosen: dict[str, Series], tallies: dict[str, Tally], edges_us: Instants) -> Flows[Energy]:
    slots = Slots.around(edges_us, chosen.values())
    for contribution in home.contributions:
        slots.add(contribution, chosen[contribution.key])
    summed = slots.balanced(edges_us)
    known = {source: slots.shared(source, edges_us) for source in Source if home.has(source)}
    for part in home.contributions:
        known[part.source] |= tallies[part.key].known > 0
    something = np.logical_or.reduce(list(known.values())) if known else np.zeros(len(edges_us) - 1, np.bool)
    columns = {"home": np.where(something, summed["home"], np.nan)}
    for name, needs in _NEEDS.items():
        present = [known[source] for source in needs if source in known]
        if len(present) < len(needs):
            columns[name] = np.zeros(len(edges_us) - 1)
        else:
            columns[name] = np.where(np.logical_and.reduce(present), summed[name], np.nan)
    return Flows(**columns)


def _device(device: Device, home: Meters, tallies: dict[str, Tally]) -> DeviceEnergy:
    values = tallies[device.key].sums()
    parent = device.parent if any(other.key == device.parent for other in home.devices) else None
    return DeviceEnergy(device.key, device.name, parent, values, total(values))


def _untracked(home: Energy, devices: Sequence[DeviceEnergy]) -> tuple[Energy, float]:
    """Return home use that no top-level device accounts for; its total is never below 0."""
    tracked = np.zeros(len(home))
    for device in devices:
        if device.parent is None:
            tracked += np.nan_to_num(device.values)
    untracked = home - tracked
    whole = total(untracked)
    return untracked, whole if np.isnan(whole) else max(whole, 0.0)


def _quantity(fluid: Fluid | None, tallies: dict[str, Tally]) -> Quantity | None:
    if fluid is None:
        return None
    columns = np.array([tallies[key].sums() for key in fluid.keys])
    unknown = np.isnan(columns).all(axis=0)
    values = np.where(unknown, np.nan, np.nansum(columns, axis=0))
    return Quantity(fluid.unit, values, total(values))


def _provenance(one: Tally, since_us: int, edges_us: Instants, until_us: int) -> tuple[Energy, NDArray[np.uint8]]:
    """Return how much is known of each interval, and how well; MISSING where a period that should be known is not."""
    from_us = since_us if one.first_us is None else min(since_us, one.first_us)
    low = np.maximum(edges_us[:-1], -(-from_us // FIVE_MINUTES_US) * FIVE_MINUTES_US)
    high = np.minimum(edges_us[1:], until_us)
    expected = np.maximum(high - low, 0) // FIVE_MINUTES_US
    worst = np.where(one.known < expected, np.uint8(Provenance.MISSING), one.worst())
    return np.maximum(one.known, expected).astype(np.float64), worst


def _worst(judged: Sequence[tuple[Energy, NDArray[np.uint8]]], count: int) -> NDArray[np.uint8]:
    """Return the worst of the Entities that take part in each interval, MISSING where none does."""
    if not judged:
        return np.full(count, Provenance.MISSING, np.uint8)
    takes_part = np.array([amount > 0 for amount, _ in judged])
    worst = np.where(takes_part, np.array([found for _, found in judged]), 0).max(axis=0)
    return np.where(takes_part.any(axis=0), worst, Provenance.MISSING).astype(np.uint8)
