"""The hourly statistics that Home Assistant would have, had the house been there for months.

In:   the House, a sensor, the hours, and what the sensor showed first in Home Assistant.
Out:  for each sensor a `Series`: metadata and rows as `recorder/import_statistics` takes them. Nothing fails.

Home Assistant counts a sum from 0 at the first state it sees. So the history ends at what makes that seamless: its
sum at an hour's end is what the counter shows then, minus what it showed first. One row ten years earlier anchors the
first hour: without it, Home Assistant would take the whole sum of the first row as the growth of its period.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from . import battery, market
from .chance import Floats
from .model import Channel, Day, House, day_number
from .sensors import CURRENCY, SENSORS, Counter, Gauge, Measure, Power, Sensor, Session, Today, steps

HOUR_S = 3600
ANCHOR = timedelta(days=3652)
UNIT_CLASSES: Mapping[str, str | None] = {"energy": "energy", "power": "power", "temperature": "temperature"}
VOLUMES = ("gas", "water")
LITRES = 1000  # in a m³

type Row = dict[str, str | float]


@dataclass(frozen=True, slots=True)
class Series:
    """The history of one sensor."""

    entity_id: str
    metadata: Mapping[str, str | bool | int | None]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Money:
    """What Home Assistant counts of a source's cost by itself: the counter times its price."""

    entity_id: str
    counter: str
    price: str | float  # the key of a sensor, or fixed per kWh or m³

    def per_unit(self, hours: Hours) -> list[float]:
        """Return the price of each hour."""
        if isinstance(self.price, str):
            return [float(price) for price in hours.measured[self.price][0]]
        return [self.price] * 24


@dataclass(frozen=True, slots=True)
class Hours:
    """One day's hours: mean, min and max of what is measured; the day's count at each hour's end of what is counted."""

    number: int
    start_s: int
    midnight_s: int
    measured: Mapping[str, tuple[Floats, Floats, Floats]]
    counted: Mapping[Channel, list[int]]


def hours_of(day: Day) -> Hours:
    """Reduce a day to its hours."""
    measured: dict[str, tuple[Floats, Floats, Floats]] = {}
    counted: dict[Channel, list[int]] = {}
    for sensor in SENSORS:
        if isinstance(sensor.source, Counter):
            channel = sensor.source.channel
            counted[channel] = [day.integral(channel, hour * HOUR_S) for hour in range(1, 25)]
        else:
            values = _through(day, sensor.source).reshape(24, -1)
            measured[sensor.key] = (values.mean(axis=1), values.min(axis=1), values.max(axis=1))
    return Hours(day.number, day.start_s, day.start_s + day.midnight_s, measured, counted)


def _through(day: Day, source: Power | Gauge) -> Floats:
    """Return the values of a day, evenly spaced."""
    if isinstance(source, Power):
        tenths = day.rates[source.plus] - (day.rates[source.minus] if source.minus else 0)
        return tenths / (10_000.0 if source.kilo else 10.0)
    match source.measure:
        case Measure.TEMPERATURE:
            return day.temperature_c
        case Measure.PRICE:
            return day.price
        case Measure.EXPORT_PRICE:
            return day.price - market.EXPORT_FEE
        case Measure.CARBON:
            return day.carbon
        case Measure.CHARGE:
            return day.stored_wh[:-1] * 100.0 / battery.CAPACITY_WH


def compute(house: House, begin_s: int, last_s: int) -> Iterator[Hours]:
    """Compute the days for a history that begins at `begin_s`, through the day of `last_s` (about 30 ms for each)."""
    for day in house.days(day_number(begin_s) - 2, day_number(last_s)):
        yield hours_of(day)


def series(
    house: House, sensor: Sensor, days: Sequence[Hours], first_s: int, end_s: int, first_shown: float | None
) -> Series:
    """Return the history of a sensor for the hours that begin in [first_s, end_s), both full hours.

    `days` begins before `first_s`. `first_shown`: what a counter showed first in Home Assistant; its sum is 0 there.
    """
    if isinstance(sensor.source, Counter):
        if first_shown is None:
            raise ValueError(f"the history of {sensor.entity_id} needs what it showed first")
        rows = _count_rows(house, sensor.source, days, first_s, end_s, first_shown)
    else:
        rows = list(_mean_rows(sensor, days, first_s, end_s))
    counts = isinstance(sensor.source, Counter)
    unit_class = "volume" if sensor.device_class in VOLUMES else UNIT_CLASSES.get(sensor.device_class or "")
    if sensor.unit == "%":
        unit_class = "unitless"
    metadata: dict[str, str | bool | int | None] = {
        "statistic_id": sensor.entity_id,
        "source": "recorder",
        "name": None,
        "has_sum": counts,
        "mean_type": 0 if counts else 1,
        "unit_class": unit_class,
        "unit_of_measurement": sensor.unit,
    }
    return Series(sensor.entity_id, metadata, rows)


