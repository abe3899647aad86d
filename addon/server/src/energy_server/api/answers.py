"""The shapes of the API's answers, for its OpenAPI document and its tests; the dashboard's `types.ts` mirrors them.

In:   nothing.
Out:  models. The handlers write the same shapes straight from arrays, because building a model per value would cost
      more than the query; the tests hold every answer against these.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, RootModel

from energy_server.model.entity import Kind, Role, StateClass

type Provenance = Literal["measured", "backfilled", "interpolated", "statistics", "missing"]
type LevelName = Literal["5min", "hour"]
type Resolution = Literal["5min", "hour", "day", "week", "month", "year", "total"]
type Values = list[float | None]
type LiveRow = tuple[str, int, float | None]


class Answer(BaseModel):
    """Base: an answer has exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(Answer):
    """What went wrong; `code` is stable, `field` names the input at fault."""

    code: str
    message: str
    field: str | None


class ErrorBody(Answer):
    """The body of every answer that is not a success."""

    error: ErrorDetail


class Health(Answer):
    """The process answers."""

    status: Literal["ok"]
    version: str


class Ready(Answer):
    """The stores are open and well."""

    status: Literal["ready"]


class Document(RootModel[dict[str, object]]):
    """An OpenAPI document."""


class RoleAssignment(Answer):
    """One role of an Entity in the home."""

    role: Role
    group: str
    name: str | None
    parent: str | None


class Latest(Answer):
    """A reading; null = unavailable."""

    ts_us: int
    value: float | None


class Entity(Answer):
    """One recorded entity. `complete_24h`: recorded share of the last 24 h, 0 to 1."""

    site: str
    key: str
    entity_id: str
    name: str
    area: str | None
    device: str | None
    kind: Kind
    unit: str
    state_class: StateClass | None
    since_us: int
    until_us: int | None
    roles: list[RoleAssignment]
    latest: Latest | None
    readings_per_min: float
    complete_24h: float


class Entities(Answer):
    """All Entities."""

    entities: list[Entity]


class Storage(Answer):
    """Which stores are used and why; then how the one of readings is."""

    choice: Literal["embedded", "questdb"]
    setting: Literal["auto", "embedded", "questdb"]
    reason: str
    backend: str
    well: bool
    detail: str | None
    readings: int
    statistics: int
    size_bytes: int
    free_bytes: int | None
    last_write_us: int | None


class StoreStatus(Answer):
    """How a store is; `detail`: what to do. Lag: rows not visible yet, or how far the slowest copy is behind."""

    role: Literal["series", "state"]
    backend: str
    well: bool
    reachable: bool
    version: str
    rows: int
    size_bytes: int
    free_bytes: int | None
    last_write_us: int | None
    lag_rows: int | None
    lag_s: float | None
    detail: str | None
    doing: str | None


class LinkError(Answer):
    """The last error of a Link."""

    code: str
    message: str


class Importing(Answer):
    """The first import of statistics: Entities settled, of all."""

    done: int
    total: int


class Link(Answer):
    """The connection to Home Assistant."""

    connected: bool
    since_us: int | None
    last_message_us: int | None
    last_reading_us: int | None
    readings_per_s: float
    refused: dict[str, int]
    skipped: dict[str, int]
    error: LinkError | None
    importing: Importing | None


class Complete(Answer):
    """Coverage over all Entities: since when, and the share of the time since live listening began that is recorded.

    A time in which Home Assistant was off is not recorded, though nothing of it can be lacking.
    """

    statistics_since_us: int | None
    live_since_us: int | None
    share: float | None


class Gap(Answer):
    """A span that Coverage lacks, for how many Entities."""

    since_us: int
    until_us: int
    entities: int
    reason: str | None


class SyncLine(Answer):
    """One line of the sync log."""

    ts_us: int
    what: str
    detail: str


class SiteStatus(Answer):
    """One Home Assistant instance."""

    id: str
    name: str
    time_zone: str
    currency: str | None
    ha_version: str
    integration_version: str
    link: Link
    complete: Complete
    gaps: list[Gap]
    sync_log: list[SyncLine]


class Problem(Answer):
    """A background task that failed and was started again; one that recovered is told of for a day."""

    task: str
    message: str
    at_us: int
    times: int
    recovered_us: int | None


class Status(Answer):
    """How the server is; `trouble`: why the stores cannot be opened, while nothing is known but how each of them is."""

    version: str
    server_id: str | None
    now_us: int
    started_us: int
    trouble: str | None
    storage: Storage
    stores: list[StoreStatus]
    problems: list[Problem]
    sites: list[SiteStatus]


class Day(Answer):
    """One local day: how much of it is known, and how; mean over the Entities.

    `ha_off_s`: of what is missing, while Home Assistant was off.
    """

    date: str
    length_s: float
    live_s: float
    backfilled_s: float
    statistics_s: float
    missing_s: float
    ha_off_s: float


