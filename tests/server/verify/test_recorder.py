"""What `verify` reads in a recorder's database."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from energy_server.model.coverage import Span
from energy_server.verify.recorder import RecorderFileError, opened

# The columns that are read, as Home Assistant's schema 50 has them.
SCHEMA = """
CREATE TABLE states_meta (metadata_id INTEGER PRIMARY KEY, entity_id VARCHAR(255));
CREATE TABLE state_attributes (attributes_id INTEGER PRIMARY KEY, shared_attrs TEXT);
CREATE TABLE states (state_id INTEGER PRIMARY KEY, metadata_id INTEGER, state VARCHAR(255), attributes_id INTEGER,
    last_updated_ts FLOAT, last_reported_ts FLOAT);
CREATE TABLE recorder_runs (run_id INTEGER PRIMARY KEY, start DATETIME, end DATETIME, closed_incorrect BOOLEAN);
INSERT INTO states_meta VALUES (1, 'sensor.a');
INSERT INTO state_attributes VALUES (1, '{"unit_of_measurement":"Wh"}'), (2, '{}');
INSERT INTO recorder_runs VALUES (1, '2026-11-01 00:00:00.000000', '2026-11-02 00:00:00.500000', 1);
"""
ALL = Span(0, 10**16)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "home-assistant_v2.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
    return path


def add(path: Path, *rows: tuple[str | None, int | None, float, float | None]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO states (metadata_id, state, attributes_id, last_updated_ts, last_reported_ts)"
            " VALUES (1, ?, ?, ?, ?)",
            rows,
        )


def read(path: Path, *, counter: bool = False, span: Span = ALL) -> list[tuple[int, float | None, str | None]]:
    with opened(path) as recorder:
        return [
            (reading.ts_us, reading.value, reading.unit)
            for reading in recorder.readings("sensor.a", span, counter=counter)
        ]


def test_states_are_readings_and_words_are_none(file: Path) -> None:
    add(
        file,
        ("1.5", 1, 100.0, None),
        ("unavailable", 2, 101.0, None),
        ("on", 1, 102.0, None),
        (None, None, 103.0, None),
    )
    assert read(file) == [(100_000_000, 1.5, "Wh"), (101_000_000, None, "Wh"), (103_000_000, None, "Wh")]


def test_a_unit_that_was_not_stored_is_the_last_known(file: Path) -> None:
    add(file, ("1", 1, 100.0, None), ("2", 2, 101.0, None))
    assert [unit for _, _, unit in read(file)] == ["Wh", "Wh"]


def test_a_counter_that_was_reported_again_has_a_second_reading(file: Path) -> None:
    add(file, ("7", 1, 100.0, 160.0), ("8", 1, 161.0, None))
    assert [row[:2] for row in read(file)] == [(100_000_000, 7.0), (161_000_000, 8.0)]
    assert [row[:2] for row in read(file, counter=True)] == [(100_000_000, 7.0), (160_000_000, 7.0), (161_000_000, 8.0)]
    late = Span(150_000_000, 160_500_000)
    assert [row[:2] for row in read(file, counter=True, span=late)] == [(160_000_000, 7.0)]


def test_of_a_counter_no_more_is_read_than_the_span_and_the_states_next_to_it(file: Path) -> None:
    """What lies farther away has attributes that nobody can read."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO state_attributes VALUES (3, 'broken')")
    add(file, *((str(at), 1 if 99 < at < 103 else 3, 100.0 * at, 100.0 * at + 50.0) for at in range(1, 200)))
    span = Span(10_040_000_000, 10_160_000_000)
    expected = [(10_050_000_000, 100.0), (10_100_000_000, 101.0), (10_150_000_000, 101.0)]
    assert [row[:2] for row in read(file, counter=True, span=span)] == expected
    with pytest.raises(json.JSONDecodeError):
        read(file, counter=True)


def test_any_span_of_a_counter_has_what_the_whole_has_there(file: Path) -> None:
    add(file, *(("on" if at % 7 == 0 else str(at), 1, 10.0 * at, 10.0 * at + at % 11) for at in range(10, 30)))
    whole = read(file, counter=True)
    edges = range(95_000_000, 310_000_000, 4_000_000)
    for span in (Span(since, until) for since in edges for until in edges if since < until):
        assert read(file, counter=True, span=span) == [row for row in whole if span.since_us <= row[0] < span.until_us]


