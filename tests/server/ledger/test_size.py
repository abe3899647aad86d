"""What the ledger costs with 500 Entities: its size after a hard year, the time of a claim."""

from pathlib import Path
from statistics import median
from time import perf_counter

from energy_server.ledger.asked import Asked
from energy_server.ledger.wanted import Wanted
from energy_server.model.coverage import Span
from energy_server.store.port import StateStore
from tests.server.ledger.ledgers import HA_OFF, HOUR, LIVE, NONE, SITE, STATES, claim, entity, opened

DAY_US = 86_400_000_000
WEEK_US = 7 * DAY_US
START_US = 1_760_000_000_000_000
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
KEYS = [f"{number:032x}" for number in range(500)]


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


async def test_a_year_of_weekly_restarts_is_less_than_a_megabyte(tmp_path: Path, state: StateStore) -> None:
    ledger = await opened(state)
    entities = await ledger.adopt(SITE, [], [entity(key, START_US) for key in KEYS])
    for at, key in enumerate(KEYS):
        import_us = START_US - at * DAY_US
        await ledger.record(claim(NONE, 946_684_800_000_000, START_US - 10 * DAY_US, [key], reason="purged"))
        await ledger.record(claim(STATES, START_US - 10 * DAY_US, START_US, [key]))
        await ledger.record(claim(NONE, 946_684_800_000_000, import_us, [key], reason="no_statistics"))
        await ledger.record(claim(HOUR, import_us, START_US, [key]))
    took_s = []
    for week in range(52):
        since_us = START_US + week * WEEK_US
        for part in range(7 * 24):
            began_s = perf_counter()
            begin_us = since_us + part * HOUR_US + (2 * MINUTE_US if week and not part else 0)
            await ledger.record(claim(LIVE, begin_us, since_us + (part + 1) * HOUR_US))
            took_s.append(perf_counter() - began_s)
        if week:
            await ledger.record(claim(HA_OFF, since_us, since_us + MINUTE_US, reason="ha_off"))
            for some in (KEYS[:300], KEYS[300:]):
                await ledger.record(claim(STATES, since_us + MINUTE_US, since_us + 2 * MINUTE_US, some))
            await ledger.flush()
    await ledger.close()
    assert median(took_s) < 0.001, "a claim"
    wanted = Wanted(ledger, Asked())
    assert all(wanted.readings(one) == [] for one in entities)
    first = Span(START_US, START_US + WEEK_US)
    assert {tuple(ledger.spans(SITE, one, first.since_us, first.until_us)) for one in entities} == {((first, LIVE),)}
    await state.close()
    assert size_of(tmp_path) < 1_000_000
    await state.open()
