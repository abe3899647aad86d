"""Call a container engine.

In:   the engine's commands and their environment.
Out:  what they print. Fails with `EngineError`, which carries the end of what they said.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

SAID_CHARACTERS = 4_000
ANSWER_WITHIN_S = 120.0


class EngineError(Exception):
    """The engine did not do it; the message is what it said."""


async def call(
    *command: str | Path,
    environment: Mapping[str, str] | None = None,
    within_s: float = ANSWER_WITHIN_S,
    errors: bool = False,
) -> str:
    """Run a command; returns what it printed on standard output, or also on standard error. Raises EngineError."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT if errors else asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    shown = " ".join(str(word) for word in command[:3])
    try:
        output, error = await asyncio.wait_for(process.communicate(), within_s)
    except TimeoutError as err:
        raise EngineError(f"{shown}: no end after {within_s:.0f} s") from err
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        said = (output + (error or b"")).decode(errors="replace")[-SAID_CHARACTERS:]
        raise EngineError(f"{shown}: exit status {process.returncode}\n{said}")
    return output.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Engine:
    """Docker or podman, and Docker Compose for it."""

    name: str
    command: str
    compose: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    build_options: tuple[str, ...] = ()
    socket: str | None = None
    """Where podman has to listen for Compose; Docker does by itself."""
    stands_in: bool = False
    """Whether its images only stand in for the official ones."""
    checks_health: bool = True
    """Whether health checks run by themselves; podman leaves them to systemd."""

    async def run(self, *arguments: str | Path, within_s: float = ANSWER_WITHIN_S) -> str:
        """Run the engine's command."""
        return await call(self.command, *arguments, environment=self.environment, within_s=within_s)

    async def logs(self, container: str) -> str:
        """Return what a container has printed."""
        return await call(self.command, "logs", container, environment=self.environment, errors=True)

    async def project(
        self, *arguments: str | Path, environment: Mapping[str, str], within_s: float = ANSWER_WITHIN_S
    ) -> str:
        """Run Compose."""
        return await call(*self.compose, *arguments, environment={**self.environment, **environment}, within_s=within_s)

    async def build(self, folder: Path, tag: str, within_s: float) -> str:
        """Build an image with little claim to the machine; returns what was printed."""
        command: tuple[str | Path, ...] = (
            "nice",
            "-n",
            "10",
            self.command,
            "build",
            *self.build_options,
            "--tag",
            tag,
            folder,
        )
        return await call(*command, environment=self.environment, within_s=within_s, errors=True)

    async def size_bytes(self, image: str) -> int:
        """Return the size of an image, uncompressed."""
        return int(await self.run("image", "inspect", "--format", "{{.Size}}", image))

    def dump(self) -> str:
        """Return this as a text, for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Self:
        """Return what `dump` was told."""
        document: dict[str, Any] = json.loads(text)
        return cls(**document | {name: tuple(document[name]) for name in ("compose", "build_options")})
