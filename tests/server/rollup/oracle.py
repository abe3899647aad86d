"""The rules of energy once more: slow, exact, and written from the specification, not from the code that it checks.

No numpy and no floats: times are integers, amounts are fractions, and every period looks at every pair of readings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from energy_server.model.entity import Kind, StateClass
from energy_server.model.reading import Origin
from energy_server.model.statistic import FIVE_MINUTES_US, Provenance

if TYPE_CHECKING:
    from tests.server.rollup.histories import History, Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SMALL_HOLE_US = 300_000_000


@dataclass(frozen=True, slots=True)
class Exact:
    """What the Statistics of one period must be."""

    change: float | Fraction | None
    mean: float | Fraction | None
    minimum: float | None
    maximum: float | None
    last: float | None
    covered_s: float
    provenance: Provenance

    def close_to(self, other: Exact) -> bool:
        """Compare up to the rounding of floats."""
        return (
            close(self.change, other.change)
            and close(self.mean, other.mean)
            and (self.minimum, self.maximum, self.last) == (other.minimum, other.maximum, other.last)
            and math.isclose(self.covered_s, other.covered_s, abs_tol=1e-9)
            and self.provenance == other.provenance
        )


def close(one: float | Fraction | None, other: float | Fraction | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-9)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two consecutive readings that count: the amount, from when it flowed, how that is known."""

    since_us: int
    until_us: int
    flows_from_us: int
    amount: Fraction
    provenance: Provenance

    def within(self, start_us: int, end_us: int) -> Fraction:
        overlap = min(self.until_us, end_us) - max(self.flows_from_us, start_us)
        return self.amount * Fraction(max(overlap, 0), self.until_us - self.flows_from_us)

    def touches(self, start_us: int, end_us: int) -> bool:
        return self.since_us < end_us and self.until_us > start_us


def exact_rows(history: History, start_us: int, end_us: int, period_us: int = FIVE_MINUTES_US) -> dict[int, Exact]:
    """Return what the Statistics of 5 minutes, or of other periods, must be, by the start of their period."""
    counter = history.entity.counter and history.entity.kind in (Kind.ENERGY, Kind.GAS, Kind.WATER)
    spans = _merged(history)
    rows = sorted(history.rows, key=lambda row: row.ts_us)
    period = _counted(history, rows, spans) if counter else _weighed(history, rows, spans)
    found = {}
    for start in range(start_us, end_us, period_us):
        row = period(start, start + period_us)
        if row.covered_s > 0 or row.change is not None or row.mean is not None:
            found[start] = row
    return found


def _merged(history: History) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for span in sorted(history.spans):
        if merged and span.since_us <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], span.until_us))
        else:
            merged.append((span.since_us, span.until_us))
    return merged


def _covered_s(spans: list[tuple[int, int]], start_us: int, end_us: int) -> float:
    return sum(max(0, min(until, end_us) - max(since, start_us)) for since, until in spans) / 1e6


def _worst(provenances: list[Provenance]) -> Provenance:
    return max(provenances, default=Provenance.MEASURED)


# Counters


def _counted(history: History, rows: list[Row], spans: list[tuple[int, int]]) -> Callable[[int, int], Exact]:
    rising = history.entity.state_class is StateClass.TOTAL_INCREASING
    counting = [row for row in rows if row.value is not None and not (rising and row.value < 0)]
    nulls = [row.ts_us for row in rows if row.value is None]
    pairs = [_pair(history, a, b, nulls, spans) for a, b in pairwise(counting)]
    known_spans = [(pair.since_us, pair.until_us) for pair in pairs]
    if counting:
        stands_until = _stands_until(counting[-1], nulls, spans)
        known_spans += [(max(since, counting[-1].ts_us), min(until, stands_until)) for since, until in spans]

    def period(start: int, end: int) -> Exact:
        known = any(since < until and since < end and until > start for since, until in known_spans)
        heard = [row.value for row in counting if row.ts_us <= end]
        return Exact(
            change=sum((pair.within(start, end) for pair in pairs), Fraction(0)) if known else None,
            mean=None,
            minimum=None,
            maximum=None,
            last=heard[-1] if heard else None,
            covered_s=_covered_s(spans, start, end),
            provenance=_worst([pair.provenance for pair in pairs if pair.touches(start, end)])
            if known
            else Provenance.MISSING,
        )

    return period