def _mean_rows(sensor: Sensor, days: Sequence[Hours], first_s: int, end_s: int) -> Iterator[Row]:
    for hours in days:
        means, lows, highs = hours.measured[sensor.key]
        for place in range(24):
            start_s = hours.start_s + place * HOUR_S
            if first_s <= start_s < end_s:
                yield {
                    "start": _iso(start_s),
                    "mean": round(float(means[place]), 4),
                    "min": round(float(lows[place]), 4),
                    "max": round(float(highs[place]), 4),
                }


def _count_rows(
    house: House, source: Counter, days: Sequence[Hours], first_s: int, end_s: int, first_shown: float
) -> list[Row]:
    """Return the anchor and a row for each hour.

    A counter that begins again has no reading that goes on; its sum follows the total of what it counts, set so that
    it is what was shown first at the instant where that was shown.
    """
    ends: list[tuple[int, int, int]] = []
    before: int | None = None
    for hours in days:
        displayed, totals = _counts(house, source, hours)
        for place in range(24):
            start_s = hours.start_s + place * HOUR_S
            if start_s < first_s:
                before = totals[place]
            elif start_s < end_s:
                ends.append((start_s, displayed[place], totals[place]))
    if not ends or before is None:
        raise ValueError("the days do not hold the history's hours and the one before them")
    shift = _shift(source, ends[-1], first_shown)
    anchor: Row = {
        "start": _anchor(first_s),
        "state": steps(before, source.step),
        "sum": round(steps(before, source.step) - shift, 3),
    }
    rows = [anchor]
    for start_s, shown, total in ends:
        rows.append(
            {
                "start": _iso(start_s),
                "state": steps(shown, source.step),
                "sum": round(steps(total, source.step) - shift, 3),
            }
        )
    return rows


def _counts(house: House, source: Counter, hours: Hours) -> tuple[list[int], list[int]]:
    """Return what the counter shows at each hour's end, and the total of its channel there, in raw units."""
    begin = house.before(hours.number)[source.channel]
    edges = [hours.start_s + hour * HOUR_S for hour in range(1, 25)]
    totals = [begin + counted for counted in hours.counted[source.channel]]
    if isinstance(source, Today):
        shown = [total - begin if edge < hours.midnight_s else 0 for edge, total in zip(edges, totals, strict=True)]
    elif isinstance(source, Session):
        yesterday, today = house.summary(hours.number - 1), house.summary(hours.number)
        old = house.before(hours.number - 1)[source.channel] + yesterday.ev_before_plug_in
        new = begin + today.ev_before_plug_in
        shown = [total - (new if edge >= today.plug_in_s else old) for edge, total in zip(edges, totals, strict=True)]
    else:
        shown = totals
    return shown, totals


def _shift(source: Counter, last: tuple[int, int, int], first_shown: float) -> float:
    """Return what to take off the totals: the total at which the first state was shown."""
    _, shown, total = last
    if not isinstance(source, Today | Session):
        return first_shown
    since_last_hour = first_shown - steps(shown, source.step)
    if since_last_hour < 0:  # it began again in between
        since_last_hour = first_shown
    return steps(total, source.step) + since_last_hour


def money_series(house: House, money: Money, days: Sequence[Hours], first_s: int, seen_s: int) -> Series:
    """Return the history of a cost, which Home Assistant counts from `seen_s` on."""
    (sensor,) = (sensor for sensor in SENSORS if sensor.key == money.counter)
    if not isinstance(sensor.source, Counter):
        raise TypeError(f"{sensor.entity_id} counts nothing")
    raw_per_step, per_unit = sensor.source.step.value
    per_unit *= LITRES if sensor.unit == "L" else 1
    starts: list[int] = []
    sums: list[float] = [0.0]
    before = 0
    for hours in days:
        _, totals = _counts(house, sensor.source, hours)
        for place, (total, price) in enumerate(zip(totals, money.per_unit(hours), strict=True)):
            start_s = hours.start_s + place * HOUR_S
            if first_s <= start_s <= seen_s:
                until_s = min(start_s + HOUR_S, seen_s)
                counted = total if until_s == start_s + HOUR_S else house.total(sensor.source.channel, until_s)
                starts.append(start_s)
                sums.append(sums[-1] + (counted - before) / raw_per_step / per_unit * price)
            before = total
    zero, whole = sums[-1], seen_s // HOUR_S * HOUR_S
    rows: list[Row] = [{"start": _anchor(first_s), "state": 0.0, "sum": round(-zero, 4)}]
    for start_s, total_cost in zip(starts, sums[1:], strict=True):
        if start_s < whole:
            rows.append({"start": _iso(start_s), "state": round(total_cost, 4), "sum": round(total_cost - zero, 4)})
    metadata: dict[str, str | bool | int | None] = {
        "statistic_id": money.entity_id,
        "source": "recorder",
        "name": None,
        "has_sum": True,
        "mean_type": 0,
        "unit_class": None,
        "unit_of_measurement": CURRENCY,
    }
    return Series(money.entity_id, metadata, rows)


def _anchor(first_s: int) -> str:
    return (datetime.fromtimestamp(first_s, UTC) - ANCHOR).isoformat()


def _iso(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()
