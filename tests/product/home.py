"""A real Home Assistant as a process of its own, with the simulated home and this integration.

In:   a folder and a port.
Out:  a `Home` that runs, and a logged in connection to it. Fails with `HomeFailedError`, which carries the end of
      its log.
"""

import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dev.ha import Connection, HomeAssistantError, Installation, User
from dev.processes import ROOT, Process, ProcessDiedError, while_running
from dev.provision import INTEGRATION, ensure_user
from tests.product.waiting import PATIENCE_S, true, until

COMPONENTS = {
    INTEGRATION: ROOT / "custom_components" / INTEGRATION,
    "simulated_home": ROOT / "dev" / "simulated_home",
}
LOGGER = f"custom_components.{INTEGRATION}"
LOG_LINE = re.compile(r"^\S+ \S+ (?P<level>[A-Z]+) \((?P<thread>[^)]*)\) \[(?P<logger>[^\]]*)\] (?P<message>.*)$")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
LOG_SHOWN_LINES = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HomeFailedError(AssertionError):
    """Home Assistant does not do what it should; the message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of Home Assistant's log."""

    level: str
    logger: str
    message: str


async def one_outage(home: Home, before: int, beginning: str) -> None:
    """Hold the integration to one line when readings get through no more, and one when they do again.

    They are looked for behind those that were there before; what has arrived may be acknowledged a moment later.
    """

    async def is_told() -> bool:
        return any(" is back after " in line.message for line in home.lines()[before:])

    await true(is_told, "the end of the outage to be told")
    said = [line for line in home.lines()[before:] if line.level != "DEBUG"]
    assert [line.level for line in said] == ["WARNING", "INFO"], said
    assert said[0].message.startswith(beginning), said
    assert " is back after " in said[1].message, said


@dataclass(slots=True)
class Home:
    """A Home Assistant; its data stay the same from one start to the next."""

    installation: Installation
    log: Path
    user: User = field(default_factory=User)
    process: Process | None = None
    _opened: AsyncExitStack = field(default_factory=AsyncExitStack)
    _connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """A client that is logged in."""
        assert self._connection is not None, "Home Assistant is not running"
        return self._connection

    async def start(self) -> None:
        """Start it, log in, and wait until all integrations are set up."""
        try:
            self.process = await self.installation.start(self.log)
            token = await ensure_user(self.installation, self.user)
            self._connection = await self._opened.enter_async_context(Connection(self.installation.url, token))
            await while_running([self.process], self._connection.running())
            await self._connection.action("logger", "set_level", {LOGGER: "info"})
        except (ProcessDiedError, HomeAssistantError) as err:
            await self.stop()
            raise HomeFailedError(f"{err}\n{self.tail()}") from err

    async def stop(self) -> None:
        """Stop it, as its own user interface would."""
        self._connection = None
        await self._opened.aclose()
        process, self.process = self.process, None
        if process is not None:
            await process.stop()

    async def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self.process is not None, "Home Assistant is not running"
        process, self.process = self.process, None
        self._connection = None
        await process.kill()
        await self._opened.aclose()

    def tail(self) -> str:
        """Return the last lines that it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_SHOWN_LINES:])

    def lines(self, logger: str = LOGGER) -> list[LogLine]:
        """Return what a logger and those below it have said so far."""
        text = COLOUR.sub("", self.log.read_text(errors="replace"))
        found = [LOG_LINE.match(line) for line in text.splitlines()]
        lines = [LogLine(match["level"], match["logger"], match["message"]) for match in found if match]
        return [line for line in lines if line.logger == logger or line.logger.startswith(f"{logger}.")]

    def log_size(self) -> int:
        """Return how much it has printed so far."""
        return self.log.stat().st_size

    async def set(self, entity_id: str, state: str, attributes: Mapping[str, Any]) -> int:
        """Set a state; returns its instant, epoch microseconds."""
        answer = await self.connection.post(
            f"/api/states/{entity_id}", {"state": state, "attributes": dict(attributes), "force_update": True}
        )
        return (datetime.fromisoformat(answer["last_updated"]) - EPOCH) // timedelta(microseconds=1)

    async def state(self, entity_id: str) -> str:
        """Return a state."""
        answer = await self.connection.get(f"/api/states/{entity_id}")
        return str(answer["state"])

    async def entry(self) -> dict[str, Any]:
        """Return this integration's config entry."""
        (entry,) = await self.connection.entries(INTEGRATION)
        return entry

    async def entry_is(self, state: str, within_s: float = PATIENCE_S) -> None:
        """Wait until this integration's config entry is in a state."""

        async def look() -> bool | None:
            entry = await self.entry()
            return True if entry["state"] == state else None

        await until(look, f"the config entry to be {state}", within_s)
