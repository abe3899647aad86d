"""A house whose readings arrive as the Link's do, over real stores, and the law of the worker.

`arrive` does what ingest does, in its order: mark, append, record the claim. `rolled` lets the worker do its round
and checks the law: what is stored equals the accumulation of everything from raw, in one go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np

from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.dirty import DirtyMarks
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.entity import Entity
from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.site import Site
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Level, Source, StatisticColumns
from energy_server.rollup.accumulate import accumulate, hours, is_counter
from energy_server.rollup.worker import RollupWorker
from energy_server.store.duckdb import DuckDBSeriesStore
from energy_server.store.sqlite import SqliteStateStore
from tests.server.rollup.histories import AMSTERDAM, Row, us

SITE = Site("home", "Home", "Europe/Amsterdam", "EUR", "NL", "2026.10.4", "0.1.0")
EXACT = (CoverageSource.LIVE, CoverageSource.STATES)
COLUMNS = ("start_us", "mean", "minimum", "maximum", "change", "last", "covered_s", "provenance")


@dataclass(slots=True)
class House:
    """One Site on real stores."""

    folder: Path
    entities: tuple[Entity, ...]
    series: DuckDBSeriesStore = field(init=False)
    state: SqliteStateStore = field(init=False)
    ledger: CoverageLedger = field(init=False)
    dirty: DirtyMarks = field(init=False)
    worker: RollupWorker = field(init=False)
    heard: list[Span] = field(default_factory=list)

    async def open(self) -> Self:
        """Open the stores, and all that lives in memory anew: also what a restart does."""
        self.series = DuckDBSeriesStore(self.folder / "series")
        self.state = SqliteStateStore(self.folder / "state.sqlite")
        await self.series.open()
        await self.state.open()
        await self.state.save_site(SITE)
        await self.state.save_catalog(SITE.id, self.entities, 0)
        self.ledger = CoverageLedger(self.state, self.series.store_id)
        await self.ledger.load()
        self.dirty = DirtyMarks(self.state)
        await self.dirty.load()
        self.worker = RollupWorker(self.series, self.state, self.ledger, self.dirty, self.hear)
        return self

    async def close(self) -> None:
        """Close the stores as a stop does."""
        await self.ledger.close()
        await self.series.close()
        await self.state.close()

    def hear(self, site: str, start_us: int, end_us: int) -> None:
        """Note what was rolled."""
        assert site == SITE.id
        self.heard.append(Span(start_us, end_us))

    async def arrive(
        self,
        rows: Mapping[str, Sequence[Row]],
        span: tuple[str, str] | Span | None = None,
        *,
        source: CoverageSource = CoverageSource.LIVE,
        keys: tuple[str, ...] | None = None,
    ) -> None:
        """Let readings and their claim arrive."""
        batches = []
        for origin in Origin:
            batch = ReadingBatch(SITE.id, origin)
            for key, found in rows.items():
                for row in found:
                    if row.origin is origin:
                        batch.keys.append(key)
                        batch.ts_us.append(row.ts_us)
                        batch.values.append(row.value)
                        batch.reset_us.append(row.reset_us)
            batches.append(batch)
        claims = []
        if span is not None:
            claimed = span if isinstance(span, Span) else Span(us(span[0]), us(span[1]))
            claims.append(Claim(SITE.id, source, claimed, keys))
        async with self.dirty.marked(batches, claims):
            await self.series.append([batch for batch in batches if len(batch)])
            for claim in claims:
                await self.ledger.record(claim)

    async def rolled(self) -> None:
        """Let the worker do a round, and check the law."""
        await self.worker.roll_once()
        await self.is_current()

    async def stored(self, key: str, level: Level = Level.FIVE_MINUTES) -> StatisticColumns:
        """Return the rollups of an Entity that know something."""
        found = await self.series.statistics(SITE.id, [key], level, Source.ROLLUP, 0, 2**60)
        knows = (found.covered_s > 0) | ~np.isnan(found.change) | ~np.isnan(found.mean)
        return replace(found, **{name: getattr(found, name)[knows] for name in ("place", *COLUMNS)})

    async def is_current(self) -> None:
        """The stored Statistics are a function of readings and Coverage."""
        live_end_us = self.ledger.live_end_us(SITE.id)
        if live_end_us is None:
            return
        until_us = live_end_us // FIVE_MINUTES_US * FIVE_MINUTES_US
        for entity in self.entities:
            readings = await self.series.read(SITE.id, entity.key, 0, 2**60)
            spans = [span for span, source in self.ledger.spans(SITE.id, entity, 0, 2**60) if source in EXACT]
            begun = [*readings.ts_us.tolist(), *(span.since_us for span in spans), live_end_us]
            start_us = min(begun) // HOUR_US * HOUR_US
            stop_us = -(-max([*readings.ts_us.tolist(), live_end_us]) // HOUR_US) * HOUR_US
            known = (entity, readings, spans, start_us, stop_us, AMSTERDAM, HOUR_US)
            wanted = accumulate(*known)
            weighed = None if is_counter(entity) else accumulate(*known, HOUR_US)
            _same(await self.stored(entity.key), wanted, until_us)
            _same(await self.stored(entity.key, Level.HOUR), hours(wanted, weighed), until_us // HOUR_US * HOUR_US)


def _same(stored: StatisticColumns, wanted: StatisticColumns, until_us: int) -> None:
    got, needed = stored.start_us < until_us, wanted.start_us < until_us
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(stored, column)[got], getattr(wanted, column)[needed], err_msg=column)
