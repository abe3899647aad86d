"""Compare what Home Assistant's recorder has with what is stored, one way: what it has and we lack is fetched.

In:   counts of readings by Entity and hour, of both sides; digests of its hourly statistics.
Out:  what differs is asked for; a line in the sync log for each run. The last 24 hours are compared every hour, and ten
      minutes after a connection began; everything that the recorder has, every night.
Failures: StoreUnavailableError; the supervisor shows it and begins again.

Readings are compared by number only, which costs little, and fetched where the numbers differ. An hour that still
differs after its readings came is explained (the recorder may have lost some) and left alone until its count changes.
Nothing is ever deleted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import batched
from typing import Protocol

from energy_server.energy.periods import zone_of
from energy_server.jobs.digests import Digests
from energy_server.ledger.asked import Asked
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.spans import clipped
from energy_server.ledger.wanted import Wanted
from energy_server.model.audit import Counted, Digested
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity
from energy_server.model.site import Site
from energy_server.model.statistic import HOUR_US
from energy_server.store.port import SeriesStore, StateStore, SyncEntry

LOOK_EVERY_S = 60.0
SETTLE_US = 600_000_000
"""So long after a connection began its outage is reconciled, and an audit tells something."""
DAY_US = 24 * HOUR_US
RECENT_US = 300_000_000
"""The recorder commits what is younger at its own pace."""
HISTORY_US = 10 * DAY_US
"""How far back a recorder reaches that has not said so."""
NIGHT_HOUR = 2
ANSWER_WITHIN_S = 300.0
MOST_ROWS = 5_000
EXPLAINED_FOR_US = 40 * DAY_US
WHO = "audit"

type Sleep = Callable[[float], Awaitable[None]]
type Hours = dict[tuple[str, int], int]
"""Readings by (key, start of the hour)."""


class Clients(Protocol):
    """The connected Home Assistants."""

    def connected_since_us(self, site: str) -> int | None:
        """Return since when a Site is connected, by the server's clock; None if it is not."""

    def oldest_us(self, site: str) -> int | None:
        """Return the oldest state of the recorder, None where it has not said so."""

    async def ask(
        self, site: str, kind: str, keys: Sequence[str], span: Span | None, within_s: float
    ) -> Counted | Digested | None:
        """Return what the recorder counted or digested, None where no answer came."""

    async def request_statistics(self, site: str, keys: Sequence[str], span: Span) -> None:
        """Ask for hourly statistics, which come as ever."""


def document_of(site: str) -> str:
    """Return the name of the document that remembers the last runs: `day_us`, `all_us`, `night`."""
    return f"audit:{site}"


@dataclass(slots=True)
class _Memory:
    """Counts of the recorder that were fetched already, and those that fetching did not change."""

    tried: Hours = field(default_factory=dict)
    explained: Hours = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """What one run counted until when, where it found a difference, and why it is not all."""

    until_us: int
    readings: int = 0
    hours: int = 0
    keys: set[str] = field(default_factory=set)
    some: bool = False
    unanswered: bool = False
    uncounted: bool = False

    @property
    def result(self) -> str:
        """Return whether that is all."""
        return "partly" if self.unanswered or self.uncounted else "done"

    @property
    def words(self) -> str:
        """Say what was found; that nothing was compared is not that nothing differs."""
        if not self.some:
            return "the recorder did not answer" if self.unanswered else "nothing could be counted"
        differ = f"{self.hours} hours of {len(self.keys)} entities differ" if self.hours else "no difference"
        if self.unanswered:
            return f"{differ}, the recorder did not answer all"
        return f"{differ}, not all could be counted" if self.uncounted else differ

    def note(self, asked: Sequence[str], part: Span, answer: Counted) -> None:
        """Notice what of a question was not counted: the newest hours, which may not be written yet, or more."""
        counted = answer.span
        some = bool(answer.keys) and counted.since_us < counted.until_us
        newest = some and part.until_us >= self.until_us
        self.some |= some
        if newest:
            self.until_us = min(self.until_us, counted.until_us)
        whole = counted.since_us <= part.since_us and (newest or part.until_us <= counted.until_us)
        self.uncounted |= not whole or not set(asked) <= set(answer.keys)


