"""Series put together into slices of bounded size, for what must be sorted in little memory. Pure."""

from collections.abc import Iterable, Iterator

SLICE_ROWS = 500_000


def slices(sizes: Iterable[tuple[int, int]], most_rows: int = SLICE_ROWS) -> Iterator[tuple[int, int]]:
    """Yield (first, last) series of slices, from (series, rows) in ascending order; no series is divided."""
    first = last = None
    rows = 0
    for series, count in sizes:
        if first is not None and last is not None and rows + count > most_rows:
            yield first, last
            first, rows = None, 0
        first = series if first is None else first
        last = series
        rows += count
    if first is not None and last is not None:
        yield first, last
