"""The server as a process of its own, as users run it.

In:   a data folder and a port.
Out:  a running server that is ready, and its token. Fails with `ProcessDiedError`, or `ServerNotReadyError`.
"""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from .processes import ROOT, Process, while_running

DASHBOARD = ROOT / "addon" / "dashboard" / "dist"
READY_S = 30.0
LOOK_AGAIN_S = 0.05
HTTP_OK = 200


class ServerNotReadyError(Exception):
    """The server runs, but cannot do its work; the message is what it says."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that can be started. `settings` are more of its own, as ENERGY_… variables."""

    data: Path
    port: int
    host: str = "127.0.0.1"
    dashboard: Path = DASHBOARD
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it answers on this machine."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, log: Path) -> Process:
        """Start it and wait until it is ready."""
        self.data.mkdir(parents=True, exist_ok=True)
        environment = {
            "ENERGY_HOST": self.host,
            "ENERGY_PORT": str(self.port),
            "ENERGY_DATA_PATH": str(self.data),
            "ENERGY_DASHBOARD_PATH": str(self.dashboard),
            **self.settings,
        }
        command = (sys.executable, "-m", "energy_server", "serve")
        process = await Process.start("The server", command, log=log, environment=environment)
        try:
            await while_running([process], self._ready())
        except BaseException:  # whatever it was, and also when we are cancelled: leave nothing behind
            await process.stop()
            raise
        return process

    async def _ready(self) -> None:
        said = "nothing"
        async with aiohttp.ClientSession() as session:
            try:
                async with asyncio.timeout(READY_S):
                    while True:
                        with suppress(aiohttp.ClientError):
                            async with session.get(f"{self.url}/api/ready") as answer:
                                if answer.status == HTTP_OK:
                                    return
                                said = await answer.text()
                        await asyncio.sleep(LOOK_AGAIN_S)
            except TimeoutError as err:
                raise ServerNotReadyError(f"The server was not ready after {READY_S:.0f} s. It said: {said}") from err

    def token(self) -> str:
        """Return its access token."""
        return (self.data / "token").read_text().strip()

    async def status(self) -> dict[str, Any]:
        """Return GET /api/status."""
        headers = {"Authorization": f"Bearer {self.token()}"}
        async with aiohttp.ClientSession(headers=headers) as session, session.get(f"{self.url}/api/status") as answer:
            answer.raise_for_status()
            status: dict[str, Any] = await answer.json()
            return status
