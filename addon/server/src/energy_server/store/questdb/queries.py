"""Reading readings back: spans, neighbours, buckets, counts, and which instants are stored already.

In:   the connections; site, keys and instants, always bound.
Out:  slices of one series, in ascending time.
Failures: StoreUnavailableError.
"""

import asyncio
from collections.abc import Iterator, Sequence

import numpy as np

from energy_server.model.reading import NO_RESET, ReadingSlice, ReducedSlice
from energy_server.store.questdb.connection import Connections, Row
from energy_server.store.questdb.schema import READINGS

LAST_US = 1 << 62
KEYS_AT_ONCE = 100
MANY_ROWS = 10_000
"""More than these are made columns of in a thread: it would hold up the event loop."""

_OF_ONE = "site = $1 AND key = $2"
_COLUMNS = "ts::long AS ts, value, reset, origin"
_SPAN = f"SELECT {_COLUMNS} FROM {READINGS} WHERE {_OF_ONE} AND ts >= $3::long AND ts < $4::long"  # noqa: S608 constants
# LATEST ON goes backwards through the index of keys; ORDER BY ts DESC would read the whole series.
_BEFORE = f"SELECT {_COLUMNS} FROM {READINGS} WHERE {_OF_ONE} AND ts < $3::long{{valued}} LATEST ON ts PARTITION BY key"  # noqa: S608 constants
# QuestDB gives rows in the order of time; ORDER BY ts would read the whole series.
_AFTER = f"SELECT {_COLUMNS} FROM {READINGS} WHERE {_OF_ONE} AND ts >= $3::long{{valued}} LIMIT 1"  # noqa: S608 constants
_VALUED = " AND value != null"
# A key is hardly ever in two Sites, and comparing the Site of each row would take longer than all the rest.
_REDUCED = f"""
SELECT site, (ts::long - $2::long) / $4::long AS bucket, min(value) AS minimum, max(value) AS maximum,
    avg(value) AS mean, count(*) AS readings
FROM {READINGS} WHERE key = $1 AND ts >= $2::long AND ts < $3::long{_VALUED} ORDER BY bucket
"""  # noqa: S608 constants
_OF_MANY = "site = $1 AND ts >= $2::long AND ts < $3::long AND key IN ({places})"
_COUNTS = f"""
SELECT key, ts::long / 3600000000 * 3600000000 AS hour, count(*) AS readings FROM {READINGS} WHERE {_OF_MANY}
"""  # noqa: S608 constants
_SPANS = f"SELECT key, {_COLUMNS} FROM {READINGS} WHERE {_OF_MANY} ORDER BY ts"  # noqa: S608 constants
_INSTANTS = f"SELECT key, ts::long AS ts FROM {READINGS} WHERE {_OF_MANY}"  # noqa: S608 constants

_OF_ALL_TIME = f"SELECT min(value), count(*) FROM {READINGS} WHERE key = $1"  # noqa: S608 constants

EMPTY = ReadingSlice(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, np.uint8))


async def span(connections: Connections, site: str, key: str, start_us: int, end_us: int) -> ReadingSlice:
    """Return the readings in `[start_us, end_us)`."""
    rows = await connections.fetch(_SPAN, site, key, *_within(start_us, end_us))
    if len(rows) > MANY_ROWS:
        return await asyncio.to_thread(_slice, rows)
    return _slice(rows)


async def spans(
    connections: Connections, site: str, keys: Sequence[str], start_us: int, end_us: int
) -> dict[str, ReadingSlice]:
    """Return the readings in the span of each series that has some."""
    found: dict[str, list[Row]] = {}
    for some in _in_turn(keys):
        query = _SPANS.format(places=places(4, len(some)))
        for row in await connections.fetch(query, site, *_within(start_us, end_us), *some):
            found.setdefault(row["key"], []).append(row)
    return {key: _slice(rows) for key, rows in found.items()}


