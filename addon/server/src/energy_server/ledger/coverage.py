"""The ledger of Coverage: what the claims of durable messages add up to.

In:   claims, after their data is durable.
Out:  for which spans everything is known, for each Entity, and how.
Failures: StoreUnavailableError from `load`, `flush`, `close`, and from `record` of a claim that takes Coverage away.

It lives in memory and is written behind, every FLUSH_INTERVAL_S: Coverage may lag behind the data, never lead it. What
is taken away is durable before `record` returns, since Coverage that outlives its data would lead.
"""

import asyncio
from dataclasses import dataclass

from energy_server.ledger.spans import SpanSet, before, clipped, difference, intersection, union
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.entity import Entity
from energy_server.store.port import CoverageRow, StateStore

FLUSH_INTERVAL_S = 10.0
FOREVER_US = 2**62

PRECEDENCE = (
    CoverageSource.LIVE,
    CoverageSource.STATES,
    CoverageSource.HA_OFF,
    CoverageSource.HOUR,
    CoverageSource.NONE,
)
"""Where a span is covered in several ways, the first of these counts."""

OF_INSTANTS = (CoverageSource.LIVE, CoverageSource.STATES, CoverageSource.HA_OFF)
"""What a clock that was set back puts in doubt."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What rows of Coverage have in common when their spans may be merged."""

    site: str
    key: str | None
    source: CoverageSource
    reason: str | None


class CoverageLedger:
    """The Coverage of all Sites."""

    def __init__(self, state: StateStore, store_id: str) -> None:
        self._state = state
        self._store_id = store_id
        self._known: dict[_Kind, SpanSet] = {}
        self._stored: dict[_Kind, SpanSet] = {}
        self._changed: set[_Kind] = set()
        self._reasons: set[str | None] = {None}
        self._shrunk = False
        self._flushing = asyncio.Lock()

    async def load(self) -> None:
        """Read what is stored; Coverage of another SeriesStore is void."""
        spans: dict[_Kind, list[Span]] = {}
        for row in await self._state.coverage(self._store_id):
            spans.setdefault(_Kind(row.site, row.key, row.source, row.reason), []).append(row.span)
        self._known = {kind: union(found) for kind, found in spans.items()}
        self._stored = {kind: sorted(found) for kind, found in spans.items()}
        self._reasons |= {kind.reason for kind in spans}
        self._changed = {kind for kind in spans if self._known[kind] != self._stored[kind]}

    async def record(self, claim: Claim) -> None:
        """Take a claim whose data is durable; one that begins before the end of live Coverage first cuts it there."""
        whole_site_live = claim.source is CoverageSource.LIVE and claim.keys is None
        live_end_us = self.live_end_us(claim.site)
        if whole_site_live and live_end_us is not None and claim.span.since_us < live_end_us:
            self._cut(claim.site, claim.span.since_us)
        for key in (None,) if claim.keys is None else claim.keys:
            kind = _Kind(claim.site, key, claim.source, claim.reason)
            self._change(kind, _joined(self._known.get(kind, []), claim.span))
        if self._shrunk:
            await self.flush()

    async def flush(self) -> None:
        """Make everything durable."""
        async with self._flushing:
            changed, self._changed = self._changed, set()
            wanted = {kind: self._known.get(kind, []) for kind in changed}
            stored = {kind: self._stored.get(kind, []) for kind in changed}
            added = [row for kind in changed for row in _rows(kind, wanted[kind], stored[kind])]
            removed = [row for kind in changed for row in _rows(kind, stored[kind], wanted[kind])]
            try:
                if added or removed:
                    await self._state.save_coverage(self._store_id, added, removed)
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
        spans = self.live_spans(site)
        return spans[-1].until_us if spans else None

    def live_spans(self, site: str) -> list[Span]:
        """Return the live Coverage of the whole Site."""
        return list(self._known.get(_Kind(site, None, CoverageSource.LIVE, None), []))

    def spans(self, site: str, entity: Entity, start_us: int, end_us: int) -> list[tuple[Span, CoverageSource]]:
        """Return the Coverage of an Entity in a span, in ascending time, each instant with the best source it has."""
        rest = union([Span(start_us, end_us)])
        listened = (entity.since_us, FOREVER_US if entity.until_us is None else entity.until_us)
        found: list[tuple[Span, CoverageSource]] = []
        for source in PRECEDENCE:
            whole = clipped(self._of(site, None, source), *listened)
            covered = union([*whole, *self._of(site, entity.key, source)])
            found.extend((span, source) for span in intersection(covered, rest))
            rest = difference(rest, covered)
        return sorted(found)

    def settled_hours(self, site: str) -> set[str]:
        """Return the keys whose hourly statistics were imported, or are known not to exist."""
        settling = (CoverageSource.HOUR, CoverageSource.NONE)
        return {
            kind.key
            for kind, spans in self._known.items()
            if kind.site == site and kind.key is not None and kind.source in settling and spans
        }

    def _of(self, site: str, key: str | None, source: CoverageSource) -> SpanSet:
        kinds = (_Kind(site, key, source, reason) for reason in self._reasons)
        return union(span for kind in kinds for span in self._known.get(kind, ()))

    def _cut(self, site: str, instant_us: int) -> None:
        for kind, spans in list(self._known.items()):
            if kind.site == site and kind.source in OF_INSTANTS and spans and spans[-1].until_us > instant_us:
                self._change(kind, before(spans, instant_us))
                self._shrunk = True

    def _change(self, kind: _Kind, spans: SpanSet) -> None:
        self._known[kind] = spans
        self._reasons.add(kind.reason)
        self._changed.add(kind)


def _joined(spans: SpanSet, span: Span) -> SpanSet:
    """Return the set with the span added; the usual case, a span that goes on where the last one ended, is cheap."""
    if spans and span.since_us == spans[-1].until_us and span.until_us > span.since_us:
        return [*spans[:-1], Span(spans[-1].since_us, span.until_us)]
    return union([*spans, span])


def _rows(kind: _Kind, spans: SpanSet, without: SpanSet) -> list[CoverageRow]:
    left_out = set(without)
    return [CoverageRow(kind.site, kind.key, kind.source, span, kind.reason) for span in spans if span not in left_out]
