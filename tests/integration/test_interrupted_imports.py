"""An import of hourly statistics that is interrupted goes on where the server says, and comes to its end."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard.pipeline import claims, imports, link
from custom_components.energy_dashboard.pipeline.channel import Subject
from custom_components.energy_dashboard.pipeline.model import Catalog
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


class Refusing:
    """A channel that stores everything at once, but the first message only when it is told to call it outdated."""

    max_rows = 5_000

    def __init__(self, catalog: Catalog) -> None:
        self.catalog: Catalog | None = catalog
        self.posted: list[tuple[str, Subject]] = []
        self.first = asyncio.get_running_loop().create_future()

    async def post(self, subject: Subject, kind: str, _body: bytes, _catalog: Catalog) -> asyncio.Future[bool]:
        self.posted.append((kind, subject))
        if len(self.posted) == 1:
            return self.first
        done = asyncio.get_running_loop().create_future()
        done.set_result(True)
        return done

    async def refuse(self) -> None:
        """Call the first message outdated; whoever waits for it knows when this returns."""
        self.first.set_result(False)
        await asyncio.sleep(0)

    def tell(self, message: dict[str, object]) -> None:
        raise AssertionError(message)


@pytest.mark.usefixtures("years")
@pytest.mark.parametrize("slices", [2, 12])
async def test_what_turns_out_lost_while_the_next_slice_is_read_is_sent_again(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch, slices: int
) -> None:
    """The catalog it was made for is gone by then. Neither the slice being read nor the last one makes up for it."""
    catalog = (await set_up()).runtime_data.outbox.catalog
    assert catalog is not None
    channel = Refusing(catalog)
    made = 0
    body = claims.statistics_body

    def refuse_then(*args: Any) -> bytes:
        nonlocal made
        made += 1
        if made == slices:
            asyncio.run_coroutine_threadsafe(channel.refuse(), hass.loop).result()
        return body(*args)

    monkeypatch.setattr(imports, "statistics_body", refuse_then)
    job = imports.Imports(hass, Recorder(hass), [], [], on_change=lambda: None, wake=lambda: None)
    job.request(["sensor.meter"], None)
    while job.pending:
        assert await job.step(channel)
        await asyncio.sleep(0)
    lost = channel.posted[0][1].span
    sent = [subject.span for kind, subject in channel.posted[1:] if kind == "statistics"]
    assert lost in sent, "what was lost is sent again"
    assert {span.until_us for span in sent} >= {span.since_us for span in sent} - {sent[-1].since_us}, "without a hole"
