"""What every SeriesStore does: the contract of `store.port`."""

import asyncio

import numpy as np
import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.reading import LATEST_US, Origin, Reading, ReadingBatch
from energy_server.model.statistic import VALUE_COLUMNS, Level, Provenance, Source
from energy_server.store.port import SeriesStore
from tests.server.store.conftest import Opened
from tests.server.store.readings import (
    DAY_US,
    EVER,
    HOUR_US,
    NOON_US,
    SECOND_US,
    SITE,
    Row,
    batch,
    changes_of,
    resets_of,
    rows_of,
    statistics,
)

FIVE_US = 300 * SECOND_US
OTHERS = (Origin.RECORDER, Origin.IMPORT)


async def test_nothing_is_known_of_an_entity_that_was_never_heard(series_store: SeriesStore) -> None:
    assert rows_of(await series_store.read(SITE, "a", *EVER)) == []
    assert rows_of(await series_store.before(SITE, "a", NOON_US)) == []
    assert rows_of(await series_store.after(SITE, "a", NOON_US)) == []
    assert len((await series_store.reduce(SITE, "a", NOON_US, NOON_US + DAY_US, 100)).start_us) == 0
    assert await series_store.latest(SITE) == {}
    assert list(await series_store.losses()) == []
    assert changes_of(await series_store.statistics(SITE, ["a"], Level.HOUR, Source.ROLLUP, *EVER)) == []
    await series_store.append([])
    await series_store.append([ReadingBatch(SITE, Origin.LIVE)])


async def test_readings_come_back_exactly_and_in_order(series_store: SeriesStore) -> None:
    rows = [
        (NOON_US + 2, -0.0),
        (NOON_US - 40 * DAY_US, 1e-300),
        (NOON_US + 1, None),
        (NOON_US, 0.1 + 0.2),
        (NOON_US + 30 * DAY_US, 12345678901234.567),
    ]
    await series_store.append([batch("a", rows)])
    assert rows_of(await series_store.read(SITE, "a", *EVER)) == sorted(rows)


async def test_many_are_read_as_one_by_one(series_store: SeriesStore) -> None:
    november_us = 1_793_491_200_000_000
    rows: list[Row] = [(november_us + step, None if step == 2 else float(step)) for step in (3, -1, 0, 2, 1)]
    await series_store.append([batch("a", rows, reset_us=7), batch("b", rows[2:], Origin.RECORDER)])
    await series_store.append([batch("c", [(NOON_US, 1.0)]), batch("a", rows, site="another")])
    for span in (EVER, (november_us, november_us + 2), (november_us, november_us)):
        found = await series_store.read_many(SITE, ["b", "unknown", "c", "a"], *span)
        assert all(len(part) for part in found.values())
        for key in ("a", "b", "c", "unknown"):
            one = await series_store.read(SITE, key, *span)
            part = found.get(key)
            assert (rows_of(part) if part else []) == rows_of(one)
            assert (resets_of(part) if part else []) == resets_of(one)
            assert (part.origin.tolist() if part else []) == one.origin.tolist()
    assert await series_store.read_many(SITE, [], *EVER) == {}


async def test_a_span_is_half_open(series_store: SeriesStore) -> None:
    await series_store.append([batch("a", [(NOON_US + second, float(second)) for second in range(4)])])
    assert rows_of(await series_store.read(SITE, "a", NOON_US + 1, NOON_US + 3)) == [(NOON_US + 1, 1), (NOON_US + 2, 2)]
    assert rows_of(await series_store.read(SITE, "a", NOON_US + 3, NOON_US + 3)) == []
    assert rows_of(await series_store.read(SITE, "a", NOON_US + 3, NOON_US)) == []


async def test_months_meet_at_utc_midnight(series_store: SeriesStore) -> None:
    november_us = 1_793_491_200_000_000
    rows = [(november_us - 1, 1.0), (november_us, 2.0)]
    await series_store.append([batch("a", rows)])
    assert rows_of(await series_store.read(SITE, "a", *EVER)) == rows
    assert rows_of(await series_store.read(SITE, "a", november_us, november_us + 1)) == rows[1:]


