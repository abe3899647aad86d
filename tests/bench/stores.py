"""The two pairs of stores side by side: what they take, how fast they answer, what they cost.

In:   nothing; ENERGY_BENCH_SHARE, from 0 to 1, is the part of the reference year's Entities that are no meters of the
      home. Without it a tenth of them, 19 M readings, which QuestDB takes in within 8 minutes on a busy machine of
      two cores; with 1 all, 97 M readings.
Out:  for each pair: readings per second through the link, live and as a backfill, on stores that are empty at first; ms
      per answer on the reference year; bytes per reading on disk; memory of the server and of its databases.

QuestDB waits for the disk at each commit, as the embedded store does; both databases are configured as for a machine of
4 GB. The reference year of each pair is kept in the cache folder.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from pydantic import SecretStr

from dev.servers import MongoDB, QuestDB, Running, start
from energy_server.store.duckdb import DuckDBSeriesStore
from energy_server.store.mongodb import MongoStateStore
from energy_server.store.port import SeriesStore, StateStore
from energy_server.store.questdb import QuestDBAddress, QuestDBSeriesStore
from energy_server.store.sqlite import SqliteStateStore
from tests.bench import year
from tests.bench.child import ask
from tests.bench.figures import Samples
from tests.bench.ingest import NotStoredError, count
from tests.bench.reference_year.build import END_US, START_US, Reference
from tests.bench.reference_year.entities import Signal
from tests.bench.reference_year.pairs import Done, fill, readings_of, share
from tests.bench.say import say
from tests.bench.server import TOKEN, Server, free_port, serving

PAIRS = ("embedded", "questdb")
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "reference-pairs"
SHARE = "0.1"
REPEATS = 3
LIVE = ("1000", "500", "live")
BULK = ("100", "5000", "recorder")
"""Batches, rows of each, origin."""
QUESTDB_SETTINGS = {"QDB_CAIRO_COMMIT_MODE": "sync", "QDB_QUERY_TIMEOUT": "60s"}
FILLING_MEMORY_MB = 512


@dataclass(slots=True)
class Pair:
    """A pair of stores with its databases running, and the settings that lead a server to it."""

    name: str
    data_path: Path
    settings: dict[str, str] = field(default_factory=dict)
    databases: dict[str, Running] = field(default_factory=dict)

    def stores(self) -> tuple[SeriesStore, StateStore]:
        """Return the stores, not open yet."""
        if self.name == "embedded":
            series = DuckDBSeriesStore(self.data_path / "series", memory_limit_mb=FILLING_MEMORY_MB)
            return series, SqliteStateStore(self.data_path / "state.sqlite")
        address = QuestDBAddress.of(self.settings["questdb_url"], self.settings["questdb_pg_url"])
        return QuestDBSeriesStore(address), MongoStateStore(SecretStr(self.settings["mongodb_url"]))

    def memory_mb(self) -> dict[str, Samples]:
        """Return the memory of each database, in MB of 1,000,000 bytes: its own, and with the pages of mapped files."""
        used = {
            name.lower(): psutil.Process(running.process.pid).memory_info() for name, running in self.databases.items()
        }
        own = {name: Samples([(memory.rss - memory.shared) / 1e6]) for name, memory in used.items()}
        return own | {f"{name}_mapped": Samples([memory.rss / 1e6]) for name, memory in used.items()}

    def readings_bytes(self) -> int:
        """Return what readings take on disk, their indexes included."""
        if self.name == "embedded":
            return _size(self.data_path / "series" / "readings")
        tables = (self.data_path.parent / "questdb" / "data" / "db").glob("energy_readings~*")
        return sum(map(_size, tables))


def _size(folder: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


@asynccontextmanager
async def running(name: str, folder: Path) -> AsyncIterator[Pair]:
    """Run what the pair needs, on the folder."""
    pair = Pair(name, folder / "data", {"storage": name})
    async with AsyncExitStack() as stack:
        if name == "questdb":
            questdb = QuestDB(folder / "questdb", free_port(), free_port(), QUESTDB_SETTINGS)
            mongodb = MongoDB(folder / "mongodb", free_port())
            for server in (questdb, mongodb):
                database = await start(server)
                stack.push_async_callback(database.stop)
                pair.databases[server.name] = database
            pair.settings |= {"questdb_url": questdb.url, "questdb_pg_url": questdb.pg_url}
            pair.settings["mongodb_url"] = f"{mongodb.url}energy"
        yield pair


async def taken(name: str) -> dict[str, Samples]:
    """Measure how many readings a second a pair acknowledges, each time on stores that are empty at first."""
    rates: dict[str, list[float]] = {"live": [], "bulk": []}
    for kind, load in {"live": LIVE, "bulk": BULK}.items():
        for _ in range(REPEATS):
            with tempfile.TemporaryDirectory(prefix="energy-bench-") as folder:
                async with running(name, Path(folder)) as pair, serving(pair.data_path, **pair.settings) as server:
                    rates[kind].append(await _rate(server, kind, load))
            say(f"{name} {kind}: {rates[kind][-1]:,.0f}/s, load average {os.getloadavg()[0]:.1f}")
    return {kind: Samples(samples) for kind, samples in rates.items()}


async def _rate(server: Server, site: str, load: tuple[str, str, str]) -> float:
    before = await count(server)
    sent = await ask("tests.bench.ingest_client", server.url, TOKEN, site, *load)
    stored = await count(server) - before
    if stored != sent["readings"]:
        raise NotStoredError(f"{sent['readings']} readings were acknowledged, {stored} are stored")
    return float(sent["readings"] / sent["seconds"])


async def answered(name: str) -> dict[str, Samples]:
    """Measure the queries of the reference year, the memory and the disk."""
    part = float(os.environ.get("ENERGY_BENCH_SHARE", SHARE))
    folder = CACHE / f"{part:g}" / name
    folder.mkdir(parents=True, exist_ok=True)
    chosen = share(part)
    async with running(name, folder) as pair:
        await _filled(pair, chosen, Done.read(folder / "done.json"))
    async with running(name, folder) as pair:  # what filling left in memory is no part of it
        readings = readings_of(chosen)
        reference = Reference(pair.data_path, chosen, START_US, END_US, readings, pair.readings_bytes())
        async with serving(pair.data_path, **pair.settings) as server:
            first = {"year_first": await year.first(reference, server)}
        async with serving(pair.data_path, **pair.settings) as server:
            samples = await year.answers(reference, server)
        databases = pair.memory_mb()
    say(f"{name}: {readings:,} readings, {reference.readings_bytes:,} bytes")
    size = {"bytes": Samples([reference.readings_bytes / readings]), "readings": Samples([readings / 1e6])}
    return {**samples, **first, **databases, **size}


async def _filled(pair: Pair, chosen: Sequence[Signal], done: Done) -> None:
    series, state = pair.stores()
    await series.open()
    await state.open()
    try:
        await fill(series, state, chosen, done)
    finally:
        await series.close()
        await state.close()


async def run() -> Mapping[str, Samples]:
    """Measure."""
    samples: dict[str, Samples] = {}
    for name in PAIRS:
        for measured in (await taken(name), await answered(name)):
            samples |= {f"stores_{name}_{kind}": values for kind, values in measured.items()}
    return samples
