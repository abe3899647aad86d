"""Gaps while Home Assistant's recorder does not record, write or answer: what is not known is not claimed."""

import asyncio
from typing import Any

import pytest
from homeassistant.components.recorder.db_schema import States, StatesMeta
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance, session_scope
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from custom_components.energy_dashboard.pipeline import gaps, recorder
from custom_components.energy_dashboard.pipeline.clock import now_us
from custom_components.energy_dashboard.pipeline.convert import ts_us
from tests.integration.asking import Asking
from tests.integration.fake_server import FakeServer
from tests.integration.home import COUNTER, SetUp, state
from tests.integration.past import Past, home_with_past, quick, settled

METER = "sensor.meter"


past, _quick = home_with_past, quick


async def stored(hass: HomeAssistant, entity_id: str) -> list[tuple[int, int]]:
    """Return when each state of an entity was updated and last reported, as it is stored."""
    reported = func.coalesce(States.last_reported_ts, States.last_updated_ts)
    of_entity = select(StatesMeta.metadata_id).where(StatesMeta.entity_id == entity_id).scalar_subquery()
    question = select(States.last_updated_ts, reported).where(States.metadata_id == of_entity)

    def ask() -> list[tuple[int, int]]:
        with session_scope(hass=hass, read_only=True) as session:
            return sorted((ts_us(updated_s), ts_us(reported_s)) for updated_s, reported_s in session.execute(question))

    return await get_instance(hass).async_add_executor_job(ask)


async def test_a_disabled_recorder_is_waited_for_and_its_time_was_not_recorded(
    hass: HomeAssistant, past: Past, set_up: SetUp, server: FakeServer, asking: Asking
) -> None:
    past.run(-300, -200)
    past.state(METER, -290, "1")
    past.state(METER, -115, "2")
    await past.write()
    before_us = now_us()
    await set_up()
    await server.message("recorder", lambda message: message["state"] == "ready")
    await hass.services.async_call("recorder", "disable", {}, blocking=True)
    await server.message("recorder", lambda message: message["state"] == "disabled")
    await asking.want((METER, past.us(-250), past.us(-60)))
    await asking.settles(METER, (*past.span(-250, -200), "states"), (*past.span(-200, -120), "ha_off"))
    await hass.services.async_call("recorder", "enable", {}, blocking=True)
    await asking.settles(
        METER,
        (*past.span(-250, -200), "states"),
        (*past.span(-200, -120), "ha_off"),
        (*past.span(-120, -60), "states"),
    )
    await asyncio.sleep(0.2)
    server.messages[:] = [message for message in server.messages if message["type"] == "catalog"]
    await asking.want((METER, past.us(-60), past.us(1)))
    await server.until(lambda: [how for *_, how in asking.claims(METER)][:2] == ["states", "not_recorded"])
    assert asking.claims(METER)[0][1] > before_us


@pytest.mark.usefixtures("past")
async def test_a_report_of_a_state_that_was_not_recorded_is_none_of_the_state_before(
    hass: HomeAssistant, set_up: SetUp, server: FakeServer, asking: Asking
) -> None:
    """Home Assistant notes it there. So a counter is known again from its first state after the recorder resumed."""
    await set_up()
    await server.message("recorder", lambda message: message["state"] == "ready")
    await hass.services.async_call("recorder", "disable", {}, blocking=True)
    await server.message("recorder", lambda message: message["state"] == "disabled")
    state(hass, METER, "6", COUNTER)
    await settled(hass)
    await hass.services.async_call("recorder", "enable", {}, blocking=True)
    await server.until(lambda: server.of("recorder")[-1]["state"] == "ready")
    resumed_us = now_us()
    for value in ("6", "7", "7", "8", "9"):
        state(hass, METER, value, COUNTER)
    await settled(hass)
    ((five_us, misplaced_us), (first_us, _), *_) = await stored(hass, METER)
    assert resumed_us < misplaced_us < first_us, "the 5 was reported, says the recorder, when the 6 was"
    await asking.want((METER, five_us, now_us()))
    await server.until(lambda: five_us in [since_us for since_us, *_ in asking.claims(METER)])
    assert [value for _, value in sorted(set(asking.rows(METER)))] == [5.0, 7.0, 7.0, 8.0, 9.0]
    assert [how for *_, how in asking.claims(METER)] == ["states", "not_recorded", "states"]
    assert asking.claims(METER)[-1][0] == first_us


async def test_a_recorder_that_lost_its_backlog_says_nothing_of_that_time(
    hass: HomeAssistant, past: Past, set_up: SetUp, server: FakeServer, asking: Asking
) -> None:
    past.state(METER, -100, "2")
    await past.write()
    await set_up()
    await server.message("recorder", lambda message: message["state"] == "ready")
    get_instance(hass)._async_stop_queue_watcher_and_event_listener()  # as it does when its queue is full
    await server.message("recorder", lambda message: message["state"] == "lossy")
    await asking.want((METER, *past.span(-90, -60)))
    await asyncio.sleep(0.2)
    assert asking.answers() == []


async def test_a_recorder_that_does_not_answer_is_asked_again(
    past: Past, set_up: SetUp, server: FakeServer, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.state(METER, -100, "2")
    await past.write()
    await set_up()

    def corrupted(*_args: object, **_options: object) -> Any:
        raise OperationalError("SELECT 1", {}, Exception("database disk image is malformed"))

    with monkeypatch.context() as patch:
        patch.setattr(gaps, "runs", corrupted)
        await asking.want((METER, *past.span(-90, -60)))
        told = await server.message("recorder", lambda message: message["state"] == "not_answering")
        assert "OperationalError" in told["detail"]
        assert asking.answers() == []
    await asking.settles(METER, (*past.span(-90, -60), "states"))
    await server.until(lambda: server.of("recorder")[-1]["state"] == "ready")


async def test_what_a_backup_keeps_from_being_written_is_not_claimed(
    hass: HomeAssistant,
    past: Past,
    set_up: SetUp,
    server: FakeServer,
    asking: Asking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder, "CATCH_UP_S", 0.05)
    past.state(METER, -100, "2")
    await past.write()
    await set_up()
    assert await get_instance(hass).lock_database()
    state(hass, METER, "6", COUNTER)
    await asking.want((METER, *past.span(-90, -60)))
    await server.message("recorder", lambda message: message["state"] == "not_answering")
    assert asking.answers() == []
    assert get_instance(hass).unlock_database()
    await asking.settles(METER, (*past.span(-90, -60), "states"))