async def test_last_reset_and_origin_are_kept(series_store: SeriesStore) -> None:
    await series_store.append(
        [
            batch("a", [(NOON_US, 1.0)], Origin.RECORDER, reset_us=NOON_US - HOUR_US),
            batch("a", [(NOON_US + 1, 2.0)], Origin.IMPORT, reset_us=0),
            batch("a", [(NOON_US + 2, 3.0)]),
        ]
    )
    found = await series_store.read(SITE, "a", *EVER)
    assert resets_of(found) == [NOON_US - HOUR_US, 0, None]
    assert found.origin.tolist() == [Origin.RECORDER, Origin.IMPORT, Origin.LIVE]


async def test_the_first_and_the_last_instant_that_is_kept(opened_series: Opened[SeriesStore]) -> None:
    store = opened_series.store
    rows: list[Row] = [(0, 1.0), (NOON_US, 2.0), (LATEST_US, 3.0)]
    hours = [("a", 0, 1.0), ("a", LATEST_US // HOUR_US * HOUR_US, 2.0)]
    await store.append([batch("a", rows, Origin.IMPORT)])
    await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics(hours))
    for _ in range(2):
        assert rows_of(await store.read(SITE, "a", *EVER)) == rows
        assert rows_of((await store.read_many(SITE, ["a"], *EVER))["a"]) == rows
        assert rows_of(await store.before(SITE, "a", EVER[1])) == rows[2:]
        assert rows_of(await store.before(SITE, "a", EVER[0])) == []
        assert rows_of(await store.after(SITE, "a", EVER[0])) == rows[:1]
        assert rows_of(await store.after(SITE, "a", EVER[1])) == []
        assert sum((await store.counts(SITE, ["a"], *EVER)).values()) == 3
        assert (await store.reduce(SITE, "a", *EVER, 2)).count.sum() == 3
        assert changes_of(await store.statistics(SITE, ["a"], Level.HOUR, Source.ROLLUP, *EVER)) == hours
        assert (await store.latest(SITE))["a"] == Reading("a", LATEST_US, 3.0)
        store = await opened_series.reopened()


async def test_who_asks_for_nobody_gets_nothing(series_store: SeriesStore) -> None:
    await series_store.append([batch("a", [(NOON_US, 1.0)])])
    await series_store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics([("a", NOON_US, 1.0)]))
    assert await series_store.read_many(SITE, [], *EVER) == {}
    assert await series_store.counts(SITE, [], *EVER) == {}
    assert changes_of(await series_store.statistics(SITE, [], Level.HOUR, Source.ROLLUP, *EVER)) == []


async def test_sites_and_keys_do_not_mix(series_store: SeriesStore) -> None:
    await series_store.append(
        [
            batch("a", [(NOON_US, 1.0)]),
            batch("b", [(NOON_US, 2.0)]),
            batch("a", [(NOON_US, 3.0)], site="another"),
            batch("x'; DROP TABLE series; --", [(NOON_US, 4.0)]),
        ]
    )
    assert rows_of(await series_store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]
    assert rows_of(await series_store.read(SITE, "b", *EVER)) == [(NOON_US, 2)]
    assert rows_of(await series_store.read("another", "a", *EVER)) == [(NOON_US, 3)]
    assert rows_of(await series_store.read(SITE, "x'; DROP TABLE series; --", *EVER)) == [(NOON_US, 4)]
    assert set(await series_store.latest("another")) == {"a"}


