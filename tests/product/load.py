"""A deterministic load on Home Assistant's event bus, and the proof that each of its states arrived.

In:   a Home, entities, how many states a second.
Out:  states with instants that are known to the microsecond; `compare` says what the server lacks, has too much or
      has wrong.
"""

import asyncio
import csv
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import time_ns
from typing import Any

import duckdb

from tests.product.home import EPOCH, Home
from tests.product.saying import say
from tests.product.server import Server
from tests.product.waiting import true

POWER: Mapping[str, Any] = {"unit_of_measurement": "W", "device_class": "power", "state_class": "measurement"}
PART_S = 5.0
ARRIVED_WITHIN_S = 60.0

type Row = tuple[int, str]
"""Epoch microseconds, state."""


@dataclass(slots=True)
class Series:
    """The states of one entity, in ascending time."""

    entity_id: str
    rows: list[Row] = field(default_factory=list)

    def write(self, path: Path, rows: Sequence[Row]) -> None:
        """Write rows as a recording that the simulated home can replay."""
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("timestamp", "value"))
            for ts_us, state in rows:
                writer.writerow(((EPOCH + timedelta(microseconds=ts_us)).isoformat(), state))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the server has of a series that Home Assistant fired."""

    fired: int
    missing: Sequence[Row]
    extra: Sequence[Row]
    different: Sequence[tuple[int, str, str]]

    def exact(self) -> bool:
        """Say whether each state is there, once, with its value, and nothing else."""
        return not (self.missing or self.extra or self.different)


async def announce(home: Home, path: Path, entity_id: str) -> None:
    """Let Home Assistant know an entity before it has a number, so that it is listened to from its first one."""
    data = {"path": str(path), "entity_id": entity_id, "attributes": POWER, "announce": True}
    await home.connection.action("simulated_home", "replay", data)


async def replay(home: Home, path: Path, entity_id: str, speed: float = 0.0) -> int:
    """Fire every row of a recording at its own instant; returns how many."""
    data = {"path": str(path), "entity_id": entity_id, "attributes": POWER, "speed": speed}
    answer = await home.connection.action("simulated_home", "replay", data, response=True)
    return int(answer["states"])


class Load:
    """States of some power sensors at an even pace, until it is stopped."""

    def __init__(self, home: Home, folder: Path, name: str, *, entities: int, per_s: float) -> None:
        """Fire nothing yet."""
        self._home = home
        self._folder = folder
        self._interval_us = round(entities / per_s * 1e6)
        self._going_on = True
        self.series = [Series(f"sensor.load_{name}_{number}") for number in range(entities)]

    async def announce(self, server: Server) -> None:
        """Let everybody know the entities."""
        for series in self.series:
            path = self._folder / f"{series.entity_id}.csv"
            series.write(path, [(time_ns() // 1000, "0")])
            await announce(self._home, path, series.entity_id)
        for series in self.series:
            await server.known(series.entity_id)

    @property
    def fired(self) -> int:
        """How many states there were."""
        return sum(len(series.rows) for series in self.series)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Fire for the length of the context, and to the end of the part that is under way when it ends."""
        async with asyncio.TaskGroup() as group:
            for place, series in enumerate(self.series):
                group.create_task(self._run(series, place))
            try:
                yield
            finally:
                self._going_on = False

    async def _run(self, series: Series, place: int) -> None:
        path = self._folder / f"{series.entity_id}.csv"
        count = max(1, round(PART_S * 1e6 / self._interval_us))
        while self._going_on:
            start_us = time_ns() // 1000 + place
            numbers = range(len(series.rows), len(series.rows) + count)
            rows = [
                (start_us + step * self._interval_us, f"{(number * 37 + place) % 5000 / 10 + 100}")
                for step, number in enumerate(numbers)
            ]
            series.write(path, rows)
            assert await replay(self._home, path, series.entity_id, speed=1.0) == count
            series.rows.extend(rows)

    async def arrived(self, server: Server, within_s: float = ARRIVED_WITHIN_S) -> None:
        """Wait until the server has as many readings as there were states, then compare each, and say so."""
        for series in self.series:
            await true(partial(_has_all, server, series), f"all of {series.entity_id}", within_s)
        results = [await compare(server, series) for series in self.series]
        assert all(result.exact() for result in results), results
        say(f"{self.fired} states of {len(self.series)} entities: each is stored once, to the microsecond")


async def _has_all(server: Server, series: Series) -> bool:
    stored = await server.readings(series.entity_id, series.rows[0][0], series.rows[-1][0] + 1)
    return len(stored) >= len(series.rows)


async def compare(server: Server, series: Series) -> Comparison:
    """Compare every state with every stored reading of the same span."""
    stored = await server.readings(series.entity_id, series.rows[0][0], series.rows[-1][0] + 1)
    values = dict(stored)
    assert len(values) == len(stored), "an instant is there twice"
    fired = dict(series.rows)
    return Comparison(
        fired=len(fired),
        missing=[row for row in series.rows if row[0] not in values],
        extra=[(ts_us, str(value)) for ts_us, value in stored if ts_us not in fired],
        different=[
            (ts_us, state, str(values[ts_us]))
            for ts_us, state in series.rows
            if ts_us in values and values[ts_us] != float(state)
        ],
    )


def stored_twice(server: Server) -> list[tuple[object, ...]]:
    """Return the readings that lie in the files of a stopped server more than once, and print how many it looked at."""
    assert server.process is None, "the files are the server's while it runs"
    total, twice = in_files(server.data_path)
    assert total, "there is no reading in the files"
    say(f"{total} readings lie in the files, {len(twice)} of them twice")
    return twice


def in_files(data_path: Path) -> tuple[int, list[tuple[object, ...]]]:
    """Return how many readings lie in the files of a data folder, and those that do more than once."""
    twice: list[tuple[object, ...]] = []
    total = 0
    for path in sorted((data_path / "series" / "readings").glob("*.duckdb")):
        with duckdb.connect(str(path), read_only=True) as connection:
            count = connection.execute("SELECT count(*) FROM readings").fetchone()
            total += count[0] if count else 0
            twice += connection.execute(
                "SELECT series, ts, count(*) FROM readings GROUP BY series, ts HAVING count(*) > 1"
            ).fetchall()
    return total, twice


def instant(ts_us: int) -> datetime:
    """Return epoch microseconds as an instant."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=ts_us)
