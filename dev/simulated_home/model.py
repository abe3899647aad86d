"""The simulated house: what flows at any second, and what every meter has counted until then.

In:   a seed, and the day from which the meters are counted.
Out:  `House.rate`, `House.total`, `Day` objects with whole days. Nothing fails.

All flows are integers (0.1 W; ml/s), so that sums, balance and counters are exact:
  solar + grid import + battery discharge = home + battery charge + grid export
  home = the devices + what no device measures
A total is the integral of its flow, second by second, from the meter's reading at the epoch; before it, it runs
backwards.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

import numpy as np

from . import battery, loads, market, weather
from .chance import Floats, Integers
from .loads import BOUNDARY_S, DAY_S, ZONE

CHUNK_DAYS = 50
KEPT_DAYS = 4
TEMPERATURE_S = 60
# Before a day with less sun than this the battery is filled from the grid in the first hours, which are cheap.
DARK_DAY_WH = 5_500.0
FILLED_WH = 6_500.0
CHEAP_HOURS = 2


class Channel(StrEnum):
    """A flow of the house. None is ever negative."""

    SOLAR = "solar"
    GRID_IMPORT = "grid_import"
    GRID_EXPORT = "grid_export"
    BATTERY_DISCHARGE = "battery_discharge"
    BATTERY_CHARGE = "battery_charge"
    HOME = "home"
    EV_CHARGER = "ev_charger"
    HEAT_PUMP = "heat_pump"
    WASHING_MACHINE = "washing_machine"
    DISHWASHER = "dishwasher"
    FRIDGE = "fridge"
    NETWORK = "network"
    LIVING_ROOM = "living_room"
    TELEVISION = "television"  # a part of the living room
    UNTRACKED = "untracked"
    GAS = "gas"
    WATER = "water"


SLOT_S: Mapping[Channel, int] = {
    Channel.SOLAR: 5,
    Channel.GRID_IMPORT: 1,
    Channel.GRID_EXPORT: 1,
    Channel.BATTERY_DISCHARGE: battery.SLOT_S,
    Channel.BATTERY_CHARGE: battery.SLOT_S,
    Channel.HOME: 1,
    Channel.EV_CHARGER: 5,
    Channel.HEAT_PUMP: 10,
    Channel.WASHING_MACHINE: 2,
    Channel.DISHWASHER: 5,
    Channel.FRIDGE: 10,
    Channel.NETWORK: 10,
    Channel.LIVING_ROOM: 5,
    Channel.TELEVISION: 5,
    Channel.UNTRACKED: 3,
    Channel.GAS: 60,
    Channel.WATER: 10,
}
DEVICES = (
    Channel.EV_CHARGER,
    Channel.HEAT_PUMP,
    Channel.WASHING_MACHINE,
    Channel.DISHWASHER,
    Channel.FRIDGE,
    Channel.NETWORK,
    Channel.LIVING_ROOM,
)
_KWH = 36_000_000  # 0.1 W s
_M3 = 1_000_000  # ml
READING_AT_EPOCH: Mapping[Channel, int] = {
    Channel.SOLAR: 21_904 * _KWH,
    Channel.GRID_IMPORT: 19_377 * _KWH,
    Channel.GRID_EXPORT: 12_850 * _KWH,
    Channel.BATTERY_DISCHARGE: 6_412 * _KWH,
    Channel.BATTERY_CHARGE: 7_031 * _KWH,
    Channel.HOME: 28_014 * _KWH,
    Channel.EV_CHARGER: 9_210 * _KWH,
    Channel.HEAT_PUMP: 11_655 * _KWH,
    Channel.WASHING_MACHINE: 702 * _KWH,
    Channel.DISHWASHER: 988 * _KWH,
    Channel.FRIDGE: 1_204 * _KWH,
    Channel.NETWORK: 1_930 * _KWH,
    Channel.LIVING_ROOM: 1_871 * _KWH,
    Channel.TELEVISION: 655 * _KWH,
    Channel.UNTRACKED: 9_000 * _KWH,
    Channel.GAS: 4_318 * _M3,
    Channel.WATER: 1_127 * _M3,
}


@dataclass(slots=True)
class Day:
    """One day of the model, from 03:00 UTC to 03:00 UTC."""

    number: int
    rates: Mapping[Channel, Integers]
    stored_wh: Floats  # at the beginning of each slot of the battery, and at the end of the day
    temperature_c: Floats  # by the minute
    price: Floats  # by the hour
    carbon: Floats  # by the quarter of an hour
    midnight_s: int  # into the day
    plug_in_s: int  # into the day
    _sums: dict[Channel, Integers] = field(default_factory=dict)

    @property
    def start_s(self) -> int:
        """The epoch second of its beginning."""
        return self.number * DAY_S + BOUNDARY_S

    def sums(self, channel: Channel) -> Integers:
        """Return the integral from the beginning of the day to each edge of the channel's slots."""
        if channel not in self._sums:
            rates = self.rates[channel] * SLOT_S[channel]
            self._sums[channel] = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(rates)))
        return self._sums[channel]

    def integral(self, channel: Channel, until_s: int) -> int:
        """Return the integral from the beginning of the day to a second of it."""
        slot, rest_s = divmod(until_s, SLOT_S[channel])
        counted = int(self.sums(channel)[slot])
        return counted + rest_s * int(self.rates[channel][slot]) if rest_s else counted

    def each_second(self, channel: Channel) -> Integers:
        """Return the flow at each second."""
        return np.repeat(self.rates[channel], SLOT_S[channel])