@pytest.mark.parametrize("origin", list(Origin))
async def test_the_same_again_changes_nothing(series_store: SeriesStore, origin: Origin) -> None:
    again = batch("a", [(NOON_US, 1.0), (NOON_US + 1, None)], origin, reset_us=5)
    await series_store.append([again])
    once = await series_store.read(SITE, "a", *EVER)
    await series_store.append([again, again])
    twice = await series_store.read(SITE, "a", *EVER)
    for column in ("ts_us", "value", "reset_us", "origin"):
        assert np.array_equal(getattr(once, column), getattr(twice, column), equal_nan=column == "value")
    assert (await series_store.info()).readings == 2


@pytest.mark.parametrize("stored", list(Origin))
async def test_live_replaces(series_store: SeriesStore, stored: Origin) -> None:
    await series_store.append([batch("a", [(NOON_US, 1.0), (NOON_US + 1, 5.0)], stored, reset_us=7)])
    await series_store.append([batch("a", [(NOON_US, None)], Origin.LIVE)])
    found = await series_store.read(SITE, "a", *EVER)
    assert rows_of(found) == [(NOON_US, None), (NOON_US + 1, 5)]
    assert resets_of(found) == [None, 7]
    assert found.origin[0] == Origin.LIVE


@pytest.mark.parametrize("stored", list(Origin))
@pytest.mark.parametrize("late", OTHERS)
async def test_no_other_origin_replaces(series_store: SeriesStore, stored: Origin, late: Origin) -> None:
    await series_store.append([batch("a", [(NOON_US, 1.0)], stored)])
    await series_store.append([batch("a", [(NOON_US, 2.0), (NOON_US - 1, 0.5)], late)])
    assert rows_of(await series_store.read(SITE, "a", *EVER)) == [(NOON_US - 1, 0.5), (NOON_US, 1)]
    assert (await series_store.latest(SITE))["a"] == Reading("a", NOON_US, 1.0)


@pytest.mark.parametrize("order", [(Origin.LIVE, Origin.RECORDER), (Origin.RECORDER, Origin.LIVE)])
async def test_live_wins_inside_one_append_too(series_store: SeriesStore, order: tuple[Origin, Origin]) -> None:
    values = {Origin.LIVE: 1.0, Origin.RECORDER: 2.0}
    await series_store.append([batch("a", [(NOON_US, values[origin])], origin) for origin in order])
    assert rows_of(await series_store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]


async def test_the_newer_of_two_live_values_counts(series_store: SeriesStore) -> None:
    await series_store.append([batch("a", [(NOON_US, 1.0), (NOON_US, 2.0)])])
    assert rows_of(await series_store.read(SITE, "a", *EVER)) == [(NOON_US, 2)]
    assert (await series_store.latest(SITE))["a"].value == 2


async def test_neighbours_of_an_instant(series_store: SeriesStore) -> None:
    await series_store.append(
        [batch("a", [(NOON_US - 50 * DAY_US, 1.0), (NOON_US, 2.0), (NOON_US + 45 * DAY_US, 3.0)])]
    )
    assert rows_of(await series_store.before(SITE, "a", NOON_US)) == [(NOON_US - 50 * DAY_US, 1)]
    assert rows_of(await series_store.before(SITE, "a", NOON_US + 1)) == [(NOON_US, 2)]
    assert rows_of(await series_store.before(SITE, "a", NOON_US + 90 * DAY_US)) == [(NOON_US + 45 * DAY_US, 3)]
    assert rows_of(await series_store.before(SITE, "a", NOON_US - 50 * DAY_US)) == []
    assert rows_of(await series_store.after(SITE, "a", NOON_US)) == [(NOON_US, 2)]
    assert rows_of(await series_store.after(SITE, "a", NOON_US + 1)) == [(NOON_US + 45 * DAY_US, 3)]
    assert rows_of(await series_store.after(SITE, "a", 0)) == [(NOON_US - 50 * DAY_US, 1)]
    assert rows_of(await series_store.after(SITE, "a", NOON_US + 46 * DAY_US)) == []


