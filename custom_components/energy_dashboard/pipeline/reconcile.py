"""Answer the server's requests for history: hourly long-term statistics of Entities, newest first.

In:   keys of Entities whose statistics the server asks for.
Out:  `statistics` messages, each claiming the span of its slice, or `nothing` with its reason; `on_change` when the
      list of Entities that are not done yet changed, so that it survives a restart.
Fails never: an Entity whose recorder does not answer is tried again later, one that is done is forgotten.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_bytes

from . import recorder
from .convert import statistic_convert, ts_us
from .errors import RecorderUnavailableError, SkippedStateError
from .link import Post
from .model import Catalog, Entity

LOGGER: Final = logging.getLogger(__name__)

RETRY_S: Final = 60.0
EARLIEST_STATISTIC_US: Final = 946_684_800_000_000
"""2000-01-01: the protocol's first instant, and older than Home Assistant."""


class Reconcile:
    """Sends what the server asked for, one Entity after the other, beside the live path."""

    def __init__(self, hass: HomeAssistant, pending: list[str], *, on_change: Callable[[], None]) -> None:
        """Take up what the run before left undone."""
        self._hass = hass
        self._on_change = on_change
        self._pending = dict.fromkeys(pending)
        self._arrived = asyncio.Event()
        self.imported_rows = 0

    @property
    def pending(self) -> list[str]:
        """Return the keys that are not done yet."""
        return list(self._pending)

    def request(self, keys: list[str]) -> None:
        """Remember that the server wants the statistics of these Entities."""
        self._pending.update(dict.fromkeys(keys))
        self._arrived.set()
        self._on_change()

    def abandon(self, key: str) -> None:
        """Forget an Entity."""
        if key in self._pending:
            del self._pending[key]
            self._on_change()

    async def run(self, post: Post, catalog: Callable[[], Catalog | None]) -> None:
        """Work through the list for as long as the connection stands."""
        while True:
            self._arrived.clear()
            postponed = False
            for key in self.pending:
                postponed |= not await self._settle(key, post, catalog())
            if not self._pending:
                await self._arrived.wait()
            elif postponed:
                await asyncio.sleep(RETRY_S)

    async def _settle(self, key: str, post: Post, catalog: Catalog | None) -> bool:
        """Send all statistics of one Entity; returns False if it must be tried again later."""
        if catalog is None:
            return False
        if (place := catalog.places.get(key)) is None:
            self.abandon(key)  # it left the catalog; the server asks again if it returns
            return True
        try:
            sent = await self._send_all(catalog.entities[place], place, post, catalog)
        except RecorderUnavailableError as err:
            LOGGER.debug("The statistics of %s have to wait: %s", catalog.entities[place].entity_id, err)
            return False
        stored = [await done for done in sent]
        if all(stored):
            self.abandon(key)
        return True

    async def _send_all(self, entity: Entity, place: int, post: Post, catalog: Catalog) -> list[asyncio.Future[bool]]:
        """Post slice after slice until there is none older."""
        until_s = await recorder.summed_up_until_s(self._hass)
        known = (await recorder.metadata(self._hass, [entity.entity_id])).get(entity.entity_id)
        part: recorder.Slice | None = None
        if known is not None:
            try:
                convert = statistic_convert(entity, known.unit_class, known.unit, self._hass.config.currency)
            except SkippedStateError as err:
                LOGGER.debug("The statistics of %s are left out: %s", entity.entity_id, err)
            else:
                part = await recorder.newest_slice(self._hass, entity.entity_id, until_s, place, convert)
        if part is None:
            return [await post(entity.key, "nothing", nothing_body(catalog, place, ts_us(until_s)), catalog)]
        sent = []
        while part is not None:
            body = await self._hass.async_add_executor_job(statistics_body, catalog, place, part)
            sent.append(await post(entity.key, "statistics", body, catalog))
            self.imported_rows += len(part.rows)
            part = (
                await recorder.newest_slice(self._hass, entity.entity_id, part.since_us / 1e6, place, convert)
                if part.older
                else None
            )
        return sent


def statistics_body(catalog: Catalog, place: int, part: recorder.Slice) -> bytes:
    """Return the JSON of a `statistics` message after its number."""
    return json_bytes(
        {
            "catalog": catalog.rev,
            "level": "hour",
            "span": (part.since_us, part.until_us),
            "of": [place],
            "rows": part.rows,
        }
    )[1:]


def nothing_body(catalog: Catalog, place: int, until_us: int) -> bytes:
    """Return the JSON of a `nothing` message after its number."""
    return json_bytes(
        {
            "catalog": catalog.rev,
            "span": (EARLIEST_STATISTIC_US, until_us),
            "of": [place],
            "reason": "no_statistics",
        }
    )[1:]
