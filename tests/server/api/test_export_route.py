"""The export: everything that is stored comes out, exactly, and one that fails does not look whole."""

import csv
import io

import aiohttp
import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.jobs.export import READINGS, ROWS_AT_ONCE, STATISTICS
from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.statistic import Level, Source
from tests.server.homes import START_US, gauge, read, settle
from tests.server.serving import Running
from tests.server.store.readings import DAY_US, HOUR_US, statistics

COUNT = ROWS_AT_ONCE + 5
EVER = {"start": "2000-01-01", "end": "2099-01-01"}


@pytest.fixture
async def home(server: Running) -> Running:
    """Return a server with two Entities, one of them with many readings and a hole of years."""
    await settle(server.core, [gauge(), gauge('o\'dd,"key"')])
    instants = [START_US + step * 1_000_001 for step in range(COUNT)]
    await read(server.core, "power", instants, [None if step == 7 else step / 3 for step in range(COUNT)])
    await read(server.core, "power", [START_US - 2_000 * DAY_US], [-1.5])
    late = ReadingBatch("home", Origin.RECORDER, ['o\'dd,"key"'], [START_US], [1e-7], [START_US - 1])
    await server.core.series.append([late])
    rows = statistics([("power", START_US - hour * HOUR_US, None if hour == 3 else float(hour)) for hour in range(9)])
    await server.core.series.put_statistics("home", Level.HOUR, Source.IMPORT, rows)
    return server


async def exported(server: Running, **query: str) -> list[dict[str, str]]:
    async with server.client.get(f"{server.url}/api/export", params={**EVER, **query}) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert "attachment" in response.headers["Content-Disposition"]
        return list(csv.DictReader(io.StringIO(await response.text(), newline="")))


async def test_every_reading_comes_out(home: Running) -> None:
    rows = await exported(home)
    assert tuple(rows[0]) == READINGS
    assert len(rows) == COUNT + 2
    power = [row for row in rows if row["key"] == "power"]
    assert power[0] == {
        "entity_id": "sensor.power",
        "key": "power",
        "time": "2021-05-10T23:00:00.000000Z",
        "value": "-1.5",
        "last_reset": "",
        "origin": "live",
    }
    assert [row["value"] for row in power[1:]] == ["" if step == 7 else repr(step / 3) for step in range(COUNT)]
    assert [row["time"] for row in power] == sorted(row["time"] for row in power)
    odd = next(row for row in rows if row["key"] != "power")
    assert odd["key"] == 'o\'dd,"key"'
    assert (odd["value"], odd["last_reset"], odd["origin"]) == ("1e-07", "2026-10-31T22:59:59.999999Z", "recorder")


async def test_a_span_and_keys_are_kept_to(home: Running) -> None:
    rows = await exported(home, key="power", start=str(START_US), end=str(START_US + 3_000_003))
    assert [row["value"] for row in rows] == ["0.0", repr(1 / 3), repr(2 / 3)]


async def test_statistics_come_out(home: Running) -> None:
    rows = await exported(home, data="hour")
    assert tuple(rows[0]) == STATISTICS
    assert [row["change"] for row in rows] == ["8.0", "7.0", "6.0", "5.0", "4.0", "", "2.0", "1.0", "0.0"]
    assert {(row["source"], row["level"], row["provenance"]) for row in rows} == {("import", "hour", "measured")}
    assert await exported(home, data="5min") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [({"data": "all"}, "data"), ({"format": "xlsx"}, "format"), ({"key": "nobody"}, "key"), ({"end": "1"}, "end")],
)
async def test_what_cannot_be_exported_is_said(home: Running, query: dict[str, str], field: str) -> None:
    status = 404 if "key" in query else 400
    assert (await home.error("/api/export", status=status, **{**EVER, **query}))["field"] == field


async def test_an_export_that_fails_does_not_look_whole(home: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise StoreUnavailableError("of the test")

    monkeypatch.setattr(home.core.series, "read", fail)
    async with home.client.get(f"{home.url}/api/export", params=EVER) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
