"""The algebra of spans equals the algebra of sets of instants."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from energy_server.ledger.spans import SpanSet, added, before, clipped, difference, intersection, length_us, union
from energy_server.model.coverage import Span

ANY = st.lists(st.builds(Span, st.integers(0, 40), st.integers(0, 40)), max_size=8)
SETS = ANY.map(union)


def instants(spans: list[Span]) -> set[int]:
    return {instant for span in spans for instant in range(span.since_us, span.until_us)}


def checked(spans: SpanSet) -> set[int]:
    """Return the instants of a set, which is in its normal form."""
    assert all(span.since_us < span.until_us for span in spans), "not empty"
    assert all(one.until_us < two.since_us for one, two in pairwise(spans)), "ordered and apart"
    assert length_us(spans) == len(instants(spans))
    return instants(spans)


@settings(deadline=None)
@given(ANY)
def test_union(spans: list[Span]) -> None:
    assert checked(union(spans)) == instants(spans)
    assert union(union(spans)) == union(spans)
    assert union(reversed(spans)) == union(spans)


@settings(deadline=None)
@given(SETS, st.builds(Span, st.integers(0, 40), st.integers(0, 40)))
def test_added(spans: SpanSet, span: Span) -> None:
    grown = added(spans, span)
    assert checked(grown) == instants(spans) | instants([span])
    assert (grown is spans) == (instants([span]) <= instants(spans)), "the same list says that nothing changed"


@settings(deadline=None)
@given(SETS, SETS)
def test_intersection(left: SpanSet, right: SpanSet) -> None:
    assert checked(intersection(left, right)) == instants(left) & instants(right)


@settings(deadline=None)
@given(SETS, SETS)
def test_difference(left: SpanSet, right: SpanSet) -> None:
    assert checked(difference(left, right)) == instants(left) - instants(right)


@settings(deadline=None)
@given(SETS, st.integers(-1, 41))
def test_before(spans: SpanSet, instant: int) -> None:
    assert checked(before(spans, instant)) == {one for one in instants(spans) if one < instant}


@settings(deadline=None)
@given(SETS, st.integers(-1, 41), st.integers(-1, 41))
def test_clipped(spans: SpanSet, start: int, end: int) -> None:
    assert checked(clipped(spans, start, end)) == instants(spans) & set(range(start, end))
