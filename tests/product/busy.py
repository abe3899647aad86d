"""A home that goes on being busy whatever happens to it: power that changes, meters that count and stand still.

In:   a Home, how many states a second.
Out:  states set through Home Assistant's own API for the length of a context; what Home Assistant does not take is
      not tried again, as with a sensor whose home is away.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from dev.ha import HomeAssistantError
from tests.product.home import Home
from tests.product.load import POWER

ENERGY: Mapping[str, Any] = {
    "unit_of_measurement": "Wh",
    "device_class": "energy",
    "state_class": "total_increasing",
}
GONE_EVERY = 41
STILL_EVERY = 3


@dataclass(slots=True)
class BusyHome:
    """`fired` counts the states that Home Assistant took."""

    home: Home
    name: str
    per_s: float = 20.0
    entities: int = 3
    fired: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be busy for the length of the context."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    async def _run(self) -> None:
        number = 0
        while True:
            await self._fire(number)
            number += 1
            await asyncio.sleep(1 / self.per_s)

    async def _fire(self, number: int) -> None:
        place, step = number % (2 * self.entities), number // (2 * self.entities)
        name = f"sensor.busy_{self.name}_{place}"
        gone = step % GONE_EVERY == GONE_EVERY - 1
        if place < self.entities:
            state, attributes = f"{(number * 37) % 5000 / 10}", POWER
        else:  # a meter that is reported often and counts now and then
            state, attributes = f"{step // STILL_EVERY * 7.5}", ENERGY
        try:
            await self.home.connection.post(
                f"/api/states/{name}", {"state": "unavailable" if gone else state, "attributes": dict(attributes)}
            )
        except AssertionError, HomeAssistantError, aiohttp.ClientError, TimeoutError:
            return  # it is away
        self.fired += 1
