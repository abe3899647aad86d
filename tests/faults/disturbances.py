"""What can go wrong, each as something that a test does to the running product and takes back.

In:   a `Scene`: Home Assistant, the server, the network between them, and the databases where there are any.
Out:  `DISTURBANCES` of every product and `OF_DATABASES`, by name; which of them are `PAUSES`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dev.servers import DatabaseServer, Running, start
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
    databases: Sequence[DatabaseServer] = ()
    running: dict[str, Running] = field(default_factory=dict)
    """The databases by name."""


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


async def kill_questdb(scene: Scene, length_s: float) -> None:
    """SIGKILL, and away for a while."""
    await _kill_database(scene, "QuestDB", length_s)


async def kill_mongodb(scene: Scene, length_s: float) -> None:
    """SIGKILL, and away for a while."""
    await _kill_database(scene, "MongoDB", length_s)


async def _kill_database(scene: Scene, name: str, length_s: float) -> None:
    (database,) = (database for database in scene.databases if database.name == name)
    await scene.running[name].kill()
    await asyncio.sleep(length_s)
    scene.running[name] = await start(database)


async def pause_databases(scene: Scene, length_s: float) -> None:
    """SIGSTOP: both hang."""
    for running in scene.running.values():
        await running.pause()
    await asyncio.sleep(length_s)
    for running in scene.running.values():
        await running.resume()


type Disturbance = Callable[[Scene, float], Awaitable[None]]

OF_DATABASES: Mapping[str, Disturbance] = {
    function.__name__: function for function in (kill_questdb, kill_mongodb, pause_databases)
}
DISTURBANCES: Mapping[str, Disturbance] = {
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

PAUSES = frozenset(function.__name__ for function in (pause_server, pause_home_assistant, pause_databases))