class Completeness(Answer):
    """What is known of each local day."""

    site: str
    zone: str
    days: list[Day]


class RawReadings(Answer):
    """Every reading in the span; `before` is the one in force at its start."""

    key: str
    unit: str
    start_us: int
    end_us: int
    reduced: Literal[False]
    before: Latest | None
    ts_us: list[int]
    value: Values


class ReducedReadings(Answer):
    """Buckets that keep the extremes; empty ones are left out."""

    key: str
    unit: str
    start_us: int
    end_us: int
    reduced: Literal[True]
    bucket_us: int
    bucket_start_us: list[int]
    min: list[float]
    max: list[float]
    mean: list[float]
    count: list[int]


class Readings(RootModel[RawReadings | ReducedReadings]):
    """Every reading, or buckets that keep the extremes."""


class Series(Answer):
    """The Statistics of one Entity; null = unknown."""

    key: str
    unit: str
    start_us: list[int]
    mean: Values
    min: Values
    max: Values
    change: Values
    last: Values
    covered_s: list[float]
    provenance: list[Provenance]


class Statistics(Answer):
    """Statistics of some Entities."""

    level: LevelName
    period_us: int
    series: list[Series]


class Has(Answer):
    """Which sources the home has."""

    solar: bool
    battery: bool
    grid: bool
    export: bool
    gas: bool
    water: bool


class Flows(Answer):
    """Who fed whom, kWh per interval; null where nothing is known."""

    solar: Values
    battery_discharge: Values
    grid_import: Values
    home: Values
    battery_charge: Values
    grid_export: Values
    solar_to_home: Values
    solar_to_battery: Values
    solar_to_grid: Values
    battery_to_home: Values
    battery_to_grid: Values
    grid_to_home: Values
    grid_to_battery: Values


class Totals(Answer):
    """The same over the whole span; shares from 0 to 1."""

    solar: float | None
    battery_discharge: float | None
    grid_import: float | None
    home: float | None
    battery_charge: float | None
    grid_export: float | None
    solar_to_home: float | None
    solar_to_battery: float | None
    solar_to_grid: float | None
    battery_to_home: float | None
    battery_to_grid: float | None
    grid_to_home: float | None
    grid_to_battery: float | None
    untracked: float | None
    self_sufficiency: float | None
    self_consumption: float | None


class Device(Answer):
    """What one device used, kWh; `parent` is the key of the device that includes it."""

    key: str
    name: str
    parent: str | None
    values: Values
    provenance: list[Provenance]
    total: float | None


class Volume(Answer):
    """Gas or water per interval."""

    unit: str
    values: Values
    provenance: list[Provenance]
    total: float | None


class Jump(Answer):
    """An hour in which an Entity changed by more than ten times `usual`, its greatest hour on a usual day.

    What a home may well take in an hour (30 kWh; 10 m³ of gas, 5 m³ of water) is never one.
    """

    key: str
    start_us: int
    change: float
    usual: float


class Energy(Answer):
    """The home's energy; `edges_us` has one more element than the columns.

    `provenance` is that of the flows. `untracked`: home use that no top-level device accounts for, below 0 where
    devices used more, also where they are known and the home is not; its provenance is that of the flows and of these
    devices, so `missing` where one of them is not known and its use is therefore in it. `integrated`: keys whose energy
    is the integral of a power, because nothing counts it; `left_out`: keys of gas and water meters that count in
    another unit than the others (kWh beside m³) and are not in the sum; `jumps`: newest first.
    """

    site: str
    zone: str
    resolution: Resolution
    edges_us: list[int]
    has: Has
    flows: Flows
    devices: list[Device]
    untracked: Values
    untracked_provenance: list[Provenance]
    gas: Volume | None
    water: Volume | None
    integrated: list[str]
    left_out: list[str]
    provenance: list[Provenance]
    totals: Totals
    jumps: list[Jump]


class Login(Answer):
    """The access token, exchanged for a session cookie."""

    token: str


class LiveSnapshot(Answer):
    """The first message: the newest reading of every Entity, and which Sites are connected."""

    type: Literal["snapshot"]
    now_us: int
    rows: list[LiveRow]
    connected: dict[str, bool]


class LiveReadings(Answer):
    """New readings; a slow browser gets only the newest of each Entity."""

    type: Literal["readings"]
    rows: list[LiveRow]


class LiveLink(Answer):
    """A Site came or went."""

    type: Literal["link"]
    site: str
    connected: bool


class LiveCatalog(Answer):
    """The Entities of a Site changed."""

    type: Literal["catalog"]
    site: str


class LiveStatistics(Answer):
    """Statistics of the span were computed."""

    type: Literal["statistics"]
    site: str
    start_us: int
    end_us: int


class LiveMessage(RootModel[LiveSnapshot | LiveReadings | LiveLink | LiveCatalog | LiveStatistics]):
    """A message of the WebSocket api/live."""