def test_the_newest_state_of_a_counter_is_not_known_to_be_confirmed(file: Path) -> None:
    add(file, ("7", 1, 100.0, 160.0))
    assert [row[:2] for row in read(file, counter=True)] == [(100_000_000, 7.0)]


def test_an_instant_goes_through_datetime(file: Path) -> None:
    # rounding this float to microseconds gives another one than Home Assistant's datetime has
    add(file, ("1", 1, 1_763_719_200.0000005, None))
    ((instant, _, _),) = read(file)
    assert instant == 1_763_719_200_000_000


def test_the_history_of_an_entity(file: Path) -> None:
    add(file, ("1", 1, 100.0, None), ("2", 1, 200.0, None))
    with opened(file) as recorder:
        assert recorder.oldest_us("sensor.a") == 100_000_000
        assert recorder.oldest_us("sensor.unknown") is None


MIDNIGHT_S = 1_793_491_200.0
HOUR_S = 3_600.0


def unwritten(path: Path, *, counter: bool = False) -> list[tuple[float, float, str]]:
    """Return what may not have been written, in seconds since the start of the first run."""
    with opened(path) as recorder:
        found = recorder.unwritten("sensor.a", counter=counter)
    spans = [(one.span.since_us / 1e6 - MIDNIGHT_S, one.span.until_us / 1e6 - MIDNIGHT_S) for one in found]
    return [(*span, one.end.name) for span, one in zip(spans, found, strict=True)]


def ran(path: Path, *runs: tuple[str, str | None, int]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM recorder_runs")
        rows = [
            (f"2026-11-01 {start}:00.000000", end and f"2026-11-01 {end}:00.000000", bad) for start, end, bad in runs
        ]
        connection.executemany("INSERT INTO recorder_runs (start, end, closed_incorrect) VALUES (?, ?, ?)", rows)


def test_a_run_that_was_killed_ended_with_its_last_state_whenever_the_next_began(file: Path) -> None:
    ran(file, ("00:00", "02:00", 1), ("02:00", "03:00", 0), ("04:00", None, 0))
    hours = [MIDNIGHT_S + at * HOUR_S for at in (0.5, 1, 2.5, 5)]
    add(file, *((str(at), 1, at, None) for at in hours))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO states_meta VALUES (2, 'sensor.b')")
        connection.execute(
            "INSERT INTO states (metadata_id, state, last_updated_ts) VALUES (2, '1', ?)", (MIDNIGHT_S + 1.5 * HOUR_S,)
        )
    closed = (3 * HOUR_S, 3 * HOUR_S + 60, "CLOSED")
    assert unwritten(file) == [
        (1.5 * HOUR_S, 1.5 * HOUR_S + 60, "KILLED"),
        closed,
        (5 * HOUR_S, 5 * HOUR_S + 60, "OPEN"),
    ]
    assert unwritten(file, counter=True) == [
        (1 * HOUR_S, 1.5 * HOUR_S + 60, "KILLED"),
        (2.5 * HOUR_S, *closed[1:]),
        (5 * HOUR_S, 5 * HOUR_S + 60, "OPEN"),
    ]


def test_a_run_that_was_killed_lacks_nothing_of_the_next(file: Path) -> None:
    ran(file, ("00:00", "01:00", 1), ("01:00", None, 0))
    add(file, ("1", 1, MIDNIGHT_S + HOUR_S - 10, None))
    assert unwritten(file)[0] == (HOUR_S - 10, HOUR_S, "KILLED")


def test_a_run_without_a_state_may_lack_its_beginning(file: Path) -> None:
    ran(file, ("00:00", "01:00", 1), ("01:00", None, 0))
    assert unwritten(file) == [(0, 60, "KILLED"), (HOUR_S, HOUR_S + 60, "OPEN")]


def test_a_file_that_is_no_recorder_is_refused_in_words(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_text("nothing of the kind")
    with pytest.raises(RecorderFileError, match="cannot be read as a recorder's database"), opened(other):
        pass
    with pytest.raises(RecorderFileError, match="is no file"), opened(tmp_path / "absent.db"):
        pass
