"""The whole product, running: a real Home Assistant, the real server, the dashboard as it is built.

In:   an empty folder.
Out:  a `Product` for the length of a context; then both are stopped in order. A start that fails fails with the
      last lines of what failed.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.ha import Installation
from dev.processes import ROOT
from dev.provision import INTEGRATION, ensure_energy_settings, ensure_history, ensure_home, history_begin_s
from dev.simulated_home.history import compute
from dev.simulated_home.model import House, day_number
from tests.product.home import COMPONENTS, Home
from tests.product.ports import first_port, own_port
from tests.product.server import Server

DASHBOARD = ROOT / "addon" / "dashboard"
SEED = 42
FIRST_PORT = first_port(12_000)


@dataclass(frozen=True, slots=True)
class Product:
    """What runs."""

    home: Home
    server: Server
    folder: Path


async def build_dashboard(folder: Path) -> Path:
    """Build the dashboard of this checkout; returns the folder of the build."""
    build = folder / "dashboard"
    process = await asyncio.create_subprocess_exec(
        "npm",
        *("run", "--silent", "build", "--", "--outDir", build, "--emptyOutDir"),
        cwd=DASHBOARD,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode(errors="replace")
    return build


@asynccontextmanager
async def serving(
    folder: Path, dashboard: Path, *, data_path: Path | None = None, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """Run a server in the folder; a test may stop, kill and start it meanwhile."""
    with own_port(FIRST_PORT) as port:
        server = Server(data_path or folder / "data", folder / "server.log", port, dashboard, settings or {})
        try:
            await server.start()
            yield server
        finally:
            if server.process is not None:
                await server.stop()


@asynccontextmanager
async def homing(folder: Path, days: int = 0, *, environment: Mapping[str, str] | None = None) -> AsyncIterator[Home]:
    """Run a Home Assistant with the simulated home, and perhaps days of its history and Energy settings, in the folder.

    A test may stop and start it meanwhile.
    """
    with own_port(FIRST_PORT) as port:
        installation = Installation(folder / "ha", port, COMPONENTS, environment=environment or {})
        home = Home(installation, folder / "ha.log")
        begun_s = int(time.time())
        try:
            await home.start()
            await ensure_home(home.connection, SEED, day_number(begun_s))
            if days:
                await _fill(home, begun_s, days)
            yield home
        finally:
            await home.stop()


async def _fill(home: Home, begun_s: int, days: int) -> None:
    house = House(SEED, day_number(begun_s))
    computed = list(compute(house, history_begin_s(begun_s, days), int(time.time())))
    await ensure_energy_settings(home.connection)
    await ensure_history(home.connection, house, begun_s, computed, lambda _share: None, days)


@asynccontextmanager
async def linked(home: Home, server: Server) -> AsyncIterator[str]:
    """Have a config entry for the server, made by the integration's own flow, for the length of the context."""
    result = await home.connection.flow(INTEGRATION, {"url": server.url, "token": server.token})
    entry_id: str = result["result"]["entry_id"]
    try:
        await server.connected()
        yield entry_id
    finally:
        await home.connection.delete(f"/api/config/config_entries/entry/{entry_id}")


@asynccontextmanager
async def copy_of(home: Home, folder: Path) -> AsyncIterator[Home]:
    """Run a second Home Assistant that has the first one's id, as one restored from its backup would."""
    storage = folder / "ha" / ".storage"
    storage.mkdir(parents=True)
    shutil.copy(home.installation.folder / ".storage" / "core.uuid", storage)
    async with homing(folder) as copy:
        yield copy


@asynccontextmanager
async def running(
    folder: Path,
    dashboard: Path,
    *,
    data_path: Path | None = None,
    days: int = 0,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Product]:
    """Run all of it, the integration configured by its own config flow."""
    async with (
        serving(folder, dashboard, data_path=data_path, settings=settings) as server,
        homing(folder, days) as home,
        linked(home, server),
    ):
        yield Product(home, server, folder)


async def add_device(home: Home, name: str, energy: str, power: str) -> None:
    """Add a device to Home Assistant's Energy settings."""
    settings = await home.connection.command("energy/get_prefs")
    device = {"stat_consumption": energy, "stat_rate": power, "name": name}
    await home.connection.command(
        "energy/save_prefs",
        energy_sources=settings["energy_sources"],
        device_consumption=[*settings["device_consumption"], device],
        device_consumption_water=settings["device_consumption_water"],
    )
