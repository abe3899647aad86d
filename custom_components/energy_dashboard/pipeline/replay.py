"""Stored states -> the readings that listening to them would have given, by the same rule. Pure but for `convert`.

In:   the states of a window, the Entities that they belong to.
Out:  rows of the wire; `readings` messages that claim the window.
Fails never: a state that gives no reading gives none here either, and is counted by its reason.

A counter's state that was reported again unchanged gives a second reading, at its last report: as listening does when
the next state comes. Before that the recorder may have some report that was not the last.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from homeassistant.components.sensor import ATTR_LAST_RESET
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT

from .claims import in_messages, readings_body
from .clock import CLOCKLESS_US
from .convert import Converter, ts_us
from .errors import SkippedStateError
from .model import Entity
from .outbox import Row
from .recorder_states import Attributes, StateRow, Window
from .spans import Span

NO_ATTRIBUTES: Final[Attributes] = {}


@dataclass(frozen=True, slots=True)
class Part:
    """An Entity in a window: its place in the catalog, its id in the recorder, since when its states are asked for.

    States from `counted_us` on that give no reading were counted before; `skipped` are the others, by their reasons.
    `blind` are spans in which the recorder did not record.
    """

    entity: Entity
    place: int
    id: int
    since_us: int
    converter: Converter
    counted_us: int = 0
    blind: Sequence[Span] = ()
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Sendable:
    """A message: what it claims and for whom, how many readings it has, its JSON."""

    span: Span
    keys: tuple[str, ...]
    count: int
    body: bytes


def readings_of(
    part: Part,
    states: Sequence[StateRow],
    attributes: Mapping[int, Attributes],
    span: Span,
    newest_s: float | None,
    *,
    last: bool,
) -> list[Row]:
    """Return the readings of an Entity in a span.

    In the `last` window of what is asked for, the oldest, readings from before it come along: what held at first.
    """
    rows: list[Row] = []
    entity, converter, place = part.entity, part.converter, part.place
    counter, total = entity.counter, entity.state_class == "total"
    fallback = {ATTR_UNIT_OF_MEASUREMENT: entity.source_unit}
    for _, text, updated_s, reported_s, attributes_id in states:
        stored = NO_ATTRIBUTES if attributes_id is None else attributes.get(attributes_id, NO_ATTRIBUTES)
        if ATTR_UNIT_OF_MEASUREMENT not in stored and entity.source_unit is not None:
            stored = fallback | dict(stored)  # attributes over 16 kB are not stored
        try:
            value = converter.value(text or "", stored)
        except SkippedStateError as err:
            part.skipped[err.code] += span.since_us <= ts_us(updated_s) < min(part.counted_us, span.until_us)
            continue
        reset_us = converter.reset_us(stored) if total and value is not None and ATTR_LAST_RESET in stored else None
        instants = [ts_us(updated_s)]
        if counter and value is not None and reported_s is not None and reported_s > updated_s != newest_s:
            instants.extend(_reported(part, ts_us(updated_s), ts_us(reported_s)))
        rows.extend(
            (place, instant_us, value) if reset_us is None else (place, instant_us, value, reset_us)
            for instant_us in instants
            if instant_us < span.until_us and instant_us >= (CLOCKLESS_US if last else span.since_us)
        )
    return rows


def _reported(part: Part, updated_us: int, reported_us: int) -> list[int]:
    """Return when a state was reported last; after a blind span that may have been another, which was not recorded."""
    blind = any(updated_us < span.until_us and span.since_us <= reported_us for span in part.blind)
    return [] if blind else [reported_us]


def messages_of(
    rev: int, parts: Sequence[Part], found: Window, attributes: Mapping[int, Attributes], span: Span, max_rows: int
) -> list[Sendable]:
    """Return the messages of a window: one for the Entities that reach through it, one for each that begins later."""
    states: dict[int, list[StateRow]] = {part.id: [] for part in parts}
    for rows in (found.before, found.rows):
        for row in rows:
            if (of_entity := states.get(row[0])) is not None:
                of_entity.append(row)
    claims: defaultdict[int, list[Part]] = defaultdict(list)
    for part in parts:
        claims[max(part.since_us, span.since_us)].append(part)
    messages: list[Sendable] = []
    for since_us, claimed in sorted(claims.items(), reverse=True):
        claim = Span(since_us, span.until_us)
        readings = [
            row
            for part in claimed
            for row in readings_of(
                part, states[part.id], attributes, claim, found.newest_s.get(part.id), last=part.since_us >= since_us
            )
        ]
        keys = tuple(part.entity.key for part in claimed)
        of = [part.place for part in claimed]
        messages.extend(
            Sendable(some_span, keys, len(some), readings_body(rev, some_span, of, some))
            for some_span, some in in_messages(readings, claim, max_rows)
        )
    return messages
