"""A model of Home Assistant's recorder on a real database of its schema, so that the real questions can be asked of it.

In:   states, commits, starts and ends of runs; purges, replacements, times in which it does not record; backups.
Out:  the database; the states in it; what the integration sees of a recorder.

A state is written some seconds after it happened. The last report of a state comes with the next state.
"""

import sqlite3
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from json import dumps

from homeassistant.components.recorder.db_schema import RecorderRuns, StateAttributes, States, StatesMeta
from homeassistant.core import State
from sqlalchemy import Engine, Table, create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from custom_components.energy_dashboard.pipeline.recorder import Condition, Holding, RecorderStatus

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WRITTEN_US = 5_000_000
LATEST_S = 30.0
TABLES = ("states", "states_meta", "state_attributes", "recorder_runs")


@cache
def _engine() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"isolation_level": None})
    for model in (StatesMeta, StateAttributes, States, RecorderRuns):
        table = model.__table__
        assert isinstance(table, Table)
        table.create(engine)
    return engine


@dataclass
class Row:
    """A state in the recorder: `when_us` counts on from the start of the machine."""

    id: int
    entity_id: str
    text: str
    ts_us: int
    attributes: Mapping[str, object]
    when_us: int
    reported_us: int | None = None


@dataclass
class Content:
    """All that a backup of the database holds."""

    rows: list[Row] = field(default_factory=list)
    runs: list[list[int | None]] = field(default_factory=list)
    """Begin, end, whether it was killed."""
    names: dict[int, str] = field(default_factory=dict)