@dataclass(frozen=True, slots=True)
class DaySummary:
    """What must be known of a day to count on after it."""

    totals: Mapping[Channel, int]
    plug_in_s: int
    ev_before_plug_in: int


def simulate(seed: int, numbers: Sequence[int]) -> Iterator[Day]:
    """Compute these consecutive days."""
    days = loads.days_of(
        seed, [numbers[0] - 1, *numbers]
    )  # the day before says how full the battery is at the beginning
    flows = _loads(days)
    power, stored = _battery(days, flows)
    for place in range(1, len(days.number)):
        day = {channel: rates[place] for channel, rates in flows.items()}
        yield _finish(days, place, day, power[:, place - 1], stored[:, place - 1])


def _loads(days: loads.Days) -> dict[Channel, Integers]:
    """Return what does not depend on the battery, as integers [day, slot]."""

    def tenths(watts: Floats) -> Integers:
        rounded: Integers = np.maximum(np.rint(watts * 10.0), 0.0).astype(np.int64)
        return rounded

    slot = SLOT_S
    solar_w = loads.solar(days, slot[Channel.SOLAR])
    television = tenths(loads.television(days, slot[Channel.TELEVISION]))
    flows = {
        Channel.SOLAR: tenths(solar_w),
        Channel.EV_CHARGER: tenths(loads.ev_charger(days, slot[Channel.EV_CHARGER], solar_w)),
        Channel.HEAT_PUMP: tenths(loads.heat_pump(days, slot[Channel.HEAT_PUMP])),
        Channel.WASHING_MACHINE: tenths(loads.washing_machine(days, slot[Channel.WASHING_MACHINE])),
        Channel.DISHWASHER: tenths(loads.dishwasher(days, slot[Channel.DISHWASHER])),
        Channel.FRIDGE: tenths(loads.fridge(days, slot[Channel.FRIDGE])),
        Channel.NETWORK: tenths(loads.network(days, slot[Channel.NETWORK])),
        Channel.TELEVISION: television,
        Channel.LIVING_ROOM: television + tenths(loads.living_room_rest(days, slot[Channel.LIVING_ROOM])),
        Channel.UNTRACKED: tenths(loads.untracked(days, slot[Channel.UNTRACKED])),
    }
    flows[Channel.GAS] = np.rint(loads.gas(days, slot[Channel.GAS])).astype(np.int64)
    flows[Channel.WATER] = np.rint(loads.water(days, slot[Channel.WATER])).astype(np.int64)
    return flows


