"""The arithmetic of the benches: which number stands for the samples, and whether it is enough."""

import pytest

from tests.bench.figures import (
    Figure,
    Limit,
    Measure,
    NoSamplesError,
    Samples,
    Statistic,
    as_json,
    cells,
    figure,
    quantile,
)


def judged(limit: Limit | None, bound: float, *values: float, statistic: Statistic = Statistic.MEDIAN) -> Figure:
    return figure(Measure("m", "a measure", "ms", limit, bound, statistic), Samples(values))


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1.0), (0.5, 2.5), (0.99, 3.97), (1.0, 4.0)],
)
def test_a_quantile_is_interpolated_between_neighbours(share: float, expected: float) -> None:
    assert quantile([4, 1, 3, 2], share) == pytest.approx(expected)


def test_a_quantile_of_one_value_is_the_value() -> None:
    assert quantile([7.0], 0.99) == 7.0


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(NoSamplesError):
        judged(Limit.BELOW, 1)


@pytest.mark.parametrize(
    ("limit", "bound", "reached"),
    [
        (Limit.BELOW, 5.0, False),
        (Limit.BELOW, 5.1, True),
        (Limit.AT_MOST, 5.0, True),
        (Limit.AT_MOST, 4.9, False),
        (Limit.ABOVE, 5.0, False),
        (Limit.ABOVE, 4.9, True),
        (None, 0.0, None),
    ],
)
def test_the_median_is_compared_with_the_bound(limit: Limit | None, bound: float, reached: bool | None) -> None:  # noqa: FBT001 a table's column
    row = judged(limit, bound, 9, 5, 1)
    assert (row.value, row.low, row.high, row.reached) == (5, 1, 9, reached)


def test_the_worst_of_a_rate_is_its_smallest() -> None:
    assert judged(Limit.ABOVE, 2, 9, 5, 1, statistic=Statistic.WORST).value == 1
    assert judged(Limit.BELOW, 2, 9, 5, 1, statistic=Statistic.WORST).value == 9


def test_a_ratio_is_judged_where_the_measure_says_so() -> None:
    measure = Measure("m", "a measure", "us", Limit.AT_MOST, 0.5, judge_ratio=True)
    assert figure(measure, Samples([10, 11], [0.4, 0.5])).reached is True
    assert figure(measure, Samples([0.1, 0.2], [0.6, 0.5])).reached is False


def test_a_row_of_the_table() -> None:
    assert cells(judged(Limit.BELOW, 50, 12.34, 9, 1234)) == (
        "a measure",
        "median 12.3 ms (9 to 1,234, n=3)",
        "< 50 ms",
        "",
        "ok",
    )


def test_a_figure_without_a_bound_has_none_in_the_report() -> None:
    document = as_json([judged(None, float("nan"), 3.0)])
    assert document["m"] == {
        "name": "m",
        "text": "a measure",
        "unit": "ms",
        "limit": None,
        "bound": None,
        "statistic": "median",
        "judge_ratio": False,
        "value": 3.0,
        "low": 3.0,
        "high": 3.0,
        "count": 1,
        "ratio": None,
        "reached": None,
    }
