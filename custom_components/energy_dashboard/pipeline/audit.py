"""Answer the server's audit: how many states the recorder holds, hour by hour, and digests of its hourly statistics.

In:   requests.
Out:  `counts` and `digests` messages, one for each request at least: also where there is nothing to count, since the
      server waits. They claim nothing, so one that is lost is asked for again another day.
Fails with RecorderUnavailableError; the request is still to do.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import Final

from .channel import Channel, Subject
from .claims import counts_body, digests_body
from .clock import now_us
from .model import Catalog
from .recorder import Recorder
from .recorder_counts import counts
from .recorder_states import Recorded, recorded
from .recorder_statistics import HOUR_US, StatisticMetadata, digests, metadata, summed_up_until_us
from .spans import Span

MOST: Final = 1_000
"""Requests that wait; a server that asks for more forgets its oldest ones."""
HELD_S: Final = 0.03
"""Counting should hold the recorder for about this long at a time."""
FIRST_HOURS: Final = 2
MOST_HOURS: Final = 24 * 366
WIDER: Final = 1.5
"""The next question may be about so much more: what is on the disk still takes several times as long."""


@dataclass(slots=True, eq=False)
class CountRequest:
    """Hours to count, and how far that is: one Entity after the other, from its first hour on."""

    id: int
    keys: Sequence[str]
    span: Span
    done: int = 0
    until_us: int = 0
    known: dict[str, Recorded] | None = None
    rows: list[tuple[int, int, int]] = field(default_factory=list)

    def restart(self) -> None:
        """Begin again: what was found so far refers to what is gone."""
        self.done, self.known, self.rows = 0, None, []


@dataclass(slots=True, eq=False)
class DigestRequest:
    """Statistics to digest, and how far that is."""

    id: int
    keys: Sequence[str]
    done: int = 0
    of: list[int] = field(default_factory=list)
    since_us: int = 0
    until_us: int = 0
    known: dict[str, StatisticMetadata] | None = None
    rows: list[tuple[int, int, int, str]] = field(default_factory=list)

    def restart(self) -> None:
        """Begin again: what was found so far refers to what is gone."""
        self.done, self.since_us, self.known, self.of, self.rows = 0, 0, None, [], []


type Requests = deque[CountRequest | DigestRequest]


class Audit:
    """The audit's requests of one connection."""

    def __init__(self, recorder: Recorder, *, wake: Callable[[], None]) -> None:
        """Nothing is asked yet."""
        self._recorder = recorder
        self._wake = wake
        self._requests: Requests = deque(maxlen=MOST)
        self._catalog: Catalog | None = None
        self._began_us: int | None = None
        self._hours = {False: FIRST_HOURS, True: FIRST_HOURS}
        """By whether it is a counter: an index tells how many states there are, but not which were reported again."""

    @property
    def waiting(self) -> int:
        """Return how many requests are not answered yet."""
        return len(self._requests)

    def count(self, id_: int, keys: Sequence[str], span: Span) -> None:
        """Remember a request for counts."""
        self._requests.append(CountRequest(id_, keys, span))

    def digest(self, id_: int, keys: Sequence[str]) -> None:
        """Remember a request for digests."""
        self._requests.append(DigestRequest(id_, keys))

    def disconnected(self) -> None:
        """Forget what was asked on a connection that is gone."""
        self._requests = deque(maxlen=MOST)

    async def step(self, channel: Channel) -> bool:
        """Answer a little; returns False when nothing is asked."""
        catalog = channel.catalog
        if catalog is None or not self._requests:
            return False
        if catalog is not self._catalog or self._began_us != self._recorder.began_us:
            # what was found so far refers to other places, or to another database
            self._catalog, self._began_us = catalog, self._recorder.began_us
            for asked in self._requests:
                asked.restart()
        request = self._requests[0]
        if isinstance(request, CountRequest):
            finished = await self._count(request, channel, catalog)
        else:
            finished = await self._digest(request, channel, catalog)
        if finished and self._requests and self._requests[0] is request:
            self._requests.popleft()
        return True

    def _stored(self, requests: Requests, request: CountRequest | DigestRequest, done: asyncio.Future[bool]) -> None:
        """Answer once more what was about the places of a catalog that is gone."""
        if not done.cancelled() and not done.result() and request not in requests:
            request.restart()
            requests.append(request)
            self._wake()

    # ---- counts

    async def _count(self, request: CountRequest, channel: Channel, catalog: Catalog) -> bool:
        """Count some hours of one Entity; returns whether the request is answered."""
        if request.known is None:
            request.known = await self._known(request, catalog)
        if request.done < len(request.keys) and request.until_us < request.span.until_us:
            place = catalog.places.get(request.keys[request.done])
            known = None if place is None else request.known.get(catalog.entities[place].entity_id)
            if place is not None and known is not None:
                await self._count_hours(request, place, known, counter=catalog.entities[place].counter)
            else:
                request.until_us = request.span.until_us
            if request.until_us < request.span.until_us:
                return False
            request.done, request.until_us = request.done + 1, request.span.since_us
            if request.done < len(request.keys):
                return False
        of = [catalog.places[key] for key in request.keys if key in catalog.places]
        body = counts_body(catalog.rev, request.id, request.span, of, request.rows)
        done = await channel.post(Subject("counts", tuple(request.keys), request.span), "counts", body, catalog)
        done.add_done_callback(partial(self._stored, self._requests, request))
        return True

    async def _known(self, request: CountRequest, catalog: Catalog) -> dict[str, Recorded]:
        """Find out what there is to count, and until when: hours that are over and written."""
        since_us, until_us = request.span
        entity_ids = [catalog.entities[catalog.places[key]].entity_id for key in request.keys if key in catalog.places]
        if not entity_ids:
            request.span = Span(since_us, since_us)
            return {}
        await self._recorder.catch_up()
        horizon_us = (now_us() - int(self._recorder.latest_s * 1e6)) // HOUR_US * HOUR_US
        request.span = Span(since_us, max(since_us, min(until_us, horizon_us)))
        request.until_us = since_us
        return await self._recorder.ask(partial(recorded, entity_ids=entity_ids))

    async def _count_hours(self, request: CountRequest, place: int, known: Recorded, *, counter: bool) -> None:
        hours = self._hours[counter]
        span = Span(request.until_us, min(request.until_us + hours * HOUR_US, request.span.until_us))
        found = await self._recorder.ask(partial(counts, id_=known.id, span=span, counter=counter))
        request.rows.extend((place, hour_us, number) for hour_us, number in sorted(found.items()))
        request.until_us = span.until_us
        asked = (span.until_us - span.since_us) / HOUR_US  # a request may end sooner
        factor = min(HELD_S / max(self._recorder.holding.last_s, 1e-4), WIDER)
        wider = max(hours, ceil(asked * factor)) if factor > 1 else int(asked * factor)
        self._hours[counter] = min(max(wider, 1), MOST_HOURS)

    # ---- digests

    async def _digest(self, request: DigestRequest, channel: Channel, catalog: Catalog) -> bool:
        """Digest some months of one Entity; returns whether the request is answered."""
        entity_ids = [catalog.entities[catalog.places[key]].entity_id for key in request.keys if key in catalog.places]
        if not entity_ids:
            await self._send_digests(request, channel, catalog)
            return True
        if request.known is None:
            request.until_us = await self._recorder.ask(summed_up_until_us)
            request.known = await self._recorder.ask(partial(metadata, statistic_ids=entity_ids))
        place = catalog.places.get(request.keys[request.done])
        known = None if place is None else request.known.get(catalog.entities[place].entity_id)
        found: list[tuple[Span, str]] = []
        further_us: int | None = None
        if known is not None:
            span = Span(request.since_us, request.until_us)
            found, further_us = await self._recorder.ask(partial(digests, known=known, span=span))
        if place is not None:
            if len(request.rows) + len(found) > channel.max_rows:
                await self._send_digests(request, channel, catalog)
            request.of.extend([place] if place not in request.of[-1:] else [])
            request.rows.extend((place, *of_month, digest) for of_month, digest in found)
        if further_us is not None:
            request.since_us = further_us
            return False
        request.done, request.since_us = request.done + 1, 0
        if request.done < len(request.keys):
            return False
        await self._send_digests(request, channel, catalog)
        return True

    async def _send_digests(self, request: DigestRequest, channel: Channel, catalog: Catalog) -> None:
        of, rows = request.of, request.rows
        request.of, request.rows = [], []
        keys = tuple(catalog.entities[place].key for place in of)
        body = digests_body(catalog.rev, request.id, of, rows)
        done = await channel.post(Subject("digests", keys, Span(0, request.until_us)), "digests", body, catalog)
        done.add_done_callback(partial(self._stored, self._requests, request))