def _mean_of_slots(rates: Integers, slot_s: int) -> Floats:
    """Return the means of the battery's slots [slot, day]; a slot that does not divide them is spread."""
    if battery.SLOT_S % slot_s:
        rates, slot_s = np.repeat(rates, slot_s, axis=1), 1
    means: Floats = rates.reshape(len(rates), battery.SLOTS, -1).mean(axis=2).T
    return means


def _battery(days: loads.Days, flows: Mapping[Channel, Integers]) -> tuple[Integers, Floats]:
    """Return power and charge of the battery [slot, day] for all days but the first."""
    followed = (*(device for device in DEVICES if device is not Channel.EV_CHARGER), Channel.UNTRACKED)
    left = -_mean_of_slots(flows[Channel.SOLAR], SLOT_S[Channel.SOLAR])
    for channel in followed:
        left += _mean_of_slots(flows[channel], SLOT_S[channel])
    with_car = left + _mean_of_slots(flows[Channel.EV_CHARGER], SLOT_S[Channel.EV_CHARGER])
    need = np.where(left > 0, left, np.minimum(with_car, 0.0))  # it does not feed the car, nor take the car's sun
    hours = days.start_s[:, None] + np.arange(24, dtype=np.int64)[None, :] * market.HOUR_S
    price = market.price_per_kwh(days.seed, hours)
    per_hour = battery.SLOTS // 24
    allowed = np.repeat((price >= np.quantile(price, 0.3, axis=1, keepdims=True)).T, per_hour, axis=0).astype(
        np.float64
    )
    solar_wh = flows[Channel.SOLAR].sum(axis=1) * SLOT_S[Channel.SOLAR] / 36_000.0
    dark = (solar_wh < DARK_DAY_WH)[:, None] & (np.arange(24) < CHEAP_HOURS)[None, :]
    grid_charge = np.repeat(np.where(dark, FILLED_WH, 0.0).T, per_hour, axis=0)
    assumed = np.full(len(days.number), battery.ASSUMED_WH)
    _, first = battery.dispatch(need, allowed, grid_charge, assumed, None)
    ends = first[-1]
    return battery.dispatch(need[:, 1:], allowed[:, 1:], grid_charge[:, 1:], ends[:-1], ends[1:])


def _finish(days: loads.Days, place: int, flows: dict[Channel, Integers], power: Integers, stored: Floats) -> Day:
    """Close the balance: the grid gives and takes what is left, second by second."""

    def seconds(channel: Channel) -> Integers:
        return np.repeat(flows[channel], SLOT_S[channel])

    flows[Channel.BATTERY_DISCHARGE] = np.maximum(power, 0)
    flows[Channel.BATTERY_CHARGE] = np.maximum(-power, 0)
    flows[Channel.HOME] = seconds(Channel.UNTRACKED)
    for device in DEVICES:
        flows[Channel.HOME] = flows[Channel.HOME] + seconds(device)
    left = flows[Channel.HOME] - seconds(Channel.SOLAR) - np.repeat(power, battery.SLOT_S)
    flows[Channel.GRID_IMPORT] = np.maximum(left, 0)
    flows[Channel.GRID_EXPORT] = np.maximum(-left, 0)
    number = int(days.number[place])
    start_s = number * DAY_S + BOUNDARY_S
    hour = loads.plug_in_hour(days)[place]
    plug_in_s = int(hour * 3600 - days.offset_s[place] - BOUNDARY_S) % DAY_S

    def through(step_s: int) -> Integers:
        return start_s + np.arange(0, DAY_S, step_s, dtype=np.int64)

    return Day(
        number=number,
        rates=flows,
        stored_wh=stored,
        temperature_c=weather.temperature_c(days.seed, through(TEMPERATURE_S)),
        price=market.price_per_kwh(days.seed, through(market.HOUR_S)),
        carbon=market.carbon_g_per_kwh(days.seed, through(market.QUARTER_S)),
        midnight_s=_midnight_s(start_s) - start_s,
        plug_in_s=plug_in_s,
    )


