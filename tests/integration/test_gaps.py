"""The server names Gaps, and gets what Home Assistant's recorder has of them, or the reason for there being nothing."""

import asyncio
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from custom_components.energy_dashboard.pipeline import gaps, recorder
from custom_components.energy_dashboard.pipeline.convert import instant_us, ts_us
from custom_components.energy_dashboard.pipeline.gaps import Gaps
from tests.integration.asking import Asking
from tests.integration.fake_server import FakeServer
from tests.integration.home import COUNTER, POWER, SetUp, state
from tests.integration.past import EARLIEST_US, Past, home_with_past, quick

METER, CAR, HEAT = "sensor.meter", "sensor.car", "sensor.heat"


past, _quick = home_with_past, quick


async def hears_of(hass: HomeAssistant, asking: Asking, skipped: dict[str, int]) -> None:
    """The next live message tells of this many states without a reading."""
    asking.server.messages[:] = [message for message in asking.server.messages if message.get("origin") != "live"]
    state(hass, METER, "5", COUNTER, force_update=True)
    told = await asking.server.message("readings", lambda message: message["origin"] == "live" and message["rows"])
    assert told["skipped"] == skipped


async def test_what_happened_in_a_gap_and_what_held_at_its_beginning(past: Past, set_up: SetUp, asking: Asking) -> None:
    past.state(METER, -90, "100")
    past.state(METER, -61, "101")
    past.state(METER, -60, "101.5")
    past.state(METER, -45, "unavailable")
    past.state(METER, -44, None)
    past.state(METER, -43, "")
    past.state(METER, -42, "not a number")
    past.state(METER, -41, "102")
    past.state(METER, -30, "103")
    await past.write()
    await set_up()
    await asking.want((METER, *past.span(-60, -30)))
    await asking.settles(METER, (*past.span(-60, -30), "states"))
    assert asking.rows(METER) == [
        (past.us(-61), 101.0),
        (past.us(-60), 101.5),
        (past.us(-45), None),
        (past.us(-44), None),
        (past.us(-43), None),
        (past.us(-41), 102.0),
    ]


async def test_when_a_counter_was_last_reported_before_a_gap_comes_along(
    past: Past, set_up: SetUp, asking: Asking
) -> None:
    """It became known with the next state: who had the span before it had not heard of it then."""
    past.state(METER, -70, "100", reported=-50)
    past.state(METER, -40, "101")
    past.state(METER, -30, "102")
    await past.write()
    await set_up()
    await asking.want((METER, *past.span(-45, -35)))
    await asking.settles(METER, (*past.span(-45, -35), "states"))
    assert asking.rows(METER) == [(past.us(-70), 100.0), (past.us(-50), 100.0), (past.us(-40), 101.0)]


async def test_a_counter_that_stood_still_is_known_to_have_stood_still(
    hass: HomeAssistant, past: Past, set_up: SetUp, asking: Asking
) -> None:
    state(hass, "sensor.power", "1", POWER)
    past.state(METER, -70, "100", reported=-50)  # before the gap, confirmed in it
    past.state(METER, -40, "101", reported=-40)
    past.state(METER, -35, "102", reported=-20)  # confirmed after the gap: that is of another
    past.state("sensor.power", -40, "7", POWER, reported=-35)  # a gauge holds its value anyway
    past.state("sensor.power", -50, "8", POWER)
    await past.write()
    await set_up()
    span = past.span(-55, -30)
    await asking.want((METER, *span), ("sensor.power", *span))
    await asking.settles("sensor.power", (past.us(-55), past.us(-50), "purged"), (past.us(-50), past.us(-30), "states"))
    await asking.settles(METER, (*span, "states"))
    assert asking.rows(METER) == [
        (past.us(-70), 100.0),
        (past.us(-50), 100.0),
        (past.us(-40), 101.0),
        (past.us(-35), 102.0),
    ]
    assert asking.rows("sensor.power") == [(past.us(-50), 8.0), (past.us(-40), 7.0)]