class Recorder:
    """The recorder; the methods without docstrings are those of the integration's own view of it."""

    def __init__(self, clock: Callable[[], tuple[int, int]]) -> None:
        self._clock = clock
        self._engine = _engine()
        self._numbers = 0
        self._pending: list[Row] = []
        self._reports: list[tuple[Row, int]] = []
        self._newest: dict[str, Row] = {}
        self._oldest_us: int | None = None
        self.content = Content()
        self.excluded: frozenset[str] = frozenset()
        self.condition = Condition.READY
        self.behind = False
        self.began_us: int | None = None
        self.holding = Holding()
        self.is_set_up, self.latest_s = True, LATEST_S
        self._rewrite()

    @property
    def first_run_us(self) -> int:
        """When the first run that it knows began, as it was written down."""
        return min((since_us for since_us, *_ in self.content.runs if since_us is not None), default=0)

    # ---- what happens to it

    def start(self, excluded: frozenset[str]) -> None:
        """Begin a run; the one that was not ended was killed."""
        now_us, _ = self._clock()
        for run in self.content.runs:
            if run[1] is None:
                run[1:] = [now_us, 1]
        self.content.runs.append([now_us, None, 0])
        self.began_us, self.excluded, self.condition, self.behind = now_us, excluded, Condition.READY, False
        self._newest = {}
        self._rewrite()

    def hear(self, state: State, old: State | None, ts_us: int) -> None:
        """Take a state that is new, and of the old one when it was reported last."""
        if self.condition is not Condition.READY or state.entity_id in self.excluded:
            return
        before = self._newest.get(state.entity_id)
        if before is not None and old is not None and old.last_reported > old.last_updated:
            self._reports.append((before, (old.last_reported - EPOCH) // timedelta(microseconds=1)))
        self._numbers += 1
        row = Row(self._numbers, state.entity_id, state.state, ts_us, state.attributes, self._clock()[1])
        self._newest[state.entity_id] = row
        self._pending.append(row)

    def pass_time(self) -> None:
        """Write what has waited long enough, unless it has fallen behind."""
        if not self.behind:
            self.commit(young=False)

    def commit(self, *, young: bool = True) -> None:
        """Write what waits, or only what is not too young for that."""
        limit_us = self._clock()[1] - (0 if young else WRITTEN_US)
        written = [row for row in self._pending if row.when_us <= limit_us]
        ready = {row.id for row in written} | {row.id for row in self.content.rows}
        self._pending = [row for row in self._pending if row.when_us > limit_us]
        self.content.rows += written
        for row, reported_us in self._reports:
            if row.id in ready:
                row.reported_us = reported_us
        changed = [row for row, _ in self._reports if row.id in ready]
        self._reports = [item for item in self._reports if item[0].id not in ready]
        self._write([*written, *(row for row in changed if row not in written)])

    def stop(self) -> None:
        """End in order."""
        self.commit()
        now_us, _ = self._clock()
        self.content.runs[-1][1] = now_us
        self._end()

    def kill(self) -> None:
        """End at once: what was not written is gone."""
        self._end()

    def _end(self) -> None:
        self._pending, self._reports, self._newest, self.began_us = [], [], {}, None
        self._rewrite()

    def purge(self, before_us: int) -> None:
        """Forget what is older."""
        self.content.rows = [row for row in self.content.rows if row.ts_us >= before_us]
        self.content.runs = [run for run in self.content.runs if run[1] is None or run[1] >= before_us]
        self._rewrite()

    def replace(self) -> None:
        """Begin with an empty database, as after a corrupted one."""
        self._pending, self._reports, self._newest, self.content = [], [], {}, Content()
        self.start(self.excluded)

    def rename(self, old: str, new: str) -> None:
        """Follow a new entity_id."""
        for row in (*self.content.rows, *self._pending):
            if row.entity_id == old:
                row.entity_id = new
        if old in self._newest:
            self._newest[new] = self._newest.pop(old)
        self.excluded = frozenset(new if name == old else name for name in self.excluded)
        self._rewrite()

    def backup(self) -> Content:
        """Return all that it has written."""
        return deepcopy(self.content)

    def restore(self, content: Content) -> None:
        """Go on with what it had then; it does not run."""
        self.content = deepcopy(content)
        self._rewrite()

    def instants(self, entity_id: str, *, counter: bool) -> set[int]:
        """Return the instants of which it can tell the reading, or will."""
        rows = [row for row in (*self.content.rows, *self._pending) if row.entity_id == entity_id]
        found = {row.ts_us for row in rows}
        if counter:
            reported = {row.id: row.reported_us for row in rows} | {row.id: us for row, us in self._reports}
            newest_us = max(found, default=0)
            found |= {us for row in rows if (us := reported.get(row.id)) is not None and row.ts_us != newest_us}
        return found

    def written(self, entity_id: str) -> set[int]:
        """Return the instants of its states that are written."""
        return {row.ts_us for row in self.content.rows if row.entity_id == entity_id}

    # ---- the database

    def _database(self) -> sqlite3.Connection:
        connection = self._engine.raw_connection().driver_connection
        assert isinstance(connection, sqlite3.Connection)
        return connection

    def _rewrite(self) -> None:
        """Write all of it anew."""
        database = self._database()
        for table in TABLES:
            database.execute(f"DELETE FROM {table}")  # noqa: S608 one of ours
        self._names: dict[str, int] = {}
        self._attributes: dict[str, int] = {}
        self._write(self.content.rows)
        database.executemany(
            "INSERT INTO recorder_runs (start, end, closed_incorrect, created) VALUES (?, ?, ?, ?)",
            [(_text(since), _text(until), killed, _text(since)) for since, until, killed in self.content.runs],
        )

    def _write(self, rows: list[Row]) -> None:
        self._oldest_us = min((row.ts_us for row in self.content.rows), default=None)
        self._database().executemany(
            "INSERT OR REPLACE INTO states (state_id, metadata_id, state, last_updated_ts, last_reported_ts,"
            " attributes_id) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    row.id,
                    self._name(row.entity_id),
                    row.text,
                    row.ts_us / 1e6,
                    None if row.reported_us is None else row.reported_us / 1e6,
                    self._shared(row.attributes),
                )
                for row in rows
            ],
        )

    def _name(self, entity_id: str) -> int:
        if entity_id not in self._names:
            self._names[entity_id] = len(self._names) + 1
            row = self._names[entity_id], entity_id
            self._database().execute("INSERT INTO states_meta (metadata_id, entity_id) VALUES (?, ?)", row)
        return self._names[entity_id]

    def _shared(self, attributes: Mapping[str, object]) -> int:
        text = dumps(dict(attributes))
        if text not in self._attributes:
            self._attributes[text] = len(self._attributes) + 1
            row = self._attributes[text], text
            self._database().execute("INSERT INTO state_attributes (attributes_id, shared_attrs) VALUES (?, ?)", row)
        return self._attributes[text]

    # ---- what the integration sees

    def status(self) -> RecorderStatus:
        return RecorderStatus(self.condition, self._oldest_us)

    def records(self, entity_id: str) -> bool:
        return entity_id not in self.excluded

    async def catch_up(self) -> None:
        """Write all, but for a state that is being written and is the only one: Home Assistant sees none waiting."""
        self.commit(young=len(self._pending) > 1)

    async def ask[T](self, question: Callable[[Session], T]) -> T:
        with Session(self._engine) as session:
            return question(session)


def _text(instant_us: int | None) -> str | None:
    if instant_us is None:
        return None
    return (EPOCH + timedelta(microseconds=instant_us)).strftime("%Y-%m-%d %H:%M:%S.%f")
