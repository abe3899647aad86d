"""The algebra of sets of spans. Pure.

A set of spans is a list of spans that are not empty, in ascending order, and neither overlap nor touch. Every function
takes sets (or any spans, where it says so) and returns a set.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from energy_server.model.coverage import Span

type SpanSet = list[Span]


def union(spans: Iterable[Span]) -> SpanSet:
    """Return the set of all instants in any of these spans, which may be empty, overlap, and come in any order."""
    merged: SpanSet = []
    for span in sorted(spans):
        if span.since_us >= span.until_us:
            continue
        if merged and span.since_us <= merged[-1].until_us:
            merged[-1] = Span(merged[-1].since_us, max(merged[-1].until_us, span.until_us))
        else:
            merged.append(span)
    return merged


def added(spans: SpanSet, span: Span) -> SpanSet:
    """Return the set with one span more; the same list where that changes nothing."""
    if span.since_us >= span.until_us:
        return spans
    first = bisect_left(spans, span.since_us, key=_until)
    last = bisect_right(spans, span.until_us, lo=first, key=_since)
    if first == last:
        return [*spans[:first], span, *spans[first:]]
    joined = Span(min(span.since_us, spans[first].since_us), max(span.until_us, spans[last - 1].until_us))
    return spans if last == first + 1 and joined == spans[first] else [*spans[:first], joined, *spans[last:]]


def clipped(spans: SpanSet, start_us: int, end_us: int) -> SpanSet:
    """Return what of the set lies in `[start_us, end_us)`, without looking at the rest of it."""
    first = bisect_right(spans, start_us, key=_until)
    last = bisect_left(spans, end_us, lo=first, key=_since)
    if first == last or start_us >= end_us:
        return []
    inside = spans[first:last]
    inside[0] = Span(max(inside[0].since_us, start_us), inside[0].until_us)
    inside[-1] = Span(inside[-1].since_us, min(inside[-1].until_us, end_us))
    return inside


def intersection(left: Sequence[Span], right: Sequence[Span]) -> SpanSet:
    """Return what is in both sets."""
    common: SpanSet = []
    at_left = at_right = 0
    while at_left < len(left) and at_right < len(right):
        one, other = left[at_left], right[at_right]
        since, until = max(one.since_us, other.since_us), min(one.until_us, other.until_us)
        if since < until:
            common.append(Span(since, until))
        if one.until_us <= other.until_us:
            at_left += 1
        else:
            at_right += 1
    return common


def difference(left: Sequence[Span], right: Sequence[Span]) -> SpanSet:
    """Return what is in the first set and not in the second."""
    rest: SpanSet = []
    at_right = 0
    for span in left:
        since = span.since_us
        while at_right < len(right) and right[at_right].until_us <= since:
            at_right += 1
        at = at_right
        while at < len(right) and right[at].since_us < span.until_us:
            if since < right[at].since_us:
                rest.append(Span(since, right[at].since_us))
            since = max(since, right[at].until_us)
            at += 1
        if since < span.until_us:
            rest.append(Span(since, span.until_us))
    return rest


def before(spans: Sequence[Span], instant_us: int) -> SpanSet:
    """Return what of the set lies before the instant."""
    return [Span(span.since_us, min(span.until_us, instant_us)) for span in spans if span.since_us < instant_us]


def length_us(spans: Iterable[Span]) -> int:
    """Return the length of a set."""
    return sum(span.until_us - span.since_us for span in spans)


def _since(span: Span) -> int:
    return span.since_us


def _until(span: Span) -> int:
    return span.until_us
