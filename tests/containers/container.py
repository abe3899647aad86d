"""A running container, as tests see it.

In:   an engine and the container's name.
Out:  what it says, holds and answers. Fails with `EngineError`, or `InVainError` after waiting in vain.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from dev.containers.engine import Engine, EngineError
from tests.product.waiting import until

LOOKED_AT_EVERY_S = 1.0
ASIDE = {"bash", "grep", "sh"}
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Container:
    """One container; it may have ended."""

    engine: Engine
    name: str

    async def inspect(self, what: str) -> Any:
        """Return a part of what the engine knows of it, for example `.State.ExitCode`."""
        return json.loads(await self.engine.run("inspect", "--format", f"{{{{json {what}}}}}", self.name))

    async def logs(self) -> str:
        """Return all that it has said so far."""
        return await self.engine.logs(self.name)

    async def execute(self, *command: str, user: str | None = None) -> str:
        """Run a command inside."""
        as_user = () if user is None else ("--user", user)
        return await self.engine.run("exec", *as_user, self.name, *command)

    async def url(self, port: int) -> str:
        """Return where this machine reaches a published port."""
        address = (await self.engine.run("port", self.name, f"{port}/tcp")).split()[0]
        return f"http://127.0.0.1:{address.rpartition(':')[2]}"

    async def ended(self, within_s: float = 30.0) -> int:
        """Wait until it ends by itself; returns its exit status."""
        return int(await self.engine.run("wait", self.name, within_s=within_s))

    async def stop(self, patience_s: int) -> tuple[float, int]:
        """Ask it to end; returns how long that took, and its exit status (137 where patience ran out)."""
        started_s = time.monotonic()
        await self.engine.run("stop", "--time", str(patience_s), self.name)
        return time.monotonic() - started_s, await self.inspect(".State.ExitCode")

    async def remove(self) -> None:
        """Leave nothing of it but its named volumes, and what it said in the report of a failed test."""
        with suppress(EngineError):  # it never came into being
            sys.stdout.write(f"\n{self.name} said:\n{await self.logs()}\n")
        await self.engine.run("rm", "--force", "--volumes", self.name)

    async def healthy(self, within_s: float = 60.0) -> None:
        """Wait until its health check says that it is well."""

        async def look() -> bool | None:
            if not self.engine.checks_health:
                with suppress(EngineError):  # it says by its exit status what it found
                    await self.engine.run("healthcheck", "run", self.name)
            return await self.inspect(".State.Health.Status") == "healthy" or None

        await until(look, f"{self.name} to be healthy", within_s)

    async def processes(self) -> dict[str, tuple[int, int]]:
        """Return its processes by name: the user each runs as, and its memory in bytes."""
        said = await self.execute("bash", "-c", "grep -hE '^(Name|Uid|VmRSS):' /proc/[0-9]*/status")
        words = [line.split() for line in said.splitlines()]
        found: dict[str, tuple[int, int]] = {}
        for name, uid, memory in zip(words[::3], words[1::3], words[2::3], strict=True):
            if name[1] not in ASIDE:
                _, before = found.get(name[1], (0, 0))
                found[name[1]] = (int(uid[1]), before + int(memory[1]) * 1024)
        return found

    async def memory_mb(self) -> float:
        """Return the memory of all of its processes."""
        return sum(memory for _, memory in (await self.processes()).values()) / MIB


async def answer(url: str, path: str, token: str | None = None, **query: str | int) -> tuple[int, Any]:
    """GET; returns the status and the JSON, None where nothing answers (status 0)."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(20)) as client,
            client.get(f"{url}{path}", params=query) as response,
        ):
            return response.status, await response.json()
    except aiohttp.ClientConnectionError:
        return 0, None


async def ready(url: str, within_s: float = 30.0) -> None:
    """Wait until the server there can work."""

    async def look() -> bool | None:
        return (await answer(url, "/api/ready"))[0] == 200 or None

    await until(look, f"{url} to be ready", within_s)


async def unready(url: str, within_s: float = 30.0) -> str:
    """Wait until the server there says that it cannot work; returns why."""

    async def look() -> str | None:
        status, body = await answer(url, "/api/ready")
        if status != 503 or body["error"]["message"] == "The stores are being opened.":
            return None
        assert body["error"]["code"] == "store_unavailable"
        return str(body["error"]["message"])

    return await until(look, f"{url} to say why it is not ready", within_s)


@asynccontextmanager
async def volume(engine: Engine, name: str) -> AsyncIterator[str]:
    """Have a named volume for the length of the context."""
    await engine.run("volume", "create", name)
    try:
        yield name
    finally:
        await engine.run("volume", "rm", "--force", name)


@asynccontextmanager
async def looked_after(engine: Engine, project: str) -> AsyncIterator[None]:
    """See to the health checks of a Compose project where the engine does not."""

    async def look() -> None:
        while True:
            listed = ("ps", "--quiet", "--filter", f"label=com.docker.compose.project={project}")
            for container in (await engine.run(*listed)).split():
                with suppress(EngineError):
                    await engine.run("healthcheck", "run", container)
            await asyncio.sleep(LOOKED_AT_EVERY_S)

    looking = None if engine.checks_health else asyncio.create_task(look())
    try:
        yield
    finally:
        if looking is not None:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
