"""What is measured and what it must reach: the one place that knows all benches and their bounds."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench import events, ingest, javascript, paint, reconcile, screen, stores, year
from tests.bench.figures import Limit, Measure, Samples, Statistic

type Run = Callable[[], Awaitable[Mapping[str, Samples]]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A run that gives the samples of its measures, by their names."""

    name: str
    run: Run
    measures: Sequence[Measure]


def _of_pair(pair: str, text: str, *, bulk_bound: float, raw_bound_ms: float) -> tuple[Measure, ...]:
    """Return what is measured of a pair of stores, beside the other one."""

    def measure(kind: str, what: str, unit: str, limit: Limit | None = None, bound: float = math.nan) -> Measure:
        return Measure(f"stores_{pair}_{kind}", f"{text}: {what}", unit, limit, bound)

    bulk = None if math.isnan(bulk_bound) else Limit.ABOVE
    return (
        measure("live", "durable ingest, 500-row batches", "readings/s", Limit.ABOVE, 50_000),
        measure("bulk", "backfill, 5,000-row batches", "readings/s", bulk, bulk_bound),
        measure("readings", "readings of the year below; 97 are all, see ENERGY_BENCH_SHARE", "M"),
        measure("year_day", "a day by 5 minutes, 12 meters", "ms"),
        measure("year_year", "a year by days, 12 meters", "ms", Limit.BELOW, 50),
        measure("year_first", "  the first time, at once after a start", "ms"),
        measure("year_year_ahead", "  the first time, once the server is quiet", "ms", Limit.BELOW, 50),
        measure("year_raw", "30 d of raw to 1,000 points", "ms", Limit.BELOW, raw_bound_ms),
        measure("bytes", "disk per reading", "bytes"),
        measure("year_idle", "server memory, idle", "MB"),
        measure("year_busy", "server memory, after these queries", "MB"),
    )


