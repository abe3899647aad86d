"""Understand the parameters of a request: instants, time zones, spans, keys.

In:   the query string.
Out:  a typed query, or InvalidParameterError that names the parameter. Unknown parameters are refused, so a typing
      error is never silently ignored.

An instant is one of
- ISO 8601 with an offset or Z (`2026-11-01T06:30:00+01:00`);
- a date (`2026-11-01`): the start of that local day in `zone`, or in the Site's own zone;
- epoch seconds (`1793511000`, fractions allowed), or epoch microseconds if greater than 1e14.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from energy_server.energy.periods import zone_of
from energy_server.errors import InvalidParameterError
from energy_server.model.coverage import Span
from energy_server.model.reading import LATEST_US

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS_FROM = 10**14
NUMBER = re.compile(r"\d{1,20}(\.\d{1,9})?", re.ASCII)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")

type When = int | date


def to_us(instant: datetime) -> int:
    """Return epoch microseconds."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def _when(text: object) -> When:
    if not isinstance(text, str):
        raise ValueError("must be an instant")  # noqa: TRY004 pydantic turns a ValueError into its own
    if NUMBER.fullmatch(text):
        number = Decimal(text)
        return int(number if number > MICROSECONDS_FROM else number * 1_000_000)
    try:
        if DATE.fullmatch(text):
            return date.fromisoformat(text)
        # In a query string an unescaped plus is a space.
        instant = datetime.fromisoformat(LOST_PLUS.sub("+", text))
    except ValueError:
        raise ValueError("must be ISO 8601, a date, or epoch seconds or microseconds") from None
    if instant.tzinfo is None:
        raise ValueError("needs an offset or Z, e.g. 2026-11-01T06:30:00Z")
    return to_us(instant)


def _zone(name: object) -> ZoneInfo:
    if isinstance(name, str) and len(name) <= 64:  # noqa: PLR2004 longer than any name in the IANA database
        try:
            return ZoneInfo(name)
        except ZoneInfoNotFoundError, ValueError, OSError:
            pass
    raise ValueError("must be an IANA time zone, e.g. Europe/Berlin")


def _finite_key(key: str) -> str:
    if not key.isprintable():
        raise ValueError("must be printable")
    return key


type Instant = Annotated[
    When,
    BeforeValidator(_when),
    WithJsonSchema(
        {
            "type": "string",
            "examples": ["2026-11-01T06:30:00+01:00", "2026-11-01", "1793511000"],
            "description": "ISO 8601 with an offset or Z; or a date, which is the start of that local day; or epoch "
            "seconds; or epoch microseconds if greater than 1e14.",
        }
    ),
]
type Zone = Annotated[
    ZoneInfo,
    BeforeValidator(_zone),
    WithJsonSchema({"type": "string", "examples": ["Europe/Berlin"]}),
]
type Key = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_finite_key)]
SITE = Field(default=None, description="Id of the Site; may be left out where there is exactly one.")
ZONE = Field(default=None, description="IANA time zone of dates and local periods; the Site's own if left out.")
START = Field(description="Start of the span, inclusive.")
END = Field(description="End of the span, exclusive.")


class Query(BaseModel):
    """Base of the parameters of a route: nothing else is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class NoQuery(Query):
    """No parameters."""


class SiteQuery(Query):
    """A Site."""

    site: Key | None = SITE


@dataclass(frozen=True, slots=True)
class Window:
    """A span in a time zone."""

    span: Span
    zone: ZoneInfo


class SpanQuery(SiteQuery):
    """A span of time of a Site."""

    start: Instant = START
    end: Instant = END
    zone: Zone | None = ZONE

    def window(self, home_zone: str) -> Window:
        """Return the span; dates are local to `zone`, else to the home's. Raises InvalidParameterError."""
        zone = self.zone or zone_of(home_zone)
        start_us, end_us = (_resolve(name, getattr(self, name), zone) for name in ("start", "end"))
        if end_us <= start_us:
            raise InvalidParameterError("end must be after start", field="end")
        return Window(Span(start_us, end_us), zone)


def _resolve(name: str, when: When, zone: ZoneInfo) -> int:
    try:
        instant_us = when if isinstance(when, int) else to_us(datetime.combine(when, time(), zone))
    except OverflowError:
        instant_us = -1
    if not 0 <= instant_us <= LATEST_US:
        raise InvalidParameterError(f"{name} must lie between 1970 and 2100", field=name)
    return instant_us


def _wants_list(model: type[Query], name: str) -> bool:
    field = model.model_fields.get(name)
    return field is not None and getattr(field.annotation, "__origin__", None) is tuple


def parse_query[Q: Query](request: web.Request, model: type[Q]) -> Q:
    """Return the typed parameters of a request. Raises InvalidParameterError."""
    values: dict[str, str | list[str]] = dict(request.match_info)
    for name in request.query:
        given = request.query.getall(name)
        if name in request.match_info:
            raise InvalidParameterError(f"{name} is part of the path", field=name)
        if _wants_list(model, name):
            values[name] = given
        elif len(given) > 1:
            raise InvalidParameterError(f"{name} is given more than once", field=name)
        else:
            values[name] = given[0]
    return validate(model, values)


def validate[M: BaseModel](model: type[M], values: object) -> M:
    """Return the model. Raises InvalidParameterError for the first thing that is wrong; it repeats no value."""
    try:
        return model.model_validate(values)
    except ValidationError as err:
        errors = err.errors(include_input=False, include_url=False, include_context=False)
    # A misspelt name is the cause of a missing one, so it is told first.
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    field = str(first["loc"][0]) if first["loc"] else None
    if first["type"] == "extra_forbidden":
        raise InvalidParameterError("There is no such parameter", field=field)
    message = "is missing" if first["type"] == "missing" else first["msg"].removeprefix("Value error, ")
    raise InvalidParameterError(f"{field}: {message}" if field else message, field=field)
