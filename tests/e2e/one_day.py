"""A day of every meter that a home can have, with all that happens to meters, an hour before it and an hour after it.

In:   a seed, the first instant of the day and of the next one.
Out:  `Meter` for each role: the states that Home Assistant is to have, and by which rule our sum of the day differs
      from Home Assistant's.

Home Assistant counts what a meter grew when it says so; the server spreads it over the time since the meter's last
word. Over a day both are the same but for the two increases that span its borders: `before` says which part of such an
increase came before the border.
"""

import csv
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class State:
    """What a meter says; `value` None: it is unavailable."""

    ts_us: int
    value: float | None
    reset_us: int | None = None


@dataclass(frozen=True, slots=True)
class Habit:
    """How a meter behaves: units an hour, decimals, and what happens to it at which minute of the day."""

    state_class: str
    per_hour: float
    decimals: int = 3
    device_class: str = "energy"
    unit: str = "kWh"
    begins_at: float = 100.0
    happens: Mapping[int, str] = field(default_factory=dict)


HABITS: Mapping[str, Habit] = {
    "grid_import": Habit("total_increasing", 0.6, begins_at=8123.4, happens={15 * 60 + 7: "exchange"}),
    "grid_export": Habit("total", 0.4, happens={12 * 60: "new cycle"}),
    "solar": Habit("total_increasing", 0.9, begins_at=6.0, happens={0: "exchange"}),
    "battery_discharge": Habit("total", 0.3, begins_at=0.2, happens={10 * 60: "new cycle", 17 * 60: "new cycle"}),
    "battery_charge": Habit("total_increasing", 0.35, happens={14 * 60: "dip"}),
    "gas": Habit("total_increasing", 0.1, 2, "gas", "m³", happens={7 * 60: "silence"}),
    "water": Habit("total_increasing", 0.02, 3, "water", "m³", happens={20 * 60: "exchange"}),
    "oven": Habit("total_increasing", 0.2, happens={16 * 60: "outage"}),
    "fridge": Habit("total_increasing", 0.05, happens={9 * 60: "negative"}),
    "heat_pump": Habit("total", 0.8, happens={13 * 60: "backwards"}),
}
PAUSES_MIN = {"silence": 95, "outage": 130}


@dataclass(frozen=True, slots=True)
class Meter:
    """One meter and its day."""

    name: str
    habit: Habit
    states: list[State]
    midnights_us: tuple[int, int]

    @property
    def entity_id(self) -> str:
        """Return its id in Home Assistant."""
        return f"sensor.beside_{self.name}"

    @property
    def attributes(self) -> dict[str, str]:
        """Return what Home Assistant knows it by."""
        habit = self.habit
        return {
            "state_class": habit.state_class,
            "device_class": habit.device_class,
            "unit_of_measurement": habit.unit,
        }

    def write(self, path: Path) -> None:
        """Write the day as a recording."""
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("timestamp", "value", "last_reset"))
            for state in self.states:
                value = UNAVAILABLE if state.value is None else state.value
                reset = "" if state.reset_us is None or state.value is None else iso(state.reset_us)
                writer.writerow((iso(state.ts_us), value, reset))

    def before(self, border_us: int) -> float:
        """Return what of the increase that spans the border came before it, by our rules."""
        for one, other in pairwise(self._counting()):
            if one.ts_us < border_us <= other.ts_us:
                amount, begin_us = self._increase(one, other)
                return amount * max(0, border_us - begin_us) / (other.ts_us - begin_us)
        raise AssertionError(f"{self.name} says nothing around the border")

    def _counting(self) -> list[State]:
        rising = self.habit.state_class == "total_increasing"
        return [one for one in self.states if one.value is not None and not (rising and one.value < 0)]

    def _increase(self, one: State, other: State) -> tuple[float, int]:
        """Return how much it grew from one word to the next, and since when."""
        assert one.value is not None
        assert other.value is not None
        if self.habit.state_class == "total_increasing":
            reset = other.value < 0.9 * one.value
        else:
            reset = other.reset_us is not None and other.reset_us != one.reset_us
        if not reset:
            return other.value - one.value, one.ts_us
        midnight_us = next((at for at in self.midnights_us if one.ts_us < at < other.ts_us), one.ts_us)
        return other.value, max(one.ts_us, other.reset_us or midnight_us)


def meters(seed: int, start_us: int, end_us: int) -> list[Meter]:
    """Return every meter's states from an hour before the day until an hour after it."""
    chance = random.Random(seed)  # noqa: S311 not for secrets
    midnights_us = (start_us, end_us)
    return [Meter(name, habit, _life(habit, chance, *midnights_us), midnights_us) for name, habit in HABITS.items()]


def _life(habit: Habit, chance: random.Random, start_us: int, end_us: int) -> list[State]:
    waiting = sorted((start_us + minute * MINUTE_US, what) for minute, what in habit.happens.items())
    ts_us, value, reset_us = start_us - HOUR_US, habit.begins_at, None
    states = []
    while ts_us < end_us + HOUR_US:
        states.append(State(ts_us, round(value, habit.decimals), reset_us))
        step_us = chance.randrange(90 * 1_000_000, 400 * 1_000_000)
        value += habit.per_hour * step_us / HOUR_US * chance.uniform(0.2, 1.8)
        if waiting and ts_us + step_us > waiting[0][0]:
            at_us, what = waiting.pop(0)
            step_us += PAUSES_MIN.get(what, 0) * MINUTE_US
            if what in ("exchange", "new cycle"):
                value = 0.01
            if what == "new cycle":
                reset_us = at_us
            if what in ("dip", "backwards"):
                value *= 0.96
            if what in ("negative", "outage"):
                states.append(State(at_us + 1, -1.0 if what == "negative" else None, reset_us))
        ts_us += step_us
    return states


def iso(ts_us: int) -> str:
    """Return an instant as Home Assistant writes it."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=ts_us)).isoformat()
