"""An Entity whose class changes: all of its history is counted by the class that it has now, and nothing else is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from energy_server.errors import StoreUnavailableError
from energy_server.ledger.asked import Asked
from energy_server.link.changes import counted_anew
from energy_server.link.events import LiveEvent
from energy_server.link.ingest import Stores
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity, Kind, StateClass
from energy_server.model.statistic import HOUR_US
from tests.server.rollup.histories import Row, entity, us
from tests.server.rollup.house import SITE, House

BEGAN_US, ENDED_US = us("00:00", "2026-02-27"), us("06:00", "2026-04-02")
GAP = Span(us("02:00", "2026-03-10"), us("20:00", "2026-03-10"))
OTHER = entity(Kind.WATER, key="other")


def lived() -> dict[str, list[Row]]:
    """Return five weeks that fall, rise, are unavailable, and are silent at their end."""
    hours = [at for at in range(BEGAN_US, ENDED_US - 9 * HOUR_US, HOUR_US) if not GAP.since_us <= at < GAP.until_us]
    rows = [Row(at, None if number % 200 == 7 else 50.0 - number % 30) for number, at in enumerate(hours)]
    return {"meter": rows, "other": [Row(at, number / 8) for number, at in enumerate(hours)]}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = await House(tmp_path, (entity(), OTHER)).open()
    yield made
    await made.close()


async def began(house: House, meter: Entity) -> None:
    """Live through the weeks with a meter of one class."""
    house.entities = (meter, OTHER)
    await house.state.save_catalog(SITE.id, house.entities, 0)
    await house.arrive(lived(), Span(BEGAN_US, GAP.since_us))
    await house.arrive({}, Span(GAP.until_us, ENDED_US))
    await house.rolled()


async def becomes(house: House, meter: Entity) -> None:
    stores = Stores(house.series, house.state, house.ledger, house.dirty, Asked(), nobody)
    catalog = (meter, OTHER)
    async with counted_anew(stores, SITE.id, await house.state.entities(SITE.id), catalog):
        await house.state.save_catalog(SITE.id, catalog, 0)
    house.entities = catalog


def nobody(_event: LiveEvent) -> None:
    """No dashboard is open."""


CLASSES = [StateClass.TOTAL_INCREASING, StateClass.TOTAL, StateClass.MEASUREMENT, None]


@pytest.mark.parametrize("before", CLASSES)
async def test_all_is_counted_by_the_class_of_now(house: House, before: StateClass | None) -> None:
    await began(house, entity(state_class=before))
    for after in CLASSES:
        await becomes(house, entity(state_class=after))
        await house.rolled()


async def test_another_kind_is_counted_anew_too(house: House) -> None:
    await began(house, entity(Kind.POWER, None))
    await becomes(house, entity())
    await house.rolled()


async def test_nothing_is_counted_anew_where_no_class_changed(house: House) -> None:
    await began(house, entity())
    await becomes(house, replace(entity(), name="Another name", unit="MWh"))
    assert await house.state.dirty() == []
    assert not house.dirty.take()


async def test_a_catalog_that_could_not_be_stored_is_counted_again(house: House) -> None:
    await began(house, entity())
    stores = Stores(house.series, house.state, house.ledger, house.dirty, Asked(), nobody)
    changed = (entity(state_class=StateClass.MEASUREMENT), OTHER)
    with pytest.raises(StoreUnavailableError):
        async with counted_anew(stores, SITE.id, house.entities, changed):
            raise StoreUnavailableError("The machine stopped.")
    await house.close()
    await house.open()
    await house.rolled()
    await becomes(house, changed[0])
    await house.rolled()
