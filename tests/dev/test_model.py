"""The laws of the simulated house."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dev.simulated_home import battery
from dev.simulated_home.model import DEVICES, SLOT_S, Channel, Day, House, day_number, simulate
from dev.simulated_home.sensors import SENSORS, Counter, Power, Sensor, Session, Today, is_offline, reset_s, shown
from tests.dev.days import FIRST_S, LAST_S, SEED

instants = st.integers(FIRST_S, LAST_S)
DAYS = range(day_number(FIRST_S), day_number(LAST_S) + 1)
SEASONS = {
    "winter": datetime(2026, 1, 14, tzinfo=UTC),
    "spring": datetime(2026, 4, 18, tzinfo=UTC),
    "summer": datetime(2026, 7, 4, tzinfo=UTC),
}
few = settings(max_examples=40, deadline=None)


def of(key: str) -> Sensor:
    return next(sensor for sensor in SENSORS if sensor.key == key)


@pytest.fixture(scope="module", params=sorted(SEASONS))
def season(request: pytest.FixtureRequest) -> list[Day]:
    first = day_number(int(SEASONS[request.param].timestamp()))
    return list(simulate(SEED + 1, range(first, first + 4)))


def seconds(day: Day) -> Iterator[tuple[Channel, np.ndarray]]:
    yield from ((channel, day.each_second(channel)) for channel in Channel)


def test_the_balance_closes_at_every_second(season: list[Day]) -> None:
    for day in season:
        flow = dict(seconds(day))
        sources = flow[Channel.SOLAR] + flow[Channel.GRID_IMPORT] + flow[Channel.BATTERY_DISCHARGE]
        uses = flow[Channel.HOME] + flow[Channel.BATTERY_CHARGE] + flow[Channel.GRID_EXPORT]
        assert len(sources) == 86_400
        assert np.array_equal(sources, uses)


def test_the_home_is_its_devices_and_the_rest_at_every_second(season: list[Day]) -> None:
    for day in season:
        flow = dict(seconds(day))
        assert np.array_equal(flow[Channel.HOME], sum(flow[device] for device in DEVICES) + flow[Channel.UNTRACKED])
        assert (flow[Channel.TELEVISION] <= flow[Channel.LIVING_ROOM]).all()


def test_no_flow_is_negative_and_none_goes_both_ways(season: list[Day]) -> None:
    for day in season:
        flow = dict(seconds(day))
        assert all(rates.min() >= 0 for rates in flow.values())
        assert not (flow[Channel.GRID_IMPORT] * flow[Channel.GRID_EXPORT]).any()
        assert not (flow[Channel.BATTERY_CHARGE] * flow[Channel.BATTERY_DISCHARGE]).any()


def test_the_battery_stays_within_its_limits_and_goes_on_from_day_to_day(season: list[Day]) -> None:
    for day in season:
        assert day.stored_wh.min() >= battery.RESERVE_WH - 1
        assert day.stored_wh.max() <= battery.CAPACITY_WH + 1
        assert (
            max(day.rates[Channel.BATTERY_CHARGE].max(), day.rates[Channel.BATTERY_DISCHARGE].max()) <= battery.LIMIT_DW
        )
    for before, after in pairwise(season):
        assert after.stored_wh[0] == pytest.approx(before.stored_wh[-1], abs=0.01)


def test_a_day_is_the_same_alone_and_among_others(season: list[Day]) -> None:
    (alone,) = simulate(SEED + 1, [season[2].number])
    for channel in Channel:
        assert np.array_equal(alone.rates[channel], season[2].rates[channel])


def test_the_seasons_are_believable(season: list[Day], request: pytest.FixtureRequest) -> None:
    kwh = {channel: sum(int(day.sums(channel)[-1]) for day in season) / len(season) / 3.6e7 for channel in Channel}
    winter, summer = "winter" in request.node.name, "summer" in request.node.name
    assert 5 < kwh[Channel.HOME] < 70
    assert 0.5 < kwh[Channel.FRIDGE] < 1.2
    assert 0.8 < kwh[Channel.NETWORK] < 1.8
    assert kwh[Channel.SOLAR] > 12 if summer else kwh[Channel.SOLAR] < 40
    low, high = (10, 45) if winter else (0, 3) if summer else (0, 20)
    assert low <= kwh[Channel.HEAT_PUMP] <= high
    assert max(int(day.rates[Channel.SOLAR].max()) for day in season) <= 50_000


def test_the_sun_is_down_at_local_midnight(season: list[Day]) -> None:
    for day in season:
        slot = day.midnight_s // SLOT_S[Channel.SOLAR]
        assert not day.rates[Channel.SOLAR][slot - 360 : slot + 360].any()


@few
@given(at_s=instants)
def test_what_is_shown_closes_too(house: House, at_s: int) -> None:
    value = {key: shown(house, of(key), at_s) or 0.0 for key in ("solar_power", "grid_power", "battery_power")}
    assert sum(value.values()) == pytest.approx(shown(house, of("consumption_power"), at_s), abs=1e-6)


@few
@given(at_s=instants, length_s=st.integers(1, 600), channel=st.sampled_from(Channel))
def test_a_counter_is_the_integral_of_its_flow(house: House, at_s: int, length_s: int, channel: Channel) -> None:
    end_s = min(at_s + length_s, LAST_S)
    integral = sum(house.rate(channel, second) for second in range(at_s, end_s))
    assert house.total(channel, end_s) - house.total(channel, at_s) == integral


@few
@given(at_s=instants)
def test_every_counter_shows_its_total_in_whole_steps(house: House, at_s: int) -> None:
    for sensor in SENSORS:
        if type(sensor.source) is Counter and not is_offline(sensor, at_s):
            raw_per_step, per_unit = sensor.source.step.value
            at_slot_s = at_s // sensor.source.every_s * sensor.source.every_s
            total = house.total(sensor.source.channel, at_slot_s) / raw_per_step / per_unit
            assert shown(house, sensor, at_s) == pytest.approx(total, abs=1.0 / per_unit)


@few
@given(at_s=instants)
def test_the_same_seed_gives_the_same_house_however_it_is_asked(house: House, at_s: int) -> None:
    assert all(shown(other_house(), sensor, at_s) == shown(house, sensor, at_s) for sensor in SENSORS)


_OTHER: list[House] = []


def other_house() -> House:
    """Return a second house of the same seed and epoch, asked for its days in another order and from the start."""
    if not _OTHER:
        _OTHER.append(House(SEED, day_number(FIRST_S) + 4, kept_days=16))
        _OTHER[0].prepare(LAST_S)
        list(_OTHER[0].days(DAYS[0] - 2, DAYS[-1]))
    return _OTHER[0]


def test_another_seed_gives_another_house(house: House) -> None:
    other = next(simulate(SEED + 1, [DAYS[0]]))
    assert any(not np.array_equal(other.rates[channel], house.day(DAYS[0]).rates[channel]) for channel in Channel)


def test_production_today_begins_again_at_local_midnight_and_only_there(house: House) -> None:
    sensor, zone = of("solar_today"), ZoneInfo("Europe/Amsterdam")
    fell: list[int] = []
    before = 0.0
    for at_s in range(FIRST_S, LAST_S, 10):
        value = shown(house, sensor, at_s)
        assert value is not None
        if value < before:
            assert value == 0
            fell.append(at_s)
        before = value
    midnights = [datetime.fromtimestamp(at_s, zone) for at_s in fell]
    assert [(at.hour, at.minute, at.second) for at in midnights] == [(0, 0, 0)] * 8
    assert len({at.utcoffset() for at in midnights}) == 2


def test_a_session_begins_again_when_last_reset_says_so(house: House) -> None:
    sensor = of("ev_charger_session")
    resets: set[int] = set()
    before: tuple[int | None, float] = (None, 0.0)
    for at_s in range(FIRST_S, LAST_S, 10):
        began_s, value = reset_s(house, sensor, at_s), shown(house, sensor, at_s)
        assert began_s is not None
        assert value is not None
        assert began_s <= at_s
        if began_s == before[0]:
            assert value >= before[1]
        else:
            resets.add(began_s)
            assert value <= 0.01 or before[0] is None
        before = began_s, value
    assert len(resets) == 9


def test_the_fridge_is_offline_for_an_hour_of_each_day_and_nothing_else_ever_is(house: House) -> None:
    for sensor in SENSORS:
        minutes = sum(shown(house, sensor, at_s) is None for at_s in range(FIRST_S, FIRST_S + 86_400, 60))
        assert minutes == (60 if sensor.key in {"fridge_energy", "fridge_power"} else 0)


def test_the_fridge_has_counted_on_while_it_was_offline(house: House) -> None:
    sensor = of("fridge_energy")
    offline_s = [at_s for at_s in range(FIRST_S, FIRST_S + 86_400, 60) if is_offline(sensor, at_s)]
    before, after = shown(house, sensor, offline_s[0] - 60), shown(house, sensor, offline_s[-1] + 60)
    assert before is not None
    assert after is not None
    assert after - before > 0.02


def test_powers_change_every_1_to_10_seconds(house: House) -> None:
    noon_s = FIRST_S + 9 * 3600
    for key in (
        "grid_power",
        "solar_power",
        "battery_power",
        "consumption_power",
        "network_power",
        "living_room_power",
    ):
        sensor = of(key)
        assert isinstance(sensor.source, Power)
        assert 1 <= sensor.source.every_s <= 10
        changes = sum(
            shown(house, sensor, at_s) != shown(house, sensor, at_s + 1) for at_s in range(noon_s, noon_s + 600)
        )
        assert changes >= 45, key


def test_the_table_has_no_two_of_the_same_name() -> None:
    assert len({sensor.entity_id for sensor in SENSORS}) == len(SENSORS)
    assert len({sensor.friendly_name for sensor in SENSORS}) == len(SENSORS)
    assert any(isinstance(sensor.source, Today) for sensor in SENSORS)
    assert any(isinstance(sensor.source, Session) for sensor in SENSORS)
