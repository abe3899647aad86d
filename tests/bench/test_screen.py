"""How the page's texts are matched with the state changes that they show."""

import pytest

from tests.bench.screen import NotShownError, Seen, latencies, printed


@pytest.mark.parametrize(("state", "expected"), [("10", "0.01"), ("990", "0.99"), ("9000", "9.00"), ("1230", "1.23")])
def test_a_power_is_printed_in_kw(state: str, expected: str) -> None:
    assert printed(state) == expected


def test_the_first_text_after_a_change_counts() -> None:
    seen = {"solar": Seen(["0.01", "0.02", "0.01"], [1_000.0, 2_030.0, 3_050.0])}
    assert latencies([("solar", "20", 2_000_000), ("solar", "10", 3_000_000)], seen) == [30.0, 50.0]


def test_a_change_that_was_never_shown_is_no_fast_one() -> None:
    with pytest.raises(NotShownError):
        latencies([("solar", "30", 2_000_000)], {"solar": Seen(["0.02"], [2_030.0])})
