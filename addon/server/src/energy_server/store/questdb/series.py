"""Which series there are, and the latest reading of each, in memory.

In:   what is stored, once, and the rows that were just stored.
Out:  the latest reading of a (site, key); which rows may be stored already.
Failures: StoreUnavailableError from `load`.

QuestDB finds the newest row of a key by its index, but has no short way to tell which keys there are: `energy_series`
lists them. A series is listed before, or in the same request as, its first reading.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_server.model.reading import NO_RESET, Origin, Reading, ReadingSlice
from energy_server.store import arrivals
from energy_server.store.questdb.connection import Connections, Row
from energy_server.store.questdb.rows import Columns, Pair
from energy_server.store.questdb.schema import READINGS, SERIES

DAY_US = 86_400_000_000
_NOWHERE = (1, 0)

_COLUMNS = "site, key, ts::long AS ts, value, reset, origin"
_LISTED = f"SELECT site, key FROM {SERIES}"  # noqa: S608 constants
_NEWEST = f"SELECT ts::long AS ts FROM {READINGS} LIMIT -1"  # noqa: S608 constants
_RECENT = f"SELECT {_COLUMNS} FROM {READINGS} WHERE ts >= $1::long LATEST ON ts PARTITION BY site, key"  # noqa: S608 constants
_QUIET = f"SELECT {_COLUMNS} FROM {READINGS} WHERE site = $1 AND key = $2 LATEST ON ts PARTITION BY key"  # noqa: S608 constants


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest reading of a series; `value` NaN = null."""

    ts_us: int
    value: float
    reset_us: int
    origin: int

    def as_slice(self) -> ReadingSlice:
        """Return it as a slice of one row."""
        return ReadingSlice(
            np.array([self.ts_us], np.int64),
            np.array([self.value], np.float64),
            np.array([self.reset_us], np.int64),
            np.array([self.origin], np.uint8),
        )


class SeriesIndex:
    """All series, and the latest reading of each."""

    def __init__(self) -> None:
        self._latest: dict[str, dict[str, Latest]] = {}
        self._listed: set[Pair] = set()
        self._reach: dict[Pair, tuple[int, int]] = {}  # the first and the last instant that may be stored

    async def load(self, connections: Connections) -> None:
        """Read what is stored."""
        self._listed = {(row["site"], row["key"]) for row in await connections.fetch(_LISTED)}
        for newest in await connections.fetch(_NEWEST):
            for row in await connections.fetch(_RECENT, max(0, newest["ts"] - DAY_US)):
                self._set((row["site"], row["key"]), _latest(row))
        for site, key in self._listed:
            if self.latest(site, key) is None:
                for row in await connections.fetch(_QUIET, site, key):
                    self._set((site, key), _latest(row))
        for site, of_site in self._latest.items():
            self._reach.update({(site, key): (0, latest.ts_us) for key, latest in of_site.items()})

    def any_key(self) -> str | None:
        """Return the key of some series, None while there is none."""
        return next((key for _, key in self._listed), None)

    def expect(self, rows: Columns) -> None:
        """Take over that these rows are about to be written, so that they may be stored whatever comes of it."""
        last = arrivals.last_of_each(rows.series)
        first = np.roll(last, 1)  # of columns ordered by series, one begins where another ended
        bounds = zip(rows.series[last].tolist(), rows.ts[first].tolist(), rows.ts[last].tolist(), strict=True)
        for place, first_us, last_us in bounds:
            pair = rows.pairs[place]
            known = self._reach.get(pair, (first_us, last_us))
            self._reach[pair] = min(known[0], first_us), max(known[1], last_us)

    def may_have(self, rows: Columns) -> NDArray[np.bool_]:
        """Return which of the rows lie where their series may have readings."""
        bounds = [self._reach.get(pair, _NOWHERE) for pair in rows.pairs]
        first_us, last_us = np.array(bounds, np.int64).reshape(-1, 2).T
        within: NDArray[np.bool_] = (rows.ts >= first_us[rows.series]) & (rows.ts <= last_us[rows.series])
        return within

    def unlisted(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Return those that are not listed yet."""
        return [pair for pair in pairs if pair not in self._listed]

    def list_(self, pairs: Iterable[Pair]) -> None:
        """Take over that these are listed now."""
        self._listed.update(pairs)

    def latest(self, site: str, key: str) -> Latest | None:
        """Return the latest reading of a series."""
        return self._latest.get(site, {}).get(key)

    def of_site(self, site: str) -> dict[str, Reading]:
        """Return the latest reading of every series of a Site that has one."""
        return {
            key: Reading(key, latest.ts_us, None if np.isnan(latest.value) else latest.value)
            for key, latest in self._latest.get(site, {}).items()
        }

    def advance(self, newest: Columns) -> None:
        """Take over the newest rows of an append, at most one for each series, where they are not older."""
        rows = zip(
            newest.series.tolist(),
            newest.ts.tolist(),
            newest.value.tolist(),
            newest.reset.tolist(),
            newest.origin.tolist(),
            strict=True,
        )
        for place, ts_us, value, reset_us, origin in rows:
            pair = newest.pairs[place]
            known = self.latest(*pair)
            if known is None or ts_us > known.ts_us or (ts_us == known.ts_us and origin == Origin.LIVE):
                self._set(pair, Latest(ts_us, value, reset_us, origin))

    def _set(self, pair: Pair, latest: Latest) -> None:
        site, key = pair
        self._latest.setdefault(site, {})[key] = latest


def _latest(row: Row) -> Latest:
    value = np.nan if row["value"] is None else row["value"]
    return Latest(row["ts"], value, NO_RESET if row["reset"] is None else row["reset"], row["origin"])
