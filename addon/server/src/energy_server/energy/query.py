"""The answer to "how much energy flowed between these edges": flows, devices, gas, water, and how it is known. Pure.

In:   the Entities of a Site with their roles; the sums of cells between the edges; since when each Entity is known;
      until when the worker has rolled up.
Out:  `EnergyAnswer`: one element of each column for each interval between edges; NaN = nothing known.

The balance (`balance.py`) is struck for each 5 minutes, or for the hour where only an imported hour is known of one
of its meters, and then summed. Amounts of Entities are sums of their changes, so any partition of a span gives the
same sum. So does `untracked`, as it is never clamped: it is below 0 where devices used more than the home did, also
where devices are known and the home is not. Shares and what is known are no amounts: they have no such sum.

The flows, each device, gas and water say for themselves how they are known. Where hours are enough, an hour of a
device, of gas or of water is known if its rollup is: its parts are not looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.cells import Sums
from energy_server.energy.flows import FLOWS, Flows
from energy_server.energy.meters import Device, Fluid, MeasuredFlow, Meters, Source
from energy_server.model.entity import Entity, Kind
from energy_server.model.statistic import FIVE_MINUTES_US, Provenance

type Instants = NDArray[np.int64]
type Energy = NDArray[np.float64]
type Known = NDArray[np.uint8]
"""How each interval is known, as numbers of Provenance."""


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
    provenance: Known
    total: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount of gas or water."""

    unit: str
    values: Energy
    provenance: Known
    total: float


@dataclass(frozen=True, slots=True)
class EnergyAnswer:
    """All that /api/energy says. `totals`, `untracked_total` and the shares are NaN where nothing is known.

    `provenance` is that of the flows; `untracked_provenance` that of the flows and of all devices that no other
    includes: MISSING where `untracked` has in it what one of them used unheard. `integrated`: keys whose energy is the
    integral of a power; `left_out`: keys of gas and water meters whose unit is not that of the others.
    """

    edges_us: Instants
    has: Has
    flows: Flows[Energy]
    devices: list[DeviceEnergy]
    untracked: Energy
    untracked_provenance: Known
    gas: Quantity | None
    water: Quantity | None
    integrated: list[str]
    left_out: list[str]
    provenance: Known
    totals: Flows[float]
    untracked_total: float
    self_sufficiency: float
    self_consumption: float


@dataclass(frozen=True, slots=True)
class _Judged:
    """How well each key is known in each interval: one row for each of them, and whether it takes part."""

    place: Mapping[str, int]
    found: Known
    takes_part: NDArray[np.bool]

    @classmethod
    def of(
        cls, place: Mapping[str, int], summed: Sums, since_us: Mapping[str, int], edges_us: Instants, until_us: int
    ) -> _Judged:
        """Judge by what should be known: MISSING where a period that should be known is not."""
        first_us = np.array([-(-since_us[key] // FIVE_MINUTES_US) * FIVE_MINUTES_US for key in place], np.int64)
        low = np.maximum(edges_us[:-1], first_us[:, np.newaxis])
        high = np.minimum(edges_us[1:], until_us)
        expected = np.maximum(high - low, 0) // FIVE_MINUTES_US
        found = np.where(summed.known < expected, np.uint8(Provenance.MISSING), summed.worst)
        return cls(place, found, np.maximum(summed.known, expected) > 0)

    def worst(self, keys: Sequence[str]) -> Known:
        """Return the worst of those of the keys that take part in each interval, MISSING where none does."""
        rows = [self.place[key] for key in keys]
        worst = np.where(self.takes_part[rows], self.found[rows], 0).max(axis=0, initial=0)
        return np.where(self.takes_part[rows].any(axis=0), worst, Provenance.MISSING).astype(np.uint8)


def answer(
    entities: Sequence[Entity],
    home: Meters,
    summed: Sums,
    edges_us: Instants,
    since_us: Mapping[str, int],
    until_us: int,
) -> EnergyAnswer:
    """Answer from the sums of cells, whose rows are the keys of `home`, the meters of these Entities.

    `since_us`: from then on a key is expected to be known; `until_us`: up to then every period has been rolled up, so
    what is not known by then is missing and not merely to come.
    """
    place = {key: at for at, key in enumerate(home.keys)}
    judged = _Judged.of(place, summed, since_us, edges_us, until_us)
    flows = _flows(home, summed)
    devices = [_device(device, home, summed.change[place[device.key]], judged) for device in home.devices]
    tracked = [device for device in devices if device.parent is None]
    untracked = _untracked(flows.home, tracked)
    totals = Flows(**{name: total(getattr(flows, name)) for name in FLOWS})
    return EnergyAnswer(
        edges_us=edges_us,
        has=_has(home),
        flows=flows,
        devices=devices,
        untracked=untracked,
        untracked_provenance=judged.worst([*home.balance_keys, *(device.key for device in tracked)]),
        gas=_quantity(home.gas, summed, place, judged),
        water=_quantity(home.water, summed, place, judged),
        integrated=integrated(entities, home),
        left_out=home.left_out,
        provenance=judged.worst(home.balance_keys),
        totals=totals,
        untracked_total=total(untracked),
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


def _device(device: Device, home: Meters, values: Energy, judged: _Judged) -> DeviceEnergy:
    parent = device.parent if any(other.key == device.parent for other in home.devices) else None
    return DeviceEnergy(device.key, device.name, parent, values, judged.worst([device.key]), total(values))


def _untracked(home: Energy, tracked: Sequence[DeviceEnergy]) -> Energy:
    """Return home use that no top-level device accounts for; NaN where neither the home nor a device is known."""
    columns = np.array([home, *(-device.values for device in tracked)])
    return np.where(np.isnan(columns).all(axis=0), np.nan, np.nansum(columns, axis=0))


def _quantity(fluid: Fluid | None, summed: Sums, place: Mapping[str, int], judged: _Judged) -> Quantity | None:
    if fluid is None:
        return None
    columns = summed.change[[place[key] for key in fluid.keys]]
    unknown = np.isnan(columns).all(axis=0)
    values = np.where(unknown, np.nan, np.nansum(columns, axis=0))
    return Quantity(fluid.unit, values, judged.worst(fluid.keys), total(values))
