"""How much of a span Coverage knows, and what it lacks.

In:   the ledger, an Entity, a span.
Out:  shares and Gaps. Nothing fails.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from energy_server.ledger.coverage import CoverageLedger
from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Entity

CLAIMS_WITHIN_US = 90_000_000
"""An idle integration claims every 30 s; a Link is behind, not gone, for three times as long."""


def horizon_us(ledger: CoverageLedger, site: str, now_us: int) -> int:
    """Return until when Coverage can be expected: what happened since the last claim is no Gap yet."""
    end_us = ledger.live_end_us(site)
    return end_us if end_us is not None and now_us - CLAIMS_WITHIN_US <= end_us <= now_us else now_us


def known_us(spans: Iterable[tuple[Span, CoverageSource]]) -> int:
    """Return the length of the spans in which we have everything that Home Assistant had."""
    return sum(span.until_us - span.since_us for span, source in spans if source is not CoverageSource.NONE)


def listened(entity: Entity, span: Span) -> Span:
    """Return the part of the span in which the Entity was listened to; empty spans end where they begin."""
    since_us = max(span.since_us, entity.since_us)
    until_us = min(span.until_us, entity.until_us if entity.until_us is not None else span.until_us)
    return Span(since_us, max(since_us, until_us))


def share(ledger: CoverageLedger, entities: Sequence[Entity], span: Span) -> float | None:
    """Return the known share of the span, over the Entities that were listened to in it; None without any."""
    known = wanted = 0
    for entity in entities:
        part = listened(entity, span)
        if part.until_us > part.since_us:
            wanted += part.until_us - part.since_us
            known += known_us(ledger.spans(entity.site, entity, part.since_us, part.until_us))
    return min(1.0, known / wanted) if wanted else None


@dataclass(frozen=True, slots=True)
class Gap:
    """What Coverage lacks, for how many Entities; `reason` where Home Assistant said why it has nothing."""

    span: Span
    entities: int
    reason: str | None


def _lacking(spans: Sequence[tuple[Span, CoverageSource]], part: Span) -> list[tuple[Span, bool]]:
    """Return the parts without Coverage, and whether it is known that nothing can be had."""
    lacking: list[tuple[Span, bool]] = []
    at_us = part.since_us
    for span, source in spans:
        if span.since_us > at_us:
            lacking.append((Span(at_us, span.since_us), False))
        if source is CoverageSource.NONE:
            lacking.append((span, True))
        at_us = max(at_us, span.until_us)
    if at_us < part.until_us:
        lacking.append((Span(at_us, part.until_us), False))
    return lacking


def gaps(ledger: CoverageLedger, entities: Sequence[Entity], span: Span, most: int) -> list[Gap]:
    """Return the newest Gaps; Entities that lack the same span share one."""
    found: dict[tuple[Span, bool], int] = {}
    for entity in entities:
        part = listened(entity, span)
        if part.until_us > part.since_us:
            for gap in _lacking(ledger.spans(entity.site, entity, part.since_us, part.until_us), part):
                found[gap] = found.get(gap, 0) + 1
    newest = sorted(found.items(), key=lambda item: item[0][0].until_us, reverse=True)[:most]
    return [Gap(gap, count, "nothing_recorded" if final else None) for (gap, final), count in newest]
