"""What the server wants of Home Assistant's recorder: readings, and hours where readings are not to be had. Pure.

In:   the ledger of Coverage, what is asked for.
Out:  for each Entity the spans whose readings are wanted, and those whose hourly statistics are.

Nothing that live claims will still cover is wanted: a Gap ends where live Coverage ends or the Entity was first
listened to, whichever is later.
"""

from functools import partial

from energy_server.ledger.asked import Asked
from energy_server.ledger.coverage import CoverageLedger
from energy_server.ledger.spans import SpanSet, clipped, difference, union
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity
from energy_server.model.statistic import HOUR_US

EARLIEST_US = 946_684_800_000_000
"""2000-01-01: the first instant of the protocol."""


class Wanted:
    """Answers for Entities that are alike are computed once."""

    def __init__(self, ledger: CoverageLedger, asked: Asked) -> None:
        self._ledger = ledger
        self.asked = asked

    def horizon_us(self, entity: Entity) -> int:
        """Return from when on live claims cover the Entity, or will."""
        return max(self._ledger.live_end_us(entity.site) or 0, entity.since_us)

    def readings(self, entity: Entity) -> SpanSet:
        """Return the spans whose readings are wanted."""
        if not entity.readable:
            return []
        asked = self.asked.of(entity.site, entity.key)
        unsettled = self.unsettled(entity)
        return union([*unsettled, *clipped(asked, EARLIEST_US, self.horizon_us(entity))]) if asked else unsettled

    def unsettled(self, entity: Entity) -> SpanSet:
        """Return the spans of which it is not known that we have all readings, or that there are none."""
        live = self._ledger.live_spans(entity.site)
        first_us, last_us = (live[0].since_us, live[-1].since_us) if live else (EARLIEST_US, EARLIEST_US)
        early = self._holes(entity, EARLIEST_US, first_us)
        known = self._ledger.remembered(entity, "holes", partial(self._holes, entity))
        late = self._holes(entity, last_us, self.horizon_us(entity))
        return union([*early, *known, *late]) if early or late else known

    def hours(self, entity: Entity) -> SpanSet:
        """Return the spans whose hourly statistics are wanted, since their readings are not to be had."""
        if not self.imported(entity):
            return []  # all of them are on their way
        unreadable = self._ledger.unreadable(entity)
        whole = union(Span(_floor(span.since_us), -_floor(-span.until_us)) for span in unreadable)
        return difference(whole, self._ledger.settled_hours(entity.site, entity.key))

    def imported(self, entity: Entity) -> bool:
        """Tell whether all hourly statistics were imported: an import ends with what was before the first hour."""
        settled = self._ledger.settled_hours(entity.site, entity.key)
        return bool(settled) and settled[0].since_us <= EARLIEST_US

    def left(self, entity: Entity) -> Span | None:
        """Return what is left of an import that began, newest first, and did not end; None where all is."""
        settled = self._ledger.settled_hours(entity.site, entity.key)
        return Span(EARLIEST_US, settled[-1].since_us) if settled else None

    def _holes(self, entity: Entity, start_us: int, end_us: int) -> SpanSet:
        if start_us >= end_us:
            return []
        return difference([Span(start_us, end_us)], self._ledger.settled_readings(entity, start_us, end_us))


def _floor(instant_us: int) -> int:
    return instant_us // HOUR_US * HOUR_US
