"""compose.yaml, brought up as its first lines tell the user to.

In:   an engine that listens for Compose, a project name of its own, a free port.
Out:  a `Composed`; at the end its containers, networks and volumes are gone.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from dev.containers.config import COMPOSE_FILE
from dev.containers.engine import Engine
from dev.processes import free_port
from tests.containers.container import Container, looked_after

SERVICE = "energy-server"
FIRST_PORT = 13_765
UP_WITHIN_S = 300.0


@dataclass(frozen=True, slots=True)
class Composed:
    """A project; it may be down."""

    engine: Engine
    name: str
    port: int
    profiles: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where the server answers on this machine."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def volume(self) -> str:
        """The name of the volume of the server's data."""
        return f"{self.name}_energy-data"

    async def do(self, *arguments: str) -> str:
        """Run a command of Compose."""
        environment = {"ENERGY_PUBLISH": f"127.0.0.1:{self.port}"}
        profiles = (word for profile in self.profiles for word in ("--profile", profile))
        command = ("--project-name", self.name, "--file", str(COMPOSE_FILE), *profiles, *arguments)
        return await self.engine.project(*command, environment=environment, within_s=UP_WITHIN_S)

    async def up(self) -> None:
        """Bring it up, and wait until it is healthy."""
        await self.do("up", "--detach", "--wait", "--no-build", "--pull", "never")

    async def token(self) -> str:
        """Return the token, where the file tells the user to look for it."""
        return (await self.do("exec", "-T", SERVICE, "energy-server", "token")).strip()

    async def container(self, service: str = SERVICE) -> Container:
        """Return the container of a service."""
        return Container(self.engine, (await self.do("ps", "--all", "--quiet", service)).strip())


@asynccontextmanager
async def composed(engine: Engine, *profiles: str) -> AsyncIterator[Composed]:
    """Have a project with these profiles, not yet up."""
    name = f"energy-test-{secrets.token_hex(4)}"
    project = Composed(engine, name, free_port(FIRST_PORT), profiles)
    async with looked_after(engine, name):
        try:
            yield project
        finally:
            await project.do("down", "--volumes", "--timeout", "20")