BENCHES = (
    Bench(
        "events",
        events.run,
        (
            Measure("loop_energy", "HA's event loop, per energy event", "us", Limit.BELOW, 10),
            Measure("loop_energy_small", "  the same in batches of 10, as at 100 events/s", "us"),
            Measure("loop_other", "HA's event loop, per other state change, above no listener", "us", Limit.BELOW, 0.3),
            Measure(
                "cpu_energy",
                "CPU of all threads per energy event, against HA's influxdb",
                "us",
                Limit.AT_MOST,
                0.5,
                judge_ratio=True,
            ),
            Measure("cpu_energy_small", "  the same in batches of 10", "us"),
        ),
    ),
    Bench(
        "ingest",
        ingest.run,
        (Measure("ingest", "durable ingest through the link, 500-row batches", "readings/s", Limit.ABOVE, 50_000),),
    ),
    Bench(
        "screen",
        screen.run,
        (
            Measure("screen_p50", "event in HA to the number on the page, 100 events/s", "ms"),
            Measure("screen_p99", "  99th percentile", "ms", Limit.BELOW, 300, Statistic.P99),
        ),
    ),
    Bench(
        "year",
        year.run,
        (
            Measure("year_day", "reference year: a day by 5 minutes, 12 meters", "ms", Limit.BELOW, 50),
            Measure("year_day_worst", "  worst", "ms", Limit.BELOW, 50, Statistic.WORST),
            Measure("year_year", "reference year: a year by days, 12 meters", "ms", Limit.BELOW, 50),
            Measure("year_year_worst", "  worst", "ms", Limit.BELOW, 50, Statistic.WORST),
            Measure("year_year_ahead", "  first of all, once the server is quiet", "ms", Limit.BELOW, 50),
            Measure("year_first", "  first of all, at once after a start", "ms"),
            Measure("year_months", "reference year: six years by months, 12 meters", "ms", Limit.BELOW, 50),
            Measure("year_months_worst", "  worst", "ms", Limit.BELOW, 50, Statistic.WORST),
            Measure("year_months_ahead", "  first of all, once the server is quiet", "ms", Limit.BELOW, 50),
            Measure("year_half_hour", "  by the months of Asia/Kolkata", "ms", Limit.BELOW, 50),
            Measure("year_half_hour_worst", "  worst", "ms", Limit.BELOW, 50, Statistic.WORST),
            Measure("year_devices", "reference year: a year by days, 40 devices", "ms", Limit.BELOW, 50),
            Measure("year_devices_worst", "  worst", "ms", Limit.BELOW, 50, Statistic.WORST),
            Measure("year_devices_busy", "  server memory after these", "MB", Limit.BELOW, 200),
            Measure("year_raw", "reference year: 30 d of raw to 1,000 points", "ms", Limit.BELOW, 50),
            Measure("year_raw_worst", "  worst", "ms", statistic=Statistic.WORST),
            Measure("year_idle", "reference year: server memory, idle", "MB", Limit.BELOW, 150, Statistic.WORST),
            Measure("year_busy", "reference year: after these queries", "MB", Limit.BELOW, 200, Statistic.WORST),
            Measure("year_start", "reference year: cold start to ready", "s", Limit.BELOW, 2),
            Measure("year_bytes", "reference year: disk per reading, sorted", "bytes", Limit.BELOW, 6),
        ),
    ),
    Bench(
        "reconcile",
        reconcile.run,
        (
            Measure("install_usable", "first install: the newest months of all entities", "s", Limit.BELOW, 10),
            Measure("install_statistics", "  5 years of hourly statistics of 100 entities", "s", Limit.BELOW, 60),
            Measure("install_raw", "  10 days of raw of 100 entities at 30 s", "min", Limit.BELOW, 10),
            Measure("install_blocked", "  the longest that HA's event loop waited, HA's own pauses included", "ms"),
            Measure("outage_wrong", "24 h of outage at 20 events/s: missing, different, twice", "", Limit.AT_MOST, 0),
            Measure("outage_rate", "  recovered at", "readings/s", Limit.ABOVE, 20_000),
            Measure("outage_blocked", "  the longest that HA's event loop waited", "ms", Limit.BELOW, 50),
            Measure("outage_held", "  the longest that the recorder's executor was held", "ms", Limit.BELOW, 100),
            Measure("audit_day", "audit of 24 h at 20 events/s, to its line in the log", "s", Limit.BELOW, 10),
            Measure("audit_held", "  the longest that the recorder's executor was held", "ms", Limit.BELOW, 100),
        ),
    ),
    Bench(
        "paint",
        paint.run,
        (
            Measure("paint_step", "click to painted, phone at a quarter of the CPU: a step", "ms", Limit.BELOW, 150),
            Measure("paint_kind", "  another kind of period", "ms", Limit.BELOW, 150),
            Measure("paint_first", "first paint, cold cache, same phone", "s", Limit.BELOW, 1),
            Measure("paint_chart", "  first chart", "s", Limit.BELOW, 2),
        ),
    ),
    Bench(
        "stores",
        stores.run,
        (
            *_of_pair("embedded", "embedded", bulk_bound=math.nan, raw_bound_ms=50),
            *_of_pair("questdb", "QuestDB + MongoDB", bulk_bound=100_000, raw_bound_ms=80),
            Measure("stores_questdb_questdb", "QuestDB's own memory, after these queries", "MB"),
            Measure("stores_questdb_questdb_mapped", "  with its files' pages, which are the machine's to free", "MB"),
            Measure("stores_questdb_mongodb", "MongoDB's own memory, after these queries", "MB"),
            Measure("stores_questdb_mongodb_mapped", "  with its program's pages", "MB"),
        ),
    ),
    Bench(
        "javascript",
        javascript.run,
        (Measure("javascript", "dashboard's JavaScript before charts, gzipped", "kB", Limit.BELOW, 250),),
    ),
)
