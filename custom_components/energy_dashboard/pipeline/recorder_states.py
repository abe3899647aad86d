"""The states that Home Assistant's recorder holds, as they are stored, in small pieces.

In:   a session of the recorder, ids of its entities, a span.
Out:  what it knows of entities; all states of a window of time, and for each entity the one before.

Nothing is converted or compared here: floats are handed on as they are, since SQL would round them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.components.recorder.db_schema import StateAttributes, States, StatesMeta
from homeassistant.components.sensor import ATTR_LAST_RESET
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.util.json import json_loads
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .clock import CLOCKLESS_US
from .convert import ts_us
from .recorder_rows import all_rows
from .spans import Span

MARGIN_S: Final = 0.001
"""An instant in microseconds is not exactly the float that is stored."""

IDS_AT_ONCE: Final = 500
"""Databases limit how many values one question may carry."""

READ_ATTRIBUTES: Final = (ATTR_UNIT_OF_MEASUREMENT, ATTR_LAST_RESET)
"""What `convert` looks at."""

COLUMNS: Final = (
    States.metadata_id,
    States.state,
    States.last_updated_ts,
    States.last_reported_ts,
    States.attributes_id,
)

type StateRow = tuple[int, str | None, float, float | None, int | None]
"""Id of the entity, the state's text, last updated, last reported, id of the attributes."""

type Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the recorder knows of an entity: its id, and the instants of its oldest and newest state."""

    id: int
    oldest_us: int
    newest_us: int


@dataclass(frozen=True, slots=True)
class Window:
    """All states of some entities in a span; none, and `complete` False, where there were more than asked for.

    `before` are their last states before the span; by id, `oldest_us` are the instants of their oldest states,
    `newest_s` those of their newest ones, whose last report is not known before the next state.
    """

    rows: Sequence[StateRow]
    before: Sequence[StateRow]
    oldest_us: Mapping[int, int]
    newest_s: Mapping[int, float]
    attributes: Mapping[int, Attributes]
    complete: bool = True


def recorded(session: Session, entity_ids: Iterable[str]) -> dict[str, Recorded]:
    """Return what the recorder knows of these entities; one that it has no state of is absent."""
    ids = list(entity_ids)
    found: dict[str, Recorded] = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        question = select(StatesMeta.metadata_id, StatesMeta.entity_id, _oldest(), _newest()).where(
            StatesMeta.entity_id.in_(ids[start : start + IDS_AT_ONCE])
        )
        for id_, entity_id, oldest_s, newest_s in session.execute(question):
            if oldest_s is not None:
                found[entity_id] = Recorded(id_, ts_us(oldest_s), ts_us(newest_s))
    return found


def first_states(session: Session, ids: Sequence[int], spans: Sequence[Span]) -> dict[tuple[int, Span], int]:
    """Return the instant of each entity's first state in each span; where it has none it is absent."""
    found: dict[tuple[int, Span], int] = {}
    for span in spans:
        first = (
            select(States.last_updated_ts)
            .where(
                States.metadata_id == StatesMeta.metadata_id,
                States.last_updated_ts >= (span.since_us - 1) / 1e6,  # one microsecond for what rounding does
                States.last_updated_ts < span.until_us / 1e6,
            )
            .order_by(States.last_updated_ts)
            .limit(1)
            .correlate(StatesMeta)
            .scalar_subquery()
        )
        question = select(StatesMeta.metadata_id, first).where(StatesMeta.metadata_id.in_(ids))
        for id_, first_s in session.execute(question):
            if first_s is not None:
                found[id_, span] = ts_us(first_s)
    return found


def _oldest() -> Any:
    """Return the scalar of when an entity's oldest state was updated, as far as the clock had been set by then."""
    return _of_entity(func.min(States.last_updated_ts), States.last_updated_ts >= CLOCKLESS_US / 1e6)


def _newest() -> Any:
    """Return the scalar of when an entity's newest state was updated."""
    return _of_entity(func.max(States.last_updated_ts))


def _of_entity(what: Any, *where: Any) -> Any:
    """Return the scalar of an entity's states, one look-up in the index."""
    return (
        select(what).where(States.metadata_id == StatesMeta.metadata_id, *where).correlate(StatesMeta).scalar_subquery()
    )


def window(session: Session, ids: Sequence[int], span: Span, limit: int, known: Mapping[int, Attributes]) -> Window:
    """Return the states of these entities in the span, if there are no more than `limit`."""
    since_s, until_s = span.since_us / 1e6, span.until_us / 1e6
    rows = all_rows(
        session,
        select(*COLUMNS)
        .where(
            States.metadata_id.in_(ids),
            States.last_updated_ts >= since_s - MARGIN_S,
            States.last_updated_ts <= until_s + MARGIN_S,
        )
        .limit(limit + 1),
    )
    if len(rows) > limit:
        return Window((), (), {}, {}, {}, complete=False)
    before = states_before(session, ids, since_s - MARGIN_S)
    # asked for last: what was purged meanwhile cannot seem to be complete
    ends = session.execute(
        select(StatesMeta.metadata_id, _oldest(), _newest()).where(StatesMeta.metadata_id.in_(ids))
    ).all()
    oldest_us = {id_: ts_us(oldest_s) for id_, oldest_s, _ in ends if oldest_s is not None}
    newest_s = {id_: newest for id_, _, newest in ends if newest is not None}
    unknown = {row[4] for part in (rows, before) for row in part} - known.keys() - {None}
    return Window(rows, before, oldest_us, newest_s, _attributes(session, sorted(unknown)))


def states_before(session: Session, ids: Sequence[int], instant_s: float) -> Sequence[Any]:
    """Return the last state of each entity before an instant."""
    last = (
        select(States.state_id)
        .where(States.metadata_id == StatesMeta.metadata_id, States.last_updated_ts < instant_s)
        .order_by(States.last_updated_ts.desc())
        .limit(1)
        .correlate(StatesMeta)
        .scalar_subquery()
    )
    found = session.execute(select(last).select_from(StatesMeta).where(StatesMeta.metadata_id.in_(ids))).scalars()
    state_ids = [state_id for state_id in found if state_id is not None]
    return all_rows(session, select(*COLUMNS).where(States.state_id.in_(state_ids))) if state_ids else ()


def _attributes(session: Session, ids: Sequence[int]) -> dict[int, Attributes]:
    found: dict[int, Attributes] = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        question = select(StateAttributes.attributes_id, StateAttributes.shared_attrs).where(
            StateAttributes.attributes_id.in_(ids[start : start + IDS_AT_ONCE])
        )
        for id_, text in session.execute(question):
            found[id_] = _parsed(text)
    return found


def _parsed(text: str | None) -> Attributes:
    """Return what `convert` looks at; attributes that cannot be read are as good as not stored."""
    try:
        content = json_loads(text) if text else {}
    except ValueError:
        return {}
    return {name: content[name] for name in READ_ATTRIBUTES if name in content} if isinstance(content, dict) else {}
