"""The server asks for hourly statistics, and gets what Home Assistant's recorder has: all of it, in canonical units."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder.db_schema import StatisticsRuns
from homeassistant.components.recorder.models import StatisticData, StatisticMeanType, StatisticMetaData
from homeassistant.components.recorder.statistics import async_add_external_statistics, async_import_statistics
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance, session_scope
from sqlalchemy.exc import OperationalError

from custom_components.energy_dashboard.pipeline import imports, reconcile, recorder_statistics
from custom_components.energy_dashboard.pipeline.convert import ts_us
from custom_components.energy_dashboard.pipeline.recorder import Recorder
from tests.integration.fake_server import FakeServer, Message
from tests.integration.home import COUNTER, POWER, SetUp, state
from tests.integration.past import settled

HOUR = timedelta(hours=1)
HOUR_US = 3_600_000_000


async def summed_up_until(hass: HomeAssistant) -> datetime:
    return datetime.fromtimestamp(await Recorder(hass).ask(recorder_statistics.summed_up_until_us) / 1e6, UTC)


@pytest.fixture
async def last_hour(recorder_mock: object, hass: HomeAssistant) -> datetime:  # noqa: ARG001 it sets it up
    """The start of the last hour that is summed up."""
    return await summed_up_until(hass) - HOUR


@pytest.fixture
def wait(recorder_mock: object, hass: HomeAssistant) -> Callable[[], Awaitable[None]]:  # noqa: ARG001 it sets it up
    """Wait until the recorder has written everything."""

    async def run() -> None:
        await settled(hass)

    return run


def metadata(statistic_id: str, unit: str | None, unit_class: str | None, **options: Any) -> StatisticMetaData:
    source = "recorder" if "." in statistic_id else statistic_id.split(":", maxsplit=1)[0]
    known: dict[str, Any] = {
        "statistic_id": statistic_id,
        "source": source,
        "name": None,
        "unit_of_measurement": unit,
        "unit_class": unit_class,
        "has_sum": False,
        "mean_type": StatisticMeanType.NONE,
    }
    return cast(StatisticMetaData, known | options)


def counted(end: datetime, count: int, start: float = 0.0) -> list[StatisticData]:
    return [
        {"start": end - (count - 1 - number) * HOUR, "state": 100.0 + number, "sum": start + number * 0.5}
        for number in range(count)
    ]


async def ask(server: FakeServer, *entity_ids: str, kind: str = "statistics", **details: Any) -> None:
    """Ask for something of Entities, by default for statistics, as a server does that has none of them."""
    catalog = server.of("catalog")[-1]
    places = [place for place, item in enumerate(catalog["entities"]) if item["entity_id"] in entity_ids]
    assert len(places) == len(entity_ids)
    await server.send({"type": "request", "id": 1, "kind": kind, "catalog": catalog["rev"], "of": places} | details)


async def nothing_more(server: FakeServer) -> None:
    """Say after a catalog what else is wanted, as a server does that lacks nothing but what it asked for before."""
    catalog = await server.message("catalog")
    await server.send({"type": "gaps", "catalog": catalog["rev"], "gaps": []})


def rows_of(server: FakeServer) -> list[Any]:
    return sorted((row for message in server.of("statistics") for row in message["rows"]), key=lambda row: row[1])


async def test_a_counter_in_slices_newest_first(
    hass: HomeAssistant,
    server: FakeServer,
    set_up: SetUp,
    wait: Callable[[], Awaitable[None]],
    last_hour: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imports, "SLICE_HOURS", 40)
    state(hass, "sensor.meter", "100000", COUNTER | {"unit_of_measurement": "Wh"})
    async_import_statistics(
        hass, metadata("sensor.meter", "Wh", "energy", has_sum=True), counted(last_hour, 100, start=3.0)
    )
    await wait()
    await set_up()
    await ask(server, "sensor.meter")
    await server.until(lambda: len(rows_of(server)) == 100)
    messages = server.of("statistics")
    assert [len(message["rows"]) for message in messages] == [40, 40, 20]
    spans = [message["span"] for message in messages]
    assert spans[0][1] == ts_us((last_hour + HOUR).timestamp())
    assert spans[0][0] == spans[1][1]
    assert spans[1][0] == spans[2][1]
    assert spans[2][0] == ts_us((last_hour - 99 * HOUR).timestamp())
    nothing = await server.message("nothing")
    assert nothing["span"] == [imports.EARLIEST_STATISTIC_US, spans[2][0]]
    assert nothing["reason"] == "no_statistics"
    rows = rows_of(server)
    assert [row[1] for row in rows] == [ts_us((last_hour - (99 - n) * HOUR).timestamp()) for n in range(100)]
    assert all(row[2:5] == [None, None, None] for row in rows)
    assert rows[0][5] == pytest.approx(0.003)  # the first hour of all: its sum
    assert all(row[5] == pytest.approx(0.0005) for row in rows[1:])
    assert [row[6] for row in rows] == pytest.approx([(100 + n) / 1000 for n in range(100)])


async def test_a_first_hour_that_is_only_the_sum_an_import_began_with_is_left_out(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, wait: Callable[[], Awaitable[None]], last_hour: datetime
) -> None:
    state(hass, "sensor.meter", "5", COUNTER)
    anchor: StatisticData = {"start": last_hour - 87_600 * HOUR, "state": 0.0, "sum": -4000.0}
    async_import_statistics(
        hass,
        metadata("sensor.meter", "kWh", "energy", has_sum=True),
        [anchor, *counted(last_hour, 10, start=-3999.0)],
    )
    await wait()
    await set_up()
    await ask(server, "sensor.meter")
    await server.until(lambda: len(rows_of(server)) == 10)
    rows = rows_of(server)
    assert [row[5] for row in rows[:2]] == [1.0, 0.5]
    (message,) = server.of("statistics")
    assert message["span"][0] == rows[0][1]  # the ten empty years before are not claimed


async def test_a_gauge_has_mean_and_extremes(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, wait: Callable[[], Awaitable[None]], last_hour: datetime
) -> None:
    state(hass, "sensor.power", "1", POWER)
    async_import_statistics(
        hass,
        metadata("sensor.power", "kW", "power", mean_type=StatisticMeanType.ARITHMETIC),
        [{"start": last_hour, "mean": 1.5, "min": 1.0, "max": 2.0}],
    )
    await wait()
    await set_up()
    await ask(server, "sensor.power")
    message = await server.message("statistics")
    assert message["rows"] == [[0, ts_us(last_hour.timestamp()), 1500.0, 1000.0, 2000.0, None, None]]
    assert message["span"] == [ts_us(last_hour.timestamp()), ts_us(last_hour.timestamp()) + HOUR_US]


async def test_a_price_is_converted_here(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, wait: Callable[[], Awaitable[None]], last_hour: datetime
) -> None:
    state(hass, "sensor.price", "25", {"unit_of_measurement": "ct/kWh", "state_class": "measurement"})
    async_import_statistics(
        hass,
        metadata("sensor.price", "ct/kWh", None, mean_type=StatisticMeanType.ARITHMETIC),
        [{"start": last_hour, "mean": 25.0, "min": 20.0, "max": 30.0}],
    )
    await wait()
    await set_up()
    await ask(server, "sensor.price")
    message = await server.message("statistics")
    assert message["rows"][0][2:5] == pytest.approx([0.25, 0.2, 0.3])


async def test_the_hours_of_a_span(
    hass: HomeAssistant,
    server: FakeServer,
    set_up: SetUp,
    wait: Callable[[], Awaitable[None]],
    last_hour: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imports, "SLICE_HOURS", 4)
    state(hass, "sensor.meter", "5", COUNTER)
    async_import_statistics(hass, metadata("sensor.meter", "kWh", "energy", has_sum=True), counted(last_hour, 50))
    await wait()
    entry = await set_up()

    def hour_us(number: int) -> int:
        return ts_us((last_hour - number * HOUR).timestamp())

    await ask(server, "sensor.meter", span=[hour_us(20), hour_us(10)])
    await server.until(lambda: len(rows_of(server)) == 10)
    assert [row[1] for row in rows_of(server)] == [hour_us(number) for number in range(20, 10, -1)]
    assert all(row[5] == 0.5 for row in rows_of(server))
    assert server.of("nothing") == []
    await ask(server, "sensor.meter", span=[hour_us(60), hour_us(48)])
    nothing = await server.message("nothing")
    assert nothing["span"] == [hour_us(60), hour_us(49)]
    assert len(rows_of(server)) == 11
    assert entry.runtime_data.reconcile.pending == []


async def test_digests_change_when_the_hours_do(
    hass: HomeAssistant,
    server: FakeServer,
    set_up: SetUp,
    wait: Callable[[], Awaitable[None]],
    last_hour: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recorder_statistics, "MONTHS_AT_ONCE", 1)
    state(hass, "sensor.meter", "5", COUNTER)
    state(hass, "sensor.power", "5", POWER)
    hours = 24 * 80
    known = metadata("sensor.meter", "kWh", "energy", has_sum=True)
    async_import_statistics(hass, known, counted(last_hour, hours))
    await wait()
    await set_up()

    async def digested() -> dict[tuple[int, int], str]:
        server.messages[:] = server.of("catalog")
        await ask(server, "sensor.meter", "sensor.power", kind="digests")
        message = await server.message("digests")
        assert len(message["of"]) == 2
        place = next(row[0] for row in message["rows"])
        assert all(row[0] == place for row in message["rows"])  # the gauge has no statistics
        return {(row[1], row[2]): row[3] for row in message["rows"]}

    before = await digested()
    assert 3 <= len(before) <= 4
    assert before == await digested()
    edited = last_hour - 24 * 79 * HOUR
    async_import_statistics(hass, known, [{"start": edited, "state": 7.0, "sum": 12.25}])
    await wait()
    after = await digested()
    changed = [span for span in before if before[span] != after[span]]
    assert len(changed) == 1
    assert changed[0][0] <= ts_us(edited.timestamp()) < changed[0][1]


async def test_where_there_are_none_there_is_nothing(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, wait: Callable[[], Awaitable[None]], last_hour: datetime
) -> None:
    state(hass, "sensor.power", "1", POWER)
    state(hass, "sensor.meter", "1", COUNTER)
    async_import_statistics(
        hass,
        metadata("sensor.meter", "m³", "volume", has_sum=True),  # of what the sensor was before
        counted(last_hour, 3),
    )
    await wait()
    entry = await set_up()
    await ask(server, "sensor.power", "sensor.meter")
    await server.until(lambda: len(server.of("nothing")) == 2)
    for message in server.of("nothing"):
        assert message["reason"] == "no_statistics"
        assert message["span"] == [imports.EARLIEST_STATISTIC_US, ts_us((last_hour + HOUR).timestamp())]
    job: reconcile.Reconcile = entry.runtime_data.reconcile
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert job.pending == []


async def test_statistics_of_another_unit_are_looked_at_again(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, wait: Callable[[], Awaitable[None]], last_hour: datetime
) -> None:
    state(hass, "sensor.meter", "1", COUNTER)
    async_import_statistics(hass, metadata("sensor.meter", "m³", "volume", has_sum=True), counted(last_hour, 3))
    await wait()
    entry = await set_up()
    await ask(server, "sensor.meter")
    await server.message("nothing")
    await server.until(lambda: server.unacknowledged == 0)
    assert await hass.config_entries.async_unload(entry.entry_id)
    async_import_statistics(hass, metadata("sensor.meter", "kWh", "energy", has_sum=True), counted(last_hour, 3))
    await wait()
    server.messages.clear()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await nothing_more(server)
    await server.message("statistics")  # nobody asked again


async def test_without_a_recorder_the_server_waits(hass: HomeAssistant, server: FakeServer, set_up: SetUp) -> None:
    state(hass, "sensor.power", "1", POWER)
    entry = await set_up()
    await ask(server, "sensor.power")
    state(hass, "sensor.power", "2", POWER)
    await server.row("sensor.power", 2.0)
    assert entry.runtime_data.reconcile.pending == ["sensor.power"]
    assert server.of("nothing") == []


async def test_a_recorder_that_fails_is_asked_again(
    hass: HomeAssistant,
    server: FakeServer,
    set_up: SetUp,
    wait: Callable[[], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconcile, "RETRY_S", 0.01)
    state(hass, "sensor.power", "1", POWER)
    await wait()
    await set_up()
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def locked(*_args: object, **_options: object) -> Any:
        loop.call_soon_threadsafe(asked.set)
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(imports, "metadata", locked)
        await ask(server, "sensor.power")
        await asked.wait()
        assert server.of("nothing") == []
    await server.message("nothing")


async def test_an_import_survives_a_new_catalog(
    hass: HomeAssistant,
    server: FakeServer,
    set_up: SetUp,
    wait: Callable[[], Awaitable[None]],
    last_hour: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imports, "SLICE_HOURS", 5)
    state(hass, "sensor.meter", "5", COUNTER)
    async_import_statistics(hass, metadata("sensor.meter", "kWh", "energy", has_sum=True), counted(last_hour, 60))
    await wait()
    entry = await set_up()
    await ask(server, "sensor.meter")
    await server.message("statistics")
    state(hass, "sensor.a_new_one", "7", POWER)
    entry.runtime_data.keeper.rebuild()
    await server.row("sensor.a_new_one", 7.0)

    def imported() -> bool:
        catalogs = {message["rev"]: message["entities"] for message in server.of("catalog")}
        hours = {
            (catalogs[message["catalog"]][row[0]]["entity_id"], row[1])
            for message in server.of("statistics")
            for row in message["rows"]
        }
        return len(hours) == 60 and all(entity_id == "sensor.meter" for entity_id, _ in hours)

    await server.until(imported)


async def test_external_statistics_of_the_energy_settings_are_entities(
    hass: HomeAssistant, server: FakeServer, set_up: SetUp, wait: Callable[[], Awaitable[None]], last_hour: datetime
) -> None:
    async_add_external_statistics(
        hass,
        metadata("opower:elec_123", "kWh", "energy", has_sum=True, name="Electricity"),
        counted(last_hour, 3),
    )
    await wait()
    manager = await async_get_manager(hass)
    await manager.async_update(
        {"energy_sources": [{"type": "grid", "stat_energy_from": "opower:elec_123", "stat_energy_to": "gone:x"}]}  # type: ignore[typeddict-item]
    )
    await set_up()
    entities: list[Message] = server.of("catalog")[0]["entities"]
    assert [{key: entity[key] for key in entity if key != "since_us"} for entity in entities] == [
        {
            "key": "opower:elec_123",
            "entity_id": "opower:elec_123",
            "name": "Electricity",
            "area": None,
            "device": None,
            "kind": "energy",
            "unit": "kWh",
            "state_class": "total",
            "source": "statistic",
            "roles": [{"role": "grid_import", "group": "grid:0"}],
        }
    ]
    await ask(server, "opower:elec_123")
    await server.until(lambda: len(rows_of(server)) == 3)


@pytest.mark.parametrize(("last_run", "until"), [("12:50", "12:00"), ("12:55", "13:00"), ("13:00", "13:00")])
async def test_an_hour_is_full_when_the_recorder_has_summed_up_its_last_minutes(
    hass: HomeAssistant, wait: Callable[[], Awaitable[None]], last_run: str, until: str
) -> None:
    await wait()

    def record() -> None:
        with session_scope(hass=hass) as session:
            session.query(StatisticsRuns).delete()
            session.add(StatisticsRuns(start=datetime.fromisoformat(f"2026-03-01T{last_run}+00:00")))

    await get_instance(hass).async_add_executor_job(record)
    found = await summed_up_until(hass)
    assert found.isoformat() == f"2026-03-01T{until}:00+00:00"
