"""What may be said of the past: where the recorder's states are all there were, where Home Assistant was off. Pure.

In:   the recorder's runs, the spans in which it did not record, what it knows of an entity.
Out:  a Gap, cut into pieces, each with what settles it. What nothing settles yet is left out: it is asked later.

What the recorder includes is settled when a run begins, and whatever it includes gets a state when it is added to Home
Assistant. So a run without a state of an entity is none that recorded it, however much was recorded before and after.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .recorder_runs import LATEST_US, Runs
from .recorder_states import Recorded
from .spans import Span, difference, intersection

STARTING_US: Final = 600_000_000
"""Home Assistant takes up to ten minutes to start; an entity that is added then was never missed."""


class Verdict(Enum):
    """What settles a piece of a Gap: the recorder's states, or a reason for there being none."""

    STATES = "states"
    HA_OFF = "ha_off"
    PURGED = "purged"
    NOT_RECORDED = "not_recorded"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a Gap and what settles it."""

    span: Span
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is known of the whole home, in ascending time without overlap; what no piece covers is not known yet."""

    pieces: tuple[Piece, ...]
    ended: tuple[Span, ...] = ()
    """The runs that are over."""
    present: Span | None = None
    """The run that goes on, as far as it is known."""
    resumed: tuple[Span, ...] = ()
    """The times since the recorder recorded again."""

    def runs(self, within: Span) -> list[Span]:
        """Return the runs that a span is part of."""
        ran = self.ended if self.present is None else (*self.ended, self.present)
        return [run for run in ran if run.since_us < within.until_us and within.since_us < run.until_us]

    def unseen(self, first_us: Mapping[Span, int]) -> list[Span]:
        """Return the parts of runs that come before an entity's first state of the run.

        In a run that goes on an entity without a state may still be added: there the recorder's settings tell.
        """
        late = [Span(run.since_us, first) for run, first in first_us.items() if first - run.since_us > STARTING_US]
        return [*(run for run in self.ended if run not in first_us), *late]

    def unreported(self, first_us: Mapping[Span, int]) -> list[Span]:
        """Return where it is not known which state of a counter was reported again: before its first since it resumed.

        Home Assistant notes the last report of a state that was not recorded on the one that was recorded before it.
        """
        return [Span(span.since_us, first_us.get(span, span.until_us)) for span in self.resumed]

    def of(self, gap: Span) -> Iterator[Piece]:
        """Yield the pieces of a span."""
        for piece in self.pieces:
            for span in intersection([piece.span], gap):
                yield Piece(span, piece.verdict)


def timeline(runs: Runs, blind: Sequence[Span], horizon_us: int, *, current: bool) -> Timeline:
    """Return what may be said before the horizon.

    `blind` are spans in which the recorder ran but is known not to have recorded. `current` says that it does record
    now: of a present run that does not, nothing is known yet.
    """
    ran = list(runs.ended)
    if runs.began_us is not None and current and runs.began_us < horizon_us:
        ran.append(Span(runs.began_us, horizon_us))
    pieces: list[Piece] = []
    end_us: int | None = None
    for run in sorted(ran):
        span = Span(run.since_us if end_us is None else max(run.since_us, end_us), min(run.until_us, horizon_us))
        if span.since_us >= span.until_us:
            continue
        pieces.append(
            Piece(Span(0, span.since_us), Verdict.PURGED)
            if end_us is None
            else Piece(Span(end_us, span.since_us), Verdict.HA_OFF)
        )
        seen = difference(span, blind)
        pieces.extend(Piece(part, Verdict.STATES) for part in seen)
        pieces.extend(Piece(part, Verdict.NOT_RECORDED) for part in difference(span, seen))
        end_us = span.until_us
    if runs.began_us is not None and not current and end_us is not None and end_us < runs.began_us:
        pieces.append(Piece(Span(end_us, min(runs.began_us, horizon_us)), Verdict.HA_OFF))
    found = sorted((p for p in pieces if p.span.since_us < p.span.until_us), key=lambda p: p.span)
    present = Span(runs.began_us, LATEST_US) if runs.began_us is not None else None
    resumed = tuple(Span(span.until_us, LATEST_US) for span in blind if span.until_us < LATEST_US)
    return Timeline(tuple(found), runs.ended, present, resumed)


def of_entity(
    home: Timeline, gap: Span, known: Recorded | None, *, included: bool, unseen: Sequence[Span] = ()
) -> Iterator[Piece]:
    """Yield the pieces of a Gap of one entity. `included` says that the recorder's settings include it.

    Before its oldest state nothing is known of it. One that is excluded now has states up to when it was. `unseen` is
    where it was not recorded, though it was before.
    """
    for piece in _remembered(home, gap, known, included=included):
        if piece.verdict is not Verdict.STATES:
            yield piece
            continue
        seen = difference(piece.span, unseen)
        lacking = difference(piece.span, seen)
        parts = [*((part, Verdict.STATES) for part in seen), *((part, Verdict.NOT_RECORDED) for part in lacking)]
        yield from (Piece(part, verdict) for part, verdict in sorted(parts, key=lambda part: part[0]))


def _remembered(home: Timeline, gap: Span, known: Recorded | None, *, included: bool) -> Iterator[Piece]:
    unseen = Verdict.PURGED if included else Verdict.NOT_RECORDED
    for piece in home.of(gap):
        if piece.verdict is not Verdict.STATES:
            yield piece
            continue
        oldest_us = piece.span.until_us if known is None else known.oldest_us
        newest_us = piece.span.until_us if known is None or included else known.newest_us + 1
        for span, verdict in (
            (Span(piece.span.since_us, min(oldest_us, piece.span.until_us)), unseen),
            (Span(max(piece.span.since_us, oldest_us), min(newest_us, piece.span.until_us)), Verdict.STATES),
            (Span(max(piece.span.since_us, newest_us), piece.span.until_us), Verdict.NOT_RECORDED),
        ):
            if span.since_us < span.until_us:
                yield Piece(span, verdict)
