"""The home of the events bench, a process of its own: fires state changes and reports what each kind costs.

In:   a folder for Home Assistant and the address of the Link's far end, on the command line.
Out:  `{"burst": [turn…], "small": [turn…], "other": [turn…]}` on standard output; a turn has `none_loop`, `none_cpu`,
      `ours_loop`, …: microseconds per change.
"""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from homeassistant.components.influxdb import InfluxThread
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard.data import EnergyDashboardConfigEntry
from custom_components.energy_dashboard.pipeline.listen import Listener
from tests.bench import home, influx
from tests.bench.home import Change, Changes, Cost
from tests.bench.say import say
from tests.bench.server import TOKEN

BURSTS = 7
CHANGES_PER_BURST = 20_000
SLICES = 300
CHANGES_PER_SLICE = 1_000
LOOK_AGAIN_S = 0.005

type Turn = dict[str, float]
type Fire = Callable[[list[Change]], Awaitable[None]]


class NotConnectedError(RuntimeError):
    """The integration under measurement could not be set up."""


class Home:
    """A running Home Assistant with both integrations, at most one of them loaded at a time."""

    def __init__(self, hass: HomeAssistant, ours: EnergyDashboardConfigEntry, peer: ConfigEntry[InfluxThread]) -> None:
        """Take the entries; `use` loads one of them."""
        self.hass = hass
        self._entries: dict[str, ConfigEntry] = {"ours": ours, "peer": peer}
        self._ours = ours
        self._peer = peer

    @property
    def listener(self) -> Listener:
        """Our subscriber of the event bus, as long as ours is loaded."""
        return self._ours.runtime_data.listener

    def seal(self) -> None:
        """Seal what ours has collected, where it is loaded, as its timer does."""
        if self._ours.state is ConfigEntryState.LOADED:
            self.listener._seal()

    async def use(self, name: str) -> None:
        """Have only this integration loaded, or none."""
        for entry in self._entries.values():
            if entry.state is ConfigEntryState.LOADED:
                await self.hass.config_entries.async_unload(entry.entry_id)
        if name in self._entries:
            await self.hass.config_entries.async_setup(self._entries[name].entry_id)
        if name == "ours":
            await self._connected()
        await self.hass.async_block_till_done()

    async def drain(self, name: str) -> None:
        """Wait until all that was fired is delivered."""
        if name == "ours":
            await self._delivered()
        elif name == "peer":
            await influx.drain(self.hass, self._peer)

    async def _connected(self) -> None:
        async with asyncio.timeout(30):
            while not self._ours.runtime_data.link.status.connected:  # noqa: ASYNC110 the product has no event for it
                await asyncio.sleep(LOOK_AGAIN_S)
        await self._delivered()

    async def _delivered(self) -> None:
        data = self._ours.runtime_data
        async with asyncio.timeout(30):
            while len(data.outbox):  # noqa: ASYNC110 the same
                await asyncio.sleep(LOOK_AGAIN_S)


async def turn(place: Home, changes: Changes, count: int, fire: Fire) -> Turn:
    """Fire the same kind of changes without a listener, with ours, with the peer."""
    costs: Turn = {}
    for name in ("none", "ours", "peer"):
        await place.use(name)
        made = changes.take(count)
        before = place.hass.states.get(made[0][0])
        spent: Cost = await home.cost(fire(made), partial(place.drain, name), count)
        if place.hass.states.get(made[0][0]) is before:
            raise NotConnectedError("no state changed")
        costs |= {f"{name}_loop": spent.loop_us, f"{name}_cpu": spent.cpu_us}
    return costs


async def other_turns(place: Home, changes: Changes) -> list[Turn]:
    """Fire changes of other entities, our listener being there and not in turns, within one set-up."""
    await place.use("ours")
    listener = place.listener
    turns: list[Turn] = []
    gc.collect()
    gc.freeze()
    for _ in range(SLICES):
        listener.stop()
        await place.drain("ours")  # stopping sends the claim so far: that is no cost of other entities' changes
        none_us = await home.loop_us(place.hass, changes.take(CHANGES_PER_SLICE))
        listener.start()
        turns.append(
            {"none_loop": none_us, "ours_loop": await home.loop_us(place.hass, changes.take(CHANGES_PER_SLICE))}
        )
    gc.unfreeze()
    return turns


async def connect(hass: HomeAssistant, url: str) -> EnergyDashboardConfigEntry:
    """Set this integration up by its own config flow."""
    flow = hass.config_entries.flow
    step = await flow.async_init("energy_dashboard", context={"source": "user"})
    done = await flow.async_configure(step["flow_id"], {"url": url, "token": TOKEN})
    entry = done.get("result")
    if not isinstance(entry, ConfigEntry) or entry.state is not ConfigEntryState.LOADED:
        raise NotConnectedError(str(done))
    return entry


async def main(folder: Path, url: str) -> None:
    """Run all turns."""
    hass = await home.start(folder)
    influx.stub_network()
    energy, other = Changes(home.energy_entities(hass)), Changes(home.other_entities(hass))
    place = Home(hass, await connect(hass, url), await influx.add(hass))
    burst = []
    for number in range(BURSTS):
        burst.append(await turn(place, energy, CHANGES_PER_BURST, lambda made: home.fire(hass, made)))
        say(f"burst {number + 1} of {BURSTS}: {show(burst[-1])}")
    small = []
    for number in range(BURSTS):
        small.append(await turn(place, energy, CHANGES_PER_BURST, lambda made: home.fire_few(hass, made, place.seal)))
        say(f"small batches {number + 1} of {BURSTS}: {show(small[-1])}")
    report = {"burst": burst, "small": small, "other": await other_turns(place, other)}
    await place.use("none")
    await hass.async_stop(force=True)
    json.dump(report, sys.stdout)


def show(costs: Turn) -> str:
    """Return a turn as text."""
    return ", ".join(f"{name} {value:.1f}" for name, value in costs.items()) + " us"


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
