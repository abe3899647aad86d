"""What a bench measured, and whether it is enough.

In:   the samples that a bench returned for a Measure.
Out:  a Figure: the statistic that the Measure names, its spread, and the verdict. Pure; a Measure without samples
      raises `NoSamplesError`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

MEASURES_SHOWN_WITH_DECIMALS_BELOW = 100


class NoSamplesError(ValueError):
    """A bench returned nothing for a measure that it promised."""


class Statistic(StrEnum):
    """Which single number stands for the samples."""

    MEDIAN = "median"
    P99 = "p99"
    WORST = "worst"


class Limit(StrEnum):
    """How a figure is compared with what it must reach."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table. `limit` None: for information. `judge_ratio`: the ratio to the peer is judged."""

    name: str
    text: str
    unit: str
    limit: Limit | None = None
    bound: float = math.nan
    statistic: Statistic = Statistic.MEDIAN
    judge_ratio: bool = False


@dataclass(frozen=True, slots=True)
class Samples:
    """The repeats of one measure; `ratios` are ours to the peer's, each from the same turn of the same run."""

    values: Sequence[float]
    ratios: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table, computed. `reached` None: nothing was asked."""

    measure: Measure
    value: float
    low: float
    high: float
    count: int
    ratio: float | None
    reached: bool | None


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed, interpolated (Hyndman and Fan's type 7, as numpy)."""
    ordered = sorted(values)
    if not ordered:
        raise NoSamplesError("a quantile of nothing")
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def figure(measure: Measure, samples: Samples) -> Figure:
    """Judge the samples of a measure."""
    if not samples.values:
        raise NoSamplesError(measure.name)
    value = _statistic(measure, samples.values)
    ratio = quantile(samples.ratios, 0.5) if samples.ratios else None
    judged = ratio if measure.judge_ratio else value
    return Figure(
        measure,
        value,
        min(samples.values),
        max(samples.values),
        len(samples.values),
        ratio,
        _reached(measure, judged),
    )


def _statistic(measure: Measure, values: Sequence[float]) -> float:
    match measure.statistic:
        case Statistic.MEDIAN:
            return quantile(values, 0.5)
        case Statistic.P99:
            return quantile(values, 0.99)
        case Statistic.WORST:
            return min(values) if measure.limit is Limit.ABOVE else max(values)


def _reached(measure: Measure, judged: float | None) -> bool | None:
    if measure.limit is None or judged is None:
        return None
    match measure.limit:
        case Limit.BELOW:
            return judged < measure.bound
        case Limit.AT_MOST:
            return judged <= measure.bound
        case Limit.ABOVE:
            return judged > measure.bound


def number(value: float) -> str:
    """Return a number with as many digits as mean something."""
    if abs(value) >= MEASURES_SHOWN_WITH_DECIMALS_BELOW:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def cells(row: Figure) -> tuple[str, str, str, str, str]:
    """Return the row as text: measure, figure with its spread, must reach, ratio, verdict."""
    measure = row.measure
    spread = f" ({number(row.low)} to {number(row.high)}, n={row.count})" if row.count > 1 else ""
    bound_unit = "x" if measure.judge_ratio else measure.unit
    asked = f"{measure.limit} {number(measure.bound)} {bound_unit}" if measure.limit else ""
    verdict = {None: "", True: "ok", False: "short"}[row.reached]
    return (
        measure.text,
        f"{measure.statistic} {number(row.value)} {measure.unit}{spread}",
        asked,
        "" if row.ratio is None else f"{row.ratio:.2f}",
        verdict,
    )


def as_json(rows: Sequence[Figure]) -> Mapping[str, object]:
    """Return the figures as JSON values, by the measures' names."""
    return {
        row.measure.name: {
            **asdict(row.measure),
            "bound": None if row.measure.limit is None else row.measure.bound,
            "value": row.value,
            "low": row.low,
            "high": row.high,
            "count": row.count,
            "ratio": row.ratio,
            "reached": row.reached,
        }
        for row in rows
    }