class Audit:
    """Audits all Sites, one after the other."""

    def __init__(
        self,
        series: SeriesStore,
        state: StateStore,
        ledger: CoverageLedger,
        wanted: Wanted,
        asked: Asked,
        clients: Clients,
        clock_us: Callable[[], int],
    ) -> None:
        self._series = series
        self._state = state
        self._ledger = ledger
        self._wanted = wanted
        self._asked = asked
        self._clients = clients
        self._clock_us = clock_us
        self._digests = Digests(state, ledger, wanted, clients)
        self._memories: dict[str, _Memory] = {}

    async def run(self, sleep: Sleep = asyncio.sleep) -> None:
        """Audit what is due, until cancelled."""
        while True:
            await sleep(LOOK_EVERY_S)
            for site in await self._state.sites():
                await self.look(site)

    async def look(self, site: Site) -> None:
        """Audit a Site if it is due."""
        now_us, since_us = self._clock_us(), self._clients.connected_since_us(site.id)
        if since_us is None or now_us - since_us < SETTLE_US:
            return
        document = await self._state.document(document_of(site.id)) or {}
        night = datetime.fromtimestamp(now_us / 1e6, UTC).astimezone(zone_of(site.time_zone))
        if night.hour >= NIGHT_HOUR and document.get("night") != night.date().isoformat():
            await self.audit_all(site)
            document |= {"all_us": self._clock_us(), "day_us": self._clock_us(), "night": night.date().isoformat()}
        elif _later(document.get("day_us"), since_us, now_us - HOUR_US):
            await self.audit_day(site)
            document |= {"day_us": self._clock_us()}
        else:
            return
        await self._state.put_document(document_of(site.id), document)

    async def audit_day(self, site: Site) -> None:
        """Compare the last 24 hours; hours that were imported since are digested for the first time."""
        entities = await self._present(site.id)
        await self._compare(site.id, entities, DAY_US, "readings of the last 24 hours")
        await self._digests.first(site.id, entities)

    async def audit_all(self, site: Site) -> None:
        """Compare all that the recorder has, and its hourly statistics, which people may edit."""
        entities = await self._present(site.id)
        oldest_us, end_us = self._clients.oldest_us(site.id), self._ledger.live_end_us(site.id) or 0
        reach_us = HISTORY_US if oldest_us is None else max(DAY_US, end_us - oldest_us)
        await self._compare(site.id, entities, reach_us, "all readings of the recorder")
        detail, result = await self._digests.compare(site.id, entities)
        entry = SyncEntry(self._clock_us(), site.id, "audit", detail, source="statistics", result=result)
        await self._state.log(entry)
        await self._digests.read_again(site.id, entities, self._clock_us())

    async def _present(self, site: str) -> list[Entity]:
        return [entity for entity in await self._state.entities(site) if entity.until_us is None]

    async def _compare(self, site: str, entities: Sequence[Entity], reach_us: int, what: str) -> None:
        live_end_us = self._ledger.live_end_us(site)
        readable = {entity.key: entity for entity in entities if entity.readable}
        if live_end_us is None or not readable:
            return
        until_us = (live_end_us - RECENT_US) // HOUR_US * HOUR_US
        span = Span((until_us - reach_us) // HOUR_US * HOUR_US, until_us)
        memory, found = await self._memory(site), _Found(until_us)
        for keys, part in _questions(list(readable), span):
            answer = await self._clients.ask(site, "counts", keys, part, ANSWER_WITHIN_S)
            if not isinstance(answer, Counted):
                found.unanswered = True
                break
            found.note(keys, part, answer)
            await self._settle(site, readable, answer, memory, found)
        await self._remember(site, memory, until_us)
        detail = f"{what}: {found.words}"
        entry = SyncEntry(self._clock_us(), site, "audit", detail, span.since_us, found.until_us, found.readings)
        await self._state.log(replace(entry, source="recorder", result=found.result))

    async def _settle(
        self, site: str, readable: dict[str, Entity], answer: Counted, memory: _Memory, found: _Found
    ) -> None:
        """Ask for the readings of hours whose counts differ, once for each count."""
        ours = await self._series.counts(site, answer.keys, answer.span.since_us, answer.span.until_us)
        wrong: dict[str, list[Span]] = {}
        for (key, hour_us), theirs in answer.counts.items():
            found.readings += theirs
            place, hour = (key, hour_us), Span(hour_us, hour_us + HOUR_US)
            whole = answer.span.since_us <= hour.since_us and hour.until_us <= answer.span.until_us
            if not whole or not theirs or key not in readable or theirs == ours.get(place, 0):
                continue
            if memory.explained.get(place) == theirs or not self._settled(readable[key], hour):
                continue
            if memory.tried.get(place) == theirs:
                memory.explained[place] = memory.tried.pop(place)
                continue
            memory.tried[place] = theirs
            wrong.setdefault(key, []).append(hour)
        for key, hours in wrong.items():
            self._asked.ask(WHO, site, key, hours)
            found.keys.add(key)
            found.hours += len(hours)

    def _settled(self, entity: Entity, hour: Span) -> bool:
        """Tell whether nothing of the hour is on its way anyway."""
        return not clipped(self._wanted.readings(entity), hour.since_us, hour.until_us)

    async def _memory(self, site: str) -> _Memory:
        if site not in self._memories:
            memory = self._memories[site] = _Memory()
            document = await self._state.document(f"explained:{site}") or {}
            for key, hours in document.items():
                if isinstance(hours, dict):
                    memory.explained |= {(key, int(hour)): int(count) for hour, count in hours.items()}
        return self._memories[site]

    async def _remember(self, site: str, memory: _Memory, until_us: int) -> None:
        oldest_us = until_us - EXPLAINED_FOR_US
        document: dict[str, dict[str, int]] = {}
        for (key, hour_us), count in list(memory.explained.items()):
            if hour_us < oldest_us:
                del memory.explained[key, hour_us]
            else:
                document.setdefault(key, {})[str(hour_us)] = count
        memory.tried = {place: count for place, count in memory.tried.items() if place[1] >= oldest_us}
        await self._state.put_document(f"explained:{site}", document)


def _questions(keys: Sequence[str], span: Span) -> Iterator[tuple[Sequence[str], Span]]:
    """Yield what to count at once: a day of as many Entities as one answer may have rows of."""
    until_us = span.until_us
    while until_us > span.since_us:
        since_us = max(span.since_us, until_us - DAY_US)
        for some in batched(keys, MOST_ROWS // 24, strict=False):
            yield some, Span(since_us, until_us)
        until_us = since_us


def _later(last_us: object, since_us: int, hour_ago_us: int) -> bool:
    """Tell whether the last run lies before this connection settled, or more than an hour ago."""
    return not isinstance(last_us, int) or last_us < max(since_us, hour_ago_us)
