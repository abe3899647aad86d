"""Tell a client what the server wants of Home Assistant's recorder, and again when that changes.

In:   the Entities of the connection's catalog; the ledger and what is asked for.
Out:  `gaps`, and before them requests for hourly statistics: of all time for an Entity that has none yet, of what is
      left of that where an import was interrupted, of a span where readings turned out not to be had.
Failures: none.

A list of Gaps costs little where nothing changed, and lets the event loop go on between Entities where much did.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from energy_server.ledger.asked import Asked
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.spans import SpanSet, difference, intersection, union
from energy_server.ledger.wanted import Wanted
from energy_server.link.questions import Questions, Send
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity

TELL_EVERY_S: Final = 2.0
TELL_SHRUNK_S: Final = 60.0
"""A client knows itself what it settled."""
TELL_AGAIN_S: Final = 600.0
MOST_GAPS: Final = 10_000
AT_ONCE: Final = 20

type Spans = dict[int, SpanSet]
"""By place in the catalog; places that want nothing are left out."""


class Wants:
    """What is wanted of the client of one connection, and what of that it was told."""

    def __init__(self, ledger: CoverageLedger, asked: Asked, wanted: Wanted, questions: Questions, send: Send) -> None:
        self._ledger = ledger
        self._asked = asked
        self._wanted = wanted
        self._questions = questions
        self._send = send
        self._rev: int | None = None
        self._entities: Sequence[Entity] = ()
        self._seen: object = None
        self._spans: Spans = {}
        self._told: Spans | None = None
        self._left: Spans = {}
        self._told_s = 0.0
        self._hours_asked: dict[str, SpanSet] = {}
        self._telling = asyncio.Lock()

    async def catalog(self, rev: int, entities: Sequence[Entity]) -> None:
        """From now on places refer to this catalog."""
        async with self._telling:
            self._rev, self._entities = rev, entities
            self._seen, self._told, self._hours_asked = None, None, {}
            left: dict[Span | None, list[str]] = {}
            for entity in entities:
                if not self._wanted.imported(entity):
                    left.setdefault(self._wanted.left(entity), []).append(entity.key)
            for span, keys in left.items():
                await self._questions.request("statistics", keys, span)
        await self.tell()

    def open(self, since_us: int) -> SpanSet:
        """Return what is wanted from an instant on, of one Entity after the other."""
        return [
            Span(max(span.since_us, since_us), span.until_us)
            for found in self._spans.values()
            for span in found
            if since_us < span.until_us
        ]

    async def tell(self) -> None:
        """Tell the client what is new."""
        async with self._telling:
            if self._rev is None:
                return
            seen = self._ledger.shape(self._entities[0].site) if self._entities else 0, self._asked.version
            if seen != self._seen:
                self._seen = seen
                await self._look()
            if self._due(asyncio.get_running_loop().time()):
                await self._send_gaps()

    async def _look(self) -> None:
        spans: Spans = {}
        hours: dict[Span, list[str]] = {}
        for place, entity in enumerate(self._entities):
            if found := self._wanted.readings(entity):
                spans[place] = found
            for span in difference(self._wanted.hours(entity), self._hours_asked.get(entity.key, [])):
                hours.setdefault(span, []).append(entity.key)
            if place % AT_ONCE == 0:
                await asyncio.sleep(0)
        self._spans = spans
        self._left = {place: intersection(found, spans.get(place, [])) for place, found in self._left.items()}
        for span, keys in hours.items():
            for key in keys:
                self._hours_asked[key] = union([*self._hours_asked.get(key, ()), span])
            await self._questions.request("statistics", keys, span)

    def _due(self, now_s: float) -> bool:
        if self._told is None or any(difference(found, self._left.get(at, [])) for at, found in self._spans.items()):
            return True
        waited_s = now_s - self._told_s
        return (self._told != self._spans and waited_s > TELL_SHRUNK_S) or (
            bool(self._spans) and waited_s > TELL_AGAIN_S
        )

    async def _send_gaps(self) -> None:
        gaps = [(span.until_us, span.since_us, place) for place, found in self._spans.items() for span in found]
        newest = sorted(gaps, reverse=True)[:MOST_GAPS]
        self._told = self._left = dict(self._spans)
        self._told_s = asyncio.get_running_loop().time()
        listed = [{"place": place, "since_us": since, "until_us": until} for until, since, place in newest]
        await self._send({"type": "gaps", "catalog": self._rev, "gaps": listed})
