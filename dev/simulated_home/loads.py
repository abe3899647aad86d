# ruff: noqa: PLR2004 the numbers are the house
"""What uses energy in the house: each device's power through a day.

In:   a `Days`: the seed, and days side by side with their instants and local time.
Out:  for each device an array [day, slot] in W, for gas and water in ml/s; the length of the slots is the device's own.
      Nothing fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from . import weather
from .chance import Floats, Integers, Stream, smooth, uniform

ZONE = ZoneInfo("Europe/Amsterdam")
DAY_S = 86_400
BOUNDARY_S = (
    3 * 3600
)  # a day of the model begins at 03:00 UTC: the house is asleep and the sun is down, in every season
SATURDAY = 5

type Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Days:
    """Days of the model, side by side."""

    seed: int
    number: Integers
    start_s: Integers
    offset_s: Integers
    weekend: Booleans

    def at(self, slot_s: int) -> Integers:
        """Return the instants [day, slot]."""
        return self.start_s[:, None] + np.arange(0, DAY_S, slot_s, dtype=np.int64)[None, :]

    def local_hour(self, slot_s: int) -> Floats:
        """Return the hour of the local day [day, slot], 0 to 24."""
        return ((self.at(slot_s) + self.offset_s[:, None]) % DAY_S) / 3600.0

    def since(self, local_hour: Floats, slot_s: int) -> Floats:
        """Return seconds since a local hour of the day, given for each day; negative before."""
        into_s = (local_hour * 3600.0 - self.offset_s - BOUNDARY_S) % DAY_S
        return np.arange(0, DAY_S, slot_s, dtype=np.float64)[None, :] - into_s[:, None]

    def draw(self, stream: Stream) -> Floats:
        """Return one number per day."""
        return uniform(self.seed, stream, self.number)

    def noise(self, stream: Stream, slot_s: int) -> Floats:
        """Return one number per slot, -1 to 1."""
        return 2.0 * uniform(self.seed, stream, self.at(slot_s) // slot_s) - 1.0


def days_of(seed: int, numbers: Sequence[int]) -> Days:
    """Return these days; a day's number counts from 1970."""
    number = np.array(numbers, dtype=np.int64)
    noons = [datetime.fromtimestamp(int(n) * DAY_S + DAY_S // 2, UTC).astimezone(ZONE) for n in numbers]
    offsets = [int((noon.utcoffset() or UTC.utcoffset(None)).total_seconds()) for noon in noons]
    return Days(
        seed=seed,
        number=number,
        start_s=number * DAY_S + BOUNDARY_S,
        offset_s=np.array(offsets, dtype=np.int64),
        weekend=np.array([date.weekday(noon) >= SATURDAY for noon in noons]),
    )


def _within(since_s: Floats, start_s: float, end_s: float) -> Floats:
    return ((since_s >= start_s) & (since_s < end_s)).astype(np.float64)


def solar(days: Days, slot_s: int) -> Floats:
    """Return the roof's power."""
    return weather.solar_w(days.seed, days.at(slot_s))


def heat_pump(days: Days, slot_s: int) -> Floats:
    """Modulates down to 480 W, below that it cycles; from 21:30 to 05:30 the house may cool a little."""
    at_s = days.at(slot_s)
    outside = weather.temperature_c(days.seed, at_s)
    hour = days.local_hour(slot_s)
    wanted = np.where((hour > 21.5) | (hour < 5.5), 16.2, 18.0)
    cop = np.clip(2.6 + 0.085 * outside, 1.9, 5.0)
    mean = np.clip(205.0 * (wanted - outside) / cop, 0.0, 2600.0)
    share = np.minimum(mean / 480.0, 1.0)
    phase = (at_s + days.draw(Stream.HEAT_PUMP_CYCLE)[:, None] * 3000.0) % 3000.0 / 3000.0
    running = (phase < share) & (mean > 25.0)
    drift = 1.0 + 0.06 * (smooth(days.seed, Stream.HEAT_PUMP, at_s, 240) - 0.5)
    power = np.maximum(mean, 480.0) * drift * (1.0 + 0.012 * days.noise(Stream.HEAT_PUMP, slot_s))
    return np.where(running, power, 11.0)


def plug_in_hour(days: Days) -> Floats:
    """Return the local hour at which the car comes home and is plugged in."""
    return np.where(days.weekend, 10.2, 17.4) + 1.4 * days.draw(Stream.EV_PLUG)


def ev_charger(days: Days, slot_s: int, solar_w: Floats) -> Floats:
    """At weekends it follows the sun, on other days it waits for the night. One standby watt and a half."""
    need_wh = np.where(days.draw(Stream.EV_NEED) < 0.62, 4_500.0 + 15_000.0 * days.draw(Stream.EV_NEED), 0.0)
    plugged = days.since(plug_in_hour(days), slot_s)
    night = days.since(np.full(len(days.number), 23.25), slot_s) >= 0
    minute = 60 // slot_s
    spare = np.repeat(solar_w.reshape(len(days.number), -1, minute).mean(axis=2), minute, axis=1)
    spare = np.roll(spare, minute, axis=1) - 900.0
    by_sun = np.where((spare > 1_380.0) & (plugged >= 90) & ~night, np.minimum(spare, 7_360.0), 0.0)
    by_night = np.where(night & (plugged >= 0), 7_320.0, 0.0)
    power = np.where(days.weekend[:, None], np.maximum(by_sun, by_night), by_night)
    power = power * (1.0 + 0.004 * days.noise(Stream.EV_NOISE, slot_s))
    done_wh = np.cumsum(power, axis=1) * slot_s / 3600.0
    return np.where(done_wh <= need_wh[:, None], power, 0.0) + 1.5


def washing_machine(days: Days, slot_s: int) -> Floats:
    """Return a programme of 95 minutes: heat, tumble, spin; every second day, at weekends more often."""
    runs = days.draw(Stream.WASH) < np.where(days.weekend, 0.85, 0.42)
    since = days.since(np.where(days.weekend, 9.5, 18.2) + 3.0 * days.draw(Stream.WASH_START), slot_s)
    noise = days.noise(Stream.WASH_NOISE, slot_s)
    heat = _within(since, 300, 1500) * (2060.0 + 14.0 * noise)
    turning = (since % 22.0 < 14.0) * (165.0 + 55.0 * noise) + 9.0
    tumble = _within(since, 0, 300) * turning + _within(since, 1500, 4700) * turning
    ramp = np.clip((since - 4700.0) / 420.0, 0.0, 1.0)
    spin = _within(since, 4700, 5700) * (120.0 + 430.0 * ramp + 40.0 * noise)
    return np.where(runs[:, None], heat + tumble + spin, 0.0) + 0.6


def dishwasher(days: Days, slot_s: int) -> Floats:
    """Return a programme of 105 minutes that heats twice, most evenings."""
    runs = days.draw(Stream.DISHES) < 0.8
    since = days.since(19.7 + 1.8 * days.draw(Stream.DISHES_START), slot_s)
    noise = days.noise(Stream.DISHES_NOISE, slot_s)
    heat = (_within(since, 420, 1560) + _within(since, 4020, 4740)) * (1910.0 + 10.0 * noise)
    pump = (_within(since, 0, 420) + _within(since, 1560, 4020) + _within(since, 4740, 5400)) * (62.0 + 18.0 * noise)
    dry = _within(since, 5400, 6300) * (19.0 + 2.0 * noise)
    return np.where(runs[:, None], heat + pump + dry, 0.0) + 0.9


def fridge(days: Days, slot_s: int) -> Floats:
    """Return a compressor that runs about a third of the time, with a peak as it starts."""
    at_s = days.at(slot_s)
    length_s = 2_640
    into = at_s % length_s
    run_s = 780.0 + 320.0 * uniform(days.seed, Stream.FRIDGE, at_s // length_s)
    start = 55.0 * np.exp(-into / 25.0)
    return np.where(into < run_s, 84.0 + start + 3.0 * days.noise(Stream.FRIDGE_NOISE, slot_s), 1.7)


def network(days: Days, slot_s: int) -> Floats:
    """Return router, switch and a small server that is busy now and then."""
    at_s = days.at(slot_s)
    busy = smooth(days.seed, Stream.NETWORK, at_s, 1_300) ** 4
    return 46.0 + 34.0 * busy + 3.0 * days.noise(Stream.NETWORK_FAST, slot_s)


def television(days: Days, slot_s: int) -> Floats:
    """Return the television, on for some hours of most evenings."""
    hour = days.local_hour(slot_s)
    start = 19.3 + 1.2 * days.draw(Stream.TELEVISION)[:, None]
    on = (hour >= start) & (hour < start + 2.9)
    picture = 92.0 + 30.0 * smooth(days.seed, Stream.TELEVISION, days.at(slot_s), 35)
    return np.where(on, picture + 4.0 * days.noise(Stream.TELEVISION_NOISE, slot_s), 0.7)


def living_room_rest(days: Days, slot_s: int) -> Floats:
    """Return lamps and chargers of the living room; more light when it is dark outside."""
    hour = days.local_hour(slot_s)
    direct, _ = weather.clear_sky_w(days.at(slot_s))
    dark = 1.0 - np.clip(direct / 900.0, 0.0, 1.0)
    awake = ((hour >= 6.8) & (hour < 23.1)).astype(np.float64)
    home = np.where(days.weekend[:, None] | (hour < 8.6) | (hour > 16.6), 1.0, 0.25)
    watts: Floats = 8.0 + awake * home * (10.0 + 52.0 * dark) + 1.2 * days.noise(Stream.LIGHTS, slot_s)
    return watts


def untracked(days: Days, slot_s: int) -> Floats:
    """Return what no plug measures: standby, lights, the cooker, the kettle."""
    at_s = days.at(slot_s)
    hour = days.local_hour(slot_s)
    awake = np.clip((hour - 6.3) * 2.0, 0.0, 1.0) * np.clip((23.4 - hour) * 1.5, 0.0, 1.0)
    base = 74.0 + awake * 130.0 * smooth(days.seed, Stream.BASE, at_s, 2_300)
    fast = (4.0 + 10.0 * awake) * days.noise(Stream.BASE_FAST, slot_s)
    since = days.since(17.6 + 0.9 * days.draw(Stream.COOK), slot_s)
    plate = (uniform(days.seed, Stream.COOK_NOISE, at_s // 24) < 0.6) * 1_650.0
    cook = (_within(since, 0, 500) * 2_100.0 + _within(since, 500, 2_400) * plate) * (days.draw(Stream.AWAY) < 0.9)[
        :, None
    ]
    kettle = (uniform(days.seed, Stream.KETTLE, at_s // 1_080) < 0.11) & (at_s % 1_080 < 165) & (awake > 0.9)
    watts: Floats = base + fast + cook + np.where(kettle, 1_980.0, 0.0)
    return watts


def _showers(days: Days, slot_s: int) -> Floats:
    """Return 1 while the shower runs: twice in the morning."""
    first = days.since(6.7 + 0.5 * days.draw(Stream.SHOWER) + np.where(days.weekend, 1.6, 0.0), slot_s)
    return _within(first, 0, 420) + _within(first, 900, 1_260)


def gas(days: Days, slot_s: int) -> Floats:
    """Return ml/s of a boiler that heats the water, and the house when it is too cold for the heat pump alone."""
    at_s = days.at(slot_s)
    cold = np.clip((3.0 - weather.temperature_c(days.seed, at_s)) / 8.0, 0.0, 1.0)
    burning = uniform(days.seed, Stream.BOILER, at_s // 900) < 0.75
    refill = days.since(20.4 + 1.2 * days.draw(Stream.TAP), slot_s)
    flow: Floats = (
        560.0 * _showers(days, slot_s) + 320.0 * _within(refill, 0, 1_080) + np.where(burning, 260.0 * cold, 0.0)
    )
    return flow


def water(days: Days, slot_s: int) -> Floats:
    """Return ml/s of showers, machines and taps."""
    at_s = days.at(slot_s)
    hour = days.local_hour(slot_s)
    awake = (hour >= 6.5) & (hour < 23.0)
    tap = (uniform(days.seed, Stream.TAP, at_s // 30) < 0.02) & awake
    wash = (days.draw(Stream.WASH) < np.where(days.weekend, 0.85, 0.42))[:, None]
    drum = days.since(np.where(days.weekend, 9.5, 18.2) + 3.0 * days.draw(Stream.WASH_START), slot_s)
    fill = (_within(drum, 0, 120) + _within(drum, 3_000, 3_120) + _within(drum, 4_000, 4_120)) * wash
    flow: Floats = 130.0 * _showers(days, slot_s) + 140.0 * fill + np.where(tap, 90.0, 0.0)
    return flow
