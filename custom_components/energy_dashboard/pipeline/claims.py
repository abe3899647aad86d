"""The JSON of what reconciling sends: a message after its number, `"catalog":…}`.

In:   rows, the span and the places that they settle.
Out:  bytes. No failures.
"""

from collections.abc import Iterator, Sequence

from homeassistant.helpers.json import json_bytes

from .outbox import Row
from .spans import Span

type StatisticRow = tuple[int, int, float | None, float | None, float | None, float | None, float | None]
"""Place, start_us, mean, min, max, change, last."""


def readings_body(rev: int, span: Span, of: Sequence[int], rows: Sequence[Row]) -> bytes:
    """Return a `readings` message of origin `recorder`."""
    return json_bytes({"catalog": rev, "origin": "recorder", "span": span, "of": of, "rows": rows})[1:]


def statistics_body(rev: int, span: Span, place: int, rows: Sequence[StatisticRow]) -> bytes:
    """Return a `statistics` message of one Entity."""
    return json_bytes({"catalog": rev, "level": "hour", "span": span, "of": [place], "rows": rows})[1:]


def nothing_body(rev: int, span: Span, of: Sequence[int], reason: str) -> bytes:
    """Return a `nothing` message."""
    return json_bytes({"catalog": rev, "span": span, "of": of, "reason": reason})[1:]


def counts_body(rev: int, request: int, span: Span, of: Sequence[int], rows: Sequence[tuple[int, int, int]]) -> bytes:
    """Return a `counts` message."""
    return json_bytes({"catalog": rev, "id": request, "span": span, "of": of, "rows": rows})[1:]


def digests_body(rev: int, request: int, of: Sequence[int], rows: Sequence[tuple[int, int, int, str]]) -> bytes:
    """Return a `digests` message."""
    return json_bytes({"catalog": rev, "id": request, "of": of, "rows": rows})[1:]


def in_messages(rows: list[Row], span: Span, max_rows: int) -> Iterator[tuple[Span, list[Row]]]:
    """Cut rows into messages, newest first; readings of one instant stay in one claim.

    Rows from before the span come with its oldest part.
    """
    if len(rows) <= max_rows:
        yield span, rows
        return
    rows.sort(key=_instant_us, reverse=True)
    until_us, start = span.until_us, 0
    while len(rows) - start > max_rows:
        end = start + max_rows
        while end > start and rows[end][1] == rows[end - 1][1]:
            end -= 1
        if end == start or rows[end - 1][1] <= span.since_us:
            break  # one instant, or what lies before the span: it cannot be cut
        cut_us = rows[end - 1][1]
        yield Span(cut_us, until_us), rows[start:end]
        until_us, start = cut_us, end
    yield Span(span.since_us, until_us), rows[start:]


def _instant_us(row: Row) -> int:
    return row[1]
