"""A month that the store has lost: no longer called complete, rolled up anew, told once, through any kill."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.jobs.losses import LOOK_EVERY_S, Losses
from energy_server.model.coverage import CoverageSource, Span
from energy_server.model.entity import Kind
from energy_server.model.statistic import HOUR_US
from energy_server.store.port import Loss
from tests.server.rollup.histories import Row, entity, us
from tests.server.rollup.house import SITE, House

METER = entity()
POWER = entity(Kind.POWER, None, "power")
BEGAN_US, ENDED_US = us("00:00", "2026-02-27"), us("12:00", "2026-04-02")
MARCH = Span(us("00:00", "2026-03-01"), us("00:00", "2026-04-01"))
FILE = "2026_03.g1.duckdb"
LOSS = Loss(f"{FILE}.damaged", MARCH)
REST = [Span(BEGAN_US, MARCH.since_us), Span(MARCH.until_us, ENDED_US)]


def lived() -> dict[str, list[Row]]:
    hours = range(BEGAN_US, ENDED_US, HOUR_US)
    return {
        "meter": [Row(at, number / 8) for number, at in enumerate(hours)],
        "power": [Row(at, 100.0 + number % 7) for number, at in enumerate(hours)],
    }


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Return a house that ran for five weeks, rolled up and stopped."""
    made = await House(tmp_path, (METER, POWER)).open()
    await made.arrive(lived(), Span(BEGAN_US, ENDED_US))
    await made.rolled()
    await made.close()
    yield made
    await made.close()


def losses_of(house: House, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> Losses:
    return Losses(house.series, house.state, house.ledger, house.dirty, house.hear, lambda: ENDED_US, sleep)


def spoil(house: House, left: float = 0.0) -> None:
    path = house.folder / "series" / "readings" / FILE
    os.truncate(path, int(path.stat().st_size * left))


async def settled(house: House, lines: int = 1) -> None:
    """Check that March, and only March, is no longer known, and that this is told."""
    assert await house.series.losses() == []
    for one in house.entities:
        found = house.ledger.spans(SITE.id, one, 0, 2**60)
        assert found == [(span, CoverageSource.LIVE) for span in REST]
    await house.rolled()
    power = (await house.stored("power")).start_us
    assert not ((power >= MARCH.since_us + HOUR_US) & (power < MARCH.until_us)).any()
    told = [line for line in await house.state.sync_log(10) if line.what == "damaged"]
    assert [(line.site, line.ts_us, Span(line.since_us or 0, line.until_us or 0)) for line in told] == [
        (SITE.id, ENDED_US, MARCH)
    ] * lines
    assert told[0].detail == (
        f"The file of March 2026 was damaged. It was set aside as {FILE}.damaged; "
        "its readings are asked of Home Assistant again."
    )


async def test_nothing_happens_while_nothing_is_lost(house: House) -> None:
    await house.open()
    await losses_of(house).settle()
    assert house.ledger.spans(SITE.id, METER, 0, 2**60) == [(Span(BEGAN_US, ENDED_US), CoverageSource.LIVE)]
    assert await house.state.sync_log(10) == []
    assert await house.state.dirty() == []


async def test_what_is_lost_is_void_and_told_once(house: House) -> None:
    spoil(house)
    await house.open()
    assert list(await house.series.losses()) == [LOSS]
    await losses_of(house).settle()
    assert house.heard[-1] == MARCH
    await settled(house)
    await house.close()
    await house.open()
    await losses_of(house).settle()
    await settled(house)


async def test_what_came_since_it_was_void_is_kept(house: House) -> None:
    spoil(house)
    await house.open()
    losses = losses_of(house)
    await losses.void()
    first = Span(MARCH.since_us, MARCH.since_us + HOUR_US)
    await house.arrive({}, first, source=CoverageSource.STATES, keys=("meter",))
    await losses.settle()
    known = house.ledger.spans(SITE.id, METER, MARCH.since_us, MARCH.until_us)
    assert known == [(first, CoverageSource.STATES)]


async def test_a_kill_after_coverage_was_void(house: House) -> None:
    spoil(house)
    await house.open()
    await losses_of(house).void()
    await house.close()
    await house.open()
    assert house.ledger.spans(SITE.id, METER, MARCH.since_us, MARCH.until_us) == []
    await losses_of(house).settle()
    await settled(house)


async def test_a_kill_while_statistics_are_emptied(house: House) -> None:
    spoil(house)
    await house.open()

    def killed(_site: str, _start_us: int, _end_us: int) -> None:
        raise StoreUnavailableError("The machine stopped.")

    dying = Losses(house.series, house.state, house.ledger, house.dirty, killed, lambda: ENDED_US)
    with pytest.raises(StoreUnavailableError, match="stopped"):
        await dying.settle()
    await house.close()
    await house.open()
    await losses_of(house).settle()
    await settled(house)


async def test_damage_that_is_met_while_the_server_runs(house: House) -> None:
    spoil(house, 0.5)
    await house.open()

    async def sleep(seconds: float) -> None:
        assert seconds == LOOK_EVERY_S
        if await house.state.sync_log(1):
            raise asyncio.CancelledError
        if house.ledger.live_end_us(SITE.id):
            with pytest.raises(StoreUnavailableError, match="damaged"):
                await house.series.read(SITE.id, "meter", *(MARCH.since_us, MARCH.until_us))
            assert len(await house.series.read(SITE.id, "meter", 0, 2**60)) == 84

    with pytest.raises(asyncio.CancelledError):
        await losses_of(house, sleep).run()
    await settled(house)


async def test_a_loss_is_remembered_though_the_file_could_not_be_set_aside(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(house)
    rename = Path.rename

    def killed(path: Path, target: Path) -> Path:
        if path.name == FILE:
            raise OSError("The machine stopped.")
        return rename(path, target)

    with monkeypatch.context() as machine:
        machine.setattr(Path, "rename", killed)
        with pytest.raises(StoreUnavailableError, match="stopped"):
            await house.open()
        await house.series.close()
        await house.state.close()
    await house.open()
    assert list(await house.series.losses()) == [LOSS]
    await losses_of(house).settle()
    await settled(house)
