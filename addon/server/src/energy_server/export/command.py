"""The command line of `energy-server export`.

In:   arguments; the settings of the server, which must not run where the stores are embedded.
Out:  a folder with `entities.json` and a file for each Entity; progress on stderr. Exit status 0 when everything that
      is stored came out, 1 when not, 2 for a bad setting; a line on stderr says why.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time_ns

import duckdb
import orjson

from energy_server import __version__
from energy_server.errors import StoreUnavailableError
from energy_server.export.files import Opener, csv_file, parquet_files
from energy_server.jobs.export import READINGS, STATISTICS, Table, readings_of, statistics_of
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity, Kind
from energy_server.model.site import Site
from energy_server.model.statistic import Source
from energy_server.rollup.levels import LEVELS
from energy_server.settings import Settings, SettingsError, load
from energy_server.storage import Pair, choose, pair_of

DONE, FAILED, BAD_SETTING = 0, 1, 2
DAY_US = 86_400_000_000
SINCE_US = 946_684_800_000_000
"""The year 2000: nothing is older."""
UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class ExportError(Exception):
    """The export cannot be made, or is not whole."""


@dataclass(slots=True)
class Count:
    """What came out."""

    readings: int = 0
    statistics: int = 0


def _parser() -> argparse.ArgumentParser:
    cli = argparse.ArgumentParser(
        prog="energy-server export",
        description="Write everything that is stored to files: readings, statistics, entities.",
        epilog="Embedded stores belong to one process: stop the server first, or ask it while it runs, by "
        "GET /api/export. All other settings are taken as for the server.",
        allow_abbrev=False,
    )
    cli.add_argument("folder", type=Path, metavar="FOLDER", help="Where to; made if it is not there, else empty.")
    cli.add_argument("--format", choices=("csv", "parquet"), default="csv", help="csv by default.")
    cli.add_argument("--site", help="Id of a Home Assistant; all of them by default.")
    cli.add_argument("--data-path", type=Path, help="The server's data folder.")
    cli.add_argument("--config", type=Path, metavar="FILE", help="TOML or JSON file of settings, as for the server.")
    return cli


async def _entities(pair: Pair, site: Site) -> list[Entity]:
    """Return the Entities, and what has readings though no catalog names it."""
    known = await pair.state.entities(site.id)
    keys = {entity.key for entity in known}
    unknown = sorted(key for key in await pair.series.latest(site.id) if key not in keys)
    return known + [
        Entity(site.id, key, key, key, None, None, Kind.ENERGY, "", None, "unknown", SINCE_US) for key in unknown
    ]


def _names(entities: Sequence[Entity]) -> list[str]:
    """Return a name of a file for each, different ones."""
    names: list[str] = []
    for entity in entities:
        name = UNSAFE.sub("_", entity.entity_id)[:150]
        names.append(f"{name}-{len(names)}" if name in names else name)
    return names


async def _write(opener: Opener, path: Path, columns: tuple[str, ...], tables: AsyncIterator[Table]) -> int:
    """Write a file, unless there is nothing for it; return the number of rows."""
    rows = 0
    first = await anext(tables, None)
    if first is None:
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with opener(path, columns) as sink:
        table: Table | None = first
        while table is not None:
            await asyncio.to_thread(sink.write, table)
            rows += len(table)
            table = await anext(tables, None)
    return rows


async def _site(pair: Pair, opener: Opener, folder: Path, entities: Sequence[Entity], span: Span) -> Count:
    count = Count()
    for number, (entity, name) in enumerate(zip(entities, _names(entities), strict=True), 1):
        tables = readings_of(pair.series, entity, span)
        rows = await _write(opener, folder / "readings" / name, READINGS, tables)
        count.readings += rows
        for level in LEVELS:
            for source in Source:
                parts = statistics_of(pair.series, entity, (level.name, level.level), source, span)
                path = folder / f"statistics_{level.name}_{source.name.lower()}" / name
                count.statistics += await _write(opener, path, STATISTICS, parts)
        print(f"{number}/{len(entities)} {entity.entity_id}: {rows:,} readings", file=sys.stderr, flush=True)
    return count


async def _export(settings: Settings, folder: Path, opener: Opener, only: str | None) -> Count:
    pair = pair_of(choose(settings), settings)
    total = Count()
    async with AsyncExitStack() as stack:
        await pair.state.open()
        stack.push_async_callback(pair.state.close)
        await pair.series.open()
        stack.push_async_callback(pair.series.close)
        sites = [site for site in await pair.state.sites() if only in (None, site.id)]
        if not sites:
            raise ExportError("There is no such Site." if only else "Nothing is stored.")
        described = []
        span = Span(SINCE_US, time_ns() // 1000 + DAY_US)
        for site in sites:
            entities = await _entities(pair, site)
            described.append({**asdict(site), "entities": [asdict(entity) for entity in entities]})
            count = await _site(pair, opener, folder / UNSAFE.sub("_", site.id), entities, span)
            total.readings += count.readings
            total.statistics += count.statistics
        document = {"version": __version__, "sites": described}
        (folder / "entities.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        info = await pair.series.info()
    if only is None and (info.readings, info.statistics) != (total.readings, total.statistics):
        raise ExportError(
            f"{info.readings:,} readings and {info.statistics:,} statistics are stored, but {total.readings:,} and "
            f"{total.statistics:,} came out."
        )
    return total


def _folder(folder: Path, settings: Settings) -> None:
    """Make the folder. Raises ExportError where something is in it, or nothing is stored."""
    if not settings.data_path.is_dir():
        raise ExportError(f"There is no data folder {settings.data_path}.")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ExportError(f"The folder {folder} is not empty.")


def main(arguments: Sequence[str]) -> int:
    """Run the command; return the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = load({} if chosen.data_path is None else {"data_path": str(chosen.data_path)}, chosen.config)
        _folder(chosen.folder, settings)
        parquet = chosen.format == "parquet"
        with parquet_files(chosen.folder / "scratch.duckdb") if parquet else nullcontext(csv_file) as opener:
            total = asyncio.run(_export(settings, chosen.folder, opener, chosen.site))
    except SettingsError as err:
        print(f"energy-server export: {err}", file=sys.stderr)
        return BAD_SETTING
    except (ExportError, StoreUnavailableError, OSError, duckdb.Error) as err:
        print(f"energy-server export: {err}", file=sys.stderr)
        return FAILED
    print(f"{total.readings:,} readings and {total.statistics:,} statistics are in {chosen.folder}")
    return DONE
