"""The peer of the events bench: Home Assistant's own influxdb integration, its HTTP transport stubbed.

In:   a running Home Assistant.
Out:  the integration set up and taken down again by its config entry. All of it runs, encoding included; only the
      request itself is answered in place of the network, which favours the peer: our side sends through a real socket.
"""

from collections.abc import Mapping

from homeassistant.components.influxdb import InfluxThread
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

NO_CONTENT = 204
FLOW_INPUT = {"url": "http://127.0.0.1:8086", "verify_ssl": False, "database": "bench"}


class PeerFailedError(RuntimeError):
    """The influxdb integration could not be set up."""


def _answer(_adapter: HTTPAdapter, request: PreparedRequest, **_options: object) -> Response:
    response = Response()
    response.status_code = NO_CONTENT
    response.url = str(request.url)
    response.request = request
    return response


def stub_network() -> None:
    """Answer all requests of this process' `requests` sessions with 204, no content."""
    HTTPAdapter.send = _answer  # type: ignore[assignment] # the stub takes the same request, by keyword


async def add(hass: HomeAssistant) -> ConfigEntry[InfluxThread]:
    """Set the integration up by its own config flow."""
    flow = hass.config_entries.flow
    step = await flow.async_init("influxdb", context={"source": "user"})
    chosen = await flow.async_configure(step["flow_id"], {"next_step_id": "configure_v1"})
    done: Mapping[str, object] = dict(await flow.async_configure(chosen["flow_id"], dict(FLOW_INPUT)))
    entry = done.get("result")
    if not isinstance(entry, ConfigEntry) or entry.state is not ConfigEntryState.LOADED:
        raise PeerFailedError(str(done))
    return entry


async def drain(hass: HomeAssistant, entry: ConfigEntry[InfluxThread]) -> None:
    """Return when every event so far was written."""
    await hass.async_add_executor_job(entry.runtime_data.block_till_done)
