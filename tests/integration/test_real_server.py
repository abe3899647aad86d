"""The integration against the real server, a process of its own: what Home Assistant had is what the server has."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from homeassistant.components.recorder.models import StatisticMeanType, StatisticMetaData
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.const import CONF_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.recorder import get_instance

from custom_components.energy_dashboard.const import DOMAIN
from custom_components.energy_dashboard.pipeline import gaps, imports, link, recorder
from custom_components.energy_dashboard.pipeline.connection import BULK_IN_FLIGHT, BULK_QUEUE
from custom_components.energy_dashboard.pipeline.convert import instant_us
from custom_components.energy_dashboard.pipeline.recorder import Recorder
from custom_components.energy_dashboard.pipeline.recorder_statistics import summed_up_until_us
from tests.integration.home import COUNTER, POWER, MockConfigEntry, state, when
from tests.integration.past import Past
from tests.server.serving import BEARER, TOKEN, Process

START_US = 946_684_800_000_000
END_US = 4_000_000_000_000_000


class Server:
    """The process, which keeps its port and its data when it is killed and started."""

    def __init__(self, data_path: Path, client: aiohttp.ClientSession) -> None:
        self.data_path = data_path
        self.client = client
        self.process: Process
        self.url = ""

    async def start(self) -> None:
        port = self.url.rpartition(":")[2] or "0"
        self.process = await Process.start(self.data_path, port=port, commit_interval_s="0.1")
        self.url = self.process.url
        await self.process.until("The stores are open")

    async def get(self, path: str, **query: Any) -> Any:
        async with self.client.get(f"{self.url}{path}", params=query, headers=BEARER) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def eventually(self, path: str, wanted: Callable[[Any], object], **query: Any) -> Any:
        """Ask until the answer is as wanted: what the server promises to do soon has no event to await."""
        async with asyncio.timeout(45):
            while not wanted(answer := await self.get(path, **query)):  # noqa: ASYNC110 another process tells nobody
                await asyncio.sleep(0.05)
        return answer

    async def readings(self, key: str) -> list[tuple[int, float | None]]:
        answer = await self.get("/api/readings", key=key, start=START_US, end=END_US)
        return list(zip(answer["ts_us"], answer["value"], strict=True))


@pytest.fixture
async def server(tmp_path: Path, socket_enabled: None) -> AsyncIterator[Server]:  # noqa: ARG001 it lets tests open sockets
    async with aiohttp.ClientSession() as client:
        running = Server(tmp_path / "data", client)
        await running.start()
        yield running
        assert await running.process.stop() == 0


@pytest.fixture
async def entry(hass: HomeAssistant, server: Server) -> AsyncIterator[MockConfigEntry]:
    """The entry that the config flow makes, once it is connected."""
    state(hass, "sensor.power", "1.5", POWER)
    state(hass, "sensor.meter", "100", COUNTER)
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    wrong = {CONF_URL: server.url, CONF_TOKEN: "wrong"}
    refused = await hass.config_entries.flow.async_configure(form["flow_id"], wrong)
    assert refused["errors"] == {"base": "invalid_auth"}
    right = {CONF_URL: server.url, CONF_TOKEN: TOKEN}
    created = await hass.config_entries.flow.async_configure(form["flow_id"], right)
    assert created["type"] is FlowResultType.CREATE_ENTRY, created
    entry: MockConfigEntry = created["result"]
    assert entry.state is ConfigEntryState.LOADED
    await when(entry, lambda now: now.sent >= 2 and now.waiting == 0)
    yield entry
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_every_reading_is_stored_once_with_its_exact_microsecond(
    hass: HomeAssistant, server: Server, entry: MockConfigEntry
) -> None:
    expected = []
    for value in range(600):
        state(hass, "sensor.power", str(value / 8), POWER)
        changed = hass.states.get("sensor.power")
        assert changed is not None
        expected.append((instant_us(changed.last_updated), value / 8))
    state(hass, "sensor.power", "unavailable", POWER)
    await when(entry, lambda now: now.waiting == 0 and now.sent >= 603)
    stored = await server.readings("sensor.power")
    assert stored[1:-1] == expected
    assert stored[-1][1] is None
    entities = (await server.get("/api/entities"))["entities"]
    assert {entity["entity_id"] for entity in entities} == {"sensor.power", "sensor.meter"}


async def test_a_server_that_is_killed_loses_and_doubles_nothing(
    hass: HomeAssistant, server: Server, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "LONGEST_WAIT_S", 0.1)
    for value in range(200):
        state(hass, "sensor.power", str(value), POWER)
    await when(entry, lambda now: now.sent)
    await server.process.stop(signal.SIGKILL)
    for value in range(200, 400):
        state(hass, "sensor.power", str(value), POWER)
    await when(entry, lambda now: not now.connected)
    await server.start()
    await when(entry, lambda now: now.connected and now.waiting == 0)
    assert [value for _, value in await server.readings("sensor.power")] == [1.5, *map(float, range(400))]


async def test_a_second_copy_of_this_home_is_refused(
    hass: HomeAssistant, server: Server, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server.client.ws_connect(f"{server.url}/link", headers=BEARER) as twin:
        async with entry.runtime_data.link.suspended():
            site = (await server.get("/api/status"))["sites"][0]["id"]
            details = dict.fromkeys(("name", "time_zone", "ha_version"), "x") | {"currency": None, "country": None}
            hello = {"type": "hello", "protocol": 1, "now_us": START_US * 2, "integration_version": "x"}
            await twin.send_json(hello | {"site": {"id": site} | details})
            assert (await twin.receive_json())["type"] == "welcome"
        monkeypatch.setattr(link, "FIRST_WAIT_S", 0.01)
        form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        result = await hass.config_entries.flow.async_configure(
            form["flow_id"], {CONF_URL: f"{server.url}/", CONF_TOKEN: TOKEN}
        )
        assert result["errors"] == {"base": "site_busy"}
        await twin.send_json({"type": "goodbye"})
    await when(entry, lambda now: now.connected)


HOURS = 24 * 200


@pytest.fixture
async def hours(recorder_mock: object, hass: HomeAssistant) -> int:
    """A meter with hourly statistics; returns how many."""
    del recorder_mock
    state(hass, "sensor.meter", "5", COUNTER)
    end = datetime.fromtimestamp(await Recorder(hass).ask(summed_up_until_us) / 1e6, UTC)
    meta = {
        "statistic_id": "sensor.meter",
        "source": "recorder",
        "name": None,
        "unit_of_measurement": "kWh",
        "unit_class": "energy",
        "has_sum": True,
        "mean_type": StatisticMeanType.NONE,
    }
    async_import_statistics(
        hass,
        cast(StatisticMetaData, meta),
        [
            {"start": end - timedelta(hours=HOURS - number), "state": float(number), "sum": number * 0.25}
            for number in range(HOURS)
        ],
    )
    await get_instance(hass).async_block_till_done()
    return HOURS


async def test_an_import_ends_though_no_connection_lasts(
    hass: HomeAssistant, server: Server, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the first ones is cut with slices on their way: what is stored is not sent again."""
    monkeypatch.setattr(imports, "SLICE_HOURS", 100)
    monkeypatch.setattr(link, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(link, "DRAIN_S", 0.0)
    entry = MockConfigEntry(domain=DOMAIN, unique_id="x", data={CONF_URL: server.url, CONF_TOKEN: TOKEN})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    reconcile, cut, sent = entry.runtime_data.reconcile, 0, 0
    async with asyncio.timeout(45):
        while cut < 4:
            if reconcile.imports.rows >= sent + 600:  # and some more, until this looks again
                await entry.runtime_data.link.renew()
                cut, sent = cut + 1, reconcile.imports.rows
            await asyncio.sleep(0.01)
    assert reconcile.pending == ["sensor.meter"], "it was not done before"
    await server.eventually(
        "/api/status",
        lambda status: (
            status["storage"]["statistics"] >= hours
            and not reconcile.pending
            and status["sites"][0]["link"]["importing"] is None
        ),
    )
    assert await hass.config_entries.async_unload(entry.entry_id)
    on_the_way = (BULK_IN_FLIGHT + BULK_QUEUE + 1) * 100
    assert hours <= reconcile.imports.rows <= hours + 4 * on_the_way, "only what was on its way was sent again"


async def test_the_year_is_full_from_the_first_minute(hass: HomeAssistant, server: Server, hours: int) -> None:
    entry = MockConfigEntry(domain=DOMAIN, unique_id="x", data={CONF_URL: server.url, CONF_TOKEN: TOKEN})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    answer = await server.eventually(
        "/api/status",
        lambda status: (
            status["storage"]["statistics"] >= hours
            and not entry.runtime_data.reconcile.pending
            and status["sites"][0]["link"]["importing"] is None
        ),
    )
    assert answer["storage"]["statistics"] >= hours
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_what_happened_before_comes_from_the_recorder(
    recorder_mock: object, hass: HomeAssistant, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    del recorder_mock
    monkeypatch.setattr(recorder, "LATEST_S", 0.0)
    monkeypatch.setattr(gaps, "RETRY_S", 0.2)
    state(hass, "sensor.meter", "5", COUNTER)
    state(hass, "sensor.power", "1.5", POWER)
    past = Past(hass)
    past.run(-5000, -2000)
    past.present_run(-1500)
    expected: dict[str, list[tuple[int, float | None]]] = {"sensor.meter": [], "sensor.power": []}
    for number in range(400):
        minute = -4500 + number * 11
        if not -2000 <= minute < -1500:
            past.state("sensor.meter", minute, str(number), reported=minute + 1)
            past.state("sensor.power", minute + 2, str(number % 7), POWER)
            expected["sensor.meter"].extend([(past.us(minute), number), (past.us(minute + 1), number)])
            expected["sensor.power"].append((past.us(minute + 2), number % 7))
    await past.write()
    entry = MockConfigEntry(domain=DOMAIN, unique_id="x", data={CONF_URL: server.url, CONF_TOKEN: TOKEN})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    count = sum(len(rows) for rows in expected.values())
    await server.eventually("/api/status", lambda status: status["storage"]["readings"] > count)
    answer = await server.eventually("/api/sync", lambda sync: not sync["gaps"]["open"])
    assert answer["recorder"]["state"] == "ready"
    for key, rows in expected.items():
        assert (await server.readings(key))[: len(rows)] == rows
    span = {"start": past.us(-4500), "end": past.us(-100), "zone": "UTC"}
    days = (await server.get("/api/completeness", **span))["days"]
    assert sum(day["ha_off_s"] for day in days) == pytest.approx(500 * 60, abs=1), "Home Assistant was off"
    assert all(day["ha_off_s"] <= day["missing_s"] for day in days)
    assert await hass.config_entries.async_unload(entry.entry_id)
