"""What the server refuses is shown where the user can mend it, kept where it can be sent again, and else given up."""

import logging

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from custom_components.energy_dashboard.const import DOMAIN
from custom_components.energy_dashboard.pipeline import link as link_module
from custom_components.energy_dashboard.pipeline import listen
from custom_components.energy_dashboard.pipeline.clock import clocks_us
from tests.integration.fake_server import FakeServer, Message, readings
from tests.integration.home import POWER, MockConfigEntry, SetUp, logged, state, when

pytestmark = pytest.mark.usefixtures("impatient")


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> str | None:
    found = ir.async_get(hass).async_get_issue(DOMAIN, f"refused_{entry.entry_id}")
    return None if found is None else found.translation_key


async def delivering(hass: HomeAssistant, set_up: SetUp) -> MockConfigEntry:
    """Set up, and deliver a first reading."""
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await when(entry, lambda now: now.waiting == 0)
    return entry


@pytest.mark.parametrize("code", ["clock_behind", "protocol_unsupported", "host_not_allowed"])
async def test_a_refusal_that_the_user_can_mend_is_a_repair_issue(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, code: str
) -> None:
    entry = await delivering(hass, set_up)
    if code == "host_not_allowed":
        server.status = 403
    else:
        server.welcome = {"type": "error", "code": code, "message": "no", "oldest": 2, "newest": 3}
    await server.cut()
    await when(entry, lambda _: issue(hass, entry) == code)
    server.welcome, server.status = {}, None
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)
    await when(entry, lambda _: issue(hass, entry) is None)


async def test_a_site_that_is_busy_for_a_moment_is_no_issue_but_one_that_stays_busy_is(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    entry = await set_up()
    server.welcome = {"type": "error", "code": "site_busy", "message": "another is connected"}
    await server.cut()
    await when(entry, lambda _: issue(hass, entry) == "site_busy")
    assert len(server.connections) == 1 + 5


async def test_an_unknown_refusal_is_shown_with_its_code(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    entry = await set_up()
    server.welcome = {"type": "error", "code": "of_the_future", "message": "no"}
    await server.cut()
    await when(entry, lambda _: issue(hass, entry) == "refused")


async def test_a_clock_that_was_behind_and_is_set_voids_what_was_heard_by_it(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await delivering(hass, set_up)
    server.welcome = {"type": "error", "code": "clock_behind", "message": "an hour"}
    await server.cut()
    await when(entry, lambda _: issue(hass, entry) == "clock_behind")
    state(hass, "sensor.power", "2", POWER)
    data = entry.runtime_data
    now_us, monotonic_us = clocks_us()
    monkeypatch.setattr(listen, "clocks_us", lambda: (now_us + 3_600_000_000, monotonic_us))
    data.listener.connection_changed(connected=True)
    assert data.outbox.clock_steps == 1
    assert data.outbox.dropped_rows == 1
    server.welcome = {}
    state(hass, "sensor.power", "3", POWER)
    await server.row("sensor.power", 3.0)
    assert not [row for row in server.rows() if row[2] == 2]


async def test_a_clock_set_forward_is_told_to_the_server_before_the_readings_by_it(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await delivering(hass, set_up)
    now_us, monotonic_us = clocks_us()
    ahead_s = link_module._clock_s() + 3600
    monkeypatch.setattr(listen, "clocks_us", lambda: (now_us + 3_600_000_000, monotonic_us))
    monkeypatch.setattr(link_module, "_clock_s", lambda: ahead_s)
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)
    assert len(server.connections) == 2
    assert not [message for message in readings(server.connections[0]) if any(row[2] == 2 for row in message["rows"])]
    assert server.connections[0][-1]["type"] == "goodbye"
    assert entry.runtime_data.link.status.outages == 0
    await when(entry, lambda now: now.waiting == 0)


@pytest.mark.parametrize("code", ["bad_message", "too_large"])
async def test_a_message_that_the_server_cannot_read_is_found_and_dropped(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await delivering(hass, set_up)
    server.acknowledging = False

    def answer(message: Message) -> Message | None:
        if message["type"] == "readings" and any(row[2] == 13 for row in message["rows"]):
            return {"type": "error", "code": code, "message": "rows[0]"}
        return None

    server.answer = answer
    for value in (11, 12, 13, 14):
        state(hass, "sensor.power", str(value), POWER)
        entry.runtime_data.listener.connection_changed(connected=True)
    server.acknowledging = True
    state(hass, "sensor.power", "15", POWER)
    await server.row("sensor.power", 15.0)
    await when(entry, lambda now: now.waiting == 0)
    assert {row[2] for row in server.rows()} >= {11, 12, 14, 15}
    assert entry.runtime_data.outbox.dropped_rows == 1
    assert len(logged(caplog, logging.ERROR)) == 1
    caplog.clear()
