"""The same with PostgreSQL as the recorder's database: what the tests that are named here hold SQLite to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import test_counts, test_gaps, test_statistics
from tests.integration.past import home_with_past, quick
from tests.integration.postgresql import database, postgresql

last_hour, wait = test_statistics.last_hour, test_statistics.wait
past, _quick = home_with_past, quick

test_states = test_gaps.test_what_happened_in_a_gap_and_what_held_at_its_beginning
test_counters = test_gaps.test_a_counter_that_stood_still_is_known_to_have_stood_still
test_units = test_gaps.test_units_and_resets_as_they_were_then
test_runs = test_gaps.test_between_its_runs_home_assistant_was_off
test_windows = test_gaps.test_windows_newest_first_each_reading_once_whatever_their_width
test_renamed = test_gaps.test_a_renamed_entity_keeps_its_past
test_slices = test_statistics.test_a_counter_in_slices_newest_first
test_hours_of_a_span = test_statistics.test_the_hours_of_a_span
test_digests = test_statistics.test_digests_change_when_the_hours_do


class TestCounts:
    """Counts have a home of their own."""

    past = staticmethod(test_counts.past)
    test_counts = staticmethod(test_counts.test_counts_are_those_of_the_readings)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    with postgresql() as folder:
        yield folder


@pytest.fixture
def recorder_db_url(server_folder: Path) -> Iterator[str]:
    """Stands in for the fixture of that name, which gives the recorder its database."""
    with database(server_folder) as url:
        yield url
