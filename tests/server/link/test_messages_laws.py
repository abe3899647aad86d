"""Whatever arrives, decoding answers with a message or a LinkError, and every row is stored or refused."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from energy_server.link.errors import LinkError
from energy_server.link.messages import TYPES, Readings, Statistics, decode, readings, statistics
from tests.server.link.linking import HOUR_US, NOON_US

KEYS = ["a", "b"]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
FIELDS = ["seq", "rev", "catalog", "origin", "span", "of", "rows", "level", "reason", "entities", "site", "protocol"]
PLACES = st.integers(-1, 3) | LEAVES
INSTANTS = st.sampled_from([NOON_US, NOON_US - HOUR_US, 0, NOON_US + HOUR_US]) | LEAVES


@given(st.text() | JSON.map(json.dumps))
def test_any_text(text: str) -> None:
    try:
        decode(text)
    except LinkError as err:
        assert err.code in ("bad_message", "unknown_type")  # noqa: PT017 - a valid message may come of it too


@given(st.sampled_from(sorted(TYPES)), st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_fields(name: str, fields: dict[str, Any]) -> None:
    try:
        message = decode(json.dumps(fields | {"type": name}))
    except LinkError as err:
        assert err.code == "bad_message"  # noqa: PT017 - a valid message may come of it too
    else:
        assert isinstance(message, TYPES[name])


@given(st.lists(JSON | st.tuples(PLACES, INSTANTS, LEAVES) | st.tuples(PLACES, INSTANTS, LEAVES, LEAVES), max_size=20))
def test_any_rows_of_readings(rows: list[Any]) -> None:
    fields = {"type": "readings", "seq": 1, "catalog": 1, "origin": "live", "span": [0, 1], "of": "all", "rows": rows}
    message = decode(json.dumps(fields))
    assert isinstance(message, Readings)
    batch, refused = readings(message, "home", KEYS, NOON_US)
    assert len(batch) + len(refused) == len(rows)
    assert len({row for row, _ in refused}) == len(refused)
    assert len(batch.keys) == len(batch.ts_us) == len(batch.values) == len(batch.reset_us)
    assert all(value is None or math.isfinite(value) for value in batch.values)
    assert set(batch.keys) <= set(KEYS)


@given(st.lists(st.tuples(PLACES, INSTANTS, LEAVES) | st.tuples(PLACES, INSTANTS, LEAVES, LEAVES), max_size=4))
def test_a_row_is_judged_alike_alone_and_beside_a_bad_one(rows: list[Any]) -> None:
    message = Readings.model_validate(
        {"seq": 1, "catalog": 1, "origin": "live", "span": [0, 1], "of": "all", "rows": [list(row) for row in rows]}
    )
    alone, refused = readings(message, "home", KEYS, NOON_US)
    bad = message.model_copy(update={"rows": [*message.rows, []]})
    beside, refused_beside = readings(bad, "home", KEYS, NOON_US)
    assert alone == beside
    assert [*refused, (len(rows), "bad_row")] == refused_beside


@given(st.lists(JSON | st.tuples(PLACES, INSTANTS, LEAVES, LEAVES, LEAVES, LEAVES, LEAVES), max_size=20))
def test_any_rows_of_statistics(rows: list[Any]) -> None:
    fields = {"type": "statistics", "seq": 1, "catalog": 1, "level": "hour", "span": [0, 1], "of": "all", "rows": rows}
    message = decode(json.dumps(fields))
    assert isinstance(message, Statistics)
    columns, refused = statistics(message, KEYS, NOON_US)
    assert len(columns) + len(refused) == len(rows)
    assert not (columns.start_us % HOUR_US).any()
