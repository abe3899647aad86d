"""Claims and Entities of one Site, as the tests of the ledger write them."""

from collections.abc import Sequence

from energy_server.ledger.coverage import CoverageLedger
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.entity import Entity, Kind, StateClass
from energy_server.store.port import StateStore

SITE = "home"
LIVE, STATES, HOUR, HA_OFF, NONE = (
    CoverageSource.LIVE,
    CoverageSource.STATES,
    CoverageSource.HOUR,
    CoverageSource.HA_OFF,
    CoverageSource.NONE,
)


def entity(key: str, since_us: int = 0, until_us: int | None = None, source: str = "state") -> Entity:
    total = StateClass.TOTAL_INCREASING
    return Entity(SITE, key, f"sensor.{key}", key, None, None, Kind.ENERGY, "kWh", total, source, since_us, until_us)


def claim(
    source: CoverageSource,
    since_us: int,
    until_us: int,
    keys: Sequence[str] | None = None,
    *,
    site: str = SITE,
    reason: str | None = None,
) -> Claim:
    return Claim(site, source, Span(since_us, until_us), None if keys is None else tuple(keys), reason)


async def opened(state: StateStore, store_id: str = "store") -> CoverageLedger:
    ledger = CoverageLedger(state, store_id)
    await ledger.load()
    return ledger


def known(ledger: CoverageLedger, of: Entity, start_us: int = 0, end_us: int = 1_000) -> list[tuple[int, int, str]]:
    found = ledger.spans(SITE, of, start_us, end_us)
    return [(span.since_us, span.until_us, source.value) for span, source in found]