async def test_units_and_resets_as_they_were_then(
    hass: HomeAssistant, past: Past, set_up: SetUp, asking: Asking
) -> None:
    total = {"device_class": "energy", "state_class": "total", "unit_of_measurement": "kWh"}
    state(hass, "sensor.cycle", "1", total | {"last_reset": "2026-11-01T00:00:00+00:00"})
    past.state("sensor.cycle", -50, "1500", total | {"unit_of_measurement": "Wh"})
    past.state("sensor.cycle", -40, "2", None)  # attributes over 16 kB: in the unit of the catalog
    past.state("sensor.cycle", -30, "9", total | {"unit_of_measurement": "m³"})  # it was another meter then
    past.state("sensor.cycle", -20, "0.5", total | {"last_reset": "2026-11-02T00:00:00+00:00"})
    await past.write()
    await set_up()
    await asking.want(("sensor.cycle", *past.span(-50, -10)))
    await asking.settles("sensor.cycle", (*past.span(-50, -10), "states"))
    assert asking.rows("sensor.cycle") == [
        (past.us(-50), 1.5),
        (past.us(-40), 2.0),
        (past.us(-20), 0.5, 1_793_577_600_000_000),
    ]
    await hears_of(hass, asking, {"unknown_unit": 1})
    await asking.want(("sensor.cycle", *past.span(-45, -10)))  # asked for again, it is counted once
    await asking.server.until(lambda: len(asking.answers()) == 2)
    await asking.want(("sensor.cycle", *past.span(-60, -10)))
    await asking.server.until(lambda: len(asking.answers()) >= 4)  # and what is before its first state
    await hears_of(hass, asking, {"unknown_unit": 1})


async def test_between_its_runs_home_assistant_was_off(past: Past, set_up: SetUp, asking: Asking) -> None:
    past.run(-600, -500)
    past.run(-400, -300, killed=True)  # it was killed after its last state, and started again at -300
    past.run(-300, -200)
    past.state(METER, -590, "1")
    past.state(METER, -395, "2")
    past.state(METER, -350, "2.5")
    past.state(METER, -295, "3")
    past.state(METER, -115, "4")
    await past.write()
    await set_up()
    await asking.want((METER, EARLIEST_US, past.us(-60)))
    await asking.settles(
        METER,
        (EARLIEST_US, past.us(-590), "purged"),
        (past.us(-590), past.us(-500), "states"),
        (past.us(-500), past.us(-400), "ha_off"),
        (past.us(-400), past.us(-350) + 1, "states"),
        (past.us(-350) + 1, past.us(-300), "ha_off"),
        (past.us(-300), past.us(-200), "states"),
        (past.us(-200), past.us(-120), "ha_off"),
        (past.us(-120), past.us(-60), "states"),
    )
    assert [value for _, value in asking.rows(METER)][-1] == 4.0


async def test_states_from_before_the_first_run_are_as_good_as_those_of_a_killed_one(
    past: Past, set_up: SetUp, asking: Asking
) -> None:
    past.state(METER, -500, "1")
    past.state(METER, -400, "2")
    past.run(-300, -200)
    past.state(METER, -295, "3")
    await past.write()
    await set_up()
    await asking.want((METER, past.us(-600), past.us(-150)))
    await asking.settles(
        METER,
        (past.us(-600), past.us(-500), "purged"),
        (past.us(-500), past.us(-400) + 1, "states"),
        (past.us(-400) + 1, past.us(-300), "ha_off"),
        (past.us(-300), past.us(-200), "states"),
        (past.us(-200), past.us(-150), "ha_off"),
    )


async def test_windows_newest_first_each_reading_once_whatever_their_width(
    hass: HomeAssistant, past: Past, set_up: SetUp, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "FEWEST", 30)
    monkeypatch.setattr(gaps, "MOST", 60)
    state(hass, CAR, "5", COUNTER)
    state(hass, HEAT, "5", COUNTER)
    expected: defaultdict[str, list[Any]] = defaultdict(list)
    for entity_id, first, step in ((METER, -119.0, 0.8), (CAR, -90.0, 0.3), (HEAT, -61.0, 7.0)):
        for number in range(int(-first / step)):
            minute = first + number * step
            reported = minute + step * 0.9
            past.state(entity_id, minute, str(number), reported=reported)
            expected[entity_id].extend([(past.us(minute), float(number)), (past.us(reported), float(number))])
    await past.write()
    await set_up()
    span = past.span(-110, -1)
    await asking.want(*((entity_id, *span) for entity_id in (METER, CAR, HEAT)))
    await asking.settles(METER, (*span, "states"))
    await asking.settles(CAR, (past.us(-110), past.us(-90), "purged"), (past.us(-90), past.us(-1), "states"))
    await asking.settles(HEAT, (past.us(-110), past.us(-61), "purged"), (past.us(-61), past.us(-1), "states"))
    for entity_id in (METER, CAR, HEAT):
        rows = asking.rows(entity_id)
        within = [row for row in expected[entity_id] if span[0] <= row[0] < span[1]]
        assert [row for row in rows if row[0] >= span[0]] == within
    before = [row for row in asking.rows(METER) if row[0] < span[0]]
    assert before == [row for row in expected[METER] if row[0] < span[0]][-len(before) :]
    read = [message for message in asking.answers() if message["type"] == "readings"]
    assert len(read) > 5
    untils = [message["span"][1] for message in read if len(message["of"]) > 1]
    assert all(newer >= older for newer, older in pairwise(untils))