async def test_neighbours_beyond_an_unavailability(series_store: SeriesStore) -> None:
    null = [(NOON_US + hour * HOUR_US, None) for hour in range(1, 4)]
    rows = [(NOON_US, 1.0), *null, (NOON_US + 4 * HOUR_US, 5.0)]
    await series_store.append([batch("a", rows)])
    last_null, first_null = (NOON_US + 3 * HOUR_US, None), (NOON_US + HOUR_US, None)
    assert rows_of(await series_store.before(SITE, "a", NOON_US + 4 * HOUR_US)) == [(NOON_US, 1), last_null]
    assert rows_of(await series_store.after(SITE, "a", NOON_US + 1)) == [first_null, (NOON_US + 4 * HOUR_US, 5)]
    await series_store.append([batch("b", null)])
    assert rows_of(await series_store.before(SITE, "b", NOON_US + DAY_US)) == [last_null]
    assert rows_of(await series_store.after(SITE, "b", 0)) == [first_null]


async def test_buckets_keep_the_extremes(series_store: SeriesStore) -> None:
    rows = [(NOON_US + minute * 60 * SECOND_US, float(minute % 7)) for minute in range(120)]
    spike = (NOON_US + 61 * SECOND_US, 1e6)
    await series_store.append([batch("a", [*rows, spike, (NOON_US + 62 * SECOND_US, None)])])
    found = await series_store.reduce(SITE, "a", NOON_US, NOON_US + 4 * HOUR_US, 8)
    assert found.bucket_us == HOUR_US // 2
    assert found.start_us.tolist() == [NOON_US + half * HOUR_US // 2 for half in range(4)], "empty ones are left out"
    assert found.maximum.tolist() == [1e6, 6, 6, 6]
    assert found.minimum.tolist() == [0, 0, 0, 0]
    assert found.count.tolist() == [31, 30, 30, 30]
    assert found.mean[1] == pytest.approx(sum(value for _, value in rows[30:60]) / 30)


@pytest.mark.parametrize(("span_us", "buckets"), [(1, 1000), (999, 1000), (1001, 1000), (HOUR_US + 1, 7)])
async def test_there_are_never_more_buckets_than_asked_for(
    series_store: SeriesStore, span_us: int, buckets: int
) -> None:
    await series_store.append(
        [batch("a", [(NOON_US + step, 1.0) for step in range(0, span_us, max(1, span_us // 900))])]
    )
    found = await series_store.reduce(SITE, "a", NOON_US, NOON_US + span_us, buckets)
    assert 1 <= len(found.start_us) <= buckets
    assert found.bucket_us * buckets >= span_us


async def test_readings_are_counted_by_utc_hours(series_store: SeriesStore) -> None:
    november_us = 1_793_491_200_000_000
    rows: list[Row] = [
        (november_us - 1, 1.0),
        (november_us, None),
        (november_us + 1, 2.0),
        (november_us + HOUR_US, 3.0),
    ]
    await series_store.append([batch("a", rows), batch("b", rows[1:2], Origin.RECORDER)])
    await series_store.append([batch("a", rows), batch("a", rows, site="another"), batch("c", rows)])
    everything = {
        ("a", november_us - HOUR_US): 1,
        ("a", november_us): 2,
        ("a", november_us + HOUR_US): 1,
        ("b", november_us): 1,
    }
    assert await series_store.counts(SITE, ["b", "unknown", "a"], *EVER) == everything
    assert await series_store.counts(SITE, ["a"], november_us + 1, november_us + HOUR_US) == {("a", november_us): 1}
    assert await series_store.counts(SITE, ["unknown"], *EVER) == {}
    assert await series_store.counts(SITE, [], *EVER) == {}
    assert await series_store.counts(SITE, ["a"], november_us, november_us) == {}


async def test_upkeep_ends_and_changes_no_answer(opened_series: Opened[SeriesStore]) -> None:
    store = opened_series.store
    await store.append([batch("a", [(NOON_US + step * HOUR_US, float(step)) for step in range(-900, 900)])])
    await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics([("a", NOON_US, 1.0)]))
    before = rows_of(await store.read(SITE, "a", *EVER))
    async with asyncio.timeout(60):
        while await store.upkeep() is not None:
            assert rows_of(await store.read(SITE, "a", *EVER)) == before
    assert changes_of(await store.statistics(SITE, ["a"], Level.HOUR, Source.ROLLUP, *EVER)) == [("a", NOON_US, 1)]
    assert rows_of(await (await opened_series.reopened()).read(SITE, "a", *EVER)) == before


async def test_rest_changes_no_answer_and_disturbs_nobody(series_store: SeriesStore) -> None:
    written = [(NOON_US + step, float(step)) for step in range(2_000)]
    await series_store.append([batch("a", written[:1_000])])
    await asyncio.gather(
        *(series_store.rest() for _ in range(5)),
        series_store.append([batch("a", written[1_000:])]),
        *(series_store.read(SITE, "a", *EVER) for _ in range(5)),
    )
    await series_store.rest()
    assert rows_of(await series_store.read(SITE, "a", *EVER)) == written


async def test_latest_is_the_newest_by_time_not_by_arrival(opened_series: Opened[SeriesStore]) -> None:
    store = opened_series.store
    await store.append([batch("a", [(NOON_US, 1.0)]), batch("b", [(NOON_US - 40 * DAY_US, 2.0)])])
    await store.append([batch("a", [(NOON_US - HOUR_US, 9.0)], Origin.RECORDER)])
    await store.append([batch("c", [(NOON_US - DAY_US, 3.0), (NOON_US + 1, None)])])
    expected = {
        "a": Reading("a", NOON_US, 1.0),
        "b": Reading("b", NOON_US - 40 * DAY_US, 2.0),
        "c": Reading("c", NOON_US + 1, None),
    }
    assert await store.latest(SITE) == expected
    assert await (await opened_series.reopened()).latest(SITE) == expected


async def test_statistics_are_replaced_by_what_comes_later(series_store: SeriesStore) -> None:
    await series_store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics([("a", NOON_US, 1.0)]))
    await series_store.put_statistics(
        SITE, Level.HOUR, Source.ROLLUP, statistics([("a", NOON_US, 2.0)], provenance=Provenance.INTERPOLATED)
    )
    found = await series_store.statistics(SITE, ["a"], Level.HOUR, Source.ROLLUP, *EVER)
    assert changes_of(found) == [("a", NOON_US, 2)]
    assert [float(getattr(found, name)[0]) for name in VALUE_COLUMNS] == [3, 4, 5, 2, 6, 300]
    assert found.provenance.tolist() == [Provenance.INTERPOLATED]
    assert (await series_store.info()).statistics == 1


async def test_levels_sources_and_sites_of_statistics_do_not_mix(series_store: SeriesStore) -> None:
    kinds = [(site, level, source) for site in (SITE, "another") for level in Level for source in Source]
    for value, (site, level, source) in enumerate(kinds):
        await series_store.put_statistics(site, level, source, statistics([("a", NOON_US, float(value))]))
    for value, (site, level, source) in enumerate(kinds):
        assert changes_of(await series_store.statistics(site, ["a"], level, source, *EVER)) == [("a", NOON_US, value)]


async def test_statistics_come_in_the_order_of_the_keys_asked_for(series_store: SeriesStore) -> None:
    new_year_us = 1_798_761_600_000_000
    starts = [new_year_us + step * FIVE_US for step in (1, -2, 0, 3, -1)]
    rows = [(key, start, float(start - new_year_us)) for start in starts for key in ("b", "a", "c")]
    await series_store.put_statistics(SITE, Level.FIVE_MINUTES, Source.ROLLUP, statistics(rows))
    found = await series_store.statistics(
        SITE, ["c", "unknown", "a"], Level.FIVE_MINUTES, Source.ROLLUP, new_year_us - FIVE_US, new_year_us + 3 * FIVE_US
    )
    expected = [(key, new_year_us + step * FIVE_US, step * FIVE_US) for key in ("c", "a") for step in (-1, 0, 1)]
    assert changes_of(found) == expected
    assert found.keys == ["c", "unknown", "a"]


async def test_only_the_columns_asked_for_are_read(series_store: SeriesStore) -> None:
    await series_store.put_statistics(SITE, Level.HOUR, Source.IMPORT, statistics([("a", NOON_US, 1.0)]))
    found = await series_store.statistics(SITE, ["a"], Level.HOUR, Source.IMPORT, *EVER, ["change"])
    assert found.change.tolist() == [1]
    assert all(np.isnan(getattr(found, name)).all() for name in VALUE_COLUMNS if name != "change")


async def test_unknown_values_of_statistics_stay_unknown(series_store: SeriesStore) -> None:
    await series_store.put_statistics(SITE, Level.HOUR, Source.IMPORT, statistics([("a", NOON_US, None)]))
    assert changes_of(await series_store.statistics(SITE, ["a"], Level.HOUR, Source.IMPORT, *EVER)) == [
        ("a", NOON_US, None)
    ]


async def test_everything_is_there_after_opening_again(opened_series: Opened[SeriesStore]) -> None:
    store = opened_series.store
    store_id = store.store_id
    await store.append([batch("a", [(NOON_US, 1.0), (NOON_US - 40 * DAY_US, None)], reset_us=3)])
    await store.put_statistics(SITE, Level.HOUR, Source.ROLLUP, statistics([("a", NOON_US, 1.0)]))
    again = await opened_series.reopened()
    assert again.store_id == store_id
    assert rows_of(await again.read(SITE, "a", *EVER)) == [(NOON_US - 40 * DAY_US, None), (NOON_US, 1)]
    assert changes_of(await again.statistics(SITE, ["a"], Level.HOUR, Source.ROLLUP, *EVER)) == [("a", NOON_US, 1)]
    await again.append([batch("a", [(NOON_US, 2.0)])])
    assert rows_of(await again.read(SITE, "a", NOON_US, NOON_US + 1)) == [(NOON_US, 2)]


async def test_a_store_tells_how_it_is(series_store: SeriesStore) -> None:
    info = await series_store.info()
    assert (info.well, info.readings, info.statistics, info.lag_rows) == (True, 0, 0, 0)
    assert info.detail is None or "power cut" in info.detail
    assert info.last_write_us is None
    await series_store.append([batch("a", [(NOON_US, 1.0), (NOON_US + 1, 1.0)])])
    assert len(await series_store.read(SITE, "a", *EVER)) == 2  # then they show, and are counted
    info = await series_store.info()
    assert info.readings == 2
    assert info.last_write_us is not None
    assert info.size_bytes > 0
    assert info.free_bytes is None or info.free_bytes > 0


async def test_a_closed_store_is_unavailable(series_store: SeriesStore) -> None:
    await series_store.append([batch("a", [(NOON_US, 1.0)])])
    await series_store.close()
    with pytest.raises(StoreUnavailableError):
        await series_store.append([batch("a", [(NOON_US, 1.0)])])
    with pytest.raises(StoreUnavailableError):
        await series_store.read(SITE, "a", *EVER)
    info = await series_store.info()
    assert (info.well, info.detail) == (False, "The store is closed.")
    await series_store.open()
    assert rows_of(await series_store.read(SITE, "a", *EVER)) == [(NOON_US, 1)]


async def test_reading_goes_on_beside_writing(series_store: SeriesStore) -> None:
    async def write() -> None:
        for second in range(40):
            await series_store.append([batch("a", [(NOON_US + second, float(second))])])

    async def read() -> None:
        seen = 0
        while seen < 40:
            rows = rows_of(await series_store.read(SITE, "a", *EVER))
            assert [value for _, value in rows] == list(range(len(rows)))
            assert len(rows) >= seen
            seen = len(rows)

    async with asyncio.timeout(60):
        await asyncio.gather(write(), read())
