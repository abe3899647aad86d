"""Recordings, replayed through Home Assistant's own event bus."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError

from dev.simulated_home import replay
from dev.simulated_home.const import DOMAIN

ENTITY = "sensor.replayed"
RECORDING = """\
timestamp,value
2022-10-19T19:00:00+00:00,407.23
2022-10-19T19:00:03.021122+00:00,405.54
2022-10-19T21:00:13.038620+02:00,405.54
2022-10-19T19:00:23.020525,unavailable
"""
INSTANTS = [(0, 0), (3, 21122), (13, 38620), (23, 20525)]


@pytest.fixture
async def hass(tmp_path: Path) -> AsyncIterator[HomeAssistant]:
    hass = HomeAssistant(str(tmp_path))
    replay.register(hass)
    yield hass
    await hass.async_stop(force=True)


def recording(tmp_path: Path, text: str = RECORDING) -> str:
    path = tmp_path / "recording.csv"
    path.write_text(text)
    return str(path)


async def test_each_row_is_one_event_at_its_own_microsecond(hass: HomeAssistant, tmp_path: Path) -> None:
    seen: list[Event[EventStateChangedData]] = []

    @callback
    def see(event: Event[EventStateChangedData]) -> None:
        seen.append(event)

    hass.bus.async_listen("state_changed", see)
    data = {"path": recording(tmp_path), "entity_id": ENTITY, "attributes": {"unit_of_measurement": "W"}}
    answer = await hass.services.async_call(DOMAIN, "replay", data, blocking=True, return_response=True)
    await hass.async_block_till_done()
    states = [event.data["new_state"] for event in seen]
    assert [state.state for state in states if state] == ["407.23", "405.54", "405.54", "unavailable"]
    expected = [datetime(2022, 10, 19, 19, 0, second, micro, UTC) for second, micro in INSTANTS]
    assert [state.last_updated for state in states if state] == expected
    assert all(state.attributes == {"unit_of_measurement": "W"} for state in states if state)
    assert answer == {"states": 4, "first": "2022-10-19T19:00:00+00:00", "last": "2022-10-19T19:00:23.020525+00:00"}


async def test_the_columns_of_an_export_are_understood(hass: HomeAssistant, tmp_path: Path) -> None:
    text = "entity_id,unit,state,last_updated\nsensor.x,W,12.5,2022-10-19T19:00:03.021122+00:00\n"
    await hass.services.async_call(
        DOMAIN, "replay", {"path": recording(tmp_path, text), "entity_id": ENTITY}, blocking=True
    )
    state = hass.states.get(ENTITY)
    assert state is not None
    assert (state.state, state.last_updated.microsecond) == ("12.5", 21122)


async def test_a_replay_at_a_speed_takes_its_time(hass: HomeAssistant, tmp_path: Path) -> None:
    begun_s = hass.loop.time()
    data = {"path": recording(tmp_path), "entity_id": ENTITY, "speed": 100}
    await hass.services.async_call(DOMAIN, "replay", data, blocking=True)
    assert hass.loop.time() - begun_s >= 0.23


async def test_an_announced_entity_is_there_before_its_states(hass: HomeAssistant, tmp_path: Path) -> None:
    data = {"path": recording(tmp_path), "entity_id": ENTITY, "attributes": {"device_class": "power"}, "announce": True}
    await hass.services.async_call(DOMAIN, "replay", data, blocking=True)
    state = hass.states.get(ENTITY)
    assert state is not None
    assert (state.state, state.attributes) == ("unknown", {"device_class": "power"})


@pytest.mark.parametrize("text", ["", "time,watts\n1,2\n", "timestamp,value\n", "timestamp,value\nyesterday,2\n"])
async def test_a_file_that_is_no_recording_is_refused_whole(hass: HomeAssistant, tmp_path: Path, text: str) -> None:
    data = {"path": recording(tmp_path, text), "entity_id": ENTITY}
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(DOMAIN, "replay", data, blocking=True)
    assert hass.states.get(ENTITY) is None


async def test_a_missing_file_is_refused(hass: HomeAssistant, tmp_path: Path) -> None:
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(
            DOMAIN, "replay", {"path": str(tmp_path / "none.csv"), "entity_id": ENTITY}, blocking=True
        )


async def test_a_row_may_have_its_last_reset(hass: HomeAssistant, tmp_path: Path) -> None:
    begun = "2022-10-19T18:00:00+00:00"
    text = f"timestamp,value,last_reset\n2022-10-19T19:00:00+00:00,1,\n2022-10-19T19:05:00+00:00,2,{begun}\n"
    seen: list[str | None] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        assert state is not None
        seen.append(state.attributes.get("last_reset"))

    hass.bus.async_listen("state_changed", note)
    data = {"path": recording(tmp_path, text), "entity_id": ENTITY}
    await hass.services.async_call(DOMAIN, "replay", data, blocking=True)
    assert seen == [None, begun]
