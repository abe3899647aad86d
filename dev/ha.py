"""A real Home Assistant in a folder of its own, configured and used by script.

In:   a folder, a port, the custom components to put into it.
Out:  a running Home Assistant (`start`), its first user (`onboard`, `log_in`), and a `Connection` for REST, WebSocket
      and config flows. Fails with `HomeAssistantError` (it refused, and said why) or `ProcessDiedError` (it ended).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from .processes import ROOT, Process, while_running

HASS = ROOT / ".cache" / "venv" / "bin" / "hass"
LOOK_AGAIN_S = 0.1
START_S = 120.0
MESSAGE_BYTES = 64 * 2**20
HTTP_OK = 200

CONFIGURATION = """\
homeassistant:
  name: {name}
  unit_system: metric
  time_zone: {time_zone}
  country: {country}
  currency: {currency}
  language: en
  latitude: {latitude}
  longitude: {longitude}
  elevation: 4
api:
websocket_api:
config:
frontend:
history:
energy:
recorder:
  commit_interval: 1
logger:
  default: warning
  logs:  # of parts that Home Assistant always loads and that this home does without
    haffmpeg: critical
    homeassistant.components.camera.img_util: critical
"""


class HomeAssistantError(Exception):
    """Home Assistant refused; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the home is."""

    name: str = "Demo home"
    time_zone: str = "Europe/Amsterdam"
    country: str = "NL"
    currency: str = "EUR"
    latitude: float = 52.09
    longitude: float = 5.12


@dataclass(frozen=True, slots=True)
class User:
    """The owner of a Home Assistant."""

    name: str = "Demo"
    username: str = "demo"
    password: str = "demo"  # noqa: S105 a made up home, for the machine it runs on only


@dataclass(frozen=True, slots=True)
class Installation:
    """The folder of a Home Assistant, before it runs."""

    folder: Path
    port: int
    components: Mapping[str, Path] = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    extra: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def client_id(self) -> str:
        """What an OAuth client calls itself: by its address."""
        return f"{self.url}/"

    def prepare(self) -> None:
        """Write the configuration. What Home Assistant has stored meanwhile stays, but for the port."""
        storage = self.folder / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        values = {name: getattr(self.place, name) for name in self.place.__dataclass_fields__}
        (self.folder / "configuration.yaml").write_text(CONFIGURATION.format(**values) + self.extra)
        self._write_port(storage / "http")
        if not (
            storage / "onboarding"
        ).exists():  # its core_config step would set up integrations that need the internet
            done = ["core_config", "analytics", "integration"]
            document = {"version": 4, "minor_version": 1, "key": "onboarding", "data": {"done": done}}
            (storage / "onboarding").write_text(json.dumps(document))
        self._link_components()

    def _write_port(self, path: Path) -> None:
        """Set the port where Home Assistant stores it: one in the YAML is only on trial for some minutes."""
        stable = {
            "server_host": ["127.0.0.1"],
            "server_port": self.port,
            "cors_allowed_origins": ["https://cast.home-assistant.io"],
            "login_attempts_threshold": -1,
            "ip_ban_enabled": True,
            "ssl_profile": "modern",
            "use_x_frame_options": True,
            "created_at": "2026-01-01T00:00:00+00:00",
            "error": None,
            "error_message": None,
        }
        data = {"stable": stable, "pending": None, "yaml_migration_done": True}
        path.write_text(json.dumps({"version": 2, "minor_version": 2, "key": "http", "data": data}))

    def _link_components(self) -> None:
        folder = self.folder / "custom_components"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if old.is_symlink():
                old.unlink()
        for domain, source in self.components.items():
            (folder / domain).symlink_to(source.resolve(), target_is_directory=True)

    async def start(self, log: Path) -> Process:
        """Start it and wait until it answers; `Connection.running` waits for its integrations."""
        self.prepare()
        for component in self.components.values():
            if not (component / "manifest.json").exists():
                raise HomeAssistantError(f"{component} is no integration: it has no manifest.json.")
        command = (HASS, "-c", self.folder, "--skip-pip")
        process = await Process.start("Home Assistant", command, log=log, environment=self.environment)
        try:
            await while_running([process], self._answering())
        except BaseException:  # whatever it was, and also when we are cancelled: leave nothing behind
            await process.stop()
            raise
        return process

    async def _answering(self) -> None:
        async with aiohttp.ClientSession(base_url=self.url) as session:

            async def look() -> bool | None:
                with suppress(aiohttp.ClientError):
                    async with session.get("/manifest.json") as answer:
                        return True if answer.status == HTTP_OK else None
                return None

            await until(look, "Home Assistant to answer", START_S)


async def onboarded(installation: Installation) -> bool:
    """Say whether the first user exists."""
    async with aiohttp.ClientSession() as session, session.get(f"{installation.url}/api/onboarding") as answer:
        if answer.status != HTTP_OK:  # the whole integration is gone once all its steps are done
            return True
        steps: list[dict[str, Any]] = await answer.json()
    return all(step["done"] for step in steps)


async def onboard(installation: Installation, user: User) -> None:
    """Create the first user, as the first page of a new Home Assistant would."""
    body = {
        "client_id": installation.client_id,
        "name": user.name,
        "username": user.username,
        "password": user.password,
        "language": "en",
    }
    async with aiohttp.ClientSession(base_url=installation.url) as session:
        await _post(session, "/api/onboarding/users", json=body)


async def log_in(installation: Installation, user: User) -> dict[str, Any]:
    """Log in as the form does; returns the answer of /auth/token: access_token, refresh_token, expires_in and so on."""
    client_id = installation.client_id
    begin = {"client_id": client_id, "handler": ["homeassistant", None], "redirect_uri": client_id}
    fields = {"client_id": client_id, "username": user.username, "password": user.password}
    async with aiohttp.ClientSession(base_url=installation.url) as session:
        flow = await _post(session, "/auth/login_flow", json=begin)
        login = await _post(session, f"/auth/login_flow/{flow['flow_id']}", json=fields)
        if login.get("type") != "create_entry":
            raise HomeAssistantError(f"The login as {user.username} was refused: {login.get('errors')}")
        form = {"grant_type": "authorization_code", "code": login["result"], "client_id": client_id}
        tokens: dict[str, Any] = await _post(session, "/auth/token", data=form)
        return tokens


async def _post(session: aiohttp.ClientSession, path: str, **body: Any) -> Any:
    async with session.post(path, **body) as answer:
        return await _result(answer)


async def _result(answer: aiohttp.ClientResponse) -> Any:
    """Return the JSON of an answer; raises HomeAssistantError with what it says."""
    text = await answer.text()
    if answer.status >= 400:  # noqa: PLR2004 the first status that is an error
        raise HomeAssistantError(f"{answer.method} {answer.url.path}: {answer.status} {text[:500]}")
    return json.loads(text) if text else None


class Connection:
    """A logged in client: REST, WebSocket commands, config flows. Use as `async with`."""

    def __init__(self, url: str, token: str) -> None:
        """Keep the address and an access token, short lived or long lived."""
        self._url = url
        self._token = token
        self._session: aiohttp.ClientSession
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._number = 0
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Open the session; the WebSocket is opened when it is first used."""
        self._session = aiohttp.ClientSession(
            base_url=self._url, headers={"Authorization": f"Bearer {self._token}"}, timeout=aiohttp.ClientTimeout(300)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both."""
        if self._socket is not None:
            await self._socket.close()
        await self._session.close()

    async def get(self, path: str) -> Any:
        """GET."""
        async with self._session.get(path) as answer:
            return await _result(answer)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST."""
        async with self._session.post(path, json=body) as answer:
            return await _result(answer)

    async def delete(self, path: str) -> Any:
        """DELETE."""
        async with self._session.delete(path) as answer:
            return await _result(answer)

    async def action(self, domain: str, name: str, data: Mapping[str, Any], *, response: bool = False) -> Any:
        """Call an action (a service) and wait for it; returns its response, where it has one and it is asked for."""
        answer = await self.post(f"/api/services/{domain}/{name}{'?return_response' if response else ''}", data)
        return answer["service_response"] if response else None

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send one WebSocket command and return its result; connects anew where Home Assistant restarted."""
        async with self._turn:
            try:
                message = await self._ask(self._socket or await self._open(), kind, fields)
            except aiohttp.ClientConnectionResetError, aiohttp.WSMessageTypeError:
                message = await self._ask(await self._open(), kind, fields)
        if not message["success"]:
            raise HomeAssistantError(f"{kind}: {message['error']['message']}")
        return message["result"]

    async def _ask(
        self, socket: aiohttp.ClientWebSocketResponse, kind: str, fields: Mapping[str, Any]
    ) -> dict[str, Any]:
        self._number += 1
        await socket.send_json({"id": self._number, "type": kind, **fields})
        while True:
            message: dict[str, Any] = await socket.receive_json()
            if message.get("id") == self._number and message["type"] == "result":
                return message

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        self._socket = socket = await self._session.ws_connect("/api/websocket", max_msg_size=MESSAGE_BYTES)
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": self._token})
        answer = await socket.receive_json()
        if answer["type"] != "auth_ok":
            raise HomeAssistantError(f"The login over the WebSocket was refused: {answer.get('message')}")
        return socket

    async def running(self) -> None:
        """Wait until all integrations are set up."""

        async def look() -> bool | None:
            config = await self.get("/api/config")
            return True if config["state"] == "RUNNING" else None

        await until(look, "Home Assistant to be started", START_S)

    async def entries(self, domain: str) -> list[dict[str, Any]]:
        """Return the config entries of an integration."""
        found: list[dict[str, Any]] = await self.command("config_entries/get", domain=domain)
        return found

    async def flow(self, domain: str, inputs: Mapping[str, Any], entry_id: str | None = None) -> dict[str, Any]:
        """Run a config flow of one form to its end, or the reconfigure flow of an entry; returns the flow's result.

        Raises HomeAssistantError with the flow's own errors when the form comes back.
        """
        body = {"handler": domain, "show_advanced_options": False}
        if entry_id:
            body["entry_id"] = entry_id
        path = "/api/config/config_entries/flow"
        step = await self.post(path, body)
        if step["type"] == "form":
            step = await self.post(f"{path}/{step['flow_id']}", inputs)
        if step["type"] == "form":
            await self.delete(f"{path}/{step['flow_id']}")
            raise HomeAssistantError(f"{domain} did not accept its settings: {step['errors']}")
        result: dict[str, Any] = step
        return result


async def until[T](look: Callable[[], Awaitable[T | None]], what: str, patience_s: float = 60.0) -> T:
    """Look again and again until there is something; for what Home Assistant does without saying when it is done."""
    try:
        async with asyncio.timeout(patience_s):
            while True:
                found = await look()
                if found is not None:
                    return found
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError as err:
        raise HomeAssistantError(f"Waited {patience_s:.0f} s in vain for {what}.") from err
