"""An import of hourly statistics that is interrupted goes on where the server says, and comes to its end."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard.pipeline import imports, link
from custom_components.energy_dashboard.pipeline.recorder import Recorder
from tests.integration import test_statistics
from tests.integration.fake_server import FakeServer, Message
from tests.integration.home import COUNTER, MockConfigEntry, SetUp, state
from tests.integration.test_statistics import ask, counted, metadata, nothing_more, rows_of

last_hour, wait = test_statistics.last_hour, test_statistics.wait


@pytest.fixture
async def years(
    hass: HomeAssistant, wait: Callable[[], Awaitable[None]], last_hour: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty hours, which take twelve slices; a link that is back at once."""
    monkeypatch.setattr(imports, "SLICE_HOURS", 5)
    monkeypatch.setattr(link, "FIRST_WAIT_S", 0.01)
    state(hass, "sensor.meter", "5", COUNTER)
    async_import_statistics(hass, metadata("sensor.meter", "kWh", "energy", has_sum=True), counted(last_hour, 60))
    await wait()


async def cut_after(server: FakeServer, count: int) -> int:
    """Cut the connection after so many slices, wait for the next one's catalog; return from where on they are stored.

    None of the slices after them is acknowledged.
    """
    nothing: Message = {"type": "ack", "seq": 0, "refused": []}
    server.answer = lambda _message: nothing if len(server.of("statistics")) > count else None
    await server.until(lambda: len(server.of("statistics")) > count)
    await server.cut()
    stored_us: int = server.of("statistics")[count - 1]["span"][0]
    server.messages.clear()
    server.answer = lambda _message: None
    await server.message("catalog")
    return stored_us


async def imported(server: FakeServer, entry: MockConfigEntry) -> None:
    """Wait until an import came to its end, and its last acknowledgement to the client, which answers in order."""
    await server.message("nothing", lambda message: message["span"][0] == imports.EARLIEST_STATISTIC_US)
    await ask(server, "sensor.meter", kind="digests")
    await server.message("digests")
    assert entry.runtime_data.reconcile.pending == []


@pytest.mark.usefixtures("years")
async def test_an_import_goes_on_where_the_server_says(set_up: SetUp, server: FakeServer) -> None:
    entry = await set_up()
    await ask(server, "sensor.meter")
    stored_us = await cut_after(server, 4)
    await ask(server, "sensor.meter", span=[imports.EARLIEST_STATISTIC_US, stored_us])
    await nothing_more(server)
    await imported(server, entry)
    assert server.of("statistics")[0]["span"][1] == stored_us, "what is stored is not sent again"
    assert len(rows_of(server)) == 60 - 4 * 5


@pytest.mark.usefixtures("years")
async def test_an_import_goes_on_where_the_server_says_after_a_restart(
    hass: HomeAssistant, set_up: SetUp, server: FakeServer
) -> None:
    entry = await set_up()
    await ask(server, "sensor.meter")
    stored_us = await cut_after(server, 2)
    assert await hass.config_entries.async_unload(entry.entry_id)
    server.messages.clear()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await server.message("catalog")
    await ask(server, "sensor.meter", span=[imports.EARLIEST_STATISTIC_US, stored_us])
    await nothing_more(server)
    await imported(server, entry)
    assert len(rows_of(server)) == 60 - 2 * 5


@pytest.mark.usefixtures("years")
async def test_a_connection_that_never_lasts_does_not_keep_an_import_from_its_end(
    set_up: SetUp, server: FakeServer
) -> None:
    entry = await set_up()
    await ask(server, "sensor.meter")
    for _ in range(5):
        stored_us = await cut_after(server, 2)
        await ask(server, "sensor.meter", span=[imports.EARLIEST_STATISTIC_US, stored_us])
    await imported(server, entry)
    assert len(rows_of(server)) == 60 - 5 * 2 * 5


@pytest.mark.usefixtures("years")
async def test_a_server_that_lost_its_store_is_sent_everything_again(set_up: SetUp, server: FakeServer) -> None:
    await set_up()
    await ask(server, "sensor.meter")
    await cut_after(server, 4)
    await ask(server, "sensor.meter")
    await server.until(lambda: len(rows_of(server)) == 60)


@pytest.mark.usefixtures("years")
async def test_an_import_of_which_the_server_lacks_nothing_is_done(set_up: SetUp, server: FakeServer) -> None:
    """The last acknowledgement was lost on its way. Before the server said what it lacks nothing is begun."""
    entry = await set_up()
    await ask(server, "sensor.meter")
    await cut_after(server, 4)
    assert entry.runtime_data.reconcile.pending == ["sensor.meter"]
    await nothing_more(server)
    await ask(server, "sensor.meter", kind="digests")
    await server.message("digests")
    assert entry.runtime_data.reconcile.pending == []
    assert server.of("statistics") == []


@pytest.mark.usefixtures("years")
async def test_another_database_is_imported_from_its_newest_hour(
    set_up: SetUp, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await set_up()
    await ask(server, "sensor.meter")
    await server.until(lambda: len(rows_of(server)) >= 10)
    newest_us = server.of("statistics")[0]["span"][1]
    monkeypatch.setattr(Recorder, "began_us", property(lambda _self: 1))
    await imported(server, entry)
    assert [message["span"][1] for message in server.of("statistics")].count(newest_us) == 2
