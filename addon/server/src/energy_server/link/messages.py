"""The client's messages: decoded and validated. Pure.

In:   the text of one WebSocket message; for rows also the catalog's keys and the client's clock.
Out:  a typed message; readings and statistics as columns, with the rows that are refused.
Failures: LinkError with `bad_message` (naming the field), `unknown_type` or `too_large`. A bad row fails alone.

The contract is protocol/README.md.
"""

from collections import Counter
from math import isfinite
from operator import itemgetter
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
)

from energy_server.link.errors import LinkError
from energy_server.model.coverage import Span
from energy_server.model.entity import Entity, Kind, Role, RoleAssignment, StateClass
from energy_server.model.reading import LATEST_US, Origin, ReadingBatch
from energy_server.model.site import Site
from energy_server.model.statistic import HOUR_US, Provenance, StatisticColumns

MAX_ROWS = 5_000
MAX_BYTES = 4 << 20
FURTHEST_US = 1 << 62
EARLIEST_READING_US = 946_684_800_000_000  # the year 2000
FUTURE_US = 600_000_000
"""How far after the client's clock a reading may lie."""
MAX_TEXT = 255

ORIGINS = {"live": Origin.LIVE, "recorder": Origin.RECORDER, "import": Origin.IMPORT}


def _span(value: object) -> Span:
    match value:
        case [int(since), int(until)] if _instant(since) and _instant(until) and since <= until:
            return Span(since, until)
    raise ValueError("is not [since_us, until_us]")


def _of(value: object) -> list[int] | None:
    if value == "all":
        return None
    if isinstance(value, list) and all(type(place) is int and place >= 0 for place in value):
        return value
    raise ValueError('is neither "all" nor a list of places')


def _instant(value: object) -> bool:
    return type(value) is int and 0 <= value <= LATEST_US


def _natural(value: object) -> bool:
    return type(value) is int and value >= 0


def _full_hour(value: object) -> bool:
    return type(value) is int and 0 <= value <= LATEST_US and value % HOUR_US == 0


def _count_rows(value: object) -> list[tuple[int, int, int]]:
    if not isinstance(value, list):
        raise ValueError("is not a list")  # noqa: TRY004 - pydantic wants it so
    for row in value:
        match row:
            case [place, hour_us, n] if _natural(place) and _full_hour(hour_us) and _natural(n):
                continue
        raise ValueError("has a row that is not [place, start of a full hour, count]")
    return [(place, hour_us, n) for place, hour_us, n in value]


def _digest_rows(value: object) -> list[tuple[int, Span, str]]:
    if not isinstance(value, list):
        raise ValueError("is not a list")  # noqa: TRY004 - pydantic wants it so
    rows = []
    for row in value:
        match row:
            case [int(place), since_us, until_us, str(digest)] if _natural(place) and 0 < len(digest) <= MAX_TEXT:
                rows.append((place, _span([since_us, until_us]), digest))
            case _:
                raise ValueError("has a row that is not [place, since_us, until_us, digest]")
    return rows


type Instant = Annotated[StrictInt, Field(ge=0, le=LATEST_US)]
type Identifier = Annotated[StrictStr, Field(min_length=1, max_length=MAX_TEXT, pattern=r"^[^\x00]*$")]
"""Not every store can keep a NUL."""
type Number = Annotated[StrictInt, Field(ge=1)]
type Claimed = Annotated[Span, PlainValidator(_span)]
type Of = Annotated[list[int] | None, PlainValidator(_of)]
"""Places in the catalog, or None for all of it."""
type Places = list[Annotated[StrictInt, Field(ge=0)]]
type Step = Annotated[StrictInt, Field(ge=-FURTHEST_US, le=FURTHEST_US)]
type Count = Annotated[StrictInt, Field(ge=0)]
type CountRows = Annotated[list[tuple[int, int, int]], PlainValidator(_count_rows)]
type DigestRows = Annotated[list[tuple[int, Span, str]], PlainValidator(_digest_rows)]
type Rows = Annotated[list[Any], Field(strict=True)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, arbitrary_types_allowed=True)


class SiteFields(_Message):
    """The Site in a hello."""

    id: Identifier
    name: StrictStr
    time_zone: StrictStr
    currency: StrictStr | None
    country: StrictStr | None
    ha_version: StrictStr


class Hello(_Message):
    """The first message; `now_us` is the client's clock, `run` is of this start of Home Assistant only."""

    protocol: Number
    now_us: Instant
    site: SiteFields
    integration_version: StrictStr
    run: Identifier | None = None

    def described(self) -> Site:
        """Return the Site."""
        return Site(**self.site.model_dump(), integration_version=self.integration_version)


class RoleFields(_Message):
    """One role of an Entity."""

    role: Role
    group: StrictStr
    name: StrictStr | None = None
    parent: StrictStr | None = None


