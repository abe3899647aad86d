"""Stores in memory that can crash, be copied, and be put back: models of what a disk holds.

In:   what the server writes.
Out:  all of it, at once and for good; `Crash` where a test asked for it, before or after a write.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

from energy_server.model.entity import Entity
from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.site import Site
from energy_server.store.port import CoverageRow, SyncEntry


class Crash(BaseException):
    """The server is gone."""


@dataclass
class Disk:
    """What outlives a crash. `crash_in` is the operation that the server does not survive, and whether it is done."""

    readings: dict[tuple[str, int], tuple[float | None, int | None]] = field(default_factory=dict)
    """Value and last reset, by key and instant."""
    coverage: set[CoverageRow] = field(default_factory=set)
    series_id: str = "first"
    store_id: str = "first"
    """The SeriesStore that Coverage refers to."""
    entities: list[Entity] = field(default_factory=list)
    crash_in: tuple[str, bool] | None = None

    def copy(self) -> Disk:
        """Return a backup."""
        return deepcopy(self)

    def dies_in(self, operation: str, *, done: bool) -> None:
        """Crash here if a test said so."""
        if self.crash_in == (operation, done):
            self.crash_in = None
            raise Crash


class Series:
    """The part of a SeriesStore that the Link needs."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    async def append(self, batches: Sequence[ReadingBatch]) -> None:
        self._disk.dies_in("append", done=False)
        for batch in batches:
            for key, ts_us, value, reset_us in zip(batch.keys, batch.ts_us, batch.values, batch.reset_us, strict=True):
                if batch.origin is Origin.LIVE or (key, ts_us) not in self._disk.readings:
                    self._disk.readings[key, ts_us] = (value, reset_us)
        self._disk.dies_in("append", done=True)


class State:
    """The part of a StateStore that the Link and the ledger need."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    async def save_coverage(self, store_id: str, rows: Sequence[CoverageRow], removed: Sequence[CoverageRow]) -> None:
        assert store_id == self._disk.store_id
        self._disk.dies_in("save_coverage", done=False)
        self._disk.coverage = (self._disk.coverage - set(removed)) | set(rows)
        self._disk.dies_in("save_coverage", done=True)

    async def coverage(self, store_id: str) -> list[CoverageRow]:
        if store_id != self._disk.store_id:
            self._disk.store_id, self._disk.coverage = store_id, set()
        return list(self._disk.coverage)

    async def save_site(self, site: Site) -> None:
        pass

    async def save_catalog(self, _site: str, entities: Sequence[Entity], now_us: int) -> None:
        named = {entity.key for entity in entities}
        left = [entity for entity in self._disk.entities if entity.key not in named]
        left = [replace(one, until_us=now_us if one.until_us is None else one.until_us) for one in left]
        self._disk.entities = [*entities, *left]

    async def entities(self, _site: str) -> list[Entity]:
        return list(self._disk.entities)

    async def left_by(self, _site: str, instant_us: int) -> None:
        self._disk.entities = [
            one if one.until_us is None else replace(one, until_us=min(one.until_us, instant_us))
            for one in self._disk.entities
        ]

    async def mark_dirty(self, marks: Sequence[tuple[str, str, int]]) -> None:
        pass

    async def dirty(self) -> list[tuple[str, str, int]]:
        return []

    async def sites(self) -> list[Site]:
        return []

    async def put_document(self, name: str, document: Mapping[str, object]) -> None:
        pass

    async def document(self, _name: str) -> dict[str, object] | None:
        return None

    async def log(self, entry: SyncEntry) -> None:
        pass
