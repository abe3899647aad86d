"""What hourly statistics settle. The law: nothing of the span is left open, and only hours with a row are known."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.ledger.spans import length_us, union
from energy_server.link.claims import of_rows
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.statistic import HOUR_US, StatisticColumns

KEYS = ["a", "b"]


def rows_of(*pairs: tuple[int, int]) -> StatisticColumns:
    """Return rows from (place, hour)."""
    nothing = np.zeros(len(pairs))
    return StatisticColumns(
        keys=KEYS,
        place=np.array([place for place, _ in pairs], np.int32),
        start_us=np.array([hour * HOUR_US for _, hour in pairs], np.int64),
        mean=nothing,
        minimum=nothing,
        maximum=nothing,
        change=nothing,
        last=nothing,
        covered_s=nothing,
        provenance=nothing.astype(np.uint8),
    )


def hours(since: int, until: int) -> Span:
    return Span(since * HOUR_US, until * HOUR_US)


def test_a_hole_is_settled_and_not_known() -> None:
    claim = Claim("home", CoverageSource.HOUR, hours(10, 16), ("a", "b"))
    assert of_rows([claim], rows_of((0, 13), (0, 10), (0, 11), (1, 15))) == (
        Claim("home", CoverageSource.HOUR, hours(10, 12), ("a",)),
        Claim("home", CoverageSource.HOUR, hours(13, 14), ("a",)),
        Claim("home", CoverageSource.NONE, hours(12, 13), ("a",), "no_statistics"),
        Claim("home", CoverageSource.NONE, hours(14, 16), ("a",), "no_statistics"),
        Claim("home", CoverageSource.HOUR, hours(15, 16), ("b",)),
        Claim("home", CoverageSource.NONE, hours(10, 15), ("b",), "no_statistics"),
    )


@given(
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 40)), unique=True, max_size=40),
)
@settings(deadline=None)
def test_the_span_is_settled_whatever_the_rows(bounds: list[int], pairs: list[tuple[int, int]]) -> None:
    span = hours(*bounds)
    made = of_rows([Claim("home", CoverageSource.HOUR, span, ("a", "b"))], rows_of(*pairs))
    for place, key in enumerate(KEYS):
        mine = [claim for claim in made if claim.keys == (key,)]
        assert union(claim.span for claim in mine) == union([span])
        assert sum(length_us([claim.span]) for claim in mine) == length_us([span])
        known = union(claim.span for claim in mine if claim.source is CoverageSource.HOUR)
        assert length_us(known) == HOUR_US * sum(
            span.since_us <= hour * HOUR_US < span.until_us for at, hour in pairs if at == place
        )
