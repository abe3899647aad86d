"""Which runs of Home Assistant speak for a Site: a copy of one has its id and its token, but is a run of its own.

In:   the random `run` that each start of Home Assistant says in its hellos.
Out:  whether it may connect; which runs turn out to be of copies; Coverage without what copies claimed live.
Failures: LinkError `site_busy` for a copy; StoreUnavailableError from `speaks` where Coverage must be taken away. Else
a store that is away costs the memory of a run, not the Link.

A run that was followed by another one is over: Home Assistant was started again. Should it come back, both are alive,
and what followed it is a copy: refused for good, since a person must say which one is to stay, by stopping the other
and starting it again. Readings that the copy brought cannot be told from others, but what it left out is asked for.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from energy_server.errors import StoreUnavailableError
from energy_server.ledger.coverage import CoverageLedger
from energy_server.link.errors import LinkError
from energy_server.store.port import StateStore

MOST_RUNS = 20
"""Earlier ones are forgotten: of Home Assistants that were started so often since, none comes back."""
TOLD = (
    "Another Home Assistant with the identity of this one is running: a copy of it. "
    "Stop the one that is not to stay, then restart the other one."
)
COPIED = (
    "another Home Assistant with the same identity is running; it is refused until it is started again, "
    "and the time that it was connected is asked for once more"
)

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class _Known:
    """The runs of a Site, oldest first, those of copies, and the instant from which on Coverage is theirs.

    `since_us` has where live Coverage ended when each run spoke first.
    """

    runs: list[str] = field(default_factory=list)
    since_us: dict[str, int] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)
    void_us: int | None = None


class Runs:
    """The runs of all Sites, from one start of the server to the next."""

    def __init__(self, state: StateStore, ledger: CoverageLedger) -> None:
        self._state = state
        self._ledger = ledger
        self._known: dict[str, _Known] = {}

    async def greet(self, site: str, run: str | None) -> Sequence[str]:
        """Take the run of a hello; return the runs that it shows to be those of copies. Raises LinkError for a copy.

        A client that says no run is not judged.
        """
        if run is None:
            return ()
        known = await self._load(site)
        if run in known.copies:
            raise LinkError("site_busy", TOLD)
        if run not in known.runs:
            known.runs = [*known.runs, run][-MOST_RUNS:]
            found: list[str] = []
        else:
            at = known.runs.index(run) + 1
            known.runs, found = known.runs[:at], known.runs[at:]
        if found:
            known.copies = [*known.copies, *found][-MOST_RUNS:]
            spoke = [known.since_us[one] for one in found if one in known.since_us]
            known.void_us = min(spoke) if spoke else known.void_us
        await self._save(site, known)
        return found

    async def speaks(self, site: str, run: str | None) -> None:
        """Let a run be the one that speaks for the Site: no other one does now. What copies claimed is void."""
        if run is None:
            return
        known = await self._load(site)
        if known.void_us is not None:
            await self._ledger.void_after(site, known.void_us)
            known.void_us = None
        known.since_us = {one: since_us for one, since_us in known.since_us.items() if one in known.runs}
        known.since_us.setdefault(run, self._ledger.live_end_us(site) or 0)
        await self._save(site, known)

    async def _load(self, site: str) -> _Known:
        if site not in self._known:
            try:
                document = await self._state.document(_document(site)) or {}
            except StoreUnavailableError as err:
                _LOGGER.debug("The runs of a Site cannot be read: %s", err)
                document = {}
            self._known.setdefault(site, _Known(**cast("dict[str, Any]", document)))
        return self._known[site]

    async def _save(self, site: str, known: _Known) -> None:
        try:
            await self._state.put_document(_document(site), asdict(known))
        except StoreUnavailableError as err:
            _LOGGER.debug("The runs of a Site cannot be written: %s", err)


def _document(site: str) -> str:
    return f"runs:{site}"
