"""Spans of time, half open, and sets of them. Pure. Instants are integers in microseconds since 1970."""

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """A span `[since_us, until_us)`."""

    since_us: int
    until_us: int


def intersection(spans: Iterable[Span], within: Span) -> list[Span]:
    """Return the parts of spans that lie within another."""
    found = (Span(max(a, within.since_us), min(b, within.until_us)) for a, b in spans)
    return [span for span in found if span.since_us < span.until_us]


def difference(span: Span, without: Iterable[Span]) -> list[Span]:
    """Return what is left of a span, in ascending time."""
    left: list[Span] = []
    since_us = span.since_us
    for a, b in sorted(without):
        if a > since_us:
            left.append(Span(since_us, min(a, span.until_us)))
        since_us = max(since_us, b)
        if since_us >= span.until_us:
            break
    if since_us < span.until_us:
        left.append(Span(since_us, span.until_us))
    return [part for part in left if part.since_us < part.until_us]
