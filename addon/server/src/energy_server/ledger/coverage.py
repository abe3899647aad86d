"""The ledger of Coverage: what the claims of durable messages add up to.

In:   claims, after their data is durable; catalogs, before they are stored.
Out:  for which spans everything is known, for each Entity, and how.
Failures: StoreUnavailableError from `load`, `flush`, `close`, `adopt`, `void_after`, and from `record` of a claim that
takes Coverage away.

It lives in memory and is written behind, every FLUSH_INTERVAL_S: Coverage may lag behind the data, never lead it. What
is taken away is durable before `record` returns, since Coverage that outlives its data would lead.

A healthy year is one row, live and of the whole Site; it holds for each Entity from its `since_us` to its `until_us`.
What is asked often and changes seldom, the Coverage before the last live span began, is remembered for each Entity.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

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


class CoverageLedger:
    """The Coverage of all Sites."""

    def __init__(self, state: StateStore, store_id: str) -> None:
        self._state = state
        self._store_id = store_id
        self._known: dict[Place, dict[Way, SpanSet]] = {}
        self._stored: dict[tuple[Place, Way], SpanSet] = {}
        self._changed: set[tuple[Place, Way]] = set()
        self._versions: Counter[Place] = Counter()
        self._shapes: Counter[str] = Counter()
        self._remembered: dict[Place, tuple[object, Covered]] = {}
        self._shrunk = False
        self._flushing = asyncio.Lock()

    async def load(self) -> None:
        """Read what is stored; Coverage of another SeriesStore is void."""
        spans: dict[tuple[Place, Way], list[Span]] = {}
        for row in await self._state.coverage(self._store_id):
            spans.setdefault(((row.site, row.key), (row.source, row.reason)), []).append(row.span)
        self._known = {}
        for (place, way), found in spans.items():
            self._known.setdefault(place, {})[way] = union(found)
        self._stored = {kind: sorted(found) for kind, found in spans.items()}
        self._changed = {kind for kind, found in self._stored.items() if self._spans(*kind) != found}

    async def record(self, claim: Claim) -> None:
        """Take a claim whose data is durable; one that begins before the end of live Coverage first cuts it there."""
        whole_site_live = claim.source is CoverageSource.LIVE and claim.keys is None
        live_end_us = self.live_end_us(claim.site)
        if whole_site_live and live_end_us is not None and claim.span.since_us < live_end_us:
            self._cut(claim.site, claim.span.since_us)
        for key in (None,) if claim.keys is None else claim.keys:
            self._grow((claim.site, key), (claim.source, claim.reason), claim.span)
        if self._shrunk:
            await self.flush()

    async def void_after(self, site: str, instant_us: int) -> None:
        """Take away what a clock that was wrong has claimed, durably: its user says that it is right now."""
        self._cut(site, instant_us)
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
        if self._shrunk:
            await self.flush()
        return adopted

    async def flush(self) -> None:
        """Make everything durable."""
        async with self._flushing:
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

    def settled_until_us(self, site: str) -> int:
        """Return where the last live span of the whole Site begins: what is before it changes seldom."""
        spans = self._spans((site, None), _LIVE)
        return spans[-1].since_us if spans else 0

    def shape(self, site: str) -> int:
        """Return what is equal for as long as nothing changed but that the last live span goes on."""
        return self._shapes[site]

    def version(self, entity: Entity) -> object:
        """Return what is equal for as long as the Coverage of the Entity before `settled_until_us` is the same."""
        whole, own = (entity.site, None), (entity.site, entity.key)
        return self._versions[whole], self._versions[own], entity.since_us, entity.until_us

    def spans(self, site: str, entity: Entity, start_us: int, end_us: int) -> Covered:
        """Return the Coverage of an Entity in a span, in ascending time, each instant with the best source it has."""
        settled_us = self.settled_until_us(site)
        found = _within(self._before(entity, settled_us), start_us, end_us)
        late = self._timeline(entity, max(start_us, settled_us), end_us)
        if found and late and found[-1][0].until_us == late[0][0].since_us and found[-1][1] is late[0][1]:
            late[0] = (Span(found.pop()[0].since_us, late[0][0].until_us), late[0][1])
        return [*found, *late]

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

    def _before(self, entity: Entity, settled_us: int) -> Covered:
        place, version = (entity.site, entity.key), self.version(entity)
        remembered = self._remembered.get(place)
        if remembered is None or remembered[0] != version:
            remembered = self._remembered[place] = version, self._timeline(entity, 0, settled_us)
        return remembered[1]

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
        sets = [clipped(spans, start_us, end_us) for spans in self._ways((entity.site, entity.key), source, hours_too)]
        if source in LISTENED:
            start_us = max(start_us, entity.since_us)
            end_us = min(end_us, FOREVER_US if entity.until_us is None else entity.until_us)
        sets += [clipped(spans, start_us, end_us) for spans in self._ways((entity.site, None), source, hours_too)]
        sets = [spans for spans in sets if spans]
        return sets[0] if len(sets) == 1 else union(span for spans in sets for span in spans)

    def _ways(self, place: Place, source: CoverageSource, hours_too: bool) -> Iterable[SpanSet]:  # noqa: FBT001
        for (of, reason), spans in self._known.get(place, {}).items():
            if of is source and (hours_too or reason != NO_STATISTICS):
                yield spans

    def _spans(self, place: Place, way: Way) -> SpanSet:
        return self._known.get(place, {}).get(way, [])

    def _keep(self, entity: Entity, until_us: int) -> None:
        """Write down as the Entity's own what was claimed for all while it was listened to."""
        until_us = min(until_us, FOREVER_US if entity.until_us is None else entity.until_us)
        for source in LISTENED:
            for span in clipped(self._spans((entity.site, None), (source, None)), entity.since_us, until_us):
                self._grow((entity.site, entity.key), (source, None), span)
                self._shrunk = True  # to be durable before the window moves on

    def _cut(self, site: str, instant_us: int) -> None:
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

    def _reshaped(self, place: Place) -> None:
        self._versions[place] += 1
        self._shapes[place[0]] += 1

    def _change(self, place: Place, way: Way, spans: SpanSet) -> None:
        self._known.setdefault(place, {})[way] = spans
        self._changed.add((place, way))


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
