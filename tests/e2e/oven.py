"""A device that changes when a test says so, and not otherwise.

In:   watts.
Out:  its states in Home Assistant. It is named in the Energy settings, so the dashboard shows it among the consumers.
"""

from dataclasses import dataclass

from tests.product.home import Home
from tests.product.server import Server

NAME = "Oven"
POWER = "sensor.oven_power"
ENERGY = "sensor.oven_energy"


@dataclass(slots=True)
class Oven:
    """The oven."""

    home: Home
    server: Server
    last_us: int = 0

    async def uses(self, watts: float) -> None:
        """Let Home Assistant know what it uses."""
        kinds = {"unit_of_measurement": "W", "device_class": "power", "state_class": "measurement"}
        self.last_us = await self.home.set(POWER, str(watts), kinds)

    async def arrived(self) -> None:
        """Wait until the server has its last reading."""

        async def look() -> bool | None:
            entity = await self.server.entity(POWER)
            latest = None if entity is None else entity["latest"]
            return (latest is not None and latest["ts_us"] >= self.last_us) or None

        await self.server.until(look, "the oven's reading")