async def test_what_purging_left_is_not_claimed(past: Past, set_up: SetUp, asking: Asking) -> None:
    past.state(METER, -60, "1")
    await past.write()
    await set_up()
    await asking.want((METER, *past.span(-100, -10)))
    await asking.settles(METER, (*past.span(-100, -60), "purged"), (*past.span(-60, -10), "states"))


async def test_a_state_older_than_the_recorders_memory_is_known_all_the_same(
    hass: HomeAssistant, past: Past, set_up: SetUp, asking: Asking
) -> None:
    present = hass.states.get(METER)
    assert present is not None
    past.forget(METER)
    await past.write()
    await set_up()
    since_us = instant_us(present.last_updated)
    await asyncio.sleep(0.01)
    until_us = since_us + 5_000
    await asking.want((METER, past.us(-5), until_us))
    await asking.settles(METER, (past.us(-5), since_us, "purged"), (since_us, until_us, "states"))
    assert asking.rows(METER) == [(since_us, 5.0)]


@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "purged since"])
async def test_a_state_by_a_clock_that_had_not_been_set_says_nothing_of_the_time_before(
    hass: HomeAssistant,
    past: Past,
    set_up: SetUp,
    asking: Asking,
    is_recorded: bool,  # noqa: FBT001 a parameter
) -> None:
    """A machine without a battery for its clock began in 1970; what the recorder had before may be purged."""
    state(hass, CAR, "7", COUNTER, timestamp=60.0)
    past.run(-300, -200)
    past.state(METER, -290, "1")
    past.present_run(-100)
    if not is_recorded:
        past.forget(CAR)
    await past.write()
    await set_up()
    await asking.want((CAR, *past.span(-250, -10)))
    await asking.settles(
        CAR,
        (*past.span(-250, -200), "purged"),
        (*past.span(-200, -100), "ha_off"),
        (*past.span(-100, -10), "states"),
    )
    assert not asking.rows(CAR), "nobody knows when it was"


@pytest.mark.parametrize("recorder_config", [{"exclude": {"entities": [METER]}, "commit_interval": 0}])
async def test_an_entity_that_is_not_recorded(past: Past, set_up: SetUp, asking: Asking) -> None:
    past.state(METER, -80, "1")  # it was once
    past.state(METER, -70, "2")
    past.state("sensor.other", -90, "2")
    await past.write()
    await set_up()
    await asking.want((METER, *past.span(-110, -10)))
    await asking.settles(
        METER,
        (*past.span(-110, -80), "not_recorded"),
        (past.us(-80), past.us(-70) + 1, "states"),
        (past.us(-70) + 1, past.us(-10), "not_recorded"),
    )


async def test_a_run_in_which_an_entity_was_excluded_or_came_later(past: Past, set_up: SetUp, asking: Asking) -> None:
    """Whatever is included gets a state when it is added: a run without any of it is none that recorded it."""
    past.run(-900, -800)
    past.state(METER, -899, "1")
    past.run(-700, -600)  # excluded
    past.state("sensor.other", -650, "2")
    past.run(-500, -400)  # added, or renamed to what is included, an hour after the start
    past.state(METER, -440, "3")
    past.run(-300, -200)  # added nine minutes after the start, which is a part of it
    past.state(METER, -291, "4")
    past.state(METER, -100, "5")  # the same in the present run, which began at -120
    await past.write()
    await set_up()
    await asking.want((METER, past.us(-950), past.us(-10)))
    await asking.settles(
        METER,
        (past.us(-950), past.us(-899), "purged"),
        (past.us(-899), past.us(-800), "states"),
        (past.us(-800), past.us(-700), "ha_off"),
        (past.us(-700), past.us(-600), "not_recorded"),
        (past.us(-600), past.us(-500), "ha_off"),
        (past.us(-500), past.us(-440), "not_recorded"),
        (past.us(-440), past.us(-400), "states"),
        (past.us(-400), past.us(-300), "ha_off"),
        (past.us(-300), past.us(-200), "states"),
        (past.us(-200), past.us(-120), "ha_off"),
        (past.us(-120), past.us(-100), "not_recorded"),
        (past.us(-100), past.us(-10), "states"),
    )


