"""Write, then acknowledge: what is durable when, what is published, what the ledger learns."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.link.events import CatalogChanged, LinkChanged, ReadingsArrived, StatisticsStored
from energy_server.link.status import Importing
from energy_server.model.coverage import Span
from energy_server.model.entity import Kind
from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.statistic import Level, Source
from energy_server.store.duckdb import DuckDBSeriesStore
from energy_server.store.port import SeriesStore
from energy_server.store.sqlite import SqliteStateStore
from tests.server.link.linking import (
    HOUR_US,
    MINUTE_US,
    NOON_US,
    SECOND_US,
    SITE,
    Linked,
    catalog,
    entity,
    linked,
    readings,
)

EVER = (0, 2**62)
EARLIEST_US = 946_684_800_000_000


class Failing(DuckDBSeriesStore):
    """A real store whose disk can be made to fail."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.well = asyncio.Event()
        self.well.set()
        self.refusals = 0
        self.refused_often = asyncio.Event()
        self.appends: list[int] = []

    async def append(self, batches: Sequence[ReadingBatch]) -> None:
        if not self.well.is_set():
            self.refusals += 1
            if self.refusals >= 4:  # the one before is known of by then
                self.refused_often.set()
            raise StoreUnavailableError("No space is left. Free some." if self.refusals < 3 else "It is read only.")
        self.appends.append(sum(map(len, batches)))
        await super().append(batches)


async def stored(series: SeriesStore, key: str = "a") -> list[tuple[int, float]]:
    found = await series.read(SITE, key, *EVER)
    return list(zip(found.ts_us.tolist(), found.value.tolist(), strict=True))


