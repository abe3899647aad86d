"""Files of the DuckDB store that are not as they were written: told, kept, and the rest goes on."""

import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.model.coverage import Span
from energy_server.store.duckdb import DuckDBSeriesStore
from energy_server.store.port import Loss
from tests.server.store.readings import DAY_US, EVER, NOON_US, SITE, batch, rows_of

NOVEMBER_US = NOON_US + 30 * DAY_US
OCTOBER = Span(1_790_812_800_000_000, 1_793_491_200_000_000)
LOSS = Loss("2026_10.g1.duckdb.damaged", OCTOBER)
ROWS = 60_000

type Spoil = Callable[[Path], object]


def _half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _garbage(at: float, count: int) -> Spoil:
    def write(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(int(path.stat().st_size * at))
            file.write(random.Random(1).randbytes(count))  # noqa: S311 - anything

    return write


AT_OPENING: dict[str, Spoil] = {
    "empty": lambda path: os.truncate(path, 0),
    "little": lambda path: os.truncate(path, 9_000),
    "text": lambda path: path.write_text("not a database"),
    "headers": _garbage(0, 20_000),
}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckDBSeriesStore]:
    """A store of two months that was closed again."""
    made = DuckDBSeriesStore(tmp_path)
    await made.open()
    rng = random.Random(2)  # noqa: S311 - made up readings
    for first_us in (NOON_US, NOVEMBER_US):
        await made.append([batch("a", [(first_us + step, rng.random()) for step in range(ROWS)])])
    await made.append([batch("b", [(NOON_US, 1.0)])])
    await made.close()
    yield made
    await made.close()


async def goes_on(store: DuckDBSeriesStore, folder: Path) -> None:
    """Check that October alone is missing, that this is told until it is heard, and that October takes readings."""
    assert len(await store.read(SITE, "a", NOVEMBER_US, EVER[1])) == ROWS
    assert len(await store.read(SITE, "a", 0, NOVEMBER_US)) == 0
    info = await store.info()
    assert info.well, "it takes readings, and what was lost is looked after"
    assert info.detail is not None
    assert "2026_10.g1.duckdb.damaged" in info.detail
    assert "restore" in info.detail
    assert list(await store.losses()) == [LOSS]
    latest = await store.latest(SITE)
    assert (latest["a"].ts_us, "b" in latest) == (NOVEMBER_US + ROWS - 1, False)
    await store.append([batch("a", [(NOON_US, 5.0)]), batch("b", [(NOON_US + 1, 6.0)])])
    for _ in range(2):
        assert rows_of(await store.read(SITE, "a", 0, NOVEMBER_US)) == [(NOON_US, 5)]
        assert rows_of(await store.read(SITE, "b", *EVER)) == [(NOON_US + 1, 6)]
        await store.close()
        await store.open()
        assert list(await store.losses()) == [LOSS]
    await store.forget(LOSS)
    assert list(await store.losses()) == []
    await store.close()
    await store.open()
    assert list(await store.losses()) == []
    assert (folder / "readings" / "2026_10.g1.duckdb.damaged").exists()
    assert (folder / "readings" / "2026_10.g2.duckdb").exists()
    (folder / "readings" / "2026_10.g1.duckdb.damaged").unlink()
    assert (await store.info()).detail is None


@pytest.mark.parametrize("spoil", AT_OPENING.values(), ids=AT_OPENING)
async def test_a_month_that_cannot_be_opened_is_set_aside(
    store: DuckDBSeriesStore, tmp_path: Path, spoil: Spoil
) -> None:
    spoil(tmp_path / "readings" / "2026_10.g1.duckdb")
    await store.open()
    await goes_on(store, tmp_path)


async def test_a_month_with_damaged_blocks_is_set_aside_when_they_are_met(
    store: DuckDBSeriesStore, tmp_path: Path
) -> None:
    _half(tmp_path / "readings" / "2026_10.g1.duckdb")
    await store.open()
    with pytest.raises(StoreUnavailableError, match="damaged"):
        await store.read(SITE, "a", *EVER)
    await goes_on(store, tmp_path)


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
async def test_damage_is_met_once_wherever_it_is(store: DuckDBSeriesStore, tmp_path: Path, at: float) -> None:
    file = tmp_path / "readings" / "2026_10.g1.duckdb"
    _garbage(at, 40_000)(file)
    spoilt = file.read_bytes()
    met = 0
    for key in ("a", "b", "a", "b"):
        try:
            await store.open()
            await store.read(SITE, key, *EVER)
        except StoreUnavailableError as err:
            assert "damaged" in err.message  # noqa: PT017 - it may be met or not
            met += 1
    assert met <= 1
    if (tmp_path / "readings" / "2026_10.g1.duckdb.damaged").exists():
        await goes_on(store, tmp_path)
    else:
        assert len(await store.read(SITE, "a", *EVER)) == 2 * ROWS, "the damage is where nothing is"
        assert spoilt == file.read_bytes()


async def test_a_damaged_month_that_is_restored_is_whole_again(store: DuckDBSeriesStore, tmp_path: Path) -> None:
    file = tmp_path / "readings" / "2026_10.g1.duckdb"
    backup = file.read_bytes()
    os.truncate(file, 0)
    await store.open()
    assert len(await store.read(SITE, "a", *EVER)) == ROWS
    await store.close()
    (tmp_path / "readings" / "2026_10.g1.duckdb.damaged").unlink()
    (tmp_path / "readings" / "2026_10.g2.duckdb").unlink()
    file.write_bytes(backup)
    await store.open()
    assert list(await store.losses()) == [], "nobody heard of a loss that is none"
    assert len(await store.read(SITE, "a", *EVER)) == 2 * ROWS
    assert (await store.info()).detail is None


@pytest.mark.parametrize("name", ["series.duckdb", "statistics.duckdb"])
async def test_a_damaged_file_that_everything_needs_is_told_and_outlasted(
    store: DuckDBSeriesStore, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    backup = file.read_bytes()
    for spoil in AT_OPENING.values():
        spoil(file)
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match=r"damaged.*backup"):
                await store.open()
            with pytest.raises(StoreUnavailableError, match=name):
                await store.append([batch("a", [(NOON_US, 1.0)])])
        info = await store.info()
        assert not info.well
        file.write_bytes(backup)
    await store.open()
    assert len(await store.read(SITE, "a", *EVER)) == 2 * ROWS
