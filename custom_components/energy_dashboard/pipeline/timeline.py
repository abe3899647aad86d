"""What may be said of the past: where the recorder's states are all there were, where Home Assistant was off. Pure.

In:   the recorder's runs, the spans in which it did not record, what it knows of an entity.
Out:  a Gap, cut into pieces, each with what settles it. What nothing settles yet is left out: it is asked later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from .recorder_runs import Runs
from .recorder_states import Recorded
from .spans import Span, difference, intersection


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
    return Timeline(tuple(sorted((p for p in pieces if p.span.since_us < p.span.until_us), key=lambda p: p.span)))


def of_entity(home: Timeline, gap: Span, known: Recorded | None, *, included: bool) -> Iterator[Piece]:
    """Yield the pieces of a Gap of one entity. `included` says that the recorder's settings include it.

    Before its oldest state nothing is known of it. One that is excluded now has states up to when it was.
    """
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