class EntityFields(_Message):
    """One Entity of a catalog."""

    key: Identifier
    was: Identifier | None = None
    since_us: Instant
    entity_id: Identifier
    name: StrictStr
    area: StrictStr | None
    device: StrictStr | None
    kind: Kind
    unit: StrictStr
    state_class: StateClass | None
    source: Literal["state", "statistic"]
    roles: list[RoleFields]

    def described(self, site: str) -> Entity:
        """Return the Entity."""
        roles = tuple(RoleAssignment(role.role, role.group, role.name, role.parent) for role in self.roles)
        fields = self.model_dump(exclude={"was", "roles"})
        return Entity(site=site, roles=roles, **fields)


class Catalog(_Message):
    """What the places of the following messages refer to."""

    seq: Number
    rev: Number
    entities: list[EntityFields]

    @field_validator("entities")
    @classmethod
    def _no_key_twice(cls, entities: list[EntityFields]) -> list[EntityFields]:
        twice = [key for key, count in Counter(entity.key for entity in entities).items() if count > 1]
        if twice:
            raise ValueError(f"names the key {twice[0]} twice")
        return entities


class Readings(_Message):
    """Readings, and the claim that they are all of the span."""

    seq: Number
    catalog: Number
    origin: Literal["live", "recorder", "import"]
    span: Claimed
    of: Of
    rows: Rows
    skipped: dict[StrictStr, StrictInt] | None = None
    waiting: Count | None = None
    dropped: Count | None = None
    stepped_us: Step | None = None


class Statistics(_Message):
    """Hourly statistics, and the claim that they are all of the span."""

    seq: Number
    catalog: Number
    level: Literal["hour"]
    span: Claimed
    of: Of
    rows: Rows


class Nothing(_Message):
    """The claim that there is nothing to be had for the span."""

    seq: Number
    catalog: Number
    span: Claimed
    of: Of
    reason: Literal["no_statistics", "not_recorded", "purged", "ha_off"]


class Counts(_Message):
    """How many readings Home Assistant's recorder has of each Entity and hour; no claim."""

    seq: Number
    catalog: Number
    id: StrictInt
    span: Claimed
    of: Places
    rows: CountRows


class Digests(_Message):
    """Digests of Home Assistant's hourly statistics of each Entity by span; no claim."""

    seq: Number
    catalog: Number
    id: StrictInt
    of: Places
    rows: DigestRows


class Recorder(_Message):
    """How Home Assistant's recorder is; not numbered."""

    state: Literal["ready", "disabled", "migrating", "not_set_up", "lossy", "not_answering"]
    oldest_us: Instant | None
    detail: StrictStr | None = None


class Goodbye(_Message):
    """The client closes on purpose."""


type Data = Readings | Statistics | Nothing
type Answer = Counts | Digests
type Numbered = Catalog | Data | Answer
type Message = Hello | Numbered | Recorder | Goodbye

TYPES: dict[str, type[Message]] = {
    "hello": Hello,
    "catalog": Catalog,
    "readings": Readings,
    "statistics": Statistics,
    "nothing": Nothing,
    "counts": Counts,
    "digests": Digests,
    "recorder": Recorder,
    "goodbye": Goodbye,
}


def decode(text: str) -> Message:
    """Return the message that the text is."""
    if len(text) > MAX_BYTES or (not text.isascii() and len(text.encode()) > MAX_BYTES):
        raise LinkError("too_large", f"A message has at most {MAX_BYTES} bytes.")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as err:
        raise LinkError("bad_message", f"This is not JSON: {err}.") from err
    if not isinstance(message, dict):
        raise LinkError("bad_message", "A message is a JSON object.")
    name = message.get("type")
    if not isinstance(name, str):
        raise LinkError("bad_message", "is not text, or missing", field="type")
    if name not in TYPES:
        raise LinkError("unknown_type", f"There is no message of the type {name[:40]!r}.")
    try:
        found = TYPES[name].model_validate(message)
    except ValidationError as err:
        first = err.errors(include_url=False, include_context=False, include_input=False)[0]
        raise LinkError("bad_message", first["msg"], field=".".join(map(str, first["loc"]))) from err
    if isinstance(found, Readings | Statistics | Counts | Digests) and len(found.rows) > MAX_ROWS:
        raise LinkError("too_large", f"A message has at most {MAX_ROWS} rows.")
    return found


class Refused(NamedTuple):
    """A row that is not stored: its place in `rows`, and why."""

    row: int
    code: str


def claimed_keys(message: Data | Answer, keys: list[str]) -> list[str]:
    """Return the keys whose span the message settles, or tells of."""
    if message.of is None:
        return keys
    if message.of and max(message.of) >= len(keys):
        raise LinkError("bad_message", "names a place that the catalog does not have", field="of")
    return [keys[place] for place in message.of]


