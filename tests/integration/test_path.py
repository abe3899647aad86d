"""From a state change to an acknowledged reading."""

from homeassistant.core import HomeAssistant

from tests.integration.fake_server import FakeServer
from tests.integration.home import COUNTER, POWER, SetUp, state


async def test_a_state_change_arrives_with_its_exact_instant(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.power", "5", POWER)
    await set_up()
    await server.row("sensor.power", 5.0)
    state(hass, "sensor.power", "7.25", POWER)
    row = await server.row("sensor.power", 7.25)
    changed = hass.states.get("sensor.power")
    assert changed is not None
    assert row[1] == int(changed.last_updated.timestamp()) * 1_000_000 + changed.last_updated.microsecond


async def test_a_counter_that_stood_still_is_known_to_have_stood_still(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp
) -> None:
    state(hass, "sensor.meter", "100", COUNTER)
    await set_up()
    await server.row("sensor.meter", 100.0)
    state(hass, "sensor.meter", "100", COUNTER)
    confirmed = hass.states.get("sensor.meter")
    assert confirmed is not None
    confirmed_at = confirmed.last_reported
    state(hass, "sensor.meter", "101", COUNTER)
    await server.row("sensor.meter", 101.0)
    old = [row for row in server.rows() if row[2] == 100.0]
    assert len(old) == 2
    assert old[1][1] % 1_000_000 == confirmed_at.microsecond
