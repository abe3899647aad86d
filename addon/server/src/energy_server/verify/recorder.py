"""What Home Assistant's recorder holds of an Entity, read from its database file.

In:   the file (SQLite, read only; Home Assistant may be running), an entity_id, a span.
Out:  the readings that its states stand for: instants in epoch microseconds, values in the entity's own unit.
Failures: RecorderFileError, whose message says what is wrong with the file.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from math import isfinite
from pathlib import Path

from energy_server.model.coverage import Span

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONGEST_NUMBER = 64
NULL_STATES = frozenset({None, "", "unavailable", "unknown"})

STATES = """
SELECT s.state, s.last_updated_ts, s.last_reported_ts, a.shared_attrs
FROM states s
JOIN states_meta m ON s.metadata_id = m.metadata_id
LEFT JOIN state_attributes a ON s.attributes_id = a.attributes_id
WHERE m.entity_id = ? AND s.last_updated_ts BETWEEN ? AND ?
ORDER BY s.last_updated_ts, s.state_id
"""
OLDEST = """
SELECT min(s.last_updated_ts) FROM states s JOIN states_meta m ON s.metadata_id = m.metadata_id WHERE m.entity_id = ?
"""
BEFORE = f"{OLDEST.replace('min', 'max')} AND s.last_updated_ts < ?"
AFTER = f"{OLDEST} AND s.last_updated_ts > ?"
NEWEST = "SELECT max(s.last_updated_ts) FROM states s WHERE s.last_updated_ts >= ? AND s.last_updated_ts < ?"
NEWEST_OF = f"{OLDEST.replace('min', 'max')} AND s.last_updated_ts BETWEEN ? AND ?"
RUNS = "SELECT start, end, closed_incorrect FROM recorder_runs ORDER BY start"
FOREVER_S = 1e11

UNWRITTEN_US = 60_000_000
"""The recorder's longest usual commit interval: how much may have been heard and not been written when it ended."""


class RecorderFileError(Exception):
    """The file is no recorder's database, or cannot be read."""


@dataclass(frozen=True, slots=True)
class RecordedReading:
    """A state as a reading; `unit` is the state's own, None where it has none."""

    ts_us: int
    value: float | None
    unit: str | None


class End(Enum):
    """How a run of the recorder ended."""

    CLOSED = auto()
    KILLED = auto()
    OPEN = auto()
    """It goes on, or it was killed and Home Assistant did not start since."""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A span in which Home Assistant may have heard what its recorder had no time to write."""

    span: Span
    end: End


def ts_us(timestamp: float) -> int:
    """Return the instant of a timestamp: through datetime, since rounding the float differs for one in eight."""
    return (datetime.fromtimestamp(timestamp, UTC) - EPOCH) // MICROSECOND


class RecorderFile:
    """An open database of Home Assistant's recorder."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def oldest_us(self, entity_id: str) -> int | None:
        """Return the instant of the oldest state, None for an entity that is not recorded."""
        found = self._connection.execute(OLDEST, (entity_id,)).fetchone()[0]
        return None if found is None else ts_us(found)

    def unwritten(self, entity_id: str, *, counter: bool) -> list[Unwritten]:
        """Return the spans at the ends of runs of which an entity may lack states.

        A run that was killed gets its end at the next start, which says nothing: it ended with the last state of all,
        or soon after. What a counter was confirmed by is written with its next state only, however long after.
        """
        return [self._unwritten(entity_id, *run, counter=counter) for run in self._connection.execute(RUNS).fetchall()]

    def _unwritten(self, entity_id: str, start: str, end: str | None, killed: object, *, counter: bool) -> Unwritten:
        start_s, next_s = _stored_s(start), FOREVER_S if end is None else _stored_s(end)
        how = End.OPEN if end is None else End.KILLED if killed else End.CLOSED
        ended_s = next_s if how is End.CLOSED else self._newest(NEWEST, start_s, next_s)
        since_s = self._newest(NEWEST_OF, entity_id, start_s, ended_s) if counter else ended_s
        until_us = ts_us(ended_s) + UNWRITTEN_US
        return Unwritten(Span(ts_us(since_s), min(until_us, ts_us(next_s)) if how is End.KILLED else until_us), how)

    def _newest(self, question: str, *parameters: str | float) -> float:
        """Return the instant of the newest state of a run, the run's start where it has none."""
        (found,) = self._connection.execute(question, parameters).fetchone()
        return float(parameters[-2]) if found is None else float(found)

    def readings(self, entity_id: str, span: Span, *, counter: bool) -> list[RecordedReading]:
        """Return the readings of an entity in the span, each instant once.

        The state of a counter that was reported again unchanged stands for a second reading at its last report, once
        there is a next state: of the newest one the recorder knows a last report that is not its last.
        """
        found: dict[int, RecordedReading] = {}
        since_s, until_s = span.since_us / 1e6 - 1, span.until_us / 1e6 + 1
        if counter:
            # The old value of a counter may be confirmed long after its own instant, by the state after it.
            since_s, until_s = self._one(BEFORE, entity_id, since_s), self._one(AFTER, entity_id, until_s)
        for reading in self._states(entity_id, since_s, until_s, counter=counter):
            if span.since_us <= reading.ts_us < span.until_us:
                found[reading.ts_us] = reading
        return [found[instant] for instant in sorted(found)]

    def _one(self, question: str, entity_id: str, instant_s: float) -> float:
        """Return the instant of the state next to this one, itself where there is none."""
        (found,) = self._connection.execute(question, (entity_id, instant_s)).fetchone()
        return instant_s if found is None else float(found)

    def _states(self, entity_id: str, since_s: float, until_s: float, *, counter: bool) -> Iterator[RecordedReading]:
        unit: str | None = None
        confirmed: RecordedReading | None = None
        for text, updated_s, reported_s, attributes in self._connection.execute(STATES, (entity_id, since_s, until_s)):
            if confirmed is not None:
                yield confirmed
                confirmed = None
            unit = _unit(attributes) or unit  # attributes over 16 kB are not stored: the last known unit holds
            if text in NULL_STATES:
                yield RecordedReading(ts_us(updated_s), None, unit)
                continue
            value = _number(text)
            if value is None:
                continue
            yield RecordedReading(ts_us(updated_s), value, unit)
            if counter and reported_s is not None and reported_s > updated_s:
                confirmed = RecordedReading(ts_us(reported_s), value, unit)


def _stored_s(text: str) -> float:
    """Return the instant of a run's edge, which is stored as UTC without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and len(text) <= LONGEST_NUMBER else None


def _unit(attributes: str | None) -> str | None:
    unit = json.loads(attributes).get("unit_of_measurement") if attributes else None
    return unit if isinstance(unit, str) else None


@contextmanager
def opened(path: Path) -> Iterator[RecorderFile]:
    """Open a recorder's file for the length of a context. Raises RecorderFileError."""
    if not path.is_file():
        raise RecorderFileError(f"{path} is no file. Home Assistant's recorder is home-assistant_v2.db in its folder.")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("SELECT 1 FROM states_meta, recorder_runs LIMIT 1")
        yield RecorderFile(connection)
    except sqlite3.Error as err:
        raise RecorderFileError(f"{path} cannot be read as a recorder's database: {err}") from err
    finally:
        connection.close()