def _stands_until(last: Row, nulls: list[int], spans: list[tuple[int, int]]) -> int:
    ends = [until for _, until in spans if until > last.ts_us]
    until = ends[0] if ends else last.ts_us
    return min([until, *(null for null in nulls if null > last.ts_us)])


def _pair(history: History, a: Row, b: Row, nulls: list[int], spans: list[tuple[int, int]]) -> _Pair:
    assert a.value is not None
    assert b.value is not None
    rising = history.entity.state_class is StateClass.TOTAL_INCREASING
    listened = any(since < b.ts_us <= until for since, until in spans) and not any(
        a.ts_us < until < b.ts_us for _, until in spans
    )
    available = not any(a.ts_us < null < b.ts_us for null in nulls)
    reset = b.value < 0.9 * a.value if rising else b.reset_us is not None and b.reset_us != a.reset_us
    amount = Fraction(b.value) if reset else Fraction(b.value) - Fraction(a.value)
    flows_from = _reset_instant(a, b, history.zone) if reset else a.ts_us
    if listened and available:
        flows_from = max(flows_from, b.ts_us - history.spread_max_us)
    certain = listened and (available or (rising and float(b.value) == (0.0 if reset else float(a.value))))
    measured = Provenance.MEASURED if b.origin is Origin.LIVE else Provenance.BACKFILLED
    return _Pair(a.ts_us, b.ts_us, flows_from, amount, measured if certain else Provenance.INTERPOLATED)


def _reset_instant(a: Row, b: Row, zone: ZoneInfo) -> int:
    if b.reset_us is not None and b.reset_us < b.ts_us:
        return max(b.reset_us, a.ts_us)
    day = (EPOCH + timedelta(microseconds=b.ts_us)).astimezone(zone).date() + timedelta(days=1)
    while True:
        midnight = (datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) - EPOCH) // timedelta(
            microseconds=1
        )
        if midnight <= a.ts_us:
            return a.ts_us
        if midnight < b.ts_us:
            return midnight
        day -= timedelta(days=1)


# Gauges


@dataclass(frozen=True, slots=True)
class _Hold:
    """A value that was in force; `guessed`: partly without Coverage."""

    value: float
    since_us: int
    until_us: int
    provenance: Provenance

    def within(self, start_us: int, end_us: int) -> int:
        return max(0, min(self.until_us, end_us) - max(self.since_us, start_us))


def _weighed(history: History, rows: list[Row], spans: list[tuple[int, int]]) -> Callable[[int, int], Exact]:
    holds = [_hold(row, after, spans) for row, after in pairwise([*rows, None]) if row]

    def period(start: int, end: int) -> Exact:
        parts = [(hold, hold.within(start, end)) for hold in holds if hold and hold.within(start, end)]
        values = [hold.value for hold, _ in parts]
        weighted = sum((Fraction(hold.value) * length for hold, length in parts), Fraction(0))
        return Exact(
            change=weighted / (3600 * 1000 * 1_000_000) if parts and history.entity.kind is Kind.POWER else None,
            mean=weighted / sum(length for _, length in parts) if parts else None,
            minimum=min(values, default=None),
            maximum=max(values, default=None),
            last=values[-1] if values else None,
            covered_s=_covered_s(spans, start, end),
            provenance=_worst([hold.provenance for hold, _ in parts]) if parts else Provenance.MISSING,
        )

    return period


def _hold(row: Row, after: Row | None, spans: list[tuple[int, int]]) -> _Hold | None:
    if row.value is None:
        return None
    following = after.ts_us if after else 2**62
    first = next(((since, until) for since, until in spans if until > row.ts_us), None)
    since, until = (max(row.ts_us, first[0]), min(following, first[1])) if first else (following, following)
    if after and after.ts_us - row.ts_us <= SMALL_HOLE_US and (since > row.ts_us or until < following):
        return _Hold(row.value, row.ts_us, following, Provenance.INTERPOLATED)
    measured = Provenance.MEASURED if row.origin is Origin.LIVE else Provenance.BACKFILLED
    return _Hold(row.value, since, until, measured) if since < until else None
