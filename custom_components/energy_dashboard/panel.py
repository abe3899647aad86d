"""The dashboard in Home Assistant's sidebar, where no Supervisor shows it.

In:   a config entry that is being set up.
Out:  a sidebar item that loads a small module, and what that module asks for (`proxy.py`); both end with the entry.
Nothing fails: without a frontend there is no panel.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from aiohttp import DummyCookieJar
from homeassistant.components import frontend, panel_custom
from homeassistant.components.http import StaticPathConfig  # type: ignore[attr-defined] # documented to be there
from homeassistant.config_entries import SOURCE_HASSIO, ConfigEntry
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, INTEGRATION_VERSION
from .passing import Origin
from .proxy import Origins, PanelProxyView, PanelSessionView, proxy_path, session_path
from .sessions import PanelSessions

TITLE: Final = "Energy Dashboard"
ICON: Final = "mdi:meter-electric"
URL_PATH: Final = "energy-dashboard"
ELEMENT: Final = "energy-dashboard-panel"
MODULE: Final = Path(__file__).parent / "frontend" / "panel.js"
MODULE_URL: Final = f"/api/{DOMAIN}/panel.js"

ORIGINS: HassKey[Origins] = HassKey(f"{DOMAIN}_origins")
"""The servers whose pages the proxy shows, by config entry. Views cannot be taken away, so they are added once."""


async def async_add_panel(hass: HomeAssistant, entry: ConfigEntry) -> Callable[[], None] | None:
    """Show the server's dashboard in the sidebar; returns what ends that, or None where there is nothing to end."""
    if entry.source == SOURCE_HASSIO or not {"frontend", "http"} <= hass.config.components:
        return None
    origins = await _serve(hass)
    client = async_create_clientsession(hass, cookie_jar=DummyCookieJar())  # until the entry is unloaded
    prefix = proxy_path(entry.entry_id)
    origin = Origin(client, entry.data[CONF_URL], entry.data[CONF_TOKEN], prefix, asyncio.Event())
    origins[entry.entry_id] = origin
    url_path = URL_PATH
    if frontend.async_panel_exists(hass, url_path):
        url_path = f"{URL_PATH}-{entry.entry_id[-6:].lower()}"
    await panel_custom.async_register_panel(
        hass,
        frontend_url_path=url_path,
        webcomponent_name=ELEMENT,
        sidebar_title=TITLE,
        sidebar_icon=ICON,
        module_url=f"{MODULE_URL}?v={INTEGRATION_VERSION}",
        config={"session": session_path(entry.entry_id), "page": f"{prefix}/"},
        handle_safe_area=True,
    )

    def remove() -> None:
        frontend.async_remove_panel(hass, url_path, warn_if_unknown=False)
        del origins[entry.entry_id]
        origin.gone.set()

    return remove


async def _serve(hass: HomeAssistant) -> Origins:
    """Return the servers by entry, having added the views if this is the first."""
    if ORIGINS not in hass.data:
        origins = hass.data[ORIGINS] = Origins()
        sessions = PanelSessions(monotonic)
        hass.http.register_view(PanelSessionView(origins, sessions))
        hass.http.register_view(PanelProxyView(hass, origins, sessions))
        module = StaticPathConfig(MODULE_URL, str(MODULE), cache_headers=False)
        await hass.http.async_register_static_paths([module])
    return hass.data[ORIGINS]
