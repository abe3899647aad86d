"""Keep Statistics current: what is marked dirty, and every period that Coverage has passed.

In:   the dirty marks, the ledger of Coverage, the readings.
Out:  Statistics of both Levels in the SeriesStore; then the marks are done, and `on_rolled` hears of the span.
Failures: StoreUnavailableError from `roll_once`; `run` logs it once, and tries again. Nothing is lost: the marks stay.

A rollup is a function of readings, Coverage, and what of it came late (which tells `backfilled` from `measured`), so
doing it twice, or after a kill half-way, changes nothing. Two things ask for one:
- a mark: the readings of a span changed; each span is widened to the neighbouring readings, whose time they share;
- time: live Coverage has passed the end of a period, so that it is complete for every Entity of the Site, also for
  those that were silent. `rolled_until:<site>` remembers how far that went. Where Coverage was taken away (a clock was
  set back), the rows of the time after its end are overwritten, and rolled up again as Coverage grows.

While a large history pours in, the worker waits, MOST_POSTPONED_S at most: rolling up beside would halve its pace, and
do the same hours again and again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from energy_server.energy.periods import zone_of
from energy_server.errors import StoreUnavailableError
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.dirty import DirtyMarks
from energy_server.ledger.spans import SpanSet
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity
from energy_server.model.reading import Reading, ReadingSlice
from energy_server.model.site import Site
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Source, StatisticColumns
from energy_server.rollup.accumulate import accumulate, hours, is_counter
from energy_server.rollup.gather import Gatherer
from energy_server.rollup.levels import LEVELS, SPREAD_MAX_US
from energy_server.rollup.rows import afterwards, completed, together, within
from energy_server.store.port import SeriesStore, StateStore

_LOGGER = logging.getLogger(__name__)

SLICE_US = 7 * 24 * HOUR_US
AHEAD_US = 2 * HOUR_US
"""Spans as short as this are read of many Entities at once."""
MOST_ROWS = 60_000
"""Statistics that are held in memory before they are written."""
A_FLOOD = 10_000
"""Readings of a history in a second."""
MOST_POSTPONED_S = 30.0
BIG_READINGS = 20_000
"""From so many readings on numpy works in a thread: it would hold up the event loop for more than some milliseconds."""

type Sleep = Callable[[float], Awaitable[None]]
type OnRolled = Callable[[str, int, int], None]


@dataclass(slots=True)
class _Rolled:
    """Statistics of one Site that wait to be written, and the marks that are done then."""

    site: str
    five: list[StatisticColumns] = field(default_factory=list)
    hour: list[StatisticColumns] = field(default_factory=list)
    done: dict[tuple[str, str], SpanSet] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self.five))


class RollupWorker:
    """One task for all Sites; an Entity and a slice of time at once."""

    def __init__(
        self,
        series: SeriesStore,
        state: StateStore,
        ledger: CoverageLedger,
        dirty: DirtyMarks,
        on_rolled: OnRolled,
        *,
        interval_s: float = 5.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._series = series
        self._state = state
        self._ledger = ledger
        self._dirty = dirty
        self._on_rolled = on_rolled
        self._interval_s = interval_s
        self._sleep = sleep
        self._gatherer = Gatherer(series, ledger)

    async def run(self) -> None:
        """Roll up every `interval_s` until cancelled."""
        failed = False
        while True:
            await self._flood_over()
            try:
                await self.roll_once()
            except StoreUnavailableError as err:
                if not failed:  # once per outage
                    _LOGGER.warning("Statistics wait for the store: %s", err)
                failed = True
            else:
                failed = False

    async def _flood_over(self) -> None:
        """Wait for the interval, and again for as long as a history pours in."""
        waited_s, came = 0.0, A_FLOOD * self._interval_s
        while came >= A_FLOOD * self._interval_s and waited_s < MOST_POSTPONED_S:
            before = self._dirty.histories
            await self._sleep(self._interval_s)
            waited_s += self._interval_s
            came = self._dirty.histories - before

    async def roll_once(self) -> None:
        """Roll up everything that is marked now, then every period that Coverage has passed."""
        marked = self._dirty.take()
        for site in await self._state.sites():
            mine = {key: spans for (of, key), spans in marked.items() if of == site.id}
            passed = await self._passed(site.id)
            if not mine and passed is None:
                continue
            entities = {entity.key: entity for entity in await self._state.entities(site.id)}
            latest = await self._series.latest(site.id)
            await self._roll_marked(site, entities, mine, latest)
            if passed is not None:
                await self._roll_passed(site, entities, passed, latest)

    async def _roll_marked(
        self, site: Site, entities: dict[str, Entity], marked: dict[str, SpanSet], latest: dict[str, Reading]
    ) -> None:
        rolled = _Rolled(site.id)
        await self._look_ahead(site.id, {key: spans[-1] for key, spans in marked.items()}, latest)
        for key, spans in marked.items():
            self._gatherer.changed(site.id, key, spans[0].since_us)
            if (entity := entities.get(key)) is not None:
                for span in spans:
                    reach = await self._gatherer.affected(entity, span, latest.get(key))
                    await self._roll(site, entity, reach, latest.get(key), rolled)
            rolled.done[site.id, key] = spans
            if len(rolled) >= MOST_ROWS:
                await self._write(rolled)
        await self._write(rolled)
        self._gatherer.forget_ahead()

    async def _look_ahead(self, site: str, spans: Mapping[str, Span], latest: Mapping[str, Reading]) -> None:
        """Read the readings of all Entities that want the same hours at once, as nearly all do when they are live."""
        wanting: dict[Span, list[str]] = {}
        for key, span in spans.items():
            whole = Span(_floor(span.since_us, HOUR_US), -_floor(-span.until_us, HOUR_US))
            newest = latest.get(key)
            short = whole.until_us - whole.since_us <= AHEAD_US
            if short and newest is not None and newest.ts_us >= whole.since_us:
                wanting.setdefault(whole, []).append(key)
        for whole, keys in wanting.items():
            if len(keys) > 1:
                await self._gatherer.look_ahead(site, keys, whole.since_us, whole.until_us)

    async def _passed(self, site: str) -> Span | None:
        """Return what Coverage has passed (or lost) since last time, None if it is no whole period."""
        live = self._ledger.live_spans(site)
        if not live:
            return None
        end_us = _floor(live[-1].until_us, FIVE_MINUTES_US)
        document = await self._state.document(_document(site))
        known = document.get("ts_us") if document else None
        since_us = known if isinstance(known, int) else _floor(live[0].since_us, FIVE_MINUTES_US)
        return Span(since_us, end_us) if since_us != end_us else None

    async def _roll_passed(
        self, site: Site, entities: dict[str, Entity], passed: Span, latest: dict[str, Reading]
    ) -> None:
        taken_away = passed.until_us < passed.since_us
        span = Span(passed.until_us, passed.since_us) if taken_away else passed
        rolled = _Rolled(site.id)
        await self._look_ahead(site.id, dict.fromkeys(entities, span), latest)
        for entity in entities.values():
            if entity.until_us is None or entity.until_us > span.since_us:
                await self._roll(site, entity, span, latest.get(entity.key), rolled, every_period=taken_away)
            if len(rolled) >= MOST_ROWS:
                await self._write(rolled)
        await self._write(rolled)
        self._gatherer.forget_ahead()
        await self._state.put_document(_document(site.id), {"ts_us": passed.until_us})

    async def _roll(
        self,
        site: Site,
        entity: Entity,
        span: Span,
        latest: Reading | None,
        rolled: _Rolled,
        *,
        every_period: bool = False,
    ) -> None:
        """Roll up the periods that the span touches, whole hours at a time, since an hour is the sum of its parts."""
        zone = zone_of(site.time_zone)
        start_us = _floor(span.since_us, FIVE_MINUTES_US)
        end_us = -_floor(-span.until_us, FIVE_MINUTES_US)
        for part in _slices(start_us, end_us):
            gathered = await self._gatherer.gather(entity, part.since_us, part.until_us, latest)
            arguments = (
                entity,
                gathered.readings,
                gathered.covered,
                self._ledger.late.spans(site.id, part.since_us, part.until_us),
                part.since_us,
                part.until_us,
                zone,
                SPREAD_MAX_US.get(entity.kind, HOUR_US),
            )
            big = len(gathered.readings) >= BIG_READINGS
            five, hour = await asyncio.to_thread(_both, *arguments) if big else _both(*arguments)
            if every_period:
                five, hour = completed(five, part, FIVE_MINUTES_US), completed(hour, part, HOUR_US)
            rolled.five.append(within(five, start_us, end_us))
            rolled.hour.append(hour)
            if len(rolled) >= MOST_ROWS:
                await self._write(rolled)

    async def _write(self, rolled: _Rolled) -> None:
        """Write what waits; only then its marks are done."""
        five, hour = together(rolled.five), together(rolled.hour)
        for row, columns in zip(LEVELS, (five, hour), strict=True):
            if len(columns):
                await self._series.put_statistics(rolled.site, row.level, Source.ROLLUP, columns)
        if len(five):
            start_us, last_us = int(five.start_us.min()), int(five.start_us.max())
            self._on_rolled(rolled.site, start_us, last_us + FIVE_MINUTES_US)
        if rolled.done:
            await self._dirty.done(rolled.done)
        rolled.five, rolled.hour, rolled.done = [], [], {}


def _both(
    entity: Entity,
    readings: ReadingSlice,
    covered: Sequence[Span],
    late: Sequence[Span],
    start_us: int,
    end_us: int,
    zone: ZoneInfo,
    spread_max_us: int,
) -> tuple[StatisticColumns, StatisticColumns]:
    """Return the Statistics of 5 minutes and of hours."""
    known = (entity, readings, covered, start_us, end_us, zone, spread_max_us)
    five = afterwards(accumulate(*known), late, FIVE_MINUTES_US)
    return five, hours(five, None if is_counter(entity) else accumulate(*known, HOUR_US))


def _document(site: str) -> str:
    return f"rolled_until:{site}"


def _floor(ts_us: int, period_us: int) -> int:
    return ts_us // period_us * period_us


def _slices(start_us: int, end_us: int) -> Iterator[Span]:
    """Yield whole hours, at most SLICE_US at a time, that cover the span."""
    since_us, until_us = _floor(start_us, HOUR_US), -_floor(-end_us, HOUR_US)
    while since_us < until_us:
        yield Span(since_us, min(since_us + SLICE_US, until_us))
        since_us += SLICE_US
