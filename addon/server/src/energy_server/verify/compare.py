"""Judge what is stored of an Entity by what Home Assistant's recorder holds. Pure.

In:   both lists of readings.
Out:  what is missing, different, or extra, each extra with the reason why Home Assistant may lack it.

That readings are extra is no fault of the record. Those that nothing explains are counted by themselves: Home
Assistant lost them (its queue overflowed, somebody deleted states), or never had them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isclose

from energy_server.verify.recorder import End, RecordedReading, Unwritten
from energy_server.verify.units import scale

CLOSE = 1e-12
"""Relative: the same factor may be applied in another order."""

type Stored = Mapping[int, float | None]


class Reason(StrEnum):
    """Why Home Assistant lacks a reading that is stored."""

    NOT_RECORDED = "Home Assistant does not record this entity"
    PURGED = "older than what Home Assistant still has of it"
    KILLED = "Home Assistant was killed before it wrote it"
    STOPPED = "Home Assistant's recorder had stopped already"
    PENDING = "Home Assistant has not written it yet"
    UNEXPLAINED = "Home Assistant lacks it, and nothing tells why"


_AT_THE_END = {End.KILLED: Reason.KILLED, End.CLOSED: Reason.STOPPED, End.OPEN: Reason.PENDING}


@dataclass(frozen=True, slots=True)
class History:
    """What the recorder's history of an entity looks like: its oldest state, and where it may lack what it heard."""

    oldest_us: int | None
    unwritten: Sequence[Unwritten]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for one Entity; `unknown_units` are those whose values could not be compared."""

    recorded: int
    stored: int
    missing: Sequence[int]
    different: Sequence[tuple[int, float | None, float | None]]
    extra: Mapping[Reason, int]
    unknown_units: frozenset[str]

    @property
    def good(self) -> bool:
        """Say whether all that Home Assistant has is stored as it is."""
        return not self.missing and not self.different


def verdict(recorded: Sequence[RecordedReading], stored: Stored, canonical: str, history: History) -> Verdict:
    """Compare; `stored` maps each instant to its value in the canonical unit."""
    instants = {reading.ts_us for reading in recorded}
    unknown: set[str] = set()
    different: list[tuple[int, float | None, float | None]] = []
    for reading in recorded:
        if reading.ts_us not in stored:
            continue
        unit = reading.unit or canonical
        factor = scale(unit, canonical)
        if reading.value is not None and factor is None:
            unknown.add(unit)
        elif not _same(wanted := _value(reading.value, factor), found := stored[reading.ts_us]):
            different.append((reading.ts_us, wanted, found))
    return Verdict(
        recorded=len(recorded),
        stored=len(stored),
        missing=[reading.ts_us for reading in recorded if reading.ts_us not in stored],
        different=different,
        extra=Counter(_reason(instant, history) for instant in stored if instant not in instants),
        unknown_units=frozenset(unknown),
    )


def _value(value: float | None, factor: tuple[float, float] | None) -> float | None:
    return None if value is None or factor is None else value * factor[0] + factor[1]


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)


def _reason(instant_us: int, history: History) -> Reason:
    if history.oldest_us is None:
        return Reason.NOT_RECORDED
    if instant_us < history.oldest_us:
        return Reason.PURGED
    ends = (one.end for one in history.unwritten if one.span.since_us <= instant_us < one.span.until_us)
    return next((_AT_THE_END[end] for end in ends), Reason.UNEXPLAINED)