async def test_what_is_acknowledged_is_stored_and_claimed(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    seq = await client.number(readings([[0, NOON_US - SECOND_US, 1.5], [1, NOON_US - SECOND_US, None]]))
    await client.expect("ack", seq=seq, refused=[])
    assert await stored(home.series) == [(NOON_US - SECOND_US, 1.5)]
    assert home.ledger.live_spans(SITE) == [Span(NOON_US - MINUTE_US, NOON_US)]
    assert home.dirty.take() == {
        (SITE, key): [Span(NOON_US - SECOND_US, NOON_US - SECOND_US + 1)] for key in ("a", "b")
    }


async def test_the_catalog_is_stored_before_it_is_acknowledged(home: Linked) -> None:
    client = await home.connect()
    await client.greet(keys=("a", "b"))
    assert [site.id for site in await home.state.sites()] == [SITE]
    entities = await home.state.entities(SITE)
    assert [(one.key, one.kind, one.until_us) for one in entities] == [
        ("a", Kind.ENERGY, None),
        ("b", Kind.ENERGY, None),
    ]
    seq = await client.number(catalog("b", rev=2))
    await client.expect("ack", seq=seq)
    since_us = min(one.since_us for one in entities)
    left = {one.key: one.until_us for one in await home.state.entities(SITE)}
    assert left == {"a": since_us, "b": None}, "nothing that is claimed from now on is of who left"


async def test_who_leaves_before_anything_was_claimed_has_no_part_in_it(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    listened = [entity("c", since_us=NOON_US - 2 * MINUTE_US), entity("d", since_us=NOON_US)]
    await client.number({"type": "catalog", "rev": 2, "entities": listened})
    await client.number(catalog("d", rev=3))
    seq = await client.number(readings([], catalog=3))
    await client.expect("ack", seq=seq)
    (c,) = [one for one in await home.state.entities(SITE) if one.key == "c"]
    assert home.ledger.spans(SITE, c, 0, NOON_US) == []


async def test_who_leaves_the_catalog_left_where_live_coverage_ended(home: Linked) -> None:
    client = await home.connect()
    await client.greet(keys=("a", "b"))
    await client.number(readings([], span=(NOON_US - 2 * MINUTE_US, NOON_US - MINUTE_US)))
    seq = await client.number(catalog("b", rev=2))
    await client.expect("ack", seq=seq)
    assert {one.key: one.until_us for one in await home.state.entities(SITE)} == {"a": NOON_US - MINUTE_US, "b": None}


async def test_live_readings_are_published_and_others_are_not(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    row = [0, NOON_US - SECOND_US, 1.5]
    await client.number(readings([row, [9, NOON_US, 1]]))
    await client.number(readings([row], origin="recorder", of=[0], span=(NOON_US - HOUR_US, NOON_US - MINUTE_US)))
    seq = await client.number(readings([]))
    await client.expect("ack", seq=seq)
    await client.socket.close()
    assert [event for event in home.events if isinstance(event, ReadingsArrived)] == [
        ReadingsArrived(SITE, ["a"], [NOON_US - SECOND_US], [1.5])
    ]
    assert CatalogChanged(SITE) in home.events
    assert home.events[0] == LinkChanged(SITE, connected=True)


async def test_history_is_settled_by_statistics_or_a_reason(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    assert (await client.expect("request", kind="statistics"))["of"] == [0, 1, 2]
    assert home.links.status(SITE).importing == Importing(0, 3)
    span = (NOON_US - 24 * HOUR_US, NOON_US)
    row = [0, NOON_US - HOUR_US, None, None, None, 0.5, 12.5]
    await client.number({"type": "statistics", "catalog": 1, "level": "hour", "span": span, "of": [0], "rows": [row]})
    nothing = {"type": "nothing", "catalog": 1, "span": span, "reason": "no_statistics"}
    seq = await client.number(nothing | {"of": [1]})
    await client.expect("ack", seq=seq)
    found = await home.series.statistics(SITE, ["a"], Level.HOUR, Source.IMPORT, *EVER)
    assert (found.start_us.tolist(), found.change.tolist(), found.last.tolist()) == ([NOON_US - HOUR_US], [0.5], [12.5])
    assert found.covered_s.tolist() == [3600]
    assert StatisticsStored(SITE, NOON_US - HOUR_US, NOON_US) in home.events
    assert home.ledger.settled_hours(SITE, "a") == home.ledger.settled_hours(SITE, "b") == [Span(*span)]
    seq = await client.number(nothing | {"of": [1], "span": (EARLIEST_US, NOON_US)})
    await client.expect("ack", seq=seq)
    assert home.links.status(SITE).importing == Importing(1, 3)
    seq = await client.number(catalog("a", "b", "c", rev=2))
    await client.expect("ack", seq=seq)
    rest = await client.expect("request", kind="statistics", catalog=2)
    assert (rest["of"], rest["span"]) == ([0], [EARLIEST_US, span[0]]), "a slice is not all"
    request = await client.expect("request", kind="statistics", catalog=2)
    assert request["of"] == [2], "what is settled down to the beginning is not asked for again"
    assert "span" not in request
    seq = await client.number(nothing | {"of": "all", "catalog": 2, "span": (EARLIEST_US, NOON_US)})
    await client.expect("ack", seq=seq)
    seq = await client.number(catalog("a", "b", "c", rev=3))
    await client.expect("ack", seq=seq)
    assert home.links.status(SITE).importing is None


async def test_an_import_that_a_connection_did_not_outlast_goes_on_in_the_next(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    hours = {"type": "statistics", "catalog": 1, "level": "hour"}
    for slice_ in range(3):
        span = (NOON_US - (slice_ + 1) * 4 * HOUR_US, NOON_US - slice_ * 4 * HOUR_US)
        row = [span[0] + HOUR_US, None, None, None, 0.5, 12.5]
        seq = await client.number(hours | {"span": span, "of": [0], "rows": [[0, *row]]})
        if slice_ < 2:
            seq = await client.number(hours | {"span": span, "of": [1], "rows": [[1, *row]]})
    await client.expect("ack", seq=seq)
    await client.socket.close()
    again = await home.connect()
    await again.greet()
    left = [
        (request["of"], request.get("span"))
        for request in [await again.expect("request", kind="statistics") for _ in range(3)]
    ]
    assert left == [
        ([0], [EARLIEST_US, NOON_US - 12 * HOUR_US]),
        ([1], [EARLIEST_US, NOON_US - 8 * HOUR_US]),
        ([2], None),
    ], "a hole that Home Assistant has is settled, too"
    assert all(message["type"] != "gaps" for message in again.received), "the client begins once it saw the gaps"
    await again.expect("gaps")


async def test_exact_states_from_the_recorder_fill_a_gap(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    await client.number(readings([[0, NOON_US - MINUTE_US, 2.0]], span=(NOON_US - MINUTE_US, NOON_US)))
    rows = [[0, NOON_US - 30 * MINUTE_US, 1.0], [0, NOON_US - MINUTE_US, 99.0]]
    span = (NOON_US - HOUR_US, NOON_US - MINUTE_US)
    seq = await client.number(readings(rows, origin="recorder", of=[0], span=span))
    await client.expect("ack", seq=seq)
    assert await stored(home.series) == [(NOON_US - 30 * MINUTE_US, 1), (NOON_US - MINUTE_US, 2)]
    entities = {one.key: one for one in await home.state.entities(SITE)}
    assert len(home.ledger.spans(SITE, entities["a"], *EVER)) == 2
    assert len(home.ledger.spans(SITE, entities["b"], *EVER)) == 1
    origins = (await home.series.read(SITE, "a", *EVER)).origin.tolist()
    assert origins == [Origin.RECORDER, Origin.LIVE]


async def test_a_claim_of_the_future_counts_up_to_ten_minutes_ahead_only(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    seq = await client.number(readings([], span=(NOON_US, NOON_US + 5 * HOUR_US)))
    await client.expect("ack", seq=seq)
    (span,) = home.ledger.live_spans(SITE)
    assert span.since_us == NOON_US
    assert NOON_US + 10 * MINUTE_US <= span.until_us < NOON_US + 11 * MINUTE_US


async def test_coverage_that_shrinks_is_durable_before_the_ack(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    seq = await client.number(readings([], span=(NOON_US - HOUR_US, NOON_US)))
    await client.expect("ack", seq=seq)
    await home.ledger.flush()
    seq = await client.number(readings([], span=(NOON_US - 5 * MINUTE_US, NOON_US - 4 * MINUTE_US)))
    await client.expect("ack", seq=seq)
    durable = await home.state.coverage(home.series.store_id)
    assert [row.span for row in durable] == [Span(NOON_US - HOUR_US, NOON_US - 4 * MINUTE_US)]


async def test_batches_that_wait_are_written_in_one_step(tmp_path: Path) -> None:
    series = Failing(tmp_path / "series")
    async with linked(tmp_path, series=series, commit_interval_s=30.0) as home:
        client = await home.connect()
        await client.greet()
        first = await client.number(readings([[0, NOON_US - MINUTE_US, 1.0]]))
        await client.expect("ack", seq=first)
        assert series.appends == [1], "at once when the last commit is long ago"
        batch = [[0, NOON_US - SECOND_US + row, 1.0] for row in range(500)]
        for _ in range(8):
            last = await client.number(readings(batch))
        await client.expect("ack", seq=last)
        assert series.appends == [1, 4000], "else when enough rows wait"


async def test_only_live_readings_are_made_to_wait(tmp_path: Path) -> None:
    async with linked(tmp_path, commit_interval_s=30.0) as home:
        client = await home.connect()
        await client.greet()
        first = await client.number(readings([]))
        await client.expect("ack", seq=first)
        await client.number(readings([[0, NOON_US - SECOND_US, 1.0]]))
        last = await client.number(
            {"type": "nothing", "catalog": 1, "span": (0, NOON_US), "of": [0], "reason": "no_statistics"}
        )
        await client.expect("ack", seq=last)
        await client.number(readings([[0, NOON_US, 2.0]]))
        await client.send({"type": "goodbye"})
        await client.expect("ack", seq=last + 1)
        await client.expect_close()
        assert len(await stored(home.series)) == 2


async def test_a_store_that_fails_acknowledges_nothing_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energy_server.link.ingest.RETRY_S", 0.01)
    series = Failing(tmp_path / "series")
    async with linked(tmp_path, series=series) as home:
        client = await home.connect()
        await client.greet()
        series.well.clear()
        seq = await client.number(readings([[0, NOON_US - SECOND_US, 1.0]]))
        error = await client.expect("error", code="store_unavailable")
        assert error["message"] == "No space is left. Free some."
        status = home.links.status(SITE)
        assert status.error is not None
        assert status.error.code == "store_unavailable"
        async with asyncio.timeout(30):
            await series.refused_often.wait()
        assert home.ledger.live_spans(SITE) == []
        assert [message["type"] for message in client.received].count("error") == 1, "told once"
        status = home.links.status(SITE)
        assert status.error is not None
        assert status.error.message == "It is read only.", "what it fails with now"
        series.well.set()
        await client.expect("ack", seq=seq)
        assert await stored(home.series) == [(NOON_US - SECOND_US, 1)]
        assert home.links.status(SITE).error is None


class Choking(Failing):
    """A real store with a defect: it fails on some values, in a way that nobody expected."""

    async def append(self, batches: Sequence[ReadingBatch]) -> None:
        if any(value in (666, 667) for batch in batches for value in batch.values):
            raise ZeroDivisionError("of the test")
        await super().append(batches)


async def test_a_row_that_cannot_be_stored_is_refused_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with linked(tmp_path, series=Choking(tmp_path / "series")) as home:
        client = await home.connect()
        await client.greet()
        rows = [[0, NOON_US - (20 - at) * SECOND_US, float(at)] for at in range(20)]
        rows[3], rows[7][2], rows[12][2] = [9, NOON_US, 1], 666.0, 667.0
        seq = await client.number(readings(rows))
        answer = await client.expect("ack", seq=seq)
        assert [(one["row"], one["code"]) for one in answer["refused"]] == [
            (3, "bad_place"),
            (7, "not_stored"),
            (12, "not_stored"),
        ]
        assert len(await stored(home.series)) == 17
        assert home.ledger.live_spans(SITE) == [Span(NOON_US - MINUTE_US, NOON_US)]
        seq = await client.number(readings([[0, NOON_US, 1.0]], span=(NOON_US, NOON_US + SECOND_US)))
        await client.expect("ack", seq=seq, refused=[])
    assert len([record for record in caplog.records if record.exc_info]) == 1, "told once"


async def test_a_message_that_cannot_be_stored_at_all_claims_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energy_server.link.isolate.MOST_TRIES", 10)
    async with linked(tmp_path, series=Choking(tmp_path / "series")) as home:
        client = await home.connect()
        await client.greet()
        rows = [[0, NOON_US - at * SECOND_US, 666.0] for at in range(100)]
        seq = await client.number(readings(rows))
        assert len((await client.expect("ack", seq=seq))["refused"]) == 100
        assert home.ledger.live_spans(SITE) == [], "a Gap, which the recorder may fill"
        seq = await client.number(readings([[0, NOON_US, 1.0]], span=(NOON_US, NOON_US + SECOND_US)))
        await client.expect("ack", seq=seq, refused=[])


async def test_a_locked_state_acknowledges_nothing_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energy_server.link.ingest.RETRY_S", 0.01)
    monkeypatch.setattr("energy_server.store.sqlite.BUSY_TIMEOUT_S", 0.01)
    async with linked(tmp_path) as home:
        client = await home.connect()
        await client.greet()
        await home.state.close()
        other = SqliteStateStore(tmp_path / "state.sqlite")
        await other.open()
        seq = await client.number(readings([[0, NOON_US - SECOND_US, 1.0]]))
        await client.expect("error", code="store_unavailable")
        assert await stored(home.series) == [], "marked dirty before anything is written"
        await other.close()
        await home.state.open()
        await client.expect("ack", seq=seq)
        assert await stored(home.series) == [(NOON_US - SECOND_US, 1)]
