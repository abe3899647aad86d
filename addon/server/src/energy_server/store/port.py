"""The two ports that every store implements. Nothing above `store` imports an adapter, only this file.

SeriesStore keeps readings and Statistics, StateStore keeps the small documents about them. One contract suite
(`tests/server/store`) runs on every adapter. Common to all operations:

- *Durable*: when a writing coroutine returns, the change survives a kill of the process and of the machine.
- *Idempotent*: doing it again changes nothing.
- *Failure*: `StoreUnavailableError` when the store cannot be reached, is full or locked; the caller may try again,
  which completes what was half done. Any other exception is a defect.
- Instants are int microseconds since the epoch, those that are stored from 0 to LATEST_US, those that are asked for
  from 0 to 1 << 62: who calls sees to it. Spans are half open, `[start_us, end_us)`.
- `keys` of one call are unique, and may be none; `limit` and `buckets` are at least 1.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Entity
from energy_server.model.reading import Reading, ReadingBatch, ReadingSlice, ReducedSlice
from energy_server.model.site import Site
from energy_server.model.statistic import VALUE_COLUMNS, Level, Source, StatisticColumns

MOST_DOCUMENT_BYTES = 8 * 2**20
"""A document of MongoDB may be twice as long."""


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """How a store is: `well`, and in `detail` what to do, also about what is merely not as good as it could be.

    `last_write_us` is None before the first write, `free_bytes` where the store cannot know; `lag_rows` are stored, but
    not yet visible to readers who do not ask for what they wrote themselves. `doing` tells of upkeep under way.
    """

    backend: str
    version: str
    well: bool
    detail: str | None
    readings: int
    statistics: int
    size_bytes: int
    free_bytes: int | None
    last_write_us: int | None
    lag_rows: int = 0
    doing: str | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """All readings of a span, of every Entity, that the store had and can no longer give; `kept_as`: what is left."""

    kept_as: str
    span: Span


class SeriesStore(Protocol):
    """Readings, unique by (site, key, ts_us), and Statistics, unique by (site, key, level, start_us, source)."""

    @property
    def store_id(self) -> str:
        """A random id given at creation; Coverage refers to it, and another id voids the Coverage."""

    async def open(self) -> None:
        """Open or create the store. Raises StoreUnavailableError (locked by another process, no space, no rights)."""

    async def close(self) -> None:
        """Let everything reach the disk and release it."""

    async def append(self, batches: Sequence[ReadingBatch]) -> None:
        """Store readings, durable all together when this returns.

        A `live` reading replaces a stored one of the same instant; readings of every other origin never replace one.
        """

    async def read(self, site: str, key: str, start_us: int, end_us: int) -> ReadingSlice:
        """Return the readings of one Entity in the span, in ascending time."""

    async def read_many(self, site: str, keys: Sequence[str], start_us: int, end_us: int) -> dict[str, ReadingSlice]:
        """Return the readings of several Entities in a short span, each as `read` does; who has none is absent.

        Much cheaper than one `read` after the other.
        """

    async def before(self, site: str, key: str, ts_us: int) -> ReadingSlice:
        """Return the last reading before the instant, and if it is null also the last one with a value: 0 to 2 rows."""

    async def after(self, site: str, key: str, ts_us: int) -> ReadingSlice:
        """Return the first reading at or after the instant, and if it is null also the first one with a value."""

    async def reduce(self, site: str, key: str, start_us: int, end_us: int, buckets: int) -> ReducedSlice:
        """Return the readings of one Entity reduced to at most `buckets` equal buckets; nulls are left out."""

    async def latest(self, site: str) -> dict[str, Reading]:
        """Return the newest reading of every Entity, from memory."""

    async def counts(self, site: str, keys: Sequence[str], start_us: int, end_us: int) -> dict[tuple[str, int], int]:
        """Return how many readings of the span each Entity has in each UTC hour, nulls included.

        By (key, start of the hour); hours without readings are absent.
        """

    async def put_statistics(self, site: str, level: Level, source: Source, rows: StatisticColumns) -> None:
        """Insert or replace Statistics."""

    async def statistics(
        self,
        site: str,
        keys: Sequence[str],
        level: Level,
        source: Source,
        start_us: int,
        end_us: int,
        columns: Sequence[str] = VALUE_COLUMNS,
    ) -> StatisticColumns:
        """Return the Statistics of these Entities whose periods start in the span, ordered by (key's place, start).

        Only these of the VALUE_COLUMNS are read, which saves time and memory in a long span; the others are NaN.
        """

    async def info(self) -> StoreInfo:
        """Return how the store is. Never raises for a store that is not well."""

    async def upkeep(self) -> str | None:
        """Do the next piece of what the store needs now and then, such as sorting; called every few minutes.

        Reads and writes go on meanwhile, and their answers do not change. Returns a line for the sync log when
        something was done: then there may be more to do. Cancelling it leaves the store as good as before.
        """

    async def rest(self) -> None:
        """Give back the memory of what was read and will not be asked for again soon; answers do not change."""

    async def losses(self) -> Sequence[Loss]:
        """Return what was lost and is not forgotten, from memory; durable before the store does without it.

        Where the store cannot be used now, there may be more.
        """

    async def forget(self, loss: Loss) -> None:
        """Forget a loss: Coverage no longer says that its readings are here."""


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One stored span of Coverage; `key` None stands for every Entity of the Site that listened then."""

    site: str
    key: str | None
    source: CoverageSource
    span: Span
    reason: str | None


@dataclass(frozen=True, slots=True)
class SyncEntry:
    """One line of the sync log: what happened, to which span, how many rows from where, and how it ended."""

    ts_us: int
    site: str
    what: str
    detail: str
    since_us: int | None = None
    until_us: int | None = None
    rows: int | None = None
    source: str | None = None
    result: str = "done"


@dataclass(frozen=True, slots=True)
class StateInfo:
    """How a StateStore is, as in StoreInfo; `lag_s`: how far its slowest copy is behind, None without copies."""

    backend: str
    version: str
    well: bool
    detail: str | None
    rows: int
    size_bytes: int
    free_bytes: int | None
    last_write_us: int | None
    lag_s: float | None = None


class StateStore(Protocol):
    """Sites, Entities, Coverage, dirty marks, the sync log and named documents."""

    async def open(self) -> None:
        """Open or create the store, migrating its schema. Raises StoreUnavailableError."""

    async def close(self) -> None:
        """Release it."""

    async def save_site(self, site: Site) -> None:
        """Insert or replace a Site."""

    async def sites(self) -> list[Site]:
        """Return all Sites."""

    async def save_catalog(self, site: str, entities: Sequence[Entity], now_us: int) -> None:
        """Make these the Entities of the Site: those no longer named get `until_us`, returning ones lose it.

        Not one step: until it returns, and where it fails, some Entities may be the new ones and some the old.
        """

    async def entities(self, site: str) -> list[Entity]:
        """Return the Entities of a Site, those that left the catalog included."""

    async def left_by(self, site: str, instant_us: int) -> None:
        """Let the Entities of a Site that left the catalog later than at an instant have left at it."""

    async def save_coverage(self, store_id: str, rows: Sequence[CoverageRow], removed: Sequence[CoverageRow]) -> None:
        """Remove, then add rows of Coverage, in one step: never a part of them. A row that is there is not added again.

        Where it fails it may have been done or not; the next call of it then counts from what was there before.
        """

    async def coverage(self, store_id: str) -> list[CoverageRow]:
        """Return the Coverage that refers to this SeriesStore; Coverage of any other id is deleted."""

    async def mark_dirty(self, marks: Sequence[tuple[str, str, int]]) -> None:
        """Remember (site, key, start of a UTC hour) as to be rolled up anew."""

    async def dirty(self) -> list[tuple[str, str, int]]:
        """Return the marks."""

    async def clear_dirty(self, marks: Sequence[tuple[str, str, int]]) -> None:
        """Forget marks."""

    async def put_document(self, name: str, document: Mapping[str, object]) -> None:
        """Insert or replace a small named document (JSON values only).

        Raises ValueError for what is none, or takes more than MOST_DOCUMENT_BYTES.
        """

    async def document(self, name: str) -> dict[str, object] | None:
        """Return a named document."""

    async def log(self, entry: SyncEntry) -> None:
        """Add a line to the sync log, which keeps the newest 1,000."""

    async def sync_log(self, limit: int) -> list[SyncEntry]:
        """Return the newest lines, newest first."""

    async def info(self) -> StateInfo:
        """Return how the store is. Never raises for a store that is not well."""


def document_text(document: Mapping[str, object]) -> str:
    """Return a document as it is stored. Raises ValueError, as put_document does."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    if len(text) > MOST_DOCUMENT_BYTES or len(text.encode()) > MOST_DOCUMENT_BYTES:
        raise ValueError(f"A document may take {MOST_DOCUMENT_BYTES} bytes.")
    return text
