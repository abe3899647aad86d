"""Which Gaps a Site has, for how many Entities, and why, as far as is known.

In:   the ledger, the Entities, the lines of the sync log.
Out:  Gaps since live listening began, newest first: `open` ones, which Home Assistant may still fill, and `lost` ones.
Failures: none. Long work lets the event loop go on between Entities.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from energy_server.api.known import alike
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.spans import clipped, intersection
from energy_server.ledger.wanted import Wanted
from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Entity
from energy_server.store.port import SyncEntry

MOST_GAPS = 200
MOST_KEYS = 50
LOSSES = ("damaged", "outbox_full")
AWAY = ("clock", "connected")
TOLD = (*LOSSES, *AWAY)
"""Lines of the sync log that explain a Gap in their span: what was lost first, then what most of the Gap lies in."""
ENDS = {"goodbye": "home_assistant_stopped", "broken": "unreachable", "server": "server_stopped"}

type Kind = tuple[Span, str, str | None]
"""Span, state, cause where Home Assistant named it."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Up to when something should be known by now, and why it is not: what live claims will cover, it is hoped."""

    until_us: int
    cause: str | None


@dataclass(frozen=True, slots=True)
class Gaps:
    """The numbers are about all open Gaps; of the Gaps themselves the newest are listed."""

    open: int
    entities: int
    oldest_us: int | None
    seconds: float
    list: Sequence[dict[str, object]]


async def gaps_of(
    ledger: CoverageLedger,
    wanted: Wanted,
    site: str,
    entities: Sequence[Entity],
    lines: Sequence[SyncEntry],
    ahead: Ahead,
) -> Gaps:
    """Return the Gaps of the Entities of a catalog, with what is still to come of them."""
    live = ledger.live_spans(site)
    found: dict[Kind, list[str]] = {}
    lacking: set[str] = set()
    readable = [entity for entity in entities if entity.readable]
    began_us = min((entity.since_us for entity in readable), default=0)  # its live Coverage may be lost
    for group in alike(ledger, readable, began_us) if live else ():
        keys = [entity.key for entity in group]
        for kind in _of(ledger, wanted, group[0], group[0].since_us, ahead):
            found.setdefault(kind, []).extend(keys)
            if kind[1] == "open":
                lacking.update(keys)
        await asyncio.sleep(0)
    open_ = [(span, len(keys)) for (span, state, _), keys in found.items() if state == "open"]
    newest = sorted(found.items(), key=lambda item: item[0][0].until_us, reverse=True)[:MOST_GAPS]
    return Gaps(
        open=len(open_),
        entities=len(lacking),
        oldest_us=min((span.since_us for span, _ in open_), default=None),
        seconds=sum((span.until_us - span.since_us) * count for span, count in open_) / 1e6,
        list=[
            {
                "since_us": span.since_us,
                "until_us": span.until_us,
                "entities": len(keys),
                "keys": keys[:MOST_KEYS],
                "cause": cause or cause_of(span, lines),
                "state": state,
            }
            for (span, state, cause), keys in newest
        ],
    )


def cause_of(span: Span, lines: Sequence[SyncEntry]) -> str:
    """Return what the sync log tells of a span."""
    near = [
        (line, Span(line.since_us, line.until_us))
        for line in lines
        if line.since_us is not None
        and line.until_us is not None
        and line.since_us < span.until_us
        and line.until_us > span.since_us
    ]
    for what in LOSSES:
        if any(line.what == what for line, _ in near):
            return what
    away = [(line, of) for line, of in near if line.what in AWAY]
    if not away:
        return "unknown"
    line, _ = max(away, key=lambda one: _fits(span, *one))
    return line.what if line.what == "clock" else ENDS.get(line.source or "", "unknown")


def _fits(span: Span, line: SyncEntry, of: Span) -> tuple[int, int, bool]:
    """Return how well a line explains a Gap: by how much of it, by how little else, as what happened at an instant."""
    shared_us = min(of.until_us, span.until_us) - max(of.since_us, span.since_us)
    return shared_us, of.since_us - of.until_us, line.what == "clock"


def _of(ledger: CoverageLedger, wanted: Wanted, entity: Entity, since_us: int, ahead: Ahead) -> list[Kind]:
    until_us = wanted.horizon_us(entity)
    kinds: list[Kind] = [(span, "open", None) for span in clipped(wanted.unsettled(entity), since_us, until_us)]
    for reason, spans in ledger.lost(entity).items():
        kinds += [(span, "lost", reason) for span in clipped(spans, since_us, until_us)]
    known = [
        span
        for span, source in ledger.spans(entity.site, entity, since_us, until_us)
        if source in (CoverageSource.HA_OFF, CoverageSource.NONE)
    ]
    return [
        (part, state, cause)
        for span, state, cause in kinds
        for part in ([span] if state == "open" else intersection([span], known))
    ] + ([(Span(until_us, ahead.until_us), "open", ahead.cause)] if until_us < ahead.until_us else [])
