"""What a person's sensors may do, and what becomes of it."""

from itertools import pairwise

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from custom_components.energy_dashboard.pipeline import listen
from tests.integration.fake_server import FakeServer
from tests.integration.home import COUNTER, POWER, SetUp, state, when


async def test_bad_states_are_skipped_counted_and_shown(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    for text in ("broken", "nan", "-inf", "9" * 200, "12,5"):
        state(hass, "sensor.power", text, POWER)
    state(hass, "sensor.power", "3", POWER | {"unit_of_measurement": "km"})
    state(hass, "sensor.power", "1500", POWER | {"unit_of_measurement": "mW"})
    await server.row("sensor.power", 1.5)
    snapshot = await when(entry, lambda now: now.waiting == 0)
    assert snapshot.skipped == {"not_numeric": 2, "not_finite": 2, "too_long": 1, "unknown_unit": 1}
    assert server.of("readings")[-1]["skipped"] == snapshot.skipped
    assert [row[2] for row in server.rows()] == [1.0, 1.5]
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


async def test_a_sensor_that_only_talks_nonsense_does_not_hold_up_the_claim(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "IDLE_S", 0.05)
    state(hass, "sensor.power", "1", POWER)
    await set_up()
    await server.row("sensor.power", 1.0)
    for number in range(3):
        state(hass, "sensor.power", f"nonsense {number}", POWER)
    await server.message("readings", lambda message: message.get("skipped") == {"not_numeric": 3})


async def test_unavailable_is_a_null_reading(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    state(hass, "sensor.power", "1", POWER)
    await set_up()
    state(hass, "sensor.power", "unavailable", POWER)
    await server.row("sensor.power", None)
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)
    assert [row[2] for row in server.rows()] == [1.0, None, 2.0]


async def test_an_idle_home_sends_its_claim(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "IDLE_S", 0.05)
    state(hass, "sensor.power", "1", POWER)
    await set_up()
    await server.until(lambda: len([message for message in server.of("readings") if not message["rows"]]) >= 3)
    spans = [message["span"] for message in server.of("readings")]
    assert all(before[1] == after[0] for before, after in pairwise(spans))


async def test_a_total_names_its_last_reset(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    total = COUNTER | {"state_class": "total", "last_reset": "2026-11-01T00:00:00+00:00"}
    state(hass, "sensor.total", "1", total)
    await set_up()
    message = await server.message("readings", lambda message: message["rows"])
    assert message["rows"][0][2:] == [1.0, 1_793_491_200_000_000]
    state(hass, "sensor.total", "2", COUNTER | {"state_class": "total"})
    await server.row("sensor.total", 2.0)
    assert len(server.of("readings")[-1]["rows"][0]) == 3


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+01:00", "2026-13-45 00:00:00", "never", 7])
async def test_a_last_reset_that_is_no_instant_costs_nothing_but_itself(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, text: object
) -> None:
    state(hass, "sensor.total", "5", COUNTER | {"state_class": "total", "last_reset": text})
    await set_up()
    await server.row("sensor.total", 5.0)


async def test_an_old_value_without_a_number_confirms_nothing(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.meter", "unavailable", COUNTER)
    state(hass, "sensor.broken", "nonsense", COUNTER)
    await set_up()
    for entity_id, text in (("sensor.meter", "unavailable"), ("sensor.broken", "nonsense")):
        state(hass, entity_id, text, COUNTER)  # reported again
        state(hass, entity_id, "5", COUNTER)
        await server.row(entity_id, 5.0)
    assert [row[2] for row in server.rows()] == [None, 5.0, 5.0]


async def test_a_state_of_another_time_keeps_its_own_instant(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER)
    await set_up()
    timestamp = dt_util.utcnow().timestamp() - 86_400.123457
    state(hass, "sensor.power", "2", POWER, timestamp=timestamp)
    row = await server.row("sensor.power", 2.0)
    changed = hass.states.get("sensor.power")
    assert changed is not None
    assert row[1] % 1_000_000 == changed.last_updated.microsecond


async def test_a_state_by_a_clock_that_had_not_been_set_is_counted(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "1", POWER, timestamp=60.0)
    for timestamp in (60.0, 90.0):
        state(hass, "sensor.meter", "5", COUNTER, timestamp=timestamp)
    state(hass, "sensor.other", "7", COUNTER)
    entry = await set_up()
    await server.row("sensor.other", 7.0)
    snapshot = await when(entry, lambda now: now.waiting == 0)
    assert snapshot.skipped == {"clock_not_set": 2}
    state(hass, "sensor.power", "2", POWER)
    state(hass, "sensor.meter", "6", COUNTER)
    await server.row("sensor.meter", 6.0)
    assert [row[2] for row in server.rows()] == [7.0, 2.0, 6.0]


async def test_a_burst_is_cut_into_batches_in_order(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    state(hass, "sensor.power", "-1", POWER)
    entry = await set_up()
    for value in range(1_700):
        state(hass, "sensor.power", str(value), POWER)
    await server.row("sensor.power", 1699.0)
    await when(entry, lambda now: now.waiting == 0)
    assert [row[2] for row in server.rows()] == [float(value) for value in range(-1, 1_700)]
    assert max(len(message["rows"]) for message in server.of("readings")) <= 502


async def test_other_entities_are_not_heard(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    state(hass, "sensor.power", "1", POWER)
    state(hass, "light.kitchen", "on", {})
    entry = await set_up()
    await server.row("sensor.power", 1.0)
    state(hass, "light.kitchen", "off", {})
    state(hass, "light.new", "off", {})
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)
    assert entry.runtime_data.listener.readings == 2
