"""Builders of homes and their Statistics, and the laws that every answer about them must keep."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy_server.energy.cells import Cells, Summing, daily, strike
from energy_server.energy.flows import FLOWS
from energy_server.energy.layout import UNITS_US, Units, layout
from energy_server.energy.meters import meters
from energy_server.energy.periods import DAY_US, Resolution, edges, to_us
from energy_server.energy.precedence import choose
from energy_server.energy.query import EnergyAnswer, answer
from energy_server.model.entity import Entity, Kind, Role, RoleAssignment, StateClass
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Provenance, StatisticColumns

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
KOLKATA = ZoneInfo("Asia/Kolkata")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
UNITS = {Kind.GAS: "m³", Kind.WATER: "m³", Kind.POWER: "W"}
SOURCES = ("solar", "battery_discharge", "grid_import")
USES = ("home", "battery_charge", "grid_export")
PARTS = {
    "solar": ("solar_to_home", "solar_to_battery", "solar_to_grid"),
    "grid_import": ("grid_to_home", "grid_to_battery"),
    "battery_discharge": ("battery_to_home", "battery_to_grid"),
}


def at(clock: str, zone: ZoneInfo = AMSTERDAM) -> int:
    """Return an instant from a local time, "2026-03-10T12:00" or "2026-03-10"."""
    return to_us(datetime.fromisoformat(clock).replace(tzinfo=zone))


@dataclass(slots=True)
class Table:
    """Statistics of one Level while they are made: rows by key."""

    rows: dict[str, list[tuple[int, float, float, Provenance]]] = field(default_factory=dict)

    def columns(self) -> StatisticColumns:
        """Return them as a store would."""
        keys = list(self.rows)
        flat = [(place, *row) for place, key in enumerate(keys) for row in sorted(self.rows[key])]
        unknown = np.full(len(flat), np.nan)
        return StatisticColumns(
            keys=keys,
            place=np.array([row[0] for row in flat], np.int32),
            start_us=np.array([row[1] for row in flat], np.int64),
            mean=unknown,
            minimum=unknown,
            maximum=unknown,
            change=np.array([row[2] for row in flat], np.float64),
            last=unknown,
            covered_s=np.array([row[3] for row in flat], np.float64),
            provenance=np.array([row[4] for row in flat], np.uint8),
        )


@dataclass(slots=True)
class Home:
    """A home with its meters, and what is known of each."""

    zone: ZoneInfo = AMSTERDAM
    since_us: int = 0
    entities: list[Entity] = field(default_factory=list)
    five: Table = field(default_factory=Table)
    hours: Table = field(default_factory=Table)
    imported: Table = field(default_factory=Table)

    def meter(
        self,
        role: Role,
        group: str,
        *,
        key: str | None = None,
        parent: str | None = None,
        state_class: StateClass = StateClass.TOTAL_INCREASING,
        kind: Kind = Kind.ENERGY,
        unit: str | None = None,
    ) -> Self:
        """Add an Entity with a role, or the role to the Entity."""
        name = key or role.value
        assignment = RoleAssignment(role, group, None, parent)
        for place, one in enumerate(self.entities):
            if one.key == name:
                self.entities[place] = replace(one, roles=(*one.roles, assignment))
                return self
        self.entities.append(
            Entity(
                site="home",
                key=name,
                entity_id=f"sensor.{name}",
                name=name,
                area=None,
                device=None,
                kind=kind,
                unit=unit or UNITS.get(kind, "kWh"),
                state_class=state_class,
                source="state",
                since_us=self.since_us,
                roles=(assignment,),
            )
        )
        return self

    def full(self) -> Self:
        """Add meters for grid, solar and battery."""
        return (
            self.meter(Role.GRID_IMPORT, "grid:0")
            .meter(Role.GRID_EXPORT, "grid:0")
            .meter(Role.SOLAR, "solar:0")
            .meter(Role.BATTERY_DISCHARGE, "battery:0")
            .meter(Role.BATTERY_CHARGE, "battery:0")
        )

    def rolled(
        self,
        key: str,
        clock: str,
        *changes: float,
        provenance: Provenance = Provenance.MEASURED,
        covered_s: float = 300.0,
    ) -> Self:
        """Add rollups of consecutive 5 minutes."""
        return self._add(self.five, key, clock, changes, FIVE_MINUTES_US, covered_s, provenance)

    def rolled_hours(
        self,
        key: str,
        clock: str,
        *changes: float,
        covered_s: float = 3600.0,
        provenance: Provenance = Provenance.MEASURED,
    ) -> Self:
        """Add rollups of consecutive hours."""
        return self._add(self.hours, key, clock, changes, HOUR_US, covered_s, provenance)

    def imported_hours(self, key: str, clock: str, *changes: float) -> Self:
        """Add imported hours."""
        return self._add(self.imported, key, clock, changes, HOUR_US, 3600.0, Provenance.STATISTICS)

    def _add(
        self,
        table: Table,
        key: str,
        clock: str,
        changes: Sequence[float],
        period_us: int,
        covered_s: float,
        provenance: Provenance,
    ) -> Self:
        start_us = at(clock, self.zone)
        rows = table.rows.setdefault(key, [])
        rows += [(start_us + n * period_us, change, covered_s, provenance) for n, change in enumerate(changes)]
        return self

    def ask(self, since: str, until: str, resolution: Resolution, now: str | None = None) -> EnergyAnswer:
        """Ask for the energy between local times, and check the laws."""
        start_us, end_us = at(since, self.zone), at(until, self.zone)
        now_us = end_us if now is None else at(now, self.zone)
        answers = {
            finer: self._ask(edges(start_us, end_us, finer, self.zone), now_us)
            for finer in (Resolution.FIVE_MINUTES, Resolution.HOUR, Resolution.DAY, Resolution.TOTAL, resolution)
        }
        for one in answers.values():
            _sources_equal_uses(one)
            _shares_are_parts(one)
            _totals_are_sums(one)
        for finer in answers.values():
            _partitions_agree(finer, answers[Resolution.TOTAL])
        return answers[resolution]

    def _ask(self, edges_us: NDArray[np.int64], now_us: int) -> EnergyAnswer:
        home = meters(self.entities)
        summing = Summing(len(home.keys), edges_us)
        for cell_us, units in layout(edges_us).items():
            if len(units):
                summing.add(self.cells(cell_us, units))
        return answer(self.entities, home, summing.sums(), edges_us, self._since(), now_us)

    def cells(self, cell_us: int, units: Units) -> Cells:
        """Strike cells: balanced Entities by 5 minutes, others too if edges lie inside UTC hours."""
        home = meters(self.entities)
        five, hours = self.five, self._hours()
        if cell_us >= HOUR_US:
            five = Table({key: rows for key, rows in five.rows.items() if key in home.balance_keys})
        chosen = choose(home.keys, five.columns(), hours.columns(), self.imported.columns())
        first, last = (int(unit) * UNITS_US[cell_us] // HOUR_US for unit in (units[0], units[-1] + 1))
        known = [rows.start_us for one in chosen.series.values() for rows in (one.five, one.hours) if len(rows)]
        if known:
            first = max(first, min(int(starts[0]) for starts in known) // HOUR_US)
            last = min(last, max(int(starts[-1]) for starts in known) // HOUR_US + 1)
        borders_us = np.arange(first * HOUR_US, last * HOUR_US + 1, min(cell_us, HOUR_US), dtype=np.int64)
        if len(borders_us) < 2:
            return Cells.nothing(len(home.keys))
        struck = strike(home, chosen.series, borders_us)
        return (daily(struck) if cell_us == DAY_US else struck).of(units, UNITS_US[cell_us])

    def _hours(self) -> Table:
        """Return rollups of hours: those of the test, and the sums of the 5 minutes, as the worker writes them."""
        table = Table({key: list(rows) for key, rows in self.hours.rows.items()})
        for key, rows in self.five.rows.items():
            by_hour: dict[int, list[tuple[int, float, float, Provenance]]] = {}
            for row in rows:
                by_hour.setdefault(row[0] // HOUR_US * HOUR_US, []).append(row)
            table.rows[key] = [_hour(start_us, parts) for start_us, parts in sorted(by_hour.items())]
        return table

    def _since(self) -> dict[str, int]:
        """Return since when each meter is known: its first row, or when listening began."""
        tables = (self.five, self.hours, self.imported)
        return {
            one.key: min([one.since_us, *(row[0] for table in tables for row in table.rows.get(one.key, []))])
            for one in self.entities
        }


def _hour(start_us: int, parts: Sequence[tuple[int, float, float, Provenance]]) -> tuple[int, float, float, Provenance]:
    known = [part for part in parts if not np.isnan(part[1])]
    change = sum(part[1] for part in known) if known else float("nan")
    worst = max((part[3] for part in known), default=Provenance.MISSING)
    return start_us, change, sum(part[2] for part in parts), worst


def _sources_equal_uses(one: EnergyAnswer) -> None:
    known = ~np.isnan(one.flows.home)
    sources = sum(np.nan_to_num(getattr(one.flows, name)) for name in SOURCES)
    uses = sum(np.nan_to_num(getattr(one.flows, name)) for name in USES)
    np.testing.assert_allclose(np.asarray(sources)[known], np.asarray(uses)[known], atol=1e-9)


def _shares_are_parts(one: EnergyAnswer) -> None:
    flows = {name: np.nan_to_num(getattr(one.flows, name)) for name in FLOWS}
    for name, column in flows.items():
        if "_to_" in name:
            assert (column >= 0).all(), name
    for source, parts in PARTS.items():
        if len(one.edges_us) < 2 or one.edges_us[1] - one.edges_us[0] > FIVE_MINUTES_US:
            continue  # summed, negative energy of some minutes may outweigh the shares of others
        shared = sum(flows[part] for part in parts)
        assert (shared <= np.maximum(flows[source], 0) + 1e-9).all(), source


def _totals_are_sums(one: EnergyAnswer) -> None:
    for name in FLOWS:
        column, total = getattr(one.flows, name), getattr(one.totals, name)
        assert np.isnan(column).all() if np.isnan(total) else abs(float(np.nansum(column)) - total) < 1e-9
    for values, total in _amounts(one):
        assert np.isnan(values).all() if np.isnan(total) else abs(float(np.nansum(values)) - total) < 1e-9


def _partitions_agree(finer: EnergyAnswer, whole: EnergyAnswer) -> None:
    """What was measured is the same in any partition of the span, and so is who fed whom."""
    for name in FLOWS:
        one, other = getattr(finer.totals, name), getattr(whole.totals, name)
        np.testing.assert_allclose(np.nan_to_num(one), np.nan_to_num(other), atol=1e-9, err_msg=name)
    for (_, fine), (_, coarse) in zip(_amounts(finer), _amounts(whole), strict=True):
        np.testing.assert_allclose(np.nan_to_num(fine), np.nan_to_num(coarse), atol=1e-9)


def _amounts(one: EnergyAnswer) -> list[tuple[NDArray[np.float64], float]]:
    """Return the columns besides the flows, and their totals."""
    columns = [(device.values, device.total) for device in one.devices]
    columns += [(fluid.values, fluid.total) for fluid in (one.gas, one.water) if fluid]
    return [*columns, (one.untracked, one.untracked_total)]
