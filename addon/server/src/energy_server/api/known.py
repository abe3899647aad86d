"""How much of a span is recorded, and what it lacks.

In:   the ledger, Entities, a span.
Out:  shares and Gaps. Nothing fails. Long work lets the event loop go on between Entities.

While Home Assistant was off nothing can be lacking, and nothing is recorded either: such a time is no part of the
share, and a Gap with its reason, so that nobody reads 100 % beside a time without readings.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterable, Sequence
from dataclasses import dataclass

from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.spans import SpanSet, difference, intersection
from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Entity

CLAIMS_WITHIN_US = 60_000_000
"""An idle integration claims every 30 s; a Link is behind, not gone, for twice as long."""

REASONS = {CoverageSource.NONE: "nothing_recorded", CoverageSource.HA_OFF: "ha_off"}
"""What Coverage knows of a span that has no data."""

type Covered = list[tuple[Span, CoverageSource]]


@dataclass(frozen=True, slots=True)
class Gap:
    """What Coverage lacks, for how many Entities; `reason` where Home Assistant said that it has nothing."""

    since_us: int
    until_us: int
    entities: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of a Site: since when imported and live, the known share of the latter, the newest Gaps."""

    statistics_since_us: int | None
    live_since_us: int | None
    share: float | None
    gaps: list[Gap]


def horizon_us(ledger: CoverageLedger, site: str, now_us: int) -> int:
    """Return until when Coverage can be expected: what happened since the last claim is no Gap yet."""
    end_us = ledger.live_end_us(site)
    return end_us if end_us is not None and now_us - CLAIMS_WITHIN_US <= end_us <= now_us else now_us


def known_us(spans: Iterable[tuple[Span, CoverageSource]]) -> int:
    """Return the length of the spans of which we have data, all that Home Assistant had."""
    return sum(span.until_us - span.since_us for span, source in spans if source not in REASONS)


def listened(entity: Entity, span: Span) -> Span:
    """Return the part of the span in which the Entity was listened to; empty spans end where they begin."""
    since_us = max(span.since_us, entity.since_us)
    until_us = min(span.until_us, entity.until_us if entity.until_us is not None else span.until_us)
    return Span(since_us, max(since_us, until_us))


def share(ledger: CoverageLedger, entity: Entity, span: Span) -> float:
    """Return the known share of the part of the span in which the Entity was listened to, 0 without any."""
    part = listened(entity, span)
    if part.until_us == part.since_us:
        return 0.0
    known = known_us(ledger.spans(entity.site, entity, part.since_us, part.until_us))
    return known / (part.until_us - part.since_us)


async def covered(
    ledger: CoverageLedger, entities: Sequence[Entity], start_us: int, end_us: int
) -> AsyncIterator[tuple[Entity, Covered]]:
    """Yield the Coverage of each Entity in the span; what is live, but came late, counts as states."""
    for entity in entities:
        late = ledger.late.spans(entity.site, start_us, end_us)
        yield entity, _as_it_came(ledger.spans(entity.site, entity, start_us, end_us), late)
        await asyncio.sleep(0)  # years of many Gaps cost a millisecond an Entity


def _as_it_came(spans: Covered, late: SpanSet) -> Covered:
    live = [span for span, source in spans if source is CoverageSource.LIVE] if late else []
    if not (came := intersection(live, late)):
        return spans
    rest = [(span, source) for span, source in spans if source is not CoverageSource.LIVE]
    in_time = [(span, CoverageSource.LIVE) for span in difference(live, came)]
    told = [*rest, *in_time, *((span, CoverageSource.STATES) for span in came)]
    return sorted(told, key=lambda item: item[0].since_us)


def alike(ledger: CoverageLedger, entities: Sequence[Entity], since_us: int) -> list[list[Entity]]:
    """Return the Entities in groups that have the same Coverage from an instant on."""
    groups: dict[Hashable, list[Entity]] = {}
    for entity in entities:
        groups.setdefault(ledger.alike(entity, since_us), []).append(entity)
    return list(groups.values())


def _lacking(spans: Covered, part: Span) -> list[tuple[Span, str | None]]:
    """Return the parts without data, and the reason where it is known that nothing can be had."""
    lacking: list[tuple[Span, str | None]] = []
    at_us = part.since_us
    for span, source in spans:
        if span.since_us > at_us:
            lacking.append((Span(at_us, span.since_us), None))
        if source in REASONS:
            lacking.append((span, REASONS[source]))
        at_us = max(at_us, span.until_us)
    if at_us < part.until_us:
        lacking.append((Span(at_us, part.until_us), None))
    return lacking


async def survey(ledger: CoverageLedger, site: str, entities: Sequence[Entity], until_us: int, most: int) -> Survey:
    """Return what is known of a Site; Entities that lack the same span share one of at most `most` Gaps."""
    imported = (hours[0].since_us for entity in entities if (hours := ledger.imported_hours(site, entity.key)))
    live = ledger.live_spans(site)
    live_span = Span(live[0].since_us, until_us) if live else None
    known = wanted = 0
    found: dict[tuple[Span, str | None], int] = {}
    for group in alike(ledger, entities, live_span.since_us) if live_span else ():
        if live_span is None or (part := listened(group[0], live_span)).until_us == part.since_us:
            continue
        inside = ledger.spans(site, group[0], part.since_us, part.until_us)
        known += known_us(inside) * len(group)
        wanted += (part.until_us - part.since_us) * len(group)
        for gap in _lacking(inside, part):
            found[gap] = found.get(gap, 0) + len(group)
        await asyncio.sleep(0)
    newest = sorted(found.items(), key=lambda item: item[0][0].until_us, reverse=True)[:most]
    return Survey(
        statistics_since_us=min(imported, default=None),
        live_since_us=live_span.since_us if live_span else None,
        share=known / wanted if wanted else None,
        gaps=[Gap(gap.since_us, gap.until_us, count, reason) for (gap, reason), count in newest],
    )
