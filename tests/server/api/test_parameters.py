"""Instants, zones and spans: every spelling that is understood, and what is said of the others."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from energy_server.api.parameters import Key, SpanQuery, validate
from energy_server.errors import InvalidParameterError

HOUR_US = 3_600_000_000


class Query(SpanQuery):
    key: Key = Field(description="a key")


def window(start: str, end: str = "2099-01-01", home: str = "Europe/Berlin", **more: Any) -> tuple[int, int]:
    span = validate(SpanQuery, {"start": start, "end": end, **more}).window(home).span
    return span.since_us, span.until_us


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("2026-11-01T06:30:00Z", 1_793_514_600_000_000),
        ("2026-11-01T07:30:00+01:00", 1_793_514_600_000_000),
        ("2026-11-01T07:30:00 01:00", 1_793_514_600_000_000),  # a plus that was not escaped
        ("2026-11-01T06:30:00.123456Z", 1_793_514_600_123_456),
        ("1793514600", 1_793_514_600_000_000),
        ("1793514600.123456", 1_793_514_600_123_456),
        ("1793514600123456", 1_793_514_600_123_456),
        ("0", 0),
        ("2026-11-01", 1_793_487_600_000_000),  # 23:00Z the day before, in Berlin's winter
    ],
)
def test_spellings_of_an_instant(text: str, us: int) -> None:
    assert window(text)[0] == us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-01T06:30:00",
        "2026-13-01",
        "2026-02-30",
        "-5",
        "1e9",
        "NaN",
        "2026-11-01T25:00Z",
        "١٢٣",
        "9" * 30,
    ],
)
def test_what_is_no_instant_is_named(text: str) -> None:
    with pytest.raises(InvalidParameterError) as err:
        window(text)
    assert err.value.field == "start"


@pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01", "1969-12-30", "2101-01-01T00:00:00Z", "99999999999"])
def test_what_no_clock_says_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="between 1970 and 2100") as err:
        window(text)
    assert err.value.field == "start"


def test_a_day_is_as_long_as_the_zone_says() -> None:
    since_us, until_us = window("2026-03-29", "2026-03-30")
    assert until_us - since_us == 23 * HOUR_US
    since_us, until_us = window("2026-10-25", "2026-10-26")
    assert until_us - since_us == 25 * HOUR_US
    since_us, until_us = window("2026-10-25", "2026-10-26", zone="Asia/Kolkata")
    assert until_us - since_us == 24 * HOUR_US


def test_a_day_without_midnight_begins_when_it_begins() -> None:
    since_us, until_us = window("2018-11-04", "2018-11-05", home="America/Sao_Paulo")
    assert until_us - since_us == 23 * HOUR_US


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "Europe", "x" * 500, "Europe/Berlin\0"])
def test_what_is_no_zone_is_named(zone: str) -> None:
    with pytest.raises(InvalidParameterError, match="IANA") as err:
        window("2026-11-01", zone=zone)
    assert err.value.field == "zone"


@pytest.mark.parametrize(("start", "end"), [("2026-11-02", "2026-11-01"), ("2026-11-01", "2026-11-01")])
def test_a_span_runs_forward(start: str, end: str) -> None:
    with pytest.raises(InvalidParameterError, match="after start") as err:
        window(start, end)
    assert err.value.field == "end"


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "a\0"])
def test_what_is_no_key_is_named(key: str) -> None:
    with pytest.raises(InvalidParameterError) as err:
        validate(Query, {"start": "1", "end": "2", "key": key})
    assert err.value.field == "key"


def test_unknown_and_missing_parameters_are_named() -> None:
    with pytest.raises(InvalidParameterError, match="no such parameter") as err:
        validate(SpanQuery, {"start": "1", "end": "2", "pionts": "3"})
    assert err.value.field == "pionts"
    with pytest.raises(InvalidParameterError, match="missing") as err:
        validate(SpanQuery, {"start": "1"})
    assert err.value.field == "end"


@given(st.integers(0, 4_000_000_000_000_000), st.sampled_from(["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]))
def test_an_instant_survives_every_spelling(us: int, zone: str) -> None:
    instant = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")) + timedelta(microseconds=us)
    assert window(instant.isoformat())[0] == us
    assert window(f"{us // 1_000_000}.{us % 1_000_000:06}")[0] == us
    offset = instant.astimezone(ZoneInfo(zone))
    if offset.utcoffset() is not None and offset.utcoffset() % timedelta(minutes=1) == timedelta(0):  # type: ignore[operator]
        assert window(offset.isoformat())[0] == us


@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        since_us, _ = window(text)
    except InvalidParameterError as err:
        assert err.field in ("start", "end")  # noqa: PT017 both outcomes are allowed
    else:
        assert since_us >= 0


@pytest.mark.parametrize("home", ["", "Mars/Olympus_Mons", "../etc/passwd"])
def test_a_home_in_a_zone_that_is_not_known_here_is_answered_in_utc(home: str) -> None:
    assert window("2026-11-01", home=home) == window("2026-11-01", home="UTC")