async def test_a_first_install_in_which_another_entity_has_an_older_past(
    hass: HomeAssistant, past: Past, set_up: SetUp, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several questions, and each entity has runs of its own."""
    monkeypatch.setattr(gaps, "LOOK_UPS", 2)
    state(hass, CAR, "5", COUNTER)
    for since in (-900, -700, -500, -300):
        past.run(since, since + 100)
    for minute in (-899, -499, -119):
        past.state(METER, minute, "1")
    for minute in (-899, -699, -299, -119):
        past.state(CAR, minute, "1")
    await past.write()
    await set_up()
    await asking.want((METER, past.us(-900), past.us(-10)), (CAR, past.us(-900), past.us(-10)))

    def expected(*runs: str) -> list[tuple[int, int, str]]:
        found = [(past.us(-900), past.us(-899), "purged"), (past.us(-899), past.us(-800), runs[0])]
        for since, verdict in zip((-700, -500, -300), runs[1:], strict=True):
            found += [(past.us(since - 100), past.us(since), "ha_off"), (past.us(since), past.us(since + 100), verdict)]
        return [*found, (past.us(-200), past.us(-120), "ha_off"), (past.us(-120), past.us(-10), "states")]

    await asking.settles(METER, *expected("states", "not_recorded", "states", "not_recorded"))
    await asking.settles(CAR, *expected("states", "states", "not_recorded", "states"))


async def test_without_a_recorder_nothing_is_recorded(
    hass: HomeAssistant, set_up: SetUp, server: FakeServer, asking: Asking
) -> None:
    state(hass, METER, "5", COUNTER)
    await set_up()
    assert (await server.message("recorder"))["state"] == "not_set_up"
    now_us = ts_us(1_790_000_000.0)
    await asking.want((METER, EARLIEST_US, now_us))
    await asking.settles(METER, (EARLIEST_US, now_us, "not_recorded"))


async def test_what_is_too_recent_is_answered_later(
    past: Past, set_up: SetUp, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "LATEST_S", 600.0)
    past.state(METER, -60, "1")
    await past.write()
    await set_up()
    await asking.want((METER, *past.span(-30, -5)))
    await asking.server.until(asking.answers)
    (early,) = asking.claims(METER)
    assert early[0] == past.us(-30)
    assert past.us(-10) <= early[1] < past.us(-9)
    monkeypatch.setattr(recorder, "LATEST_S", 0.0)
    await asking.server.until(lambda: asking.claims(METER)[-1][1] == past.us(-5))


async def test_a_new_list_replaces_the_one_before(
    hass: HomeAssistant, past: Past, set_up: SetUp, asking: Asking
) -> None:
    past.state(METER, -100, "2")
    await past.write()
    entry = await set_up()
    reading: Gaps = entry.runtime_data.reconcile.gaps
    assert entry.runtime_data.coordinator.snapshot().gaps == 0
    await asking.want((METER, *past.span(-90, -60)), (METER, *past.span(-40, -30)))
    await asking.settles(METER, (*past.span(-90, -60), "states"), (*past.span(-40, -30), "states"))
    await asking.want((METER, *past.span(-20, -10)))
    await asking.server.until(lambda: asking.claims(METER)[-1] == (*past.span(-20, -10), "states"))
    assert reading.open == entry.runtime_data.coordinator.snapshot().gaps == 1
    await asking.want((METER, *past.span(-20, -10)))  # an audit found a difference: again
    await asking.server.until(lambda: len(asking.answers()) == 4)
    await asking.want()
    state(hass, METER, "6", COUNTER)
    await asking.server.row(METER, 6.0)
    assert reading.open == 0


async def test_a_renamed_entity_keeps_its_past(hass: HomeAssistant, past: Past, set_up: SetUp, asking: Asking) -> None:
    registry = er.async_get(hass)
    entry = registry.async_get_or_create("sensor", "test", "1", suggested_object_id="washer")
    state(hass, entry.entity_id, "1", COUNTER)
    past.state(entry.entity_id, -100, "2")
    await past.write()
    keeper = (await set_up()).runtime_data.keeper
    registry.async_update_entity(entry.entity_id, new_entity_id="sensor.dryer")
    hass.states.async_remove("sensor.washer")
    state(hass, "sensor.dryer", "1", COUNTER)
    await keeper.refresh()
    await asking.server.message("catalog", lambda message: message["rev"] == keeper.catalog.rev)
    await asking.want(("sensor.dryer", *past.span(-90, -60)))
    await asking.settles("sensor.dryer", (*past.span(-90, -60), "states"))
