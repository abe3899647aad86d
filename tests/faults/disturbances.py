"""What can go wrong, each as something that a test does to the running product and takes back.

In:   a `Scene`: Home Assistant, the server, the network between them.
Out:  `DISTURBANCES`, by name.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tests.product.home import Home
from tests.product.proxy import Proxy
from tests.product.server import Server

SLOW_S = 0.4


@dataclass(frozen=True, slots=True)
class Scene:
    """What a disturbance can reach."""

    home: Home
    server: Server
    network: Proxy


async def kill_server(scene: Scene, length_s: float) -> None:
    """SIGKILL, and away for a while."""
    await scene.server.kill()
    await asyncio.sleep(length_s)
    await scene.server.start()


async def stop_server(scene: Scene, length_s: float) -> None:
    """Stopped as by an update."""
    await scene.server.stop()
    await asyncio.sleep(length_s)
    await scene.server.start()


async def kill_home_assistant(scene: Scene, length_s: float) -> None:
    """A power cut."""
    await scene.home.kill()
    await asyncio.sleep(length_s)
    await scene.home.start()


async def stop_home_assistant(scene: Scene, length_s: float) -> None:
    """Stopped as by an update."""
    await scene.home.stop()
    await asyncio.sleep(length_s)
    await scene.home.start()


async def kill_both(scene: Scene, length_s: float) -> None:
    """A power cut of the machine that both run on."""
    await asyncio.gather(scene.home.kill(), scene.server.kill())
    await asyncio.sleep(length_s)
    await asyncio.gather(scene.home.start(), scene.server.start())


async def pause_server(scene: Scene, length_s: float) -> None:
    """SIGSTOP: connections stay open, nothing answers."""
    scene.server.running.pause()
    await asyncio.sleep(length_s)
    scene.server.running.resume()


async def pause_home_assistant(scene: Scene, length_s: float) -> None:
    """SIGSTOP, as a virtual machine that is suspended."""
    process = scene.home.process
    assert process is not None
    process.pause()
    await asyncio.sleep(length_s)
    process.resume()


async def cut_network(scene: Scene, length_s: float) -> None:
    """No packet passes."""
    async with scene.network.cut():
        await asyncio.sleep(length_s)


async def slow_network(scene: Scene, length_s: float) -> None:
    """Each packet is late."""
    async with scene.network.slow(SLOW_S):
        await asyncio.sleep(length_s)


async def halve_network(scene: Scene, length_s: float) -> None:
    """What is sent arrives, no answer comes back, then it breaks."""
    async with scene.network.halve():
        await asyncio.sleep(length_s)


DISTURBANCES: Mapping[str, Callable[[Scene, float], Awaitable[None]]] = {
    function.__name__: function
    for function in (
        kill_server,
        stop_server,
        kill_home_assistant,
        stop_home_assistant,
        kill_both,
        pause_server,
        pause_home_assistant,
        cut_network,
        slow_network,
        halve_network,
    )
}
