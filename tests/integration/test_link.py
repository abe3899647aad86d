"""The Link delivers in order, at least once, and survives what the server does."""

import asyncio
import logging
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard.const import DOMAIN
from custom_components.energy_dashboard.pipeline import link as link_module
from custom_components.energy_dashboard.pipeline import wire
from tests.integration.fake_server import FakeServer, readings
from tests.integration.home import INTEGRATION, POWER, MockConfigEntry, SetUp, logged, state, when

pytestmark = pytest.mark.usefixtures("impatient")


async def test_a_server_that_is_away_at_first_gets_everything_later(
    hass: HomeAssistant, server: FakeServer, entry: MockConfigEntry
) -> None:
    await server.stop()
    state(hass, "sensor.power", "1", POWER)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    for value in range(2, 10):
        state(hass, "sensor.power", str(value), POWER)
    await server.start()
    await server.row("sensor.power", 9.0)
    assert [row[2] for row in server.rows()] == [float(value) for value in range(1, 10)]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_was_not_acknowledged_and_only_that_is_sent_again(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await server.row("sensor.power", 1.0)
    await when(entry, lambda now: now.waiting == 0)
    server.acknowledging = False
    for value in (2, 3, 4):
        state(hass, "sensor.power", str(value), POWER)
        await server.row("sensor.power", float(value))
    first = server.connections[-1]
    unacknowledged = [message for message in first if message["type"] == "readings" and message["rows"]][-3:]
    await server.acknowledge(unacknowledged[0]["seq"])
    await server.cut()
    server.acknowledging = True
    await server.until(lambda: len(server.connections) == 2 and len(readings(server.connections[1])) >= 2)
    again = readings(server.connections[1])
    keep = ("catalog", "span", "rows", "of", "origin")
    assert [{k: message[k] for k in keep} for message in again[:2]] == [
        {k: message[k] for k in keep} for message in unacknowledged[1:]
    ]
    assert [message["seq"] for message in server.connections[1] if "seq" in message][:3] == [1, 2, 3]
    await when(entry, lambda now: now.waiting == 0)


async def test_spans_of_a_run_are_contiguous_over_reconnects(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "0", POWER)
    await set_up()
    for value in range(1, 6):
        state(hass, "sensor.power", str(value), POWER)
        await server.row("sensor.power", float(value))
        await server.cut()
    await server.until(lambda: server.sockets)
    state(hass, "sensor.power", "6", POWER)
    await server.row("sensor.power", 6.0)
    spans = sorted({tuple(message["span"]) for message in server.of("readings")})
    assert all(before[1] == after[0] for before, after in pairwise(spans))


async def test_an_outage_is_one_line_and_its_end_another(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await when(entry, lambda now: now.waiting == 0 and now.sent)
    caplog.clear()
    caplog.set_level(logging.INFO, logger=INTEGRATION)
    await server.stop()
    status = entry.runtime_data.link.status
    await when(entry, lambda _: not status.connected)
    failures = 0

    def failed() -> None:
        nonlocal failures
        failures += 1

    entry.runtime_data.coordinator.async_add_listener(failed)
    await when(entry, lambda _: failures >= 5)
    assert hass.states.is_state("binary_sensor.energy_dashboard_server_connected", "off")
    await server.start()
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)
    await when(entry, lambda now: now.connected and now.waiting == 0)
    assert len(logged(caplog, logging.WARNING)) == 1
    assert "cannot_connect" in logged(caplog, logging.WARNING)[0]
    assert len([line for line in logged(caplog, logging.INFO) if "back" in line]) == 1
    assert status.outages == 1
    assert hass.states.is_state("binary_sensor.energy_dashboard_server_connected", "on")


async def test_at_most_a_window_is_on_its_way(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    server.window = 3
    state(hass, "sensor.power", "0", POWER)
    entry = await set_up()
    await when(entry, lambda now: now.waiting == 0)
    server.acknowledging = False
    data = entry.runtime_data
    for value in range(1, 9):
        state(hass, "sensor.power", str(value), POWER)
        data.listener.connection_changed(connected=True)  # seals at once
    await server.until(lambda: server.unacknowledged == 3)
    assert len([row for row in server.rows() if row[2]]) == 3
    server.acknowledging = True
    await server.acknowledge()
    await server.row("sensor.power", 8.0)
    assert [row[2] for row in server.rows()] == [float(value) for value in range(9)]


async def test_refused_rows_are_counted_and_not_sent_again(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await when(entry, lambda now: now.waiting == 0)
    server.acknowledging = False
    state(hass, "sensor.power", "2", POWER)
    message = await server.message("readings", lambda message: [row for row in message["rows"] if row[2] == 2])
    await server.acknowledge(refused=[{"seq": message["seq"], "row": 0, "code": "bad_time"}])
    snapshot = await when(entry, lambda now: now.refused)
    assert snapshot.refused == {"bad_time": 1}
    assert snapshot.waiting == 0


async def test_a_catalog_asked_for_is_sent_again(server: FakeServer, set_up: SetUp) -> None:
    await set_up()
    await server.send({"type": "request", "id": 1, "kind": "catalog"})
    await server.until(lambda: len(server.of("catalog")) == 2)
    first, second = server.of("catalog")
    assert (first["rev"], first["entities"]) == (second["rev"], second["entities"])


async def test_a_catalog_that_the_server_does_not_know_is_sent_again(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    await set_up()
    await server.row("sensor.power", 1.0)
    server.answer = lambda message: (
        {"type": "error", "code": "unknown_catalog", "message": "which?"}
        if message["type"] == "readings" and len(server.connections) == 1
        else None
    )
    state(hass, "sensor.power", "2", POWER)
    await server.until(lambda: [row for row in readings(server.connections[-1]) if len(server.connections) == 2])
    await server.row("sensor.power", 2.0)


async def test_unknown_messages_are_passed_over(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    for socket in server.sockets:
        await socket.send_json({"type": "of_the_future", "x": 1})
        await socket.send_json({"type": "ack"})
        await socket.send_json({"type": "request", "id": 4, "kind": "of_the_future"})
        await socket.send_json({"type": "request", "id": 4, "kind": "statistics", "catalog": 99, "of": [0]})
        await socket.send_json({"type": "gaps", "catalog": 1, "gaps": []})
        await socket.ping()
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)
    await when(entry, lambda now: now.waiting == 0)
    assert len(server.connections) == 1


async def test_a_message_that_is_none_ends_the_connection_only(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    await set_up()
    for socket in list(server.sockets):
        await socket.send_str("not json")
    await server.until(lambda: len(server.connections) == 2)
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)


async def test_a_store_that_is_away_holds_the_outbox(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await when(entry, lambda now: now.waiting == 0)
    server.acknowledging = False
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)
    await server.send({"type": "error", "code": "store_unavailable", "message": "the disk is full"})
    await when(entry, lambda _: entry.runtime_data.link.status.problem is not None)
    assert entry.runtime_data.coordinator.snapshot().waiting == 1
    server.acknowledging = True
    await server.acknowledge()
    await when(entry, lambda now: now.waiting == 0)
    assert entry.runtime_data.link.status.problem is None
    assert len(server.connections) == 1


async def test_unloading_says_goodbye_and_leaves_nothing(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    state(hass, "sensor.power", "2", POWER)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    await server.until(lambda: not server.sockets)
    assert server.messages[-1]["type"] == "goodbye"
    assert ("sensor.power", 2.0) in [(row[0], row[2]) for row in server.rows()]
    state(hass, "sensor.power", "3", POWER)
    await hass.async_block_till_done()
    assert not [task for task in asyncio.all_tasks() if DOMAIN in task.get_name()]


async def test_reloading_goes_on_where_it_was(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    since_us = server.of("catalog")[0]["entities"][0]["since_us"]
    assert await hass.config_entries.async_reload(entry.entry_id)
    await server.until(lambda: len(server.of("catalog")) == 2)
    assert server.of("catalog")[1]["entities"][0]["since_us"] == since_us
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)


async def test_home_assistant_stops_with_the_last_reading_and_a_goodbye(
    hass: HomeAssistant, server: FakeServer, entry: MockConfigEntry
) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await server.row("sensor.power", 1.0)
    state(hass, "sensor.power", "2", POWER)
    await hass.async_stop(force=True)
    assert server.messages[-1]["type"] == "goodbye"
    assert [row[2] for row in server.rows()][-1] == 2.0


async def test_a_server_that_hangs_does_not_hold_up_the_stop(
    hass: HomeAssistant, server: FakeServer, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "DRAIN_S", 0.05)
    server.acknowledging = False
    state(hass, "sensor.power", "1", POWER)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await server.row("sensor.power", 1.0)
    async with asyncio.timeout(3):
        await hass.config_entries.async_unload(entry.entry_id)


async def test_an_error_that_nobody_expected_is_logged_and_the_link_starts_again(
    hass: HomeAssistant,
    server: FakeServer,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(link_module, "RESTART_S", 0.01)
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await when(entry, lambda now: now.waiting == 0)
    with monkeypatch.context() as patch:
        patch.setattr(entry.runtime_data.outbox, "peek", lambda: 1 / 0)
        state(hass, "sensor.power", "2", POWER)
        await server.until(lambda: not server.sockets)
    await server.row("sensor.power", 2.0)
    assert len(logged(caplog, logging.ERROR)) == 1
    caplog.clear()


async def test_a_server_that_falls_silent_is_given_up(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await when(entry, lambda now: now.waiting == 0)
    await server.cut()
    monkeypatch.setattr(wire, "PING_S", 0.05)
    server.deaf = True
    await when(entry, lambda _: "silent" in str(entry.runtime_data.link.status.problem))
    server.deaf = False
    await server.cut()
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)


async def test_a_server_that_answers_pings_is_kept(
    hass: HomeAssistant, server: FakeServer, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PING_S", 0.1)
    state(hass, "sensor.power", "1", POWER)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await server.row("sensor.power", 1.0)
    await server.until(lambda: server.pings > 12)
    assert len(server.connections) == 1
    await hass.config_entries.async_unload(entry.entry_id)


async def test_what_was_kept_while_the_token_was_wrong_is_delivered_by_the_next_set_up(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await when(entry, lambda now: now.waiting == 0)
    server.token = "a new token"
    await server.cut()
    await when(entry, lambda _: not entry.runtime_data.link.status.connected)
    for value in (2, 3):
        state(hass, "sensor.power", str(value), POWER)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": "a new token"})
    await hass.config_entries.async_reload(entry.entry_id)
    state(hass, "sensor.power", "4", POWER)
    await server.row("sensor.power", 4.0)
    await when(entry, lambda now: now.waiting == 0)
    assert list(dict.fromkeys(row[2] for row in server.rows())) == [1.0, 2.0, 3.0, 4.0]
    assert [message["rev"] for message in server.connections[-1] if message["type"] == "catalog"] == [1, 2]


async def test_hello_says_what_changed_of_the_home(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    await set_up()
    await hass.config.async_update(location_name="The new house", currency="CHF")
    hello = await server.message("hello", lambda message: message["site"]["name"] == "The new house")
    assert hello["site"]["currency"] == "CHF"
    await server.until(lambda: len(server.of("catalog")) >= 2)
    assert [message["type"] for message in server.connections[0]][-1] == "goodbye"
    runs = [message["run"] for message in server.of("hello")]
    assert len(runs) >= 2, runs
    assert len(set(runs)) == 1, "it is the same start of Home Assistant"


async def test_two_changes_at_once_of_the_home_leave_one_link(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    server.acknowledging = False
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)
    link = entry.runtime_data.link
    tasks: list[asyncio.Task[None]] = []
    spawn = link._spawn

    def spawned(job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        tasks.append(spawn(job))
        return tasks[-1]

    link._spawn = spawned
    renewals = [asyncio.create_task(link.renew()) for _ in range(3)]
    await asyncio.sleep(0)
    await server.acknowledge()
    server.acknowledging = True
    await asyncio.gather(*renewals)
    assert [task for task in tasks if not task.done()] == [link._task]
