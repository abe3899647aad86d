"""The ledger of Coverage: what the claims of durable messages add up to.

In:   claims, after their data is durable; catalogs, before they are stored.
Out:  for which spans everything is known, for each Entity, and how.
Failures: StoreUnavailableError from `load`, `flush`, `close`, `adopt`, `void_after`, `void_within`, and from `record`
of a claim that takes Coverage away.

It lives in memory and is written behind, every FLUSH_INTERVAL_S: Coverage may lag behind the data, never lead it. What
is taken away is durable before `record` returns, since Coverage that outlives its data would lead.

A healthy year is one row, live and of the whole Site; it holds for each Entity from its `since_us` to its `until_us`.
States of all Entities are put together to rows of the whole Site as well, unless one that left lacks them; what is
said of one Entity counts more.
What is asked often and changes seldom, the Coverage before the last live span began, is remembered, and shared by all
Entities of which nothing else is said.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from energy_server.ledger.late import Late
from energy_server.ledger.spans import SpanSet, added, before, clipped, difference, intersection, union
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.entity import Entity
from energy_server.store.port import CoverageRow, StateStore

FLUSH_INTERVAL_S = 10.0
FOREVER_US = 2**62
NO_STATISTICS = "no_statistics"
"""The reason of a claim that settles hours, not readings."""

PRECEDENCE = (
    CoverageSource.LIVE,
    CoverageSource.STATES,
    CoverageSource.HA_OFF,
    CoverageSource.HOUR,
    CoverageSource.NONE,
)
"""Where a span is covered in several ways, the first of these counts."""

OF_INSTANTS = (CoverageSource.LIVE, CoverageSource.STATES, CoverageSource.HA_OFF, CoverageSource.NONE)
"""What a clock that was set back puts in doubt."""

LISTENED = (CoverageSource.LIVE, CoverageSource.STATES)
"""What of the whole Site holds for an Entity only while it was listened to."""

type Way = tuple[CoverageSource, str | None]
"""How spans are covered: the source, and the reason where there is one. Spans of one way may be merged."""
type Place = tuple[str, str | None]
"""(site, key); the key None stands for every Entity of the Site that listened then."""
type Covered = list[tuple[Span, CoverageSource]]

_LIVE: Way = (CoverageSource.LIVE, None)
_STATES: Way = (CoverageSource.STATES, None)


class CoverageLedger:
    """The Coverage of all Sites."""

    def __init__(self, state: StateStore, store_id: str) -> None:
        self.late = Late(state)
        self._state = state
        self._store_id = store_id
        self._known: dict[Place, dict[Way, SpanSet]] = {}
        self._stored: dict[tuple[Place, Way], SpanSet] = {}
        self._changed: set[tuple[Place, Way]] = set()
        self._versions: Counter[str] = Counter()
        self._shapes: Counter[str] = Counter()
        self._catalogs: dict[str, Sequence[Entity]] = {}
        self._left: dict[str, Sequence[Entity]] = {}
        self._scattered: dict[str, Span] = {}
        self._shared: dict[str, tuple[object, dict[Hashable, object]]] = {}
        self._reached_us: Counter[str] = Counter()
        """How far each Site had come. Coverage that a kill took before it was written may still be told by who left."""
        self._shrunk = False
        self._flushing = asyncio.Lock()

    async def load(self) -> None:
        """Read what is stored; Coverage of another SeriesStore is void."""
        await self.late.load()
        spans: dict[tuple[Place, Way], list[Span]] = {}
        for row in await self._state.coverage(self._store_id):
            spans.setdefault(((row.site, row.key), (row.source, row.reason)), []).append(row.span)
        self._known = {}
        for (place, way), found in spans.items():
            self._known.setdefault(place, {})[way] = union(found)
            if way[0] in OF_INSTANTS and way[1] != NO_STATISTICS:
                last_us = max(span.until_us for span in found)
                self._reached_us[place[0]] = max(self._reached_us[place[0]], last_us)
        self._stored = {kind: sorted(found) for kind, found in spans.items()}
        self._changed = {kind for kind, found in self._stored.items() if self._spans(*kind) != found}

    async def record(self, claim: Claim) -> None:
        """Take a claim whose data is durable; a live one that begins earlier than others ended goes back to there."""
        if claim.live and claim.span.since_us < self._reached_us[claim.site]:
            await self._go_back(claim.site, claim.span.since_us)
        if claim.source in OF_INSTANTS and claim.reason != NO_STATISTICS:
            self._reached_us[claim.site] = max(self._reached_us[claim.site], claim.span.until_us)
        way = claim.source, claim.reason
        for key in (None,) if claim.keys is None else claim.keys:
            for span in self._new(claim, key):
                self._grow((claim.site, key), way, span)
        if way == _STATES or (claim.source is CoverageSource.NONE and claim.reason != NO_STATISTICS):
            known = self._scattered.get(claim.site, claim.span)
            begin_us, end_us = min(known.since_us, claim.span.since_us), max(known.until_us, claim.span.until_us)
            self._scattered[claim.site] = Span(begin_us, end_us)
        if self._shrunk:
            await self.flush()

    async def void_after(self, site: str, instant_us: int) -> None:
        """Take away what a clock that was wrong has claimed, durably: its user says that it is right now."""
        await self._go_back(site, instant_us)
        await self.flush()

    async def void_within(self, span: Span) -> None:
        """Take away, durably and of all Sites, that the readings of a span are stored: the store has lost them.

        What Home Assistant never had stays known.
        """
        for place, ways in self._known.items():
            for way, spans in ways.items():
                if way[0] in LISTENED and clipped(spans, span.since_us, span.until_us):
                    self._change(place, way, difference(spans, [span]))
                    self._reshaped(place)
                    self._shrunk = True
        await self.flush()

    async def adopt(self, site: str, known: Sequence[Entity], catalog: Sequence[Entity]) -> list[Entity]:
        """Return the Entities of a catalog with the instant since which claims for all hold for each of them.

        An Entity that was not in the catalog before was in no claim so far, whatever it says itself. One that is
        listened to anew keeps, as its own and durably, what was claimed while it was listened to before.
        """
        earlier = {entity.key: entity for entity in known}
        live_end_us = self.live_end_us(site) or 0
        adopted = []
        for entity in catalog:
            old = earlier.get(entity.key)
            stayed = old is not None and old.until_us is None
            since_us = max(entity.since_us, old.since_us if old is not None and stayed else live_end_us)
            if old is not None and old.since_us < since_us:
                self._keep(old, since_us)
            adopted.append(replace(entity, since_us=since_us))
        self._catalogs[site] = [entity for entity in adopted if entity.readable]
        present = {entity.key for entity in adopted}
        gone = [entity for entity in known if entity.readable and entity.key not in present]
        self._left[site] = [replace(one, until_us=one.until_us or self.live_end_us(site)) for one in gone]
        self._reached_us[site] = max(self._reached_us[site], *(one.until_us or 0 for one in self._left[site]), 0)
        if self._shrunk:
            await self.flush()  # by the new catalog: by the old one, what was kept would become everybody's again
        return adopted

    async def flush(self) -> None:
        """Make everything durable."""
        async with self._flushing:
            while self._scattered:
                self._gather(*self._scattered.popitem())
            changed, self._changed = self._changed, set()
            wanted = {kind: self._spans(*kind) for kind in changed}
            stored = {kind: self._stored.get(kind, []) for kind in changed}
            rows = [row for kind in changed for row in _rows(*kind, wanted[kind], stored[kind])]
            removed = [row for kind in changed for row in _rows(*kind, stored[kind], wanted[kind])]
            try:
                if rows or removed:
                    await self._state.save_coverage(self._store_id, rows, removed)
            except BaseException:
                self._changed |= changed  # to be written by the next flush
                raise
            self._stored.update(wanted)
            self._shrunk = self._shrunk and bool(self._changed)

    async def close(self) -> None:
        """Make everything durable, for good."""
        await self.flush()

    def live_end_us(self, site: str) -> int | None:
        """Return where the live Coverage of the whole Site ends."""
        spans = self._spans((site, None), _LIVE)
        return spans[-1].until_us if spans else None

    def live_spans(self, site: str) -> list[Span]:
        """Return the live Coverage of the whole Site."""
        return list(self._spans((site, None), _LIVE))

    def shape(self, site: str) -> int:
        """Return what is equal for as long as nothing changed but that the last live span goes on."""
        return self._shapes[site]

    def alike(self, entity: Entity, start_us: int) -> Hashable:
        """Return what is equal for Entities of a Site that have the same Coverage from an instant on."""
        own = (
            (way, tuple(clipped(spans, start_us, FOREVER_US)))
            for way, spans in self._known.get((entity.site, entity.key), {}).items()
        )
        return max(entity.since_us, start_us), entity.until_us, frozenset(item for item in own if item[1])

    def remembered[T](self, entity: Entity, what: str, compute: Callable[[int, int], T]) -> T:
        """Return what `compute` makes of the time from the first live span to the last one.

        It must depend on the Coverage of the Entity there only, and is computed once for all that are alike.
        """
        live = self._spans((entity.site, None), _LIVE)
        start_us, end_us = (live[0].since_us, live[-1].since_us) if live else (0, 0)
        version = self._versions[entity.site]
        shared = self._shared.get(entity.site)
        if shared is None or shared[0] != version:
            shared = self._shared[entity.site] = version, {}
        kind = what, self.alike(entity, start_us)
        if kind not in shared[1]:
            shared[1][kind] = compute(start_us, end_us)
        return cast("T", shared[1][kind])

    def spans(self, site: str, entity: Entity, start_us: int, end_us: int) -> Covered:
        """Return the Coverage of an Entity in a span, in ascending time, each instant with the best source it has."""
        live = self._spans((site, None), _LIVE)
        first_us, last_us = (live[0].since_us, live[-1].since_us) if live else (0, 0)
        found: Covered = []
        if start_us < first_us:
            found = self._timeline(entity, start_us, min(first_us, end_us))
        if start_us < last_us and end_us > first_us:
            known = self.remembered(entity, "timeline", partial(self._timeline, entity))
            found = _followed(found, _within(known, start_us, end_us))
        return _followed(found, self._timeline(entity, max(start_us, last_us), end_us))

    def settled_readings(self, entity: Entity, start_us: int, end_us: int) -> SpanSet:
        """Return where in a span the readings of an Entity are known, or known not to be had."""
        exact = [self._of(entity, source, start_us, end_us) for source in OF_INSTANTS]
        return union(span for spans in exact for span in spans)

    def unreadable(self, entity: Entity) -> SpanSet:
        """Return the spans for which Home Assistant said that it has no readings of the Entity, though it ran."""
        return self._of(entity, CoverageSource.NONE, 0, FOREVER_US)

    def lost(self, entity: Entity) -> dict[str, SpanSet]:
        """Return by reason the spans for which Home Assistant said that it has no readings of the Entity."""
        found: dict[str, SpanSet] = {}
        for place in ((entity.site, None), (entity.site, entity.key)):
            for (source, reason), spans in self._known.get(place, {}).items():
                if source in (CoverageSource.HA_OFF, CoverageSource.NONE) and reason not in (None, NO_STATISTICS):
                    found[reason] = union([*found.get(reason, ()), *spans])
        return found

    def settled_hours(self, site: str, key: str) -> SpanSet:
        """Return where the hourly statistics of an Entity are imported, or are known not to exist."""
        ways = self._known.get((site, key), {})
        settling = ((CoverageSource.HOUR, None), (CoverageSource.NONE, NO_STATISTICS))
        return union(span for way in settling for span in ways.get(way, ()))

    def imported_hours(self, site: str, key: str) -> SpanSet:
        """Return where the hourly statistics of an Entity are imported."""
        return self._spans((site, key), (CoverageSource.HOUR, None))

    def _timeline(self, entity: Entity, start_us: int, end_us: int) -> Covered:
        rest = union([Span(start_us, end_us)])
        found: Covered = []
        for source in PRECEDENCE:
            if not rest:
                break
            covered = self._of(entity, source, start_us, end_us, hours_too=True)
            if covered:
                found.extend((span, source) for span in intersection(covered, rest))
                rest = difference(rest, covered)
        return sorted(found)

    def _of(
        self, entity: Entity, source: CoverageSource, start_us: int, end_us: int, *, hours_too: bool = False
    ) -> SpanSet:
        """Return what one source covers of a span for an Entity; claims about hours count only where wanted."""
        own, everybody = (entity.site, entity.key), (entity.site, None)
        sets = [clipped(spans, start_us, end_us) for spans in self._ways(own, source, hours_too=hours_too)]
        if source in LISTENED:
            start_us = max(start_us, entity.since_us)
            end_us = min(end_us, _until(entity))
        whole = [clipped(spans, start_us, end_us) for spans in self._ways(everybody, source, hours_too=hours_too)]
        if source is CoverageSource.STATES and whole:
            lost = clipped(self._lost(entity), start_us, end_us)
            whole = [difference(spans, lost) for spans in whole]
        sets = [spans for spans in (*sets, *whole) if spans]
        return sets[0] if len(sets) == 1 else union(span for spans in sets for span in spans)

    def _ways(self, place: Place, source: CoverageSource, *, hours_too: bool) -> Iterable[SpanSet]:
        for (of, reason), spans in self._known.get(place, {}).items():
            if of is source and (hours_too or reason != NO_STATISTICS):
                yield spans

    def _spans(self, place: Place, way: Way) -> SpanSet:
        return self._known.get(place, {}).get(way, [])

    def _new(self, claim: Claim, key: str | None) -> SpanSet:
        """Return the span of a claim for one Entity, without states that it cannot take back.

        Home Assistant says that it has no readings (any more) of a time; what was stored before is stored.
        """
        if claim.source is not CoverageSource.NONE or claim.reason == NO_STATISTICS or key is None:
            return [claim.span]
        known = self._spans((claim.site, None), _STATES)
        for entity in self._catalogs.get(claim.site, ()) if known else ():
            if entity.key == key:
                return difference([claim.span], clipped(known, entity.since_us, FOREVER_US))
        return [claim.span]

    def _lost(self, entity: Entity) -> SpanSet:
        own = self._ways((entity.site, entity.key), CoverageSource.NONE, hours_too=False)
        return union(span for spans in own for span in spans)

    def _keep(self, entity: Entity, until_us: int) -> None:
        """Write down as the Entity's own what was claimed for all while it was listened to."""
        until_us = min(until_us, _until(entity))
        for source in LISTENED:
            whole = clipped(self._spans((entity.site, None), (source, None)), entity.since_us, until_us)
            for span in whole if source is CoverageSource.LIVE else difference(whole, self._lost(entity)):
                self._grow((entity.site, entity.key), (source, None), span)
                self._shrunk = True  # to be durable before the window moves on

    async def _go_back(self, site: str, instant_us: int) -> None:
        """Forget the time after an instant, which comes again; who left in it will not be there."""
        await self._state.left_by(site, instant_us)
        self._reached_us[site] = instant_us
        self._left[site] = [replace(one, until_us=min(_until(one), instant_us)) for one in self._left.get(site, ())]
        for place, ways in self._known.items():
            for way, spans in ways.items():
                if place[0] == site and way[0] in OF_INSTANTS and spans and spans[-1].until_us > instant_us:
                    self._change(place, way, before(spans, instant_us))
                    self._reshaped(place)
                    self._shrunk = True

    def _grow(self, place: Place, way: Way, span: Span) -> None:
        spans = self._spans(place, way)
        grown = added(spans, span)
        if grown is spans:
            return
        self._change(place, way, grown)
        goes_on = len(grown) == len(spans) and grown[-1].since_us == spans[-1].since_us
        if place[1] is not None or way != _LIVE or not goes_on:
            self._reshaped(place)

    def _gather(self, site: str, within: Span) -> None:
        """Put states that all Entities which were listened to have together to rows of the whole Site.

        One of which it is known that it has none there does not stand in the way; one that left before it was answered
        does, since the row would hold for it, too. Beyond live Coverage it would hold for who comes next.
        """
        entities = self._catalogs.get(site, ())
        since_us = max((entity.since_us for entity in entities), default=FOREVER_US)
        span = Span(max(since_us, within.since_us), min(self.live_end_us(site) or 0, within.until_us))
        listened = [*entities, *(one for one in self._left.get(site, ()) if _until(one) > span.since_us)]
        common = union([span])
        for entity in listened:
            common = intersection(common, self._settled_alone(entity, span))
            if not common:
                return
        owners = [entity for entity in listened if self._give(entity, common)]
        for part in common if owners else ():
            self._grow((site, None), _STATES, part)

    def _settled_alone(self, entity: Entity, span: Span) -> SpanSet:
        """Return where rows of the whole Site say of an Entity no more than its own do, or do not hold for it."""
        own = clipped(self._spans((entity.site, entity.key), _STATES), span.since_us, span.until_us)
        if own == [span]:
            return own
        lost = clipped(self._lost(entity), span.since_us, span.until_us)
        unheard = [Span(0, entity.since_us), Span(_until(entity), FOREVER_US)]
        return union([*own, *lost, *unheard])

    def _give(self, entity: Entity, common: SpanSet) -> bool:
        """Take from an Entity's own states what becomes known of the whole Site; tell whether it had any."""
        place = entity.site, entity.key
        own = self._spans(place, _STATES)
        rest = difference(own, difference(clipped(common, entity.since_us, _until(entity)), self._lost(entity)))
        if rest == own:
            return False
        self._change(place, _STATES, rest)
        self._reshaped(place)
        return True

    def _reshaped(self, place: Place) -> None:
        if place[1] is None:
            self._versions[place[0]] += 1
        self._shapes[place[0]] += 1

    def _change(self, place: Place, way: Way, spans: SpanSet) -> None:
        self._known.setdefault(place, {})[way] = spans
        self._changed.add((place, way))


def _until(entity: Entity) -> int:
    return FOREVER_US if entity.until_us is None else entity.until_us


def _followed(one: Covered, other: Covered) -> Covered:
    """Return what follows on one another as one, spans that touch and have the same source joined."""
    if one and other and one[-1][0].until_us == other[0][0].since_us and one[-1][1] is other[0][1]:
        joined = (Span(one[-1][0].since_us, other[0][0].until_us), one[-1][1])
        return [*one[:-1], joined, *other[1:]]
    return [*one, *other]


def _within(covered: Covered, start_us: int, end_us: int) -> Covered:
    first = bisect_right(covered, start_us, key=lambda item: item[0].until_us)
    found: Covered = []
    for span, source in covered[first:]:
        if span.since_us >= end_us:
            break
        part = Span(max(span.since_us, start_us), min(span.until_us, end_us))
        if part.since_us < part.until_us:
            found.append((part, source))
    return found


def _rows(place: Place, way: Way, spans: SpanSet, without: SpanSet) -> list[CoverageRow]:
    left_out = set(without)
    return [CoverageRow(place[0], place[1], way[0], span, way[1]) for span in spans if span not in left_out]
