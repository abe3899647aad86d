"""Spans whose readings are wanted although they may be settled: an audit found a difference, or the user asked.

In:   asks of somebody for an Entity and a span; claims, after their data is durable.
Out:  what is still asked for, by Entity and by who asked.
Failures: none. It lives in memory: who asked asks again after a restart.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field

from energy_server.ledger.coverage import NO_STATISTICS
from energy_server.ledger.spans import SpanSet, clipped, difference, length_us, union
from energy_server.model.coverage import Claim, CoverageSource, Span

SETTLING = frozenset({CoverageSource.STATES, CoverageSource.HA_OFF, CoverageSource.NONE})
"""Claims that answer, if they are about readings: those about the past."""

type Pair = tuple[str, str]
"""(site, key)"""


@dataclass(slots=True)
class Ask:
    """What one asker still waits for, and how many rows answers brought."""

    spans: dict[Pair, SpanSet] = field(default_factory=dict)
    rows: int = 0


class Asked:
    """What is asked for of all Sites; `version` grows with every change."""

    def __init__(self) -> None:
        self.version = 0
        self._asks: defaultdict[str, Ask] = defaultdict(Ask)

    def ask(self, who: str, site: str, key: str, spans: Iterable[Span]) -> None:
        """Ask for the readings of an Entity."""
        mine = self._asks[who].spans
        mine[site, key] = union([*mine.get((site, key), ()), *spans])
        self.version += 1

    def give_up(self, who: str, site: str, present: Container[str]) -> int:
        """Forget what somebody asked for of Entities that are not present any more; return how much that was."""
        spans = self._asks[who].spans if who in self._asks else {}
        gone = [pair for pair in spans if pair[0] == site and pair[1] not in present]
        lengths_us = [length_us(spans.pop(pair)) for pair in gone]
        self.version += 1 if gone else 0
        return sum(lengths_us)

    def withdraw(self, who: str) -> None:
        """Forget what somebody asked for."""
        self._asks.pop(who, None)
        self.version += 1

    def waiting_us(self, who: str) -> int:
        """Return how much somebody waits for, summed over Entities."""
        return sum(map(length_us, self._asks[who].spans.values())) if who in self._asks else 0

    def rows(self, who: str) -> int:
        """Return how many rows the answers for somebody brought so far."""
        return self._asks[who].rows if who in self._asks else 0

    def of(self, site: str, key: str) -> SpanSet:
        """Return what is asked for of an Entity."""
        sets = [ask.spans[site, key] for ask in self._asks.values() if (site, key) in ask.spans]
        return sets[0] if len(sets) == 1 else union(span for spans in sets for span in spans)

    def waits(self, who: str, site: str, key: str, span: Span) -> bool:
        """Tell whether somebody still waits for any of the span."""
        spans = self._asks[who].spans.get((site, key), []) if who in self._asks else []
        return bool(clipped(spans, span.since_us, span.until_us))

    def settle(self, claims: Sequence[Claim], rows: int) -> None:
        """Take the claims of one message, with its number of rows, as answers to whoever asked for their spans."""
        for ask in self._asks.values():
            if ask.spans and sum(_settle(ask, claim) for claim in claims if _answers(claim)):
                ask.rows += rows
                self.version += 1


def _answers(claim: Claim) -> bool:
    return claim.source in SETTLING and claim.reason != NO_STATISTICS


def _settle(ask: Ask, claim: Claim) -> int:
    """Return how many Entities waited for some of the claim's span."""
    pairs = (
        [pair for pair in ask.spans if pair[0] == claim.site]
        if claim.keys is None
        else [(claim.site, key) for key in claim.keys if (claim.site, key) in ask.spans]
    )
    answered = 0
    for pair in pairs:
        rest = difference(ask.spans[pair], [claim.span])
        if rest == ask.spans[pair]:
            continue
        answered += 1
        if rest:
            ask.spans[pair] = rest
        else:
            del ask.spans[pair]
    return answered
