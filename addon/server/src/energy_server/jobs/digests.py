"""Notice that hourly statistics changed in Home Assistant, where people may edit them, and import them again.

In:   digests of the recorder's hourly statistics by Entity and about a month.
Out:  requests for the hourly statistics of what changed; the digests in a document for each Entity.
Failures: StoreUnavailableError.

What a digest means is Home Assistant's business. One that changed is believed to be dealt with when it is seen again:
so a request that got lost is made again the night after.
"""

from collections.abc import Sequence
from itertools import batched
from typing import Protocol

from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.spans import clipped
from energy_server.ledger.wanted import Wanted
from energy_server.model.audit import Counted, Digested
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity
from energy_server.model.statistic import HOUR_US
from energy_server.store.port import StateStore

AT_ONCE = 40
ANSWER_WITHIN_S = 300.0
READ_AGAIN_US = 40 * 24 * HOUR_US
"""What Home Assistant reads from a utility is revised for so long."""

type Known = dict[str, str]
"""Digests by the start of their span, as text since a document's names are."""


class Clients(Protocol):
    """The connected Home Assistants."""

    async def ask(
        self, site: str, kind: str, keys: Sequence[str], span: Span | None, within_s: float
    ) -> Counted | Digested | None:
        """Return what the recorder digested, None where no answer came."""

    async def request_statistics(self, site: str, keys: Sequence[str], span: Span) -> None:
        """Ask for hourly statistics, which come as ever."""


class Digests:
    """The digests of all Sites."""

    def __init__(self, state: StateStore, ledger: CoverageLedger, wanted: Wanted, clients: Clients) -> None:
        self._state = state
        self._ledger = ledger
        self._wanted = wanted
        self._clients = clients
        self._requested: dict[tuple[str, str, str], str] = {}

    async def first(self, site: str, entities: Sequence[Entity]) -> None:
        """Digest what was imported and never digested."""
        new = [
            entity.key
            for entity in entities
            if self._wanted.imported(entity) and await self._state.document(_name(site, entity.key)) is None
        ]
        for keys in batched(new, AT_ONCE, strict=False):
            answer = await self._clients.ask(site, "digests", keys, None, ANSWER_WITHIN_S)
            if not isinstance(answer, Digested):
                return
            for key in answer.keys:
                known = {str(span.since_us): text for (of, span), text in answer.digests.items() if of == key}
                await self._state.put_document(_name(site, key), known)

    async def compare(self, site: str, entities: Sequence[Entity]) -> tuple[str, str]:
        """Import again what changed; return in words what was found, and whether that is all (`done`, `partly`)."""
        await self.first(site, entities)
        changed: dict[Span, list[str]] = {}
        lacking = 0
        for keys in batched([one.key for one in entities if self._wanted.imported(one)], AT_ONCE, strict=False):
            answer = await self._clients.ask(site, "digests", keys, None, ANSWER_WITHIN_S)
            if not isinstance(answer, Digested):
                return "hourly statistics: the recorder did not answer", "partly"
            lacking += len(set(keys) - set(answer.keys))
            for key in answer.keys:
                mine = {span: text for (of, span), text in answer.digests.items() if of == key}
                for span in await self._changed(site, key, mine):
                    changed.setdefault(span, []).append(key)
        for span, keys_of_span in changed.items():
            await self._clients.request_statistics(site, keys_of_span, span)
        entities_changed = {key for keys_of_span in changed.values() for key in keys_of_span}
        found = f"{len(entities_changed)} entities changed" if changed else "same"
        some = f", {lacking} entities could not be compared" if lacking else ""
        return f"hourly statistics: {found}{some}", "partly" if lacking else "done"

    async def read_again(self, site: str, entities: Sequence[Entity], now_us: int) -> None:
        """Import the last weeks of Entities that have nothing but statistics: their past gets revised."""
        keys = [entity.key for entity in entities if not entity.readable]
        if keys:
            until_us = now_us // HOUR_US * HOUR_US
            await self._clients.request_statistics(site, keys, Span(until_us - READ_AGAIN_US, until_us))

    async def _changed(self, site: str, key: str, digests: dict[Span, str]) -> list[Span]:
        """Return the spans whose hours are to be imported again, and remember the digests that stand."""
        document = await self._state.document(_name(site, key)) or {}
        known = {since: str(text) for since, text in document.items()}
        newest_us = max(map(int, known), default=0)
        changed: list[Span] = []
        kept = dict(known)
        for span, text in digests.items():
            since, place = str(span.since_us), (site, key, str(span.since_us))
            if known.get(since) == text or self._requested.get(place) == text:
                kept[since] = text
                self._requested.pop(place, None)
                continue
            imported = clipped(self._ledger.imported_hours(site, key), span.since_us, span.until_us)
            if since not in known and span.since_us < newest_us:
                changed.append(span)  # somebody imported them into Home Assistant
                self._requested[place] = text
            elif imported:
                changed.append(Span(imported[0].since_us, imported[-1].until_us))
                self._requested[place] = text
            else:
                kept[since] = text  # hours that readings are better for
        if kept != known:
            await self._state.put_document(_name(site, key), kept)
        return changed


def _name(site: str, key: str) -> str:
    return f"digests:{site}:{key}"
