"""Answer requests for hourly long-term statistics: newest first, all Entities side by side.

In:   Entities, and the spans whose hours the server wants: all of them, or some.
Out:  `statistics` messages, each claiming the span of its slice, and at the end `nothing` for what lies before the
      first hour; `on_change` when the list of Entities whose import is not done changed: it survives a restart.
Fails with RecorderUnavailableError; what was not sent is still to do.

Connections may end more often than an import of years takes. So after each catalog the server says what it still lacks,
and only that is sent: nothing is begun before it had its say, and what it does not ask for any more is done.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from homeassistant.core import HomeAssistant

from .channel import Channel, Subject
from .claims import nothing_body, statistics_body
from .convert import statistic_convert
from .errors import SkippedStateError
from .model import Catalog
from .recorder import Recorder
from .recorder_statistics import StatisticMetadata, as_slice, metadata, newest_rows, summed_up_until_us
from .spans import Span

LOGGER: Final = logging.getLogger(__name__)

EARLIEST_STATISTIC_US: Final = 946_684_800_000_000
"""2000-01-01: the protocol's first instant, and older than Home Assistant."""
SLICE_HOURS: Final = 4_000
FEWEST_HOURS: Final = 500
HELD_S: Final = 0.03
"""A slice should hold the recorder for about this long."""


@dataclass(slots=True, eq=False)
class Import:
    """One Entity's hours of one span. `until_us` moves backward as they are sent; None before the first look.

    `stored_us`: the hours of the span from here on are stored. `asked`: the server asked on this connection.
    """

    key: str
    since_us: int
    asked_until_us: int | None
    everything: bool = False
    asked: bool = True
    until_us: int | None = None
    stored_us: int | None = None
    known: StatisticMetadata | None = None
    on_the_way: int = 0
    sent: bool = False
    restarts: int = 0

    def restart(self, stored_us: int | None = None) -> None:
        """Begin again before what is stored: something that was sent was not. A slice being read is of no use then."""
        self.stored_us, self.until_us, self.sent = stored_us, None, False
        self.restarts += 1

    def begin(self, until_us: int, known: StatisticMetadata | None) -> None:
        """Take notice of what there is: hours until an instant."""
        bounds = [until_us, *(end for end in (self.asked_until_us, self.stored_us) if end is not None)]
        self.until_us = self.stored_us = max(min(bounds), self.since_us)
        self.known = known

    def arrived(self, span: Span) -> None:
        """Take notice that a span is stored; it counts if all that is newer is stored, too."""
        if self.stored_us is not None and self.stored_us <= span.until_us:
            self.stored_us = min(self.stored_us, span.since_us)


