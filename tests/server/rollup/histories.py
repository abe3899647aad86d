"""Builders of what an Entity lived through, and the laws that every rollup of it must keep.

`History` is written like a diary (`at("10:00", 5.0)`, `unavailable("10:20")`, `covered("10:00", "12:00")`); `rollup`
makes its Statistics and checks, whatever the test is about: energy is conserved over any partition, slices of a span
give the same rows as the span in one go, and the slow exact oracle agrees.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from energy_server.energy.periods import to_us
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity, Kind, StateClass
from energy_server.model.reading import NO_RESET, Origin, ReadingSlice
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Provenance, StatisticColumns
from energy_server.rollup.accumulate import accumulate, hours, is_counter
from energy_server.rollup.counter import usable
from tests.server.rollup.oracle import Exact, close, exact_rows

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
S = 1_000_000
MIN = 60 * S
UNITS = {Kind.ENERGY: "kWh", Kind.POWER: "W", Kind.GAS: "m³", Kind.WATER: "m³", Kind.PRICE: "EUR/kWh"}


def us(clock: str, day: str = "2026-03-10") -> int:
    """Return an instant of a day in UTC, from "10:00" or "10:00:05"."""
    return to_us(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC))


def entity(
    kind: Kind = Kind.ENERGY,
    state_class: StateClass | None = StateClass.TOTAL_INCREASING,
    key: str = "meter",
    **more: object,
) -> Entity:
    """Return an Entity of a kind."""
    made = Entity(
        site="home",
        key=key,
        entity_id=f"sensor.{key}",
        name=key,
        area=None,
        device=None,
        kind=kind,
        unit=UNITS.get(kind, "?"),
        state_class=state_class,
        source="state",
        since_us=0,
    )
    return replace(made, **more)  # type: ignore[arg-type]


RISING = entity()
TOTAL = entity(state_class=StateClass.TOTAL)
POWER = entity(Kind.POWER, StateClass.MEASUREMENT)


@dataclass(frozen=True, slots=True)
class Row:
    """One reading."""

    ts_us: int
    value: float | None
    reset_us: int | None = None
    origin: Origin = Origin.LIVE


@dataclass(slots=True)
class History:
    """What happened to one Entity, and what of it Coverage knows."""

    entity: Entity = RISING
    zone: ZoneInfo = AMSTERDAM
    day: str = "2026-03-10"
    rows: list[Row] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    spread_max_us: int = HOUR_US

    def at(self, clock: str, value: float | None, *, reset: str | None = None, origin: Origin = Origin.LIVE) -> Self:
        """Add a reading."""
        self.rows.append(Row(us(clock, self.day), value, None if reset is None else us(reset, self.day), origin))
        return self

    def unavailable(self, clock: str) -> Self:
        """Add a null."""
        return self.at(clock, None)

    def covered(self, since: str, until: str) -> Self:
        """Add a span of Coverage."""
        self.spans.append(Span(us(since, self.day), us(until, self.day)))
        return self

    def readings(self) -> ReadingSlice:
        """Return the readings as a store would."""
        return columns_of(sorted(self.rows, key=lambda row: row.ts_us))

    def hours(self, since: str, until: str) -> StatisticColumns:
        """Return the Statistics of the hours of a span of the day, as the worker makes them; the laws are checked."""
        start_us, end_us = us(since, self.day), us(until, self.day)
        return hourly(self, start_us, end_us)

    def rollup(self, since: str, until: str) -> Rolled:
        """Return the Statistics of a span of the day."""
        return rollup(self, us(since, self.day), us(until, self.day))


@dataclass(frozen=True, slots=True)
class Rolled:
    """Statistics of one Entity, asked for by the clock."""

    columns: StatisticColumns
    day: str

    def change(self, since: str, until: str) -> float:
        """Return what is known of the change between two times of the day."""
        return float(np.nansum(self.columns.change[self._rows(since, until)]))

    def known(self, clock: str) -> bool:
        """Say whether the change of the period is known."""
        change = self.columns.change[self._rows_of(clock)]
        return len(change) == 1 and not np.isnan(change[0])

    def value(self, column: str, clock: str) -> float:
        """Return a value of the period that begins then."""
        (value,) = getattr(self.columns, column)[self._rows_of(clock)]
        return float(value)

    def provenance(self, since: str, until: str) -> set[Provenance]:
        """Return how the periods between two times are known, `MISSING` where one has no row."""
        found = {Provenance(int(one)) for one in self.columns.provenance[self._rows(since, until)]}
        expected = (us(until, self.day) - us(since, self.day)) // FIVE_MINUTES_US
        return (
            found if len(self.columns.start_us[self._rows(since, until)]) == expected else found | {Provenance.MISSING}
        )

    def _rows(self, since: str, until: str) -> np.ndarray:
        starts = self.columns.start_us
        return np.asarray((starts >= us(since, self.day)) & (starts < us(until, self.day)))

    def _rows_of(self, clock: str) -> np.ndarray:
        return np.asarray(self.columns.start_us == us(clock, self.day))


def columns_of(rows: Sequence[Row]) -> ReadingSlice:
    """Return rows as columns."""
    return ReadingSlice(
        ts_us=np.array([row.ts_us for row in rows], np.int64),
        value=np.array([np.nan if row.value is None else row.value for row in rows], np.float64),
        reset_us=np.array([NO_RESET if row.reset_us is None else row.reset_us for row in rows], np.int64),
        origin=np.array([row.origin for row in rows], np.uint8),
    )


def cut_out(readings: ReadingSlice, counts: np.ndarray, start_us: int, end_us: int) -> ReadingSlice:
    """Return the readings of a span with the last one that counts before and the first one after it."""
    before = np.flatnonzero(counts & (readings.ts_us < start_us))
    after = np.flatnonzero(counts & (readings.ts_us >= end_us))
    low = before[-1] if len(before) else 0
    high = after[0] + 1 if len(after) else len(readings)
    return ReadingSlice(
        readings.ts_us[low:high], readings.value[low:high], readings.reset_us[low:high], readings.origin[low:high]
    )


def clipped(spans: Sequence[Span], since_us: int, until_us: int) -> list[Span]:
    """Return what of the spans lies between."""
    found = [Span(max(span.since_us, since_us), min(span.until_us, until_us)) for span in spans]
    return [span for span in found if span.since_us < span.until_us]


def rollup(history: History, start_us: int, end_us: int) -> Rolled:
    """Return the Statistics of a span, after checking the laws."""
    readings = history.readings()
    whole = _accumulated(history, readings, history.spans, start_us, end_us)
    _slices_give_the_same(history, readings, start_us, end_us, whole)
    exact = exact_rows(history, start_us, end_us)
    _agrees_with(exact, whole)
    _energy_is_conserved(exact, whole, start_us, end_us)
    return Rolled(whole, history.day)


def hourly(history: History, start_us: int, end_us: int) -> StatisticColumns:
    """Return the Statistics of hours of a span that begins and ends with one, after checking the laws."""
    five = rollup(history, start_us, end_us).columns
    known = (history.entity, history.readings(), history.spans, start_us, end_us, history.zone, history.spread_max_us)
    made = hours(five, None if is_counter(history.entity) else accumulate(*known, HOUR_US))
    exact = exact_rows(history, start_us, end_us, HOUR_US)
    assert made.start_us.tolist() == sorted(exact)
    for place, hour_us in enumerate(made.start_us.tolist()):
        wanted = exact[hour_us]
        for name, column in (("mean", made.mean), ("change", made.change), ("minimum", made.minimum)):
            assert close(_known(column[place]), getattr(wanted, name)), f"{name} of {to_clock(hour_us)}"
    return made


def _accumulated(
    history: History, readings: ReadingSlice, spans: Sequence[Span], start_us: int, end_us: int
) -> StatisticColumns:
    return accumulate(history.entity, readings, spans, start_us, end_us, history.zone, history.spread_max_us)


def _slices_give_the_same(
    history: History, readings: ReadingSlice, start_us: int, end_us: int, whole: StatisticColumns
) -> None:
    """A slice needs its own readings, the neighbours and the Coverage between them, and gives the same bits."""
    counts = usable(history.entity, readings)
    periods = (end_us - start_us) // FIVE_MINUTES_US
    for pieces in (2, 3, 7):
        borders = [start_us + FIVE_MINUTES_US * (periods * at // pieces) for at in range(pieces + 1)]
        for low, high in pairwise(borders):
            near = cut_out(readings, counts, low, high)
            since = min(low, int(near.ts_us[0])) if len(near) else low
            until = max(high, int(near.ts_us[-1])) if len(near) else high
            part = _accumulated(history, near, clipped(history.spans, since, until), low, high)
            rows = (whole.start_us >= low) & (whole.start_us < high)
            for column in ("start_us", "mean", "minimum", "maximum", "change", "last", "covered_s", "provenance"):
                np.testing.assert_array_equal(getattr(part, column), getattr(whole, column)[rows], err_msg=column)


def _agrees_with(exact: dict[int, Exact], whole: StatisticColumns) -> None:
    assert whole.start_us.tolist() == sorted(exact)
    for place, start_us in enumerate(whole.start_us.tolist()):
        wanted = exact[start_us]
        got = Exact(
            change=_known(whole.change[place]),
            mean=_known(whole.mean[place]),
            minimum=_known(whole.minimum[place]),
            maximum=_known(whole.maximum[place]),
            last=_known(whole.last[place]),
            covered_s=float(whole.covered_s[place]),
            provenance=Provenance(int(whole.provenance[place])),
        )
        assert got.close_to(wanted), f"{to_clock(start_us)}: {got} is not {wanted}"


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _energy_is_conserved(exact: dict[int, Exact], whole: StatisticColumns, start_us: int, end_us: int) -> None:
    """The sum of any partition of the span equals the span."""
    amounts = {row: float(exact[row].change or 0) for row in exact}
    scale = max(1.0, sum(map(abs, amounts.values())))
    for period_us in (FIVE_MINUTES_US, HOUR_US, 7 * FIVE_MINUTES_US, end_us - start_us):
        for low in range(start_us, end_us, period_us):
            rows = (whole.start_us >= low) & (whole.start_us < low + period_us)
            wanted = sum(amount for row, amount in amounts.items() if low <= row < low + period_us)
            assert abs(float(np.nansum(whole.change[rows])) - wanted) <= 1e-9 * scale


def to_clock(ts_us: int) -> str:
    """Return an instant for a message."""
    return datetime.fromtimestamp(ts_us / S, UTC).isoformat()
