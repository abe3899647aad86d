"""The image as the Supervisor runs it: options, token, network, a data folder made by root.

In:   an engine, the image, the app's config.yaml.
Out:  a `Home` (network and stand-in for the Supervisor) and in it an `App`, for the length of a context.
"""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from dev.containers.engine import Engine
from tests.containers.container import Container, answer, ready, volume
from tests.product.waiting import until

SUPERVISOR = Path(__file__).resolve().parent / "supervisor.py"
PYTHON = "/opt/energy/bin/python3"
SUBNET, GATEWAY, SUPERVISOR_ADDRESS = "172.30.32.0/23", "172.30.32.1", "172.30.32.2"
HOSTNAME = "local-energy-dashboard"
DIRECT_PORT, INGRESS_PORT = 8765, 8099
STOPS_WITHIN_S = 10
"""The Supervisor's patience, before it kills an app."""
PREPARE = 'umask 077 && chown root:root /data && chmod 0755 /data && printf %s "$1" >/data/options.json'


@dataclass(frozen=True, slots=True)
class Home:
    """A network with a stand-in for the Supervisor, and what that gives to an app."""

    engine: Engine
    image: str
    config: Mapping[str, Any]
    network: str
    token: str
    secret: str
    url: str

    @property
    def options(self) -> dict[str, Any]:
        """The options as they are before anybody changed one."""
        return dict(self.config["options"])

    @property
    def ingress(self) -> str:
        """The address at which a browser finds the app."""
        return f"{self.url}/api/hassio_ingress/{self.secret}"

    async def listens(self) -> bool | None:
        """Say whether the stand-in is there."""
        return (await answer(self.url, "/test/told"))[0] == HTTPStatus.OK or None

    async def told(self) -> list[dict[str, Any]]:
        """Return the discovery messages so far."""
        messages: list[dict[str, Any]] = (await answer(self.url, "/test/told"))[1]
        return messages

    async def stranger(self, url: str) -> int:
        """Return what another container of the network is answered."""
        ask = (
            "import sys, urllib.request as r, urllib.error as e\n"
            "try: print(r.urlopen(sys.argv[1], timeout=10).status)\n"
            "except e.HTTPError as err: print(err.code)"
        )
        entry = ("--network", self.network, "--entrypoint", PYTHON)
        return int(await self.engine.run("run", "--rm", *entry, self.image, "-c", ask, url))


@dataclass(frozen=True, slots=True)
class App:
    """The app, running or ended."""

    container: Container
    home: Home
    volume: str
    told_before: int
    """How many messages the Supervisor had before it started."""

    async def direct(self) -> str:
        """Return the address of its own port on this machine."""
        return await self.container.url(DIRECT_PORT)

    async def token(self) -> str:
        """Wait until Home Assistant is told of it; returns the token that was told."""

        async def look() -> str | None:
            messages = (await self.home.told())[self.told_before :]
            return str(messages[-1]["config"]["token"]) if messages else None

        return await until(look, "the discovery")

    async def is_ready(self) -> None:
        """Wait until it can work."""
        await ready(await self.direct())


@asynccontextmanager
async def standing_in(engine: Engine, image: str, config: Mapping[str, Any]) -> AsyncIterator[Home]:
    """Have a network with the Supervisor's addresses, and the stand-in in it."""
    network = f"energy-test-{secrets.token_hex(4)}"
    supervisor = Container(engine, f"{network}-supervisor")
    token, secret = secrets.token_hex(28), secrets.token_urlsafe(24)
    environment = {
        "APP": HOSTNAME,
        "SUPERVISOR_TOKEN": token,
        "SERVICES": ",".join(config["discovery"]),
        "INGRESS": secret,
    }
    await engine.run("network", "create", "--subnet", SUBNET, "--gateway", GATEWAY, network)
    try:
        await engine.run(
            *("run", "--detach", "--name", supervisor.name, "--user", "0", "--hostname", "supervisor"),
            *("--network", network, "--ip", SUPERVISOR_ADDRESS, "--network-alias", "supervisor"),
            *(word for name, value in environment.items() for word in ("--env", f"{name}={value}")),
            *("--publish", "127.0.0.1::80", "--volume", f"{SUPERVISOR}:/supervisor.py:ro"),
            *("--entrypoint", PYTHON, image, "/supervisor.py"),
        )
        home = Home(engine, image, config, network, token, secret, await supervisor.url(80))
        await until(home.listens, "the stand-in for the Supervisor")
        yield home
    finally:
        await supervisor.remove()
        await engine.run("network", "rm", network)


@asynccontextmanager
async def running_app(
    home: Home, options: str, *, mount: str | None = None, flags: Sequence[str] = ()
) -> AsyncIterator[App]:
    """Start the app with these options in a data folder that root has made, as the Supervisor does.

    `mount` is another kind of data folder than a volume; it is then the caller's, options included.
    """
    name = f"{home.network}-app-{secrets.token_hex(3)}"
    container = Container(home.engine, name)
    told_before = len(await home.told())
    environment = {**home.config["environment"], "SUPERVISOR_TOKEN": home.token, "TZ": "Europe/Amsterdam"}
    async with volume(home.engine, name) as data:
        where = f"type=volume,src={data},dst=/data" if mount is None else mount
        if mount is None:
            prepare = ("--user", "0", "--volume", f"{data}:/data", "--entrypoint", "/bin/sh")
            await home.engine.run("run", "--rm", *prepare, home.image, "-c", PREPARE, "prepare", options)
        try:
            await home.engine.run(
                *("run", "--detach", "--name", name, "--hostname", HOSTNAME, "--network", home.network),
                *("--network-alias", HOSTNAME, "--mount", where, "--publish", f"127.0.0.1::{DIRECT_PORT}"),
                *(word for key, value in environment.items() for word in ("--env", f"{key}={value}")),
                *flags,
                home.image,
            )
            yield App(container, home, data, told_before)
        finally:
            await container.remove()


async def page(url: str, path: str) -> tuple[int, str]:
    """GET a page; returns the status and the text."""
    async with aiohttp.ClientSession() as browser, browser.get(f"{url}{path}") as response:
        return response.status, await response.text()
