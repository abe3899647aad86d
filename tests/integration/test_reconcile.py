"""Reconciling goes on whatever happens: errors, restarts, catalogs, clocks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance

from custom_components.energy_dashboard import KEPT
from custom_components.energy_dashboard.catalog import CatalogKeeper
from custom_components.energy_dashboard.pipeline import gaps, link, recorder_states
from custom_components.energy_dashboard.pipeline.gaps import Gaps
from custom_components.energy_dashboard.pipeline.listen import Listener
from tests.integration.asking import Asking
from tests.integration.fake_server import FakeServer, Message
from tests.integration.home import COUNTER, MockConfigEntry, SetUp, state
from tests.integration.past import Past, home_with_past, quick, settled

METER = "sensor.meter"

past, _quick = home_with_past, quick


async def test_an_error_nobody_expected_does_not_take_the_link_down(
    hass: HomeAssistant,
    past: Past,
    set_up: SetUp,
    server: FakeServer,
    asking: Asking,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(link, "RESTART_S", 0.05)
    past.state(METER, -100, "2")
    await past.write()
    await set_up()
    with monkeypatch.context() as patch:
        patch.setattr(Gaps, "step", lambda *_: 1 / 0)
        await asking.want((METER, *past.span(-90, -60)))
        state(hass, METER, "6", COUNTER)
        await server.row(METER, 6.0)
    assert "Reconciling failed" in caplog.text
    assert len(server.connections) == 1
    await asking.want((METER, *past.span(-90, -60)))
    await asking.settles(METER, (*past.span(-90, -60), "states"))
    caplog.clear()


async def test_what_the_server_cannot_read_is_left_out(
    past: Past, set_up: SetUp, server: FakeServer, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(link, "LONGEST_WAIT_REFUSED_S", 0.01)
    past.state(METER, -100, "2")
    past.state(METER, -50, "3")
    await past.write()
    await set_up()

    def refuse(message: Message) -> Message | None:
        if message.get("origin") == "recorder" and message["span"][1] == past.us(-60):
            return {"type": "error", "code": "bad_message", "message": "no"}
        return None

    server.answer = refuse
    for _ in range(2):
        before = len(server.connections)
        await server.until(lambda: server.connections[-1] and server.connections[-1][-1]["type"] != "hello")
        await asking.want((METER, *past.span(-90, -60)))
        await server.until(lambda count=before: len(server.connections) > count)  # type: ignore[misc] # mypy on lambdas
    await server.until(lambda: len(server.connections[-1]) > 2)
    await asking.want((METER, *past.span(-90, -60)), (METER, *past.span(-40, -30)))
    await server.until(lambda: (*past.span(-40, -30), "states") in asking.claims(METER))
    assert len(server.connections) == 3


async def test_home_assistant_restarts_while_the_server_is_away(
    hass: HomeAssistant, past: Past, set_up: SetUp, server: FakeServer, asking: Asking
) -> None:
    """What was heard and not delivered is gone with its claim: the recorder has it."""
    await past.write()
    entry = await set_up()
    await server.row(METER, 5.0)
    await server.stop()
    state(hass, METER, "6", COUNTER)
    state(hass, METER, "7", COUNTER)
    await settled(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.data.pop(KEPT)  # a restart keeps nothing in memory
    server.messages.clear()
    await server.start()
    assert await hass.config_entries.async_setup(entry.entry_id)
    claimed = await server.message("readings")
    assert [row[2] for row in claimed["rows"]] == [7.0]
    await asking.want((METER, past.us(-1), claimed["span"][0]))
    await server.until(lambda: [value for _, value in asking.rows(METER)] == [5.0, 6.0, 7.0])


async def test_a_database_that_is_replaced_in_the_middle_is_another_one(
    hass: HomeAssistant, past: Past, set_up: SetUp, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids of the old one name other entities in the new one."""
    past.state(METER, -100, "1")
    past.state(METER, -50, "2")
    await past.write()
    await set_up()
    read = recorder_states.window
    manager = get_instance(hass).recorder_runs_manager

    def replaced(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(gaps, "window", read)
        manager._recording_start += timedelta(seconds=1)  # as the recorder does with a database that is malformed
        found = read(*arguments, **options)
        return replace(found, rows=[(row[0], "666", *row[2:]) for row in found.rows])

    monkeypatch.setattr(gaps, "window", replaced)
    await asking.want((METER, *past.span(-90, -10)))
    await asking.settles(METER, (*past.span(-90, -10), "states"))
    assert [value for _, value in asking.rows(METER)] == [1.0, 2.0]


async def test_statistics_without_an_entity_have_no_states(
    hass: HomeAssistant, past: Past, set_up: SetUp, asking: Asking
) -> None:
    async_add_external_statistics(
        hass,
        {
            "statistic_id": "opower:elec",
            "source": "opower",
            "name": "Electricity",
            "unit_of_measurement": "kWh",
            "unit_class": "energy",
            "has_sum": True,
            "mean_type": StatisticMeanType.NONE,
        },
        [{"start": past.at(-180).replace(minute=0, second=0, microsecond=0), "state": 1.0, "sum": 1.0}],
    )
    await past.write()
    manager = await async_get_manager(hass)
    await manager.async_update({"energy_sources": [{"type": "grid", "stat_energy_from": "opower:elec"}]})  # type: ignore[typeddict-item]
    await set_up()
    await asking.want(("opower:elec", *past.span(-90, -60)))
    await asking.settles("opower:elec", (*past.span(-90, -60), "not_recorded"))


async def test_readings_in_the_future_are_left_to_when_they_are_not(past: Past, set_up: SetUp, asking: Asking) -> None:
    past.state(METER, -50, "1")
    past.state(METER, 300, "2")  # a clock was ahead then
    await past.write()
    await set_up()
    await asking.want((METER, past.us(-50), past.us(600)))
    await asking.server.until(lambda: [since_us for since_us, *_ in asking.claims(METER)][:1] == [past.us(-50)])
    assert asking.claims(METER)[-1][1] < past.us(1)
    assert [value for _, value in asking.rows(METER)][:1] == [1.0]
    assert 2.0 not in [value for _, value in asking.rows(METER)]


async def test_a_set_up_that_fails_leaves_nobody_listening(
    hass: HomeAssistant, past: Past, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    del past
    listening: list[Listener] = []
    start = Listener.start

    def noted(self: Listener) -> None:
        listening.append(self)
        start(self)

    monkeypatch.setattr(Listener, "start", noted)
    monkeypatch.setattr(CatalogKeeper, "start", lambda _: 1 / 0)
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert listening[0]._stop_listening is None
