"""The answer to "how much energy flowed between these edges": flows, devices, gas, water, and how it is known. Pure.

In:   the Entities of a Site with their roles; the cells of the span; the edges; since when each Entity is known, until
      when the worker has rolled up.
Out:  `EnergyAnswer`: one element of each column for each interval between edges; NaN = nothing known.

The balance (`balance.py`) is struck for each 5 minutes, or for the hour where only an imported hour is known of one
of its meters, and then summed. Amounts of Entities are sums of their changes, so any partition of a span gives the
same sum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.cells import Cells, Sums, sums
from energy_server.energy.flows import FLOWS, Flows
from energy_server.energy.meters import Device, Fluid, MeasuredFlow, Meters, Source
from energy_server.model.entity import Entity, Kind
from energy_server.model.statistic import FIVE_MINUTES_US, Provenance

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
    """All that /api/energy says. `totals`, `untracked_total` and the shares are NaN where nothing is known.

    `integrated`: keys whose energy is the integral of a power.
    """

    edges_us: Instants
    has: Has
    flows: Flows[Energy]
    devices: list[DeviceEnergy]
    untracked: Energy
    gas: Quantity | None
    water: Quantity | None
    integrated: list[str]
    provenance: NDArray[np.uint8]
    totals: Flows[float]
    untracked_total: float
    self_sufficiency: float
    self_consumption: float


def answer(
    entities: Sequence[Entity],
    home: Meters,
    cells: Cells,
    edges_us: Instants,
    since_us: Mapping[str, int],
    until_us: int,
) -> EnergyAnswer:
    """Answer from the cells of the span, whose keys are those of `home`, the meters of these Entities.

    `since_us`: from then on a key is expected to be known; `until_us`: up to then every period has been rolled up, so
    what is not known by then is missing and not merely to come.
    """
    summed = sums(cells, edges_us)
    place = {key: at for at, key in enumerate(home.keys)}
    flows = _flows(home, summed)
    devices = [_device(device, home, summed.change[place[device.key]]) for device in home.devices]
    untracked, untracked_total = _untracked(flows.home, devices)
    totals = Flows(**{name: total(getattr(flows, name)) for name in FLOWS})
    judged = home.balance_keys or home.other_keys
    provenance = [
        _provenance(summed.known[place[key]], summed.worst[place[key]], since_us[key], edges_us, until_us)
        for key in judged
    ]
    return EnergyAnswer(
        edges_us=edges_us,
        has=_has(home),
        flows=flows,
        devices=devices,
        untracked=untracked,
        gas=_quantity(home.gas, summed, place),
        water=_quantity(home.water, summed, place),
        integrated=integrated(entities, home),
        provenance=_worst(provenance, len(edges_us) - 1),
        totals=totals,
        untracked_total=untracked_total,
        self_sufficiency=_share(totals.solar_to_home + totals.battery_to_home, totals.grid_to_home),
        self_consumption=_share(totals.solar_to_home + totals.solar_to_battery, totals.solar_to_grid),
    )


def integrated(entities: Sequence[Entity], home: Meters) -> list[str]:
    """Return the keys whose energy is the integral of a power, because nothing counts it."""
    needed = set(home.keys)
    return [entity.key for entity in entities if entity.key in needed and entity.kind is Kind.POWER]


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


def _flows(home: Meters, summed: Sums) -> Flows[Energy]:
    columns = dict(zip(FLOWS, summed.flows, strict=True))
    known = {source: row for source, row in zip(Source, summed.heard, strict=True) if home.has(source)}
    nowhere = np.zeros(summed.heard.shape[1], np.bool)
    something = np.logical_or.reduce([nowhere, *known.values()])
    columns["home"] = np.where(something, columns["home"], np.nan)
    for name, needs in _NEEDS.items():
        present = [known[source] for source in needs if source in known]
        if len(present) < len(needs):
            columns[name] = np.zeros(len(nowhere))
        else:
            columns[name] = np.where(np.logical_and.reduce(present), columns[name], np.nan)
    return Flows(**columns)


def _device(device: Device, home: Meters, values: Energy) -> DeviceEnergy:
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


def _quantity(fluid: Fluid | None, summed: Sums, place: Mapping[str, int]) -> Quantity | None:
    if fluid is None:
        return None
    columns = summed.change[[place[key] for key in fluid.keys]]
    unknown = np.isnan(columns).all(axis=0)
    values = np.where(unknown, np.nan, np.nansum(columns, axis=0))
    return Quantity(fluid.unit, values, total(values))


def _provenance(
    known: NDArray[np.int64], worst: NDArray[np.uint8], since_us: int, edges_us: Instants, until_us: int
) -> tuple[Energy, NDArray[np.uint8]]:
    """Return how much is known of each interval, and how well; MISSING where a period that should be known is not."""
    low = np.maximum(edges_us[:-1], -(-since_us // FIVE_MINUTES_US) * FIVE_MINUTES_US)
    high = np.minimum(edges_us[1:], until_us)
    expected = np.maximum(high - low, 0) // FIVE_MINUTES_US
    judged = np.where(known < expected, np.uint8(Provenance.MISSING), worst)
    return np.maximum(known, expected).astype(np.float64), judged


def _worst(judged: Sequence[tuple[Energy, NDArray[np.uint8]]], count: int) -> NDArray[np.uint8]:
    """Return the worst of the Entities that take part in each interval, MISSING where none does."""
    if not judged:
        return np.full(count, Provenance.MISSING, np.uint8)
    takes_part = np.array([amount > 0 for amount, _ in judged])
    worst = np.where(takes_part, np.array([found for _, found in judged]), 0).max(axis=0)
    return np.where(takes_part.any(axis=0), worst, Provenance.MISSING).astype(np.uint8)
