"""How the server answers on the reference year: over HTTP, from a real process.

In:   the reference year, built when it is not there.
Out:  ms per answer (request sent to last byte read, one connection), MB of resident memory, seconds to ready, bytes on
      disk.

After a start the server strikes the energy of the last years ahead, in pieces. What is asked first is measured twice:
at once, when nothing is struck, and when the server is quiet, as are all other answers and its idle memory.
"""

import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from tests.bench.figures import Samples
from tests.bench.reference_year.build import YEARS_IMPORTED, Reference, reference_year
from tests.bench.reference_year.devices import many_devices
from tests.bench.reference_year.entities import SITE
from tests.bench.reference_year.signals import DAY_US
from tests.bench.say import say
from tests.bench.server import Server, serving

REPEATS = 25
STARTS = 5
RAW_DAYS = 30
RAW_INTERVAL_S = 20
POINTS = "1000"
HALF_HOUR_ZONE = "Asia/Kolkata"


class WrongAnswerError(RuntimeError):
    """The server did not answer what a measure is about."""


@dataclass(frozen=True, slots=True)
class Query:
    """One request; `path` within `answer` must hold at least `least` values, so that no empty answer is fast."""

    path: str
    parameters: Mapping[str, str]
    column: str
    least: int


def days(reference: Reference, rng: random.Random, count: int, length_days: int) -> list[tuple[str, str]]:
    """Return spans of that many days, spread over the year, as the API takes them."""
    last = (reference.end_us - reference.start_us) // DAY_US - length_days
    starts = [reference.start_us + rng.randrange(last + 1) * DAY_US for _ in range(count)]
    return [(str(start), str(start + length_days * DAY_US)) for start in starts]


def by_days(reference: Reference, repeats: int) -> list[Query]:
    """Return requests for the year by days, each a day shorter than the one before."""
    home = {"site": SITE.id, "zone": SITE.time_zone, "resolution": "day", "end": str(reference.end_us)}
    year = len(range(reference.start_us, reference.end_us, DAY_US))
    starts = [reference.start_us + shift * DAY_US for shift in range(repeats)]
    return [Query("/api/energy", {**home, "start": str(start)}, "edges_us", year - repeats) for start in starts]


def by_months(reference: Reference, zone: str) -> list[Query]:
    """Return requests for six years by the months of a zone, each a day shorter than the one before."""
    home = {"site": SITE.id, "zone": zone, "resolution": "month", "end": str(reference.end_us)}
    first_us = reference.start_us - YEARS_IMPORTED * 365 * DAY_US
    starts = [first_us + shift * DAY_US for shift in range(REPEATS)]
    return [Query("/api/energy", {**home, "start": str(start)}, "edges_us", 12 * YEARS_IMPORTED) for start in starts]


def queries(reference: Reference) -> Mapping[str, Sequence[Query]]:
    """Return the requests of each measure."""
    rng = random.Random(20261121)  # noqa: S311 which days are asked for
    home = {"site": SITE.id, "zone": SITE.time_zone}
    raw_keys = [one.entity.key for one in reference.signals if one.interval_s == RAW_INTERVAL_S]
    return {
        "year_day": [
            Query("/api/energy", {**home, "resolution": "5min", "start": start, "end": end}, "edges_us", 289)
            for start, end in days(reference, rng, REPEATS, 1)
        ],
        "year_year": by_days(reference, REPEATS),
        "year_months": by_months(reference, SITE.time_zone),
        "year_half_hour": by_months(reference, HALF_HOUR_ZONE),
        "year_raw": [
            Query(
                "/api/readings",
                {"key": rng.choice(raw_keys), "points": POINTS, "start": start, "end": end},
                "bucket_start_us",
                900,
            )
            for start, end in days(reference, rng, REPEATS, RAW_DAYS)
        ],
    }


async def ask(session: aiohttp.ClientSession, server: Server, query: Query) -> float:
    """Return how long the answer took, in ms."""
    started_s = time.perf_counter()
    async with session.get(f"{server.url}{query.path}", params=query.parameters, headers=server.headers) as answer:
        await answer.read()
        took_s = time.perf_counter() - started_s
        document = await answer.json()
    if answer.status != 200 or len(document[query.column]) < query.least:
        raise WrongAnswerError(f"{query}: {answer.status} {str(document)[:300]}")
    return took_s * 1e3


async def first(reference: Reference, server: Server) -> Samples:
    """Measure the first request after a start, at once."""
    async with aiohttp.ClientSession() as session:
        return Samples([await ask(session, server, by_days(reference, 1)[0])])


async def answers(reference: Reference, server: Server) -> dict[str, Samples]:
    """Measure the queries, the kinds taking turns, and the memory before and after."""
    took_ms: dict[str, list[float]] = {name: [] for name in queries(reference)}
    idle_mb = [server.memory_mb()]
    await server.quiet()
    idle_mb.append(server.memory_mb())
    async with aiohttp.ClientSession() as session:
        for turn in zip(*queries(reference).values(), strict=True):
            for name, query in zip(took_ms, turn, strict=True):
                took_ms[name].append(await ask(session, server, query))
    for name, samples in took_ms.items():
        say(f"{name}: median {statistics.median(samples):.1f} ms, worst {max(samples):.1f}, first {samples[0]:.1f}")
    measured = {name: Samples(samples) for name, samples in took_ms.items()}
    worst = {f"{name}_worst": Samples(samples[1:]) for name, samples in took_ms.items()}
    ahead = {f"{name}_ahead": Samples(samples[:1]) for name, samples in took_ms.items()}
    memory = {"year_idle": Samples(idle_mb), "year_busy": Samples([server.memory_mb()])}
    return {**measured, **worst, **ahead, **memory}


async def devices(reference: Reference) -> dict[str, Samples]:
    """Measure the year by days of a home with 40 devices, and the memory that it takes."""
    async with many_devices(reference) as data_path, serving(data_path) as server:
        await server.quiet()
        async with aiohttp.ClientSession() as session:
            took_ms = [await ask(session, server, query) for query in by_days(reference, REPEATS)]
        say(f"40 devices: median {statistics.median(took_ms):.1f} ms, worst {max(took_ms):.1f}, first {took_ms[0]:.1f}")
        return {
            "year_devices": Samples(took_ms),
            "year_devices_worst": Samples(took_ms[1:]),
            "year_devices_busy": Samples([server.memory_mb()]),
        }


async def run() -> Mapping[str, Samples]:
    """Measure."""
    reference = await reference_year()
    ready_s = []
    first_ms: list[float] = []
    for _ in range(STARTS):
        async with serving(reference.data_path) as server:
            ready_s.append(server.ready_s)
            first_ms += (await first(reference, server)).values
    say(f"ready after {statistics.median(ready_s):.2f} s, first answer at once {statistics.median(first_ms):.0f} ms")
    async with serving(reference.data_path) as server:
        answered = await answers(reference, server)
    return {
        **answered,
        **await devices(reference),
        "year_first": Samples(first_ms),
        "year_start": Samples(ready_s),
        "year_bytes": Samples([reference.readings_bytes / reference.readings]),
    }