def _midnight_s(start_s: int) -> int:
    """Return the local midnight inside the day that begins here."""
    tomorrow = datetime.fromtimestamp(start_s, UTC).astimezone(ZONE).date() + timedelta(days=1)
    return int(datetime.combine(tomorrow, time.min, ZONE).timestamp())


def day_number(at_s: int) -> int:
    """Return the number of the model's day at an epoch second."""
    return (at_s - BOUNDARY_S) // DAY_S


class House:
    """The house through time. Days are computed as they are asked for; a few are kept whole, of all others the sums."""

    def __init__(self, seed: int, epoch_day: int, kept_days: int = KEPT_DAYS) -> None:
        """Begin to count at the beginning of `epoch_day`."""
        self._kept_days = kept_days
        self.seed = seed
        self.epoch_day = epoch_day
        self._days: OrderedDict[int, Day] = OrderedDict()
        self._summaries: dict[int, DaySummary] = {}
        self._before: dict[int, Mapping[Channel, int]] = {epoch_day: READING_AT_EPOCH}

    def days(self, first: int, last: int) -> Iterator[Day]:
        """Return whole days, both ends included, computed in chunks; their sums are known from then on."""
        for begin in range(first, last + 1, CHUNK_DAYS):
            for day in simulate(self.seed, range(begin, min(begin + CHUNK_DAYS, last + 1))):
                self._keep(day)
                yield day

    def prepare(self, at_s: int) -> None:
        """Compute what is needed to answer for an instant and its day: 0.3 s, 30 ms for each day since the epoch."""
        number = day_number(at_s)
        low, high = min(number - 1, self.epoch_day), max(number, self.epoch_day)
        missing = [n for n in range(low, high + 1) if n not in self._summaries]
        if missing:
            for _ in self.days(missing[0], missing[-1]):
                pass
        self.day(number)
        self.before(number - 1)

    def day(self, number: int) -> Day:
        """Return a whole day."""
        if number not in self._days:
            for _ in self.days(number, number):
                pass
        return self._days[number]

    def summary(self, number: int) -> DaySummary:
        """Return a day's sums."""
        if number not in self._summaries:
            self.day(number)
        return self._summaries[number]

    def before(self, number: int) -> Mapping[Channel, int]:
        """Return what every meter shows at the beginning of a day."""
        nearest = min(self._before, key=lambda known: abs(known - number))
        while nearest < number:
            grown, known = self.summary(nearest).totals, self._before[nearest]
            nearest += 1
            self._before[nearest] = {channel: known[channel] + grown[channel] for channel in Channel}
        while nearest > number:
            nearest -= 1
            grown, known = self.summary(nearest).totals, self._before[nearest + 1]
            self._before[nearest] = {channel: known[channel] - grown[channel] for channel in Channel}
        return self._before[number]

    def rate(self, channel: Channel, at_s: int) -> int:
        """Return the flow during the second that begins here, in 0.1 W or ml/s."""
        day = self.day(day_number(at_s))
        return int(day.rates[channel][(at_s - day.start_s) // SLOT_S[channel]])

    def total(self, channel: Channel, at_s: int) -> int:
        """Return what the meter has counted until here, in 0.1 W s or ml."""
        day = self.day(day_number(at_s))
        return self.before(day.number)[channel] + day.integral(channel, at_s - day.start_s)

    def _keep(self, day: Day) -> None:
        self._summaries[day.number] = DaySummary(
            totals={channel: int(day.sums(channel)[-1]) for channel in Channel},
            plug_in_s=day.start_s + day.plug_in_s,
            ev_before_plug_in=day.integral(Channel.EV_CHARGER, day.plug_in_s),
        )
        self._days[day.number] = day
        self._days.move_to_end(day.number)
        while len(self._days) > self._kept_days:
            self._days.popitem(last=False)