def readings(message: Readings, site: str, keys: list[str], now_us: int) -> tuple[ReadingBatch, list[Refused]]:
    """Return the valid rows of a message, and the others."""
    places, latest_us = len(keys), now_us + FUTURE_US
    columns = _valid_columns(message.rows, places, latest_us)
    if columns is not None:
        place, ts_us, values, reset_us = columns
        return ReadingBatch(site, ORIGINS[message.origin], [keys[at] for at in place], ts_us, values, reset_us), []
    batch = ReadingBatch(site, ORIGINS[message.origin])
    refused: list[Refused] = []
    for at, row in enumerate(message.rows):
        code = _reading_fault(row, places, latest_us)
        if code is not None:
            refused.append(Refused(at, code))
            continue
        batch.keys.append(keys[row[0]])
        batch.ts_us.append(row[1])
        batch.values.append(row[2])
        batch.reset_us.append(row[3] if len(row) > 3 else None)  # noqa: PLR2004 - the optional fourth
    return batch, refused


def statistics(message: Statistics, keys: list[str], now_us: int) -> tuple[StatisticColumns, list[Refused]]:
    """Return the valid rows of a message, and the others."""
    faults = [_statistic_fault(row, len(keys), now_us + FUTURE_US) for row in message.rows]
    refused = [Refused(at, code) for at, code in enumerate(faults) if code is not None]
    rows = [row for row, code in zip(message.rows, faults, strict=True) if code is None]
    mean, minimum, maximum, change, last = np.array([row[2:] for row in rows], np.float64).reshape(-1, 5).T
    columns = StatisticColumns(
        keys=keys,
        place=np.array([row[0] for row in rows], np.int32),
        start_us=np.array([row[1] for row in rows], np.int64),
        mean=mean,
        minimum=minimum,
        maximum=maximum,
        change=change,
        last=last,
        covered_s=np.full(len(rows), HOUR_US / 1e6),
        provenance=np.full(len(rows), Provenance.STATISTICS, np.uint8),
    )
    return columns, refused


type ReadingColumns = tuple[list[int], list[int], list[float | None], list[int | None]]


def _valid_columns(rows: list[Any], places: int, latest_us: int) -> ReadingColumns | None:
    """Return the rows as columns when there is no fault in any: six times as fast as looking at row after row."""
    if set(map(type, rows)) != {list} or not set(map(len, rows)) <= {3, 4}:
        return None
    place, ts_us, values = (list(map(itemgetter(at), rows)) for at in range(3))
    reset_us = [row[3] if len(row) > 3 else None for row in rows]  # noqa: PLR2004 - the optional fourth
    if not set(map(type, place)) == set(map(type, ts_us)) == {int}:
        return None
    in_range = min(place) >= 0 and max(place) < places and min(ts_us) >= EARLIEST_READING_US and max(ts_us) <= latest_us
    numbers = set(map(type, values)) <= {int, float, NoneType} and all(map(isfinite, filter(None, values)))
    resets = all(map(_is_int64, (reset for reset in reset_us if reset is not None)))
    return (place, ts_us, values, reset_us) if in_range and numbers and resets else None


def _reading_fault(row: object, places: int, latest_us: int) -> str | None:
    if not isinstance(row, list) or not 3 <= len(row) <= 4:  # noqa: PLR2004 - the last one is optional
        return "bad_row"
    fault = _place_or_time_fault(row, places, latest_us)
    if fault is None and not _finite_or_null(row[2]):
        return "bad_value"
    if fault is None and len(row) > 3 and row[3] is not None and not _is_int64(row[3]):  # noqa: PLR2004
        return "bad_time"
    return fault


def _statistic_fault(row: object, places: int, latest_us: int) -> str | None:
    if not isinstance(row, list) or len(row) != 7:  # noqa: PLR2004 - place, start and five values
        return "bad_row"
    fault = _place_or_time_fault(row, places, latest_us)
    if fault is None and row[1] % HOUR_US:
        return "bad_time"
    if fault is None and not all(map(_finite_or_null, row[2:])):
        return "bad_value"
    return fault


def _place_or_time_fault(row: list[Any], places: int, latest_us: int) -> str | None:
    place, instant_us = row[0], row[1]
    if type(place) is not int or not 0 <= place < places:
        return "bad_place"
    if type(instant_us) is not int or not EARLIEST_READING_US <= instant_us <= latest_us:
        return "bad_time"
    return None


def _finite_or_null(value: object) -> bool:
    return value is None or type(value) is int or (type(value) is float and value - value == 0)


def _is_int64(value: object) -> bool:
    return type(value) is int and -(1 << 63) < value < 1 << 63
