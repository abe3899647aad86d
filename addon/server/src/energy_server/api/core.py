"""What the handlers work with, once the stores are open.

In:   the parts that `app` wires.
Out:  `core_of(request)`, which raises StoreUnavailableError while there is none: no handler can forget to ask.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from energy_server.api.energy_cache import EnergyCache
from energy_server.api.live import LiveHub
from energy_server.errors import InvalidParameterError, NotFoundError, StoreUnavailableError
from energy_server.jobs.backfill import Backfills
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.wanted import Wanted
from energy_server.link.endpoint import LinkEndpoint
from energy_server.model.entity import Entity
from energy_server.model.site import Site
from energy_server.storage import Choice
from energy_server.store.port import SeriesStore, StateInfo, StateStore, StoreInfo


@dataclass(frozen=True, slots=True)
class Problem:
    """A background task that failed and was started again; `recovered_us`: since when it runs well again."""

    task: str
    message: str
    at_us: int
    times: int
    recovered_us: int | None = None


@dataclass(frozen=True, slots=True)
class Core:
    """The running parts behind the API; `clock_us` is the server's clock."""

    storage: Choice
    series: SeriesStore
    state: StateStore
    ledger: CoverageLedger
    wanted: Wanted
    backfills: Backfills
    energy: EnergyCache
    links: LinkEndpoint
    hub: LiveHub
    server_id: str
    started_us: int
    clock_us: Callable[[], int]
    problems: Callable[[], Sequence[Problem]]


@dataclass(frozen=True, slots=True)
class Opening:
    """The stores as they were at the last try to open them, which failed."""

    storage: Choice
    series: StoreInfo
    state: StateInfo
    started_us: int
    clock_us: Callable[[], int]


class Stage:
    """Whether there is a Core, and if not why; `opening` says how each store is where it is known."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opening: Opening | None = None
        self._core: Core | None = None
        self._error = StoreUnavailableError("The stores are being opened.")

    def enter(self, core: Core) -> None:
        """Say that the stores are open."""
        self._core, self.opening = core, None
        self.entered.set()

    def leave(self, error: StoreUnavailableError) -> None:
        """Say that the stores are not, or no longer, open."""
        self._core, self._error = None, error
        self.entered.clear()

    @property
    def is_open(self) -> bool:
        """Whether there is a Core."""
        return self._core is not None

    def core(self) -> Core:
        """Return the Core. Raises StoreUnavailableError."""
        if self._core is None:
            raise StoreUnavailableError(self._error.message)
        return self._core


STAGE = web.AppKey("stage", Stage)


def core_of(request: web.Request) -> Core:
    """Return the Core. Raises StoreUnavailableError."""
    return request.app[STAGE].core()


async def find_site(core: Core, site: str | None) -> Site:
    """Return the Site of this id, or the only one. Raises NotFoundError, InvalidParameterError."""
    sites = await core.state.sites()
    if site is None:
        if not sites:
            raise NotFoundError("No Home Assistant has connected yet.", field="site")
        if len(sites) > 1:
            raise InvalidParameterError("There are several Sites: say which", field="site")
        return sites[0]
    for candidate in sites:
        if candidate.id == site:
            return candidate
    raise NotFoundError("There is no such Site.", field="site")


async def find_entities(core: Core, site: str, keys: Sequence[str]) -> list[Entity]:
    """Return the Entities of these keys, in their order. Raises NotFoundError."""
    known = {entity.key: entity for entity in await core.state.entities(site)}
    for key in keys:
        if key not in known:
            raise NotFoundError("There is no such Entity.", field="key")
    return [known[key] for key in keys]
