"""Set up a server: its address and token, tried by really opening the Link before anything is saved.

The app tells both through the Supervisor, so there the user only confirms.
"""

import ipaddress
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, override

import probatio
from homeassistant.config_entries import ConfigEntryState, ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN, CONF_URL
from homeassistant.helpers import instance_id
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from yarl import URL

from . import site_of
from .const import DOMAIN, INTEGRATION_VERSION
from .data import EnergyDashboardConfigEntry
from .pipeline.errors import PipelineError, ProtocolUnsupportedError
from .pipeline.handshake import PROTOCOL, Server, Welcome, open_link

DEFAULT_URL: Final = "http://localhost:8765"
EXAMPLE_URL: Final = "http://192.168.1.10:8765"
TITLE: Final = "Energy Dashboard"

PASSWORD: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
SERVER_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_URL, default=DEFAULT_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
        probatio.Required(CONF_TOKEN): PASSWORD,
    }
)
TOKEN_SCHEMA: Final = probatio.Schema({probatio.Required(CONF_TOKEN): PASSWORD})

KNOWN_ERRORS: Final = frozenset(
    {
        "cannot_connect",
        "host_not_allowed",
        "insecure_address",
        "invalid_auth",
        "invalid_url",
        "not_energy_server",
        "not_ready",
        "protocol_unsupported",
        "site_busy",
        "too_many_attempts",
    }
)


class AddressError(PipelineError):
    """The address is none, or not one that a token may be sent to."""

    code = "invalid_url"


class EnergyDashboardConfigFlow(ConfigFlow, domain=DOMAIN):
    """Ask for a server and try it."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin without errors."""
        self._errors: dict[str, str] = {}
        self._placeholders: dict[str, str] = {"example": EXAMPLE_URL}
        self._discovered: Server | None = None

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Set up a server."""
        if user_input is not None and (found := await self._try(user_input[CONF_URL], user_input[CONF_TOKEN])):
            server, welcome = found
            await self.async_set_unique_id(welcome.server_id, raise_on_progress=False)
            self._abort_if_unique_id_configured()
            return self.async_create_entry(title=TITLE, data={CONF_URL: server.url, CONF_TOKEN: server.token})
        return self._form("user", user_input)

    @override
    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Take what the app tells at each of its starts: its address and token, which may be new."""
        config = discovery_info.config
        found = await self._try(f"http://{config[CONF_HOST]}:{config[CONF_PORT]}", config[CONF_TOKEN])
        self._placeholders["app"] = discovery_info.name
        if found is None:
            return self.async_abort(reason="app_refused", description_placeholders=self._placeholders)
        server, welcome = found
        await self.async_set_unique_id(welcome.server_id)
        self._abort_if_unique_id_configured(updates={CONF_URL: server.url, CONF_TOKEN: server.token})
        self._discovered = server
        return await self.async_step_hassio_confirm()

    async def async_step_hassio_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for nothing but consent."""
        if user_input is not None and (server := self._discovered) is not None:
            return self.async_create_entry(title=TITLE, data={CONF_URL: server.url, CONF_TOKEN: server.token})
        self._set_confirm_only()
        return self.async_show_form(step_id="hassio_confirm", description_placeholders=self._placeholders)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Change the address or token of the same server."""
        entry = self._get_reconfigure_entry()
        if user_input is not None and (found := await self._try(user_input[CONF_URL], user_input[CONF_TOKEN])):
            return await self._update(entry, *found)
        return self._form("reconfigure", user_input or {CONF_URL: entry.data[CONF_URL]})

    async def async_step_reauth(self, _entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Ask for a token because the server refused the one it got."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Change the token."""
        entry = self._get_reauth_entry()
        url = entry.data[CONF_URL]
        if user_input is not None and (found := await self._try(url, user_input[CONF_TOKEN])):
            return await self._update(entry, *found)
        self._placeholders["url"] = url
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=TOKEN_SCHEMA,
            errors=self._errors,
            description_placeholders=self._placeholders,
        )

    def _form(self, step_id: str, suggested: dict[str, Any] | None) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(SERVER_SCHEMA, suggested),
            errors=self._errors,
            description_placeholders=self._placeholders,
        )

    async def _update(self, entry: EnergyDashboardConfigEntry, server: Server, welcome: Welcome) -> ConfigFlowResult:
        """Keep the entry and change how its server is reached; another server would mix two histories."""
        await self.async_set_unique_id(welcome.server_id, raise_on_progress=False)
        self._abort_if_unique_id_mismatch(reason="wrong_server")
        return self.async_update_reload_and_abort(entry, data_updates={CONF_URL: server.url, CONF_TOKEN: server.token})

    async def _try(self, url: str, token: str) -> tuple[Server, Welcome] | None:
        """Open the Link and close it; returns None with the error of its cause set for the form."""
        self._errors = {}
        try:
            server = Server(normal_url(url), token.strip())
            await self._forbid_insecure(URL(server.url))
            return server, await self._welcome(server)
        except PipelineError as err:
            self._errors["base"] = err.code if err.code in KNOWN_ERRORS else "refused"
            self._placeholders |= {"message": err.message, "code": err.code, "protocol": str(PROTOCOL)}
            if isinstance(err, ProtocolUnsupportedError):
                self._placeholders |= {"oldest": str(err.oldest), "newest": str(err.newest)}
            return None

    async def _welcome(self, server: Server) -> Welcome:
        """Return how the server welcomes this Home Assistant, whose own links stand back meanwhile."""
        site = site_of(self.hass, await instance_id.async_get(self.hass))
        entries: list[EnergyDashboardConfigEntry] = self.hass.config_entries.async_entries(DOMAIN)
        async with AsyncExitStack() as stack:
            for entry in entries:
                if entry.state is ConfigEntryState.LOADED:
                    await stack.enter_async_context(entry.runtime_data.link.suspended())
            session = async_get_clientsession(self.hass)
            async with open_link(session, server, site, INTEGRATION_VERSION) as (_, welcome):
                return welcome

    async def _forbid_insecure(self, url: URL) -> None:
        """Let a token travel unencrypted inside the own network only."""
        if url.scheme == "https" or url.host is None:
            return
        try:
            found = await self.hass.loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
        except OSError as err:
            raise AddressError(f"the name {url.host} is not known", "cannot_connect") from err
        addresses = [ipaddress.ip_address(address[0]) for *_, address in found]
        if not all(address.is_private or address.is_loopback for address in addresses):
            raise AddressError(f"{url.host} is outside of the own network", "insecure_address")


def normal_url(text: str) -> str:
    """Return an address as it is kept: scheme, host and port, perhaps a path; AddressError for anything else."""
    try:
        url = URL(text.strip())
    except ValueError as err:
        raise AddressError("the address cannot be read") from err
    if url.scheme not in {"http", "https"} or not url.host or url.user is not None or url.query_string or url.fragment:
        raise AddressError("the address is not one of a server")
    return str(url).rstrip("/")
