"""What `verify` calls missing, different and extra."""

from hypothesis import given
from hypothesis import strategies as st

from energy_server.model.coverage import Span
from energy_server.verify.compare import History, Reason, verdict
from energy_server.verify.recorder import End, RecordedReading, Unwritten
from energy_server.verify.units import scale

SECOND = 1_000_000
NEVER_KILLED = History(0, [])


def recorded(*rows: tuple[int, float | None]) -> list[RecordedReading]:
    return [RecordedReading(instant, value, "Wh") for instant, value in rows]


@given(st.dictionaries(st.integers(0, 10**15), st.none() | st.floats(-1e12, 1e12)))
def test_all_that_is_recorded_and_stored_is_good(rows: dict[int, float | None]) -> None:
    stored = {instant: None if value is None else value * 0.001 for instant, value in rows.items()}
    found = verdict(recorded(*rows.items()), stored, "kWh", NEVER_KILLED)
    assert found.good
    assert (found.recorded, found.stored, sum(found.extra.values())) == (len(rows), len(rows), 0)


@given(st.dictionaries(st.integers(0, 10**15), st.floats(-1e12, 1e12), min_size=1), st.data())
def test_each_that_is_not_stored_is_missing(rows: dict[int, float], data: st.DataObject) -> None:
    lost = data.draw(st.sets(st.sampled_from(sorted(rows)), min_size=1))
    stored: dict[int, float | None] = {instant: value * 0.001 for instant, value in rows.items() if instant not in lost}
    found = verdict(recorded(*rows.items()), stored, "kWh", NEVER_KILLED)
    assert set(found.missing) == lost
    assert not found.good


def test_another_value_is_different() -> None:
    found = verdict(recorded((1, 1000.0), (2, None)), {1: 1.0000001, 2: 0.0}, "kWh", NEVER_KILLED)
    assert found.different == [(1, 1.0, 1.0000001), (2, None, 0.0)]


def test_the_last_place_of_a_conversion_is_no_difference() -> None:
    assert verdict(recorded((1, 3.0)), {1: 3.0 / 1000}, "kWh", NEVER_KILLED).good


def test_an_extra_has_its_reason() -> None:
    ends = {End.CLOSED: Reason.STOPPED, End.KILLED: Reason.KILLED, End.OPEN: Reason.PENDING}
    spans = [Span(at * SECOND, (at + 60) * SECOND) for at in (500, 600, 700)]
    history = History(100 * SECOND, [Unwritten(span, end) for span, end in zip(spans, ends, strict=True)])
    instants = {
        50: Reason.PURGED,
        200: Reason.UNEXPLAINED,
        510: Reason.STOPPED,
        610: Reason.KILLED,
        710: Reason.PENDING,
    }
    for instant, reason in instants.items():
        found = verdict([], {instant * SECOND: 1.0}, "kWh", history)
        assert found.extra == {reason: 1}
        assert found.good
    assert verdict([], {1: 1.0}, "kWh", History(None, [])).extra == {Reason.NOT_RECORDED: 1}


def test_a_unit_that_is_not_known_is_said_not_guessed() -> None:
    found = verdict([RecordedReading(1, 5.0, "furlong")], {1: 7.0}, "kWh", NEVER_KILLED)
    assert found.good
    assert found.unknown_units == {"furlong"}


def test_units_of_temperature_have_an_offset() -> None:
    factor, offset = scale("°F", "°C") or (0, 0)
    assert abs(212 * factor + offset - 100) < 1e-12
    factor, offset = scale("K", "°C") or (0, 0)
    assert abs(273.15 * factor + offset) < 1e-12
