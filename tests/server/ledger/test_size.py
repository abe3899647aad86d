"""What the ledger costs with 500 Entities: its size after a hard year, the time of a claim."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

from energy_server.ledger.asked import Asked
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.wanted import Wanted
from energy_server.model.coverage import Claim, Span
from energy_server.store.port import StateStore
from tests.product.saying import say
from tests.server.ledger.ledgers import HA_OFF, HOUR, LIVE, NONE, SITE, STATES, claim, entity, opened

DAY_US = 86_400_000_000
WEEK_US = 7 * DAY_US
START_US = 1_760_000_000_000_000
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
KEYS = [f"{number:032x}" for number in range(500)]


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


class Watch:
    """How long each thing took, by its name."""

    def __init__(self) -> None:
        self.took_ms: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        began_s = perf_counter()
        yield
        self.took_ms[what].append((perf_counter() - began_s) * 1e3)

    async def record(self, ledger: CoverageLedger, claim: Claim) -> None:
        with self.of(f"a claim, {claim.source.value} of {'all' if claim.keys is None else len(claim.keys)}"):
            await ledger.record(claim)

    def say(self) -> None:
        for what, took_ms in sorted(self.took_ms.items()):
            say(f"{what}: {median(took_ms):.3f} ms, at most {max(took_ms):.3f} ms ({len(took_ms)})")


async def imported(ledger: CoverageLedger, watch: Watch) -> None:
    """Let ten days of states and months of hours arrive, as a first install does."""
    for at, key in enumerate(KEYS):
        import_us = START_US - at * DAY_US
        for one in (
            claim(NONE, 946_684_800_000_000, START_US - 10 * DAY_US, [key], reason="purged"),
            claim(STATES, START_US - 10 * DAY_US, START_US, [key]),
            claim(NONE, 946_684_800_000_000, import_us, [key], reason="no_statistics"),
            claim(HOUR, import_us, START_US, [key]),
        ):
            await watch.record(ledger, one)


async def answered(ledger: CoverageLedger, watch: Watch, since_us: int) -> None:
    """Answer for a minute of restart and one of outage: in two messages, or Entity by Entity with flushes between."""
    await watch.record(ledger, claim(HA_OFF, since_us, since_us + MINUTE_US, reason="ha_off"))
    alone = since_us // WEEK_US % 2
    for at, some in enumerate([[key] for key in KEYS] if alone else [KEYS[:300], KEYS[300:]]):
        await watch.record(ledger, claim(STATES, since_us + MINUTE_US, since_us + 2 * MINUTE_US, some))
        if alone and at % 100 == 0:
            with watch.of("a flush, while Entities are answered one by one"):
                await ledger.flush()
    with watch.of("a flush, in which states of all become one row"):
        await ledger.flush()


async def test_a_year_of_weekly_restarts_is_less_than_a_megabyte(tmp_path: Path, state: StateStore) -> None:
    watch, ledger = Watch(), await opened(state)
    catalog = [entity(key, START_US) for key in KEYS]
    entities = await ledger.adopt(SITE, [], catalog)
    await imported(ledger, watch)
    for week in range(52):
        since_us = START_US + week * WEEK_US
        for part in range(7 * 24):
            begin_us = since_us + part * HOUR_US + (2 * MINUTE_US if week and not part else 0)
            await watch.record(ledger, claim(LIVE, begin_us, since_us + (part + 1) * HOUR_US))
        if week:
            await answered(ledger, watch, since_us)
    await ledger.close()
    wanted = Wanted(ledger, Asked())
    assert all(wanted.readings(one) == [] for one in entities)
    first = Span(START_US, START_US + WEEK_US)
    assert {tuple(ledger.spans(SITE, one, first.since_us, first.until_us)) for one in entities} == {((first, LIVE),)}
    ledger = await opened(state)
    await ledger.adopt(SITE, entities, catalog)
    with watch.of("the first claim after a restart"):
        await ledger.record(claim(LIVE, START_US + 52 * WEEK_US, START_US + 52 * WEEK_US + HOUR_US))
    await ledger.close()
    await state.close()
    size_bytes = size_of(tmp_path)
    watch.say()
    say(f"a year: {size_bytes} bytes")
    assert size_bytes < 1_000_000
    await state.open()