async def before(connections: Connections, site: str, key: str, ts_us: int) -> ReadingSlice:
    """Return the last reading before the instant, and if it is null also the last with a value, in ascending time."""
    bound = min(max(ts_us, 0), LAST_US)
    nearest = await connections.fetch(_BEFORE.format(valued=""), site, key, bound)
    if nearest and nearest[0]["value"] is None:
        valued = await connections.fetch(_BEFORE.format(valued=_VALUED), site, key, nearest[0]["ts"])
        return _slice([*valued, *nearest])
    return _slice(nearest)


async def after(connections: Connections, site: str, key: str, ts_us: int) -> ReadingSlice:
    """Return the first reading at or after the instant, and if it is null also the first with a value."""
    bound = min(max(ts_us, 0), LAST_US)
    nearest = await connections.fetch(_AFTER.format(valued=""), site, key, bound)
    if nearest and nearest[0]["value"] is None:
        valued = await connections.fetch(_AFTER.format(valued=_VALUED), site, key, nearest[0]["ts"])
        return _slice([*nearest, *valued])
    return _slice(nearest)


async def reduce(connections: Connections, site: str, key: str, within: tuple[int, int], buckets: int) -> ReducedSlice:
    """Return the readings in the span by buckets that keep the extremes; empty ones are left out."""
    start_us, end_us = _within(*within)
    width = max(1, -(-(within[1] - within[0]) // buckets))
    rows = [row for row in await connections.fetch(_REDUCED, key, start_us, end_us, width) if row["site"] == site]
    return ReducedSlice(
        bucket_us=width,
        start_us=start_us + np.array([row["bucket"] for row in rows], np.int64) * width,
        minimum=np.array([row["minimum"] for row in rows], np.float64),
        maximum=np.array([row["maximum"] for row in rows], np.float64),
        mean=np.array([row["mean"] for row in rows], np.float64),
        count=np.array([row["readings"] for row in rows], np.int64),
    )


async def open_partitions(connections: Connections, key: str) -> None:
    """Have QuestDB open every day: it opens one when it is first asked of it, which takes longer than to answer."""
    await connections.fetch(_OF_ALL_TIME, key)


async def counts(
    connections: Connections, site: str, keys: Sequence[str], start_us: int, end_us: int
) -> dict[tuple[str, int], int]:
    """Return how many readings there are, by key and start of the UTC hour."""
    found: dict[tuple[str, int], int] = {}
    for some in _in_turn(keys):
        rows = await connections.fetch(
            _COUNTS.format(places=places(4, len(some))), site, *_within(start_us, end_us), *some
        )
        found.update({(row["key"], row["hour"]): row["readings"] for row in rows})
    return found


async def instants(
    connections: Connections, site: str, keys: Sequence[str], start_us: int, end_us: int
) -> list[tuple[str, int]]:
    """Return (key, instant) of the readings that are stored."""
    found: list[tuple[str, int]] = []
    for some in _in_turn(keys):
        rows = await connections.fetch(
            _INSTANTS.format(places=places(4, len(some))), site, *_within(start_us, end_us), *some
        )
        found.extend((row["key"], row["ts"]) for row in rows)
    return found


def places(first: int, count: int) -> str:
    """Return the placeholders of that many parameters: `$4, $5, $6`."""
    return ", ".join(f"${number}" for number in range(first, first + count))


def _in_turn(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[first : first + KEYS_AT_ONCE]


def _within(start_us: int, end_us: int) -> tuple[int, int]:
    """Return the span inside of what QuestDB takes for instants."""
    return max(0, min(start_us, LAST_US)), max(0, min(end_us, LAST_US))


def _slice(rows: Sequence[Row]) -> ReadingSlice:
    return ReadingSlice(
        np.array([row["ts"] for row in rows], np.int64),
        np.array([row["value"] for row in rows], np.float64),
        np.array([NO_RESET if row["reset"] is None else row["reset"] for row in rows], np.int64),
        np.array([row["origin"] for row in rows], np.uint8),
    )
