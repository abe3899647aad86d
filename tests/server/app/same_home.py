"""A month of the simulated home, as its integration would tell of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dev.simulated_home.model import House, day_number
from dev.simulated_home.sensors import SENSORS, Sensor, shown
from tests.server.link.linking import entity

SITE = "simulated"
SECOND_US = 1_000_000
HOUR_S, DAY_S = 3_600, 86_400
START_S = 1_791_072_000
"""2026-10-04: the month holds the end of summer time."""
DAYS = 30
END_S = START_S + DAYS * DAY_S
NOW_US = END_S * SECOND_US + SECOND_US
HISTORY_S = START_S - 10 * DAY_S
STEP_S = 600
OFF = (START_S + 12 * DAY_S, START_S + 12 * DAY_S + 6 * HOUR_S)
"""Home Assistant was off."""
LOST = (START_S + 20 * DAY_S, START_S + 20 * DAY_S + 5 * HOUR_S)
"""Nobody knows."""
ROWS = 4_000
EARLIEST_US = 946_684_800 * SECOND_US

UNITS = {"L": ("water", "m³", 1e-3), "gCO2eq/kWh": ("carbon", "g/kWh", 1.0), "kW": ("power", "W", 1e3)}
KINDS = {"kWh": "energy", "W": "power", "%": "battery_level", "°C": "temperature", "m³": "gas", "EUR/kWh": "price"}
ROLES = {
    "grid_import": ("grid_import", "grid:0"),
    "grid_export": ("grid_export", "grid:0"),
    "grid_power": ("grid_power", "grid:0"),
    "solar_production": ("solar", "solar:0"),
    "solar_power": ("solar_power", "solar:0"),
    "battery_discharged": ("battery_discharge", "battery:0"),
    "battery_charged": ("battery_charge", "battery:0"),
    "battery_power": ("battery_power", "battery:0"),
    "battery_level": ("battery_level", "battery:0"),
    "electricity_price": ("price_import", "grid:0"),
    "gas": ("gas", "gas:0"),
    "water": ("water", "water:0"),
    "carbon_intensity": ("carbon", "carbon:0"),
    "ev_charger_energy": ("device", "device:0"),
    "heat_pump_energy": ("device", "device:1"),
    "fridge_energy": ("device", "device:2"),
    "living_room_energy": ("device", "device:3"),
    "television_energy": ("device", "device:4"),
}
LATE = 3
"""Every so many sensors one was added to Home Assistant ten days later."""


def since_s(place: int) -> int:
    return START_S + (10 * DAY_S if place % LATE == LATE - 1 else 0)


def described(place: int, sensor: Sensor) -> dict[str, Any]:
    kind, unit, _ = UNITS.get(sensor.unit, (KINDS.get(sensor.unit, ""), sensor.unit, 1.0))
    role = ROLES.get(sensor.key)
    parent = {"parent": "living_room_energy"} if sensor.key == "television_energy" else {}
    return entity(
        sensor.key,
        since_us=since_s(place) * SECOND_US,
        entity_id=sensor.entity_id,
        name=sensor.friendly_name,
        device=sensor.device,
        kind=kind,
        unit=unit,
        state_class=sensor.state_class,
        roles=[{"role": role[0], "group": role[1], **parent}] if role else [],
    )


def table() -> list[dict[int, float | None]]:
    """Return what each sensor shows, every `STEP_S`."""
    house = House(20_261_121, day_number(HISTORY_S))
    shows: list[dict[int, float | None]] = [{} for _ in SENSORS]
    for day in house.days(day_number(HISTORY_S), day_number(END_S)):
        for at_s in range(max(day.start_s, HISTORY_S), min(day.start_s + DAY_S, END_S + 1), STEP_S):
            for place, sensor in enumerate(SENSORS):
                number = shown(house, sensor, at_s)
                factor = UNITS.get(sensor.unit, ("", "", 1.0))[2]
                shows[place][at_s] = None if number is None else number * factor
    return shows


def messages() -> Iterator[dict[str, Any]]:
    """Yield everything that the integration sends, in order, some of it twice."""
    yield {"type": "catalog", "rev": 1, "entities": [described(*one) for one in enumerate(SENSORS)]}
    shows = table()
    yield from history(shows)
    for day_s in range(START_S, END_S, DAY_S):
        rows = day_rows(shows, day_s)
        span = [day_s * SECOND_US, (day_s + DAY_S) * SECOND_US]
        if day_s in (OFF[0], LOST[0]):
            yield from day_with_a_hole(rows, span, OFF if day_s == OFF[0] else LOST)
        else:
            yield from chunks(rows, span)
        if day_s % (7 * DAY_S) == 0:  # sent again, and told again by the recorder, which rounds
            yield reading(rows[:ROWS], [span[1], span[1]])
            again = [
                [place, ts, None if number is None else round(number, 1), *rest] for place, ts, number, *rest in rows
            ]
            yield reading([*again[::5], *((p, ts + 7, n, *rest) for p, ts, n, *rest in again[::9])], span, "recorder")
    off = [second * SECOND_US for second in OFF]
    yield {"type": "nothing", "catalog": 1, "span": off, "of": "all", "reason": "ha_off"}


def history(shows: Sequence[Mapping[int, float | None]]) -> Iterator[dict[str, Any]]:
    """Yield hourly statistics: ten days before, and as Home Assistant has them, all of the month as well."""
    span = [HISTORY_S * SECOND_US, END_S * SECOND_US]
    nothing = [EARLIEST_US, HISTORY_S * SECOND_US]
    for place, sensor in enumerate(SENSORS):
        rows = [
            [place, hour_s * SECOND_US, *hour_of(sensor, shows[place][hour_s], shows[place][hour_s + HOUR_S])]
            for hour_s in range(HISTORY_S, END_S, HOUR_S)
        ]
        yield {"type": "statistics", "catalog": 1, "level": "hour", "span": span, "of": [place], "rows": rows}
        yield {"type": "nothing", "catalog": 1, "span": nothing, "of": [place], "reason": "no_statistics"}


def hour_of(sensor: Sensor, first: float | None, last: float | None) -> list[float | None]:
    """Return mean, least, greatest, change and last."""
    if sensor.state_class == "measurement":
        return [last, last, last, None, None]
    return [None, None, None, None if first is None or last is None else max(0.0, last - first), last]


def day_rows(shows: Sequence[Mapping[int, float | None]], day_s: int) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for place, sensor in enumerate(SENSORS):
        session_us = [(day_s - 6 * HOUR_S) * SECOND_US] if sensor.state_class == "total" else []
        rows += [
            [place, at_s * SECOND_US + place * 1_001, shows[place][at_s], *session_us]
            for at_s in range(max(day_s, since_s(place)), day_s + DAY_S, STEP_S)
        ]
    return sorted(rows, key=lambda row: row[1])


def day_with_a_hole(rows: list[list[Any]], span: list[int], hole: tuple[int, int]) -> Iterator[dict[str, Any]]:
    since, until = (second * SECOND_US for second in hole)
    yield from chunks([row for row in rows if row[1] < since], [span[0], since])
    yield from chunks([row for row in rows if row[1] >= until], [until, span[1]])


def chunks(rows: list[list[Any]], span: list[int]) -> Iterator[dict[str, Any]]:
    """Yield messages; the last one claims the span."""
    for first in range(0, len(rows), ROWS):
        some = rows[first : first + ROWS]
        yield reading(some, span if first + ROWS >= len(rows) else [span[0], span[0]])
    if not rows:
        yield reading([], span)


def reading(rows: list[Any], span: list[int], origin: str = "live") -> dict[str, Any]:
    return {"type": "readings", "catalog": 1, "origin": origin, "span": span, "of": "all", "rows": rows}
