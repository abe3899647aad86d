"""The real server as a process of its own, started and stopped as often as a test likes.

In:   a folder for its data, a port, the folder of the built dashboard.
Out:  a `Server` that answers, and its API. Fails with `ServerFailedError`, which carries the end of its log.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from dev.processes import Process, ProcessDiedError, while_running
from tests.product.waiting import PATIENCE_S, InVainError, until

COMMAND = Path(sys.executable).parent / "energy-server"
ANSWER_WITHIN_S = 20.0
LOG_SHOWN_LINES = 40
OK = 200


class ServerFailedError(AssertionError):
    """The server does not do what it should; the message ends with the last lines of its log."""


@dataclass(slots=True)
class Server:
    """A server. Its settings stay the same from one start to the next."""

    data_path: Path
    log: Path
    port: int
    dashboard: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    process: Process | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The token that it was given, else the one that it made for itself."""
        return self.settings.get("ENERGY_TOKEN") or (self.data_path / "token").read_text().strip()

    @property
    def running(self) -> Process:
        """Its process."""
        assert self.process is not None, "the server is not running"
        return self.process

    def says(self) -> str:
        """Return all that it has printed so far, at all of its starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    async def start(self, *, ready: bool = True) -> None:
        """Start it and wait until it is ready, or only until it is alive."""
        environment = {
            "ENERGY_HOST": "127.0.0.1",
            "ENERGY_PORT": str(self.port),
            "ENERGY_DATA_PATH": str(self.data_path),
            "ENERGY_DASHBOARD_PATH": str(self.dashboard),
            **self.settings,
        }
        self.process = await Process.start("energy-server", (COMMAND, "serve"), log=self.log, environment=environment)
        await self.until(self.is_ready if ready else self.is_alive, "the server to be ready")

    async def stop(self) -> int:
        """Ask it to end, as a supervisor would; returns the exit status."""
        process, self.process = self.running, None
        return await process.stop()

    async def kill(self) -> None:
        """End it with SIGKILL."""
        process, self.process = self.running, None
        await process.kill()

    async def until[T](self, look: Callable[[], Awaitable[T | None]], what: str, within_s: float = PATIENCE_S) -> T:
        """Wait for what the server will show; its death, or waiting in vain, fails with the end of its log."""
        try:
            return await while_running([self.running], until(look, what, within_s))
        except (ProcessDiedError, InVainError) as err:
            lines = "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_SHOWN_LINES:])
            raise ServerFailedError(f"{err}\n{lines}") from err

    async def ask(self, path: str, **query: Any) -> tuple[int, Any]:
        """GET; returns the status and the JSON of the answer."""
        known = "ENERGY_TOKEN" in self.settings or (self.data_path / "token").exists()
        headers = {"Authorization": f"Bearer {self.token}"} if known else {}
        async with (
            aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(ANSWER_WITHIN_S)) as session,
            session.get(f"{self.url}{path}", params=query) as answer,
        ):
            return answer.status, await answer.json()

    async def get(self, path: str, **query: Any) -> Any:
        """GET what must be there."""
        status, body = await self.ask(path, **query)
        assert status == OK, body
        return body

    async def is_alive(self) -> bool | None:
        """Say whether it answers."""
        return await self._answers("/api/health")

    async def is_ready(self) -> bool | None:
        """Say whether it can work."""
        return await self._answers("/api/ready")

    async def _answers(self, path: str) -> bool | None:
        with suppress(aiohttp.ClientConnectionError, TimeoutError):
            status, _ = await self.ask(path)
            return True if status == OK else None
        return None

    async def site(self) -> dict[str, Any] | None:
        """Return the status of the only Site, None before it connected for the first time."""
        sites = (await self.get("/api/status"))["sites"]
        assert len(sites) <= 1, sites
        return sites[0] if sites else None

    async def is_connected(self) -> bool | None:
        """Say whether Home Assistant is connected."""
        site = await self.site()
        return True if site is not None and site["link"]["connected"] else None

    async def connected(self, within_s: float = PATIENCE_S) -> None:
        """Wait until Home Assistant is connected."""
        await self.until(self.is_connected, "Home Assistant to be connected", within_s)

    async def entity(self, entity_id: str) -> dict[str, Any] | None:
        """Return an Entity by its id in Home Assistant."""
        entities = (await self.get("/api/entities"))["entities"]
        return next((entity for entity in entities if entity["entity_id"] == entity_id), None)

    async def known(self, entity_id: str, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait until the server knows an Entity."""
        return await self.until(lambda: self.entity(entity_id), f"{entity_id} to be known", within_s)

    async def readings(self, entity_id: str, start_us: int, end_us: int) -> list[tuple[int, float | None]]:
        """Return every reading of an Entity in the span."""
        entity = await self.known(entity_id)
        answer = await self.get("/api/readings", key=entity["key"], start=start_us, end=end_us)
        assert answer["reduced"] is False
        return list(zip(answer["ts_us"], answer["value"], strict=True))

    async def imported(self, within_s: float = 60.0) -> None:
        """Wait until the hourly statistics that Home Assistant had, which are some, are here."""

        async def look() -> bool | None:
            site = await self.site()
            if site is None or site["complete"]["statistics_since_us"] is None:
                return None  # it may not even be known yet that there is something to import
            return (site["link"]["importing"] is None and site["link"]["connected"]) or None

        await self.until(look, "the import of statistics", within_s)
