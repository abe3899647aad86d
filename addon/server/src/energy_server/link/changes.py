"""What changed of an Entity from one catalog to the next: it is told, and counted anew where its class changed.

In:   the Entities as they are known, and as the new catalog has them.
Out:  lines for the sync log; Statistics that are rolled up anew once the new catalog is stored.
Failures: StoreUnavailableError from `counted_anew`; it may be repeated.

What is stored of an Entity keeps its numbers. Statistics are a function of the readings and of the class that the
Entity has now, all of its history: else a part of it would be read by another rule whenever it is rolled up again.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from energy_server.ledger.anew import anew
from energy_server.link.ingest import Stores
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity

type Pair = tuple[Entity, Entity]
"""One Entity before and now."""


def changes(known: Sequence[Entity], catalog: Sequence[Entity]) -> list[str]:
    """Return in words which Entities have another unit or class than before."""
    pairs = _pairs(known, catalog)
    units = [
        f"{now.entity_id} was in {was.unit} and is in {now.unit} now; what is stored keeps its numbers"
        for was, now in pairs
        if was.unit != now.unit
    ]
    classes = [
        f"{now.entity_id} was {_class(was)} and is {_class(now)} now; all of its history is counted so"
        for was, now in pairs
        if _class(was) != _class(now)
    ]
    return [*units, *classes]


@asynccontextmanager
async def counted_anew(
    stores: Stores, site: str, known: Sequence[Entity], catalog: Sequence[Entity]
) -> AsyncIterator[None]:
    """Let everything of Entities whose class changed be rolled up anew, when the context is over."""
    changed = [now.key for was, now in _pairs(known, catalog) if now.readable and _class(was) != _class(now)]
    latest = await stores.series.latest(site) if changed else {}
    async with AsyncExitStack() as marked:
        for key in changed:
            if key in latest:
                first = await stores.series.after(site, key, 0)
                until_us = max(latest[key].ts_us + 1, stores.ledger.live_end_us(site) or 0)
                span = Span(int(first.ts_us[0]), until_us)
                await marked.enter_async_context(anew(stores.series, stores.dirty, site, [key], span))
        yield


def _pairs(known: Sequence[Entity], catalog: Sequence[Entity]) -> list[Pair]:
    before = {entity.key: entity for entity in known}
    return [(before[entity.key], entity) for entity in catalog if entity.key in before]


def _class(entity: Entity) -> str:
    return f"{entity.kind} ({entity.state_class or 'no state class'})"
