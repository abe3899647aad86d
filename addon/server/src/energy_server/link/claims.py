"""What a message of hourly statistics settles: the hours that it has, and the hours that Home Assistant lacks. Pure.

In:   the claims of a message, its valid rows.
Out:  for each Entity a claim `hour` for each stretch that has rows, and `none`, for there are no statistics, for the
      rest of the span. Both are settled; only the former are known, so that a hole stays visible.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from energy_server.ledger.coverage import NO_STATISTICS
from energy_server.ledger.spans import SpanSet, clipped, difference, union
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.statistic import HOUR_US, StatisticColumns


def of_rows(claims: Sequence[Claim], rows: StatisticColumns) -> tuple[Claim, ...]:
    """Return the claims for what the rows tell."""
    pairs = sorted(zip(rows.place.tolist(), rows.start_us.tolist(), strict=True))
    hours = {
        rows.keys[place]: union(Span(start_us, start_us + HOUR_US) for _, start_us in found)
        for place, found in groupby(pairs, itemgetter(0))
    }
    return tuple(
        made
        for claim in claims
        for key in claim.keys or ()
        for made in _made(claim, key, clipped(hours.get(key, []), claim.span.since_us, claim.span.until_us))
    )


def _made(claim: Claim, key: str, known: SpanSet) -> list[Claim]:
    rest = difference([claim.span], known) if claim.span.since_us < claim.span.until_us else []
    told = [Claim(claim.site, CoverageSource.HOUR, span, (key,)) for span in known]
    lacking = [Claim(claim.site, CoverageSource.NONE, span, (key,), NO_STATISTICS) for span in rest]
    return told + lacking