class Imports:
    """The hourly statistics that the server asked for and does not have yet."""

    def __init__(
        self,
        hass: HomeAssistant,
        recorder: Recorder,
        pending: Sequence[str],
        misfits: Sequence[str],
        *,
        on_change: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        """Take up what the run before left undone, and what had statistics of another unit."""
        self._hass = hass
        self._recorder = recorder
        self._on_change = on_change
        self._wake = wake
        keys = dict.fromkeys((*pending, *misfits))
        self._imports = [Import(key, EARLIEST_STATISTIC_US, None, everything=True, asked=False) for key in keys]
        self._told = False
        self._hours = FEWEST_HOURS
        self._began_us: int | None = None
        self.misfits = set(misfits)
        self.rows = 0

    @property
    def pending(self) -> list[str]:
        """Return the keys of the Entities all of whose hours are wanted."""
        return [item.key for item in self._imports if item.everything]

    def request(self, keys: Sequence[str], span: Span | None) -> None:
        """Remember that the server wants the hours of these Entities: all, what it lacks of all, or a span."""
        if span is None or span.since_us <= EARLIEST_STATISTIC_US:
            everything = {item.key: item for item in self._imports if item.everything}
            for key in keys:
                if key not in everything or not everything[key].asked:  # else it asks since the catalog changed
                    everything[key] = Import(key, EARLIEST_STATISTIC_US, span and span.until_us, everything=True)
            self._imports = [*everything.values(), *(item for item in self._imports if not item.everything)]
            self._on_change()
            return
        asked = {(item.key, item.since_us, item.asked_until_us) for item in self._imports}
        self._imports.extend(Import(key, *span) for key in keys if (key, *span) not in asked)

    def told(self) -> None:
        """Forget what the server, which had its say, does not want any more; not what had another unit then."""
        if self._told:
            return
        self._told = True
        wanted = [item for item in self._imports if item.asked or item.key in self.misfits]
        if len(wanted) < len(self._imports):
            self._imports = wanted
            self._on_change()

    def abandon(self, keys: Sequence[str]) -> None:
        """Forget Entities: they left, or the server cannot read what is sent of them."""
        self._imports = [item for item in self._imports if item.key not in keys]
        self.misfits.difference_update(keys)
        self._on_change()

    def again(self) -> None:
        """Begin all imports again: what was on its way may be lost, and what becomes of it counts no more."""
        self._imports = [
            Import(item.key, item.since_us, item.asked_until_us, item.everything, item.asked) for item in self._imports
        ]

    def disconnected(self) -> None:
        """Forget spans, and wait until the server says how far it has the others."""
        self._told = False
        self._imports = [item for item in self._imports if item.everything]
        for item in self._imports:
            item.asked = False

    async def step(self, channel: Channel) -> bool:
        """Send one slice; returns False when nothing is left to send."""
        catalog = channel.catalog
        todo = [item for item in self._imports if not item.sent and (item.asked or self._told)]
        if catalog is None or not todo:
            return False
        if gone := [item.key for item in todo if item.key not in catalog.places]:
            self.abandon(gone)  # the server asks again if they return
            return True
        if self._began_us != self._recorder.began_us:
            began_us, self._began_us = self._began_us, self._recorder.began_us
            if began_us is not None:  # it has another database
                for item in self._imports:
                    item.restart()
            return True
        if any(item.until_us is None for item in todo):
            await self._begin([item for item in todo if item.until_us is None], catalog)
            return True
        await self._send(max(todo, key=lambda item: item.until_us or 0), channel, catalog)
        return True

    async def _begin(self, items: Sequence[Import], catalog: Catalog) -> None:
        """Find out what there is."""
        until_us = await self._recorder.ask(summed_up_until_us)
        entity_ids = {item.key: catalog.entities[catalog.places[item.key]].entity_id for item in items}
        known = await self._recorder.ask(partial(metadata, statistic_ids=dict.fromkeys(entity_ids.values())))
        for item in items:
            item.begin(until_us, known.get(entity_ids[item.key]))

    async def _send(self, item: Import, channel: Channel, catalog: Catalog) -> None:
        """Send the newest hours of an Entity that are not sent yet, and what is known when there are no more."""
        place, restarts = catalog.places[item.key], item.restarts
        span = Span(item.since_us, item.until_us or item.since_us)
        part = None
        if item.known is not None and span.since_us < span.until_us:
            entity = catalog.entities[place]
            try:
                convert = statistic_convert(entity, item.known.unit, self._hass.config.currency)
            except SkippedStateError as err:
                LOGGER.debug("The statistics of %s are left out: %s", entity.entity_id, err)
                self.misfits.add(item.key)  # until the next start, when their unit may have been mended
            else:
                self.misfits.discard(item.key)
                limit = min(self._hours, SLICE_HOURS, channel.max_rows)
                found = await self._recorder.ask(partial(newest_rows, id_=item.known.id, span=span, limit=limit))
                factor = min(HELD_S / max(self._recorder.holding.last_s, 1e-4), 1.5)
                self._hours = int(min(max(self._hours * factor, FEWEST_HOURS), SLICE_HOURS))
                if self._began_us != self._recorder.began_us:
                    return
                part = await self._hass.async_add_executor_job(as_slice, found, place, convert, span)
        if part is None:
            await self._finish(item, channel, catalog, span)
            return
        body = await self._hass.async_add_executor_job(statistics_body, catalog.rev, part.span, place, part.rows)
        if item.restarts != restarts:
            return
        item.until_us = part.span.since_us
        self.rows += len(part.rows)
        await self._post(item, channel, "statistics", body, catalog, part.span)
        if not part.older and item.restarts == restarts:
            await self._finish(item, channel, catalog, Span(item.since_us, part.span.since_us))

    async def _finish(self, item: Import, channel: Channel, catalog: Catalog, span: Span) -> None:
        """Say that there is nothing before: then the import is done."""
        item.sent = True
        if span.since_us < span.until_us:
            body = nothing_body(catalog.rev, span, [catalog.places[item.key]], "no_statistics")
            await self._post(item, channel, "nothing", body, catalog, span)
        self._settle(item)

    async def _post(self, item: Import, channel: Channel, kind: str, body: bytes, catalog: Catalog, span: Span) -> None:
        item.on_the_way += 1
        done = await channel.post(Subject("statistics", (item.key,), span), kind, body, catalog)
        done.add_done_callback(partial(self._arrived, item, span))

    def _arrived(self, item: Import, span: Span, done: asyncio.Future[bool]) -> None:
        """Notice what became of a message; one whose places were of a catalog that is gone is sent again."""
        item.on_the_way -= 1
        if done.cancelled():
            return
        if done.result():
            item.arrived(span)
            self._settle(item)
        else:
            item.restart(item.stored_us)
            self._wake()

    def _settle(self, item: Import) -> None:
        """Forget an import that is stored."""
        if item.sent and not item.on_the_way and item in self._imports:
            self._imports.remove(item)
            self._on_change()
