"""A database of Home Assistant's recorder, full of a seeded past: what an install finds, or what an outage left.

In:   a folder for Home Assistant, how many entities, how often each changes, for how long, years of hourly statistics.
Out:  `home-assistant_v2.db` in it, as the recorder itself would have written it, or more states in the one that is
      there; how many states it holds.
"""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import batched
from json import dumps
from pathlib import Path
from typing import Any

from homeassistant.components.recorder.db_schema import Base
from homeassistant.components.recorder.migration import initialize_database
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

HOUR_S = 3600
BUSY_S = 60.0
ROWS_AT_ONCE = 20_000
INSERT = (
    "INSERT INTO states (state, last_updated_ts, last_reported_ts, metadata_id, attributes_id, context_id_bin,"
    " origin_idx) VALUES (?, ?, ?, ?, ?, ?, 0)"
)
SEED = 20261121
INDEXES = {
    "ix_states_metadata_id_last_updated_ts": "states (metadata_id, last_updated_ts)",
    "ix_states_last_updated_ts": "states (last_updated_ts)",
    "ix_states_context_id_bin": "states (context_id_bin)",
    "ix_states_attributes_id": "states (attributes_id)",
    "ix_states_old_state_id": "states (old_state_id)",
    "ix_statistics_start_ts": "statistics (start_ts)",
}
"""Built again after the rows are in, which takes a third of the time."""


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered: entities that change every `every_s` since `days`, and hourly statistics of `years`."""

    entities: int
    every_s: float
    days: float
    years: float

    @property
    def names(self) -> list[str]:
        """Return the entity_ids: every third one is a meter."""
        return [f"sensor.past_{number}" for number in range(self.entities)]

    @property
    def states(self) -> int:
        """Return about how many states there are."""
        return int(self.entities * self.days * 86_400 / self.every_s)

    @property
    def readings(self) -> int:
        """Return how many readings the states stand for: a meter's report in between is one too."""
        return self.states + sum(self.states // self.entities for number in range(self.entities) if is_meter(number))

    @property
    def hours(self) -> int:
        """Return how many hourly statistics there are."""
        return self.entities * int(self.years * 365 * 24)


def is_meter(number: int) -> bool:
    """Return whether an entity counts energy; the others measure power."""
    return number % 3 == 0


def attributes(number: int) -> dict[str, Any]:
    """Return the attributes of an entity."""
    if is_meter(number):
        unit = {"device_class": "energy", "state_class": "total_increasing", "unit_of_measurement": "kWh"}
    else:
        unit = {"device_class": "power", "state_class": "measurement", "unit_of_measurement": "W"}
    return unit | {"friendly_name": f"Past {number}"}


def build(folder: Path, history: History, now_s: float) -> None:
    """Write the database."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "home-assistant_v2.db"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    initialize_database(sessionmaker(engine))
    engine.dispose()
    with sqlite3.connect(path, autocommit=True) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=OFF")
        database.execute("BEGIN")
        _states(database, history, now_s)
        _statistics(database, history, now_s)
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def insert(folder: Path, history: History, begin_s: float, end_s: float) -> int:
    """Write states into the database of a Home Assistant that runs and has had states of these entities.

    Returns for how many readings they stand. It is its present run that recorded them.
    """
    with closing(sqlite3.connect(folder / "home-assistant_v2.db", autocommit=True, timeout=BUSY_S)) as database:
        database.execute("PRAGMA synchronous=OFF")
        ids = dict(database.execute("SELECT entity_id, metadata_id FROM states_meta"))
        attributes_ids = dict(database.execute("SELECT metadata_id, max(attributes_id) FROM states GROUP BY 1"))
        places = [(ids[name], attributes_ids[ids[name]]) for name in history.names]
        count = 0
        for rows in batched(_changes(history, begin_s, end_s), ROWS_AT_ONCE, strict=False):
            database.execute("BEGIN IMMEDIATE")  # for a moment: Home Assistant writes, too
            database.executemany(INSERT, [_placed(row, *places[row[3] - 1]) for row in rows])
            database.execute("COMMIT")
            count += sum(1 if row[2] is None else 2 for row in rows)
    return count


def _placed(row: tuple[Any, ...], metadata_id: int, attributes_id: int) -> tuple[Any, ...]:
    return (*row[:3], metadata_id, attributes_id, row[5])


def _states(database: sqlite3.Connection, history: History, now_s: float) -> None:
    begin_s = now_s - history.days * 86_400 - 60
    database.execute(
        "INSERT INTO recorder_runs (start, end, closed_incorrect, created) VALUES (?, ?, 0, ?)",
        (_text(begin_s - 1), _text(now_s - 30), _text(begin_s)),
    )
    for number, name in enumerate(history.names):
        database.execute("INSERT INTO states_meta (metadata_id, entity_id) VALUES (?, ?)", (number + 1, name))
        text = dumps(attributes(number), separators=(",", ":"))
        database.execute(
            "INSERT INTO state_attributes (attributes_id, hash, shared_attrs) VALUES (?, ?, ?)",
            (number + 1, number, text),
        )
    for name in INDEXES:
        database.execute(f"DROP INDEX IF EXISTS {name}")
    database.executemany(INSERT, _changes(history, begin_s, now_s - 60))
    for name, columns in INDEXES.items():
        database.execute(f"CREATE INDEX {name} ON {columns}")


def _changes(history: History, begin_s: float, end_s: float) -> Iterator[tuple[Any, ...]]:
    """Yield the states in the order in which they happened; a meter is reported in between, unchanged."""
    dice = random.Random(SEED)  # noqa: S311 made up readings
    context = bytes(16)
    for turn in range(int((end_s - begin_s) / history.every_s)):
        for number in range(history.entities):
            when_s = begin_s + (turn + (number + dice.random()) / history.entities / 2) * history.every_s
            if is_meter(number):
                text, reported_s = f"{turn * 0.004:.3f}", when_s + history.every_s * 0.4
            else:
                text, reported_s = f"{dice.random() * 3000:.1f}", None
            yield text, when_s, reported_s, number + 1, number + 1, context


def _statistics(database: sqlite3.Connection, history: History, now_s: float) -> None:
    last_hour_s = now_s // HOUR_S * HOUR_S - HOUR_S
    hours = int(history.years * 365 * 24)
    for number, name in enumerate(history.names):
        unit, unit_class = ("kWh", "energy") if is_meter(number) else ("W", "power")
        database.execute(
            "INSERT INTO statistics_meta (id, statistic_id, source, unit_of_measurement, unit_class, has_mean, has_sum,"
            " mean_type) VALUES (?, ?, 'recorder', ?, ?, ?, ?, ?)",
            (number + 1, name, unit, unit_class, not is_meter(number), is_meter(number), 0 if is_meter(number) else 1),
        )
    database.executemany(
        "INSERT INTO statistics (created_ts, metadata_id, start_ts, mean, min, max, state, sum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        _hours(history, last_hour_s, hours),
    )
    runs = ((_text(last_hour_s + minute * 60),) for minute in range(0, 60, 5))
    database.executemany("INSERT INTO statistics_runs (start) VALUES (?)", runs)


def _hours(history: History, last_hour_s: float, hours: int) -> Iterator[tuple[Any, ...]]:
    dice = random.Random(SEED)  # noqa: S311 made up readings
    for hour in range(hours):
        start_s = last_hour_s - (hours - 1 - hour) * HOUR_S
        for number in range(history.entities):
            if is_meter(number):
                yield start_s, number + 1, start_s, None, None, None, hour * 0.48, hour * 0.48
            else:
                mean = dice.random() * 3000
                yield start_s, number + 1, start_s, mean, mean * 0.5, mean * 1.5, None, None


def _text(instant_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(instant_s))
