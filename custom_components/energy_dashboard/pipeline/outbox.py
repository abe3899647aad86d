"""Bounded, ordered Batches that the server has not acknowledged yet. Pure: time and the JSON encoder are passed in.

In:   rows as they happen; `seal` at the end of each short delay.
Out:  Batches, oldest first, each with the claim that it settles its span.

Laws, which the tests hold it to:
- spans are contiguous: a Batch begins where the one before it ended, unless the clock was set or Batches were dropped;
- the first Batch after the clock was set says by how much;
- a row is never separated from its claim: both are in one Batch, sent, acknowledged, sent again or dropped as one;
- when the bytes run out the oldest Batch goes, so what it claimed is a Gap by construction.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from .model import Catalog, Encode

type Row = tuple[int, int, float | None] | tuple[int, int, float | None, int | None]
"""Place in the catalog, ts_us, value, and the last reset of a total."""

BATCH_ROWS: Final = 500
INSTANT_ROWS: Final = 5_000
"""Readings of one instant stay in one Batch, up to what a message may have."""
CLOCK_STEP_US: Final = 1_000_000
"""More than this between wall clock and monotonic clock from one seal to the next: the clock was set."""

BATCH_OVERHEAD: Final = 300
"""Bytes that the bookkeeping of a Batch costs beside its JSON."""


@dataclass(slots=True, eq=False)
class Batch:
    """Readings and their claim. `body` is the message's JSON after its number: `"catalog":…}`.

    The claim of one that is `open` ends before its last instant, which the next one claims: they go together.
    """

    catalog: Catalog
    span: tuple[int, int]
    count: int
    body: bytes
    open: bool = False


class Outbox:
    """Collects rows, seals them into Batches and keeps these until they are acknowledged."""

    def __init__(self, encode: Encode, max_bytes: int, earliest_us: int) -> None:
        """Start empty; nothing is collected before the first catalog and `begin`."""
        self._encode = encode
        self._max_bytes = max_bytes
        self._earliest_us = earliest_us
        self._since_us: int | None = None
        self._monotonic_us = 0
        self._stepped_us = 0
        self._waiting: deque[Batch] = deque()
        self._in_flight: deque[Batch] = deque()
        self._references: dict[int, int] = {}
        self._count = 0
        self._count_in_flight = 0
        self.catalog: Catalog | None = None
        self.rows: list[Row] = []
        self.bytes = 0
        self.dropped_rows = 0
        self.dropped_batches = 0
        self.clock_steps = 0

    def __len__(self) -> int:
        """Count the readings that are not acknowledged."""
        return len(self.rows) + self._count

    @property
    def waiting_rows(self) -> int:
        """Count the readings of Batches that are still to be sent."""
        return self._count - self._count_in_flight

    @property
    def waiting(self) -> bool:
        """Whether a Batch is to be sent."""
        return bool(self._waiting)

    def begin(self, catalog: Catalog, now_us: int, monotonic_us: int) -> bool:
        """Collect rows of this catalog from now on; what was collected by the one before is sealed first.

        Returns, as `seal` does, whether the clock was set.
        """
        stepped = self.seal(now_us, monotonic_us)
        self.catalog = catalog
        return stepped

    def end(self) -> None:
        """Claim nothing from now on, until the next `begin`."""
        self._since_us = None
        self._stepped_us = 0

    def seal(self, now_us: int, monotonic_us: int, skipped: dict[str, int] | None = None) -> bool:
        """Close the current span at this instant; returns whether the clock was set since the last seal."""
        since_us, self._since_us = self._since_us, now_us
        elapsed_us, self._monotonic_us = monotonic_us - self._monotonic_us, monotonic_us
        rows, self.rows = self.rows, []
        if now_us < self._earliest_us:
            self.end()  # a clock that was never set: nothing is known to have happened at these instants
            return False
        if since_us is None or self.catalog is None:
            return False
        until_us = now_us
        step_us = now_us - since_us - elapsed_us
        stepped = abs(step_us) > CLOCK_STEP_US
        if stepped:
            self.clock_steps += 1
            # of the time shown on the clock only this much was certainly lived through
            until_us = max(since_us, min(since_us + elapsed_us, now_us))
        self._put_all(self.catalog, since_us, max(since_us, until_us), rows, skipped)
        self._stepped_us = step_us if stepped else 0  # the next Batch tells
        return stepped

    def _put_all(
        self, catalog: Catalog, since_us: int, until_us: int, rows: list[Row], skipped: dict[str, int] | None
    ) -> None:
        """Make as many Batches as the rows need; each claims up to the instant where the next one's rows begin."""
        if len(rows) > BATCH_ROWS:
            rows.sort(key=lambda row: row[1])
        start = 0
        while len(rows) - start > BATCH_ROWS:
            end = start + BATCH_ROWS
            while end < len(rows) and rows[end][1] == rows[end - 1][1] and end - start < INSTANT_ROWS:
                end += 1  # readings of one instant stay in one claim
            open_ = end < len(rows) and rows[end][1] == rows[end - 1][1]
            cut_us = min(max(rows[end - 1][1] + (0 if open_ else 1), since_us), until_us)
            self._put(catalog, (since_us, cut_us), rows[start:end], None, open_=open_)
            since_us, start = cut_us, end
        self._put(catalog, (since_us, until_us), rows[start:], skipped)
        while self.bytes > self._max_bytes and len(self._waiting) + len(self._in_flight) > 1:
            self._drop_oldest()

    def _put(
        self,
        catalog: Catalog,
        span: tuple[int, int],
        rows: list[Row],
        skipped: dict[str, int] | None,
        *,
        open_: bool = False,
    ) -> None:
        content: dict[str, object] = {
            "catalog": catalog.rev,
            "origin": "live",
            "span": span,
            "of": "all",
            "rows": rows,
        }
        if self._stepped_us:
            content["stepped_us"], self._stepped_us = self._stepped_us, 0
        if skipped:
            content["skipped"] = skipped
        if self.dropped_rows:
            content["dropped"] = self.dropped_rows
        batch = Batch(catalog, span, len(rows), self._encode(content)[1:], open_)
        self._waiting.append(batch)
        self._account(batch, 1)

    def _account(self, batch: Batch, sign: int) -> None:
        """Count the readings and bytes of a Batch, and those of a catalog as long as a Batch refers to it."""
        self._count += sign * batch.count
        self.bytes += sign * (len(batch.body) + BATCH_OVERHEAD)
        rev = batch.catalog.rev
        references = self._references.get(rev, 0)
        if references == (0 if sign > 0 else 1):
            self.bytes += sign * len(batch.catalog.body)
        if references + sign:
            self._references[rev] = references + sign
        else:
            del self._references[rev]

    def _drop_oldest(self) -> None:
        """Drop the oldest Batch, and what it goes together with."""
        open_ = True
        while open_:
            if self._in_flight:
                batch = self._in_flight.popleft()
                self._count_in_flight -= batch.count
            else:
                batch = self._waiting.popleft()
            self._account(batch, -1)
            self.dropped_rows += batch.count
            self.dropped_batches += 1
            open_ = batch.open

    def peek(self) -> Batch | None:
        """Return the next Batch to send."""
        return self._waiting[0] if self._waiting else None

    def take(self) -> Batch:
        """Return the next Batch to send and consider it sent."""
        batch = self._waiting.popleft()
        self._in_flight.append(batch)
        self._count_in_flight += batch.count
        return batch

    def settle(self, batch: Batch) -> bool:
        """Forget a Batch that was acknowledged; returns False if it had been dropped meanwhile."""
        if not self._in_flight or self._in_flight[0] is not batch:
            return False
        self._account(self._in_flight.popleft(), -1)
        self._count_in_flight -= batch.count
        return True

    def rewind(self) -> None:
        """Consider nothing sent: the connection is gone, and what was not acknowledged goes out again in its order."""
        self._waiting.extendleft(reversed(self._in_flight))
        self._in_flight.clear()
        self._count_in_flight = 0

    def discard(self) -> None:
        """Drop every Batch with its claim: they were taken by a clock that turned out to be wrong."""
        while self._waiting or self._in_flight:
            self._drop_oldest()

    def discard_oldest(self) -> None:
        """Drop one Batch that the server cannot read."""
        if self._waiting or self._in_flight:
            self._drop_oldest()
