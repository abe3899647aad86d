"""The shapes of the answers about completeness and how it comes about: /api/sync, /api/backfill. See `answers.py`."""

from typing import Literal

from energy_server.api.answers import Answer, Importing, LinkError

type RecorderName = Literal["ready", "disabled", "migrating", "not_set_up", "lossy", "not_answering"]
type GapState = Literal["open", "lost"]
type GapCause = Literal[
    "unreachable",
    "home_assistant_stopped",
    "server_stopped",
    "outbox_full",
    "clock",
    "damaged",
    "ha_off",
    "purged",
    "not_recorded",
    "unknown",
]
type JobState = Literal["queued", "running", "done", "partly", "cancelled"]


class SyncLink(Answer):
    """The connection to Home Assistant; `waiting` readings in its outbox, `dropped` ones since listening began."""

    connected: bool
    since_us: int | None
    last_message_us: int | None
    last_reading_us: int | None
    readings_per_s: float
    waiting: int | None
    dropped: int | None
    error: LinkError | None


class SyncClock(Answer):
    """Home Assistant's clock: `refused` while it is more than 10 minutes behind the end of live Coverage."""

    home_assistant_us: int
    server_us: int
    live_end_us: int | None
    refused: bool


class SyncRecorder(Answer):
    """How Home Assistant's recorder is, and its oldest state."""

    state: RecorderName
    oldest_us: int | None
    detail: str | None


class SyncGap(Answer):
    """A span that `entities` Entities lack, some of which are named; `lost`: Home Assistant has nothing either."""

    since_us: int
    until_us: int
    entities: int
    keys: list[str]
    cause: GapCause
    state: GapState


class SyncGaps(Answer):
    """Gaps since live listening began, newest first; the numbers are about open ones, all of them."""

    open: int
    entities: int
    oldest_us: int | None
    seconds: float
    list: list[SyncGap]


class Progress(Answer):
    """How far fetching readings from the recorder is, in seconds summed over Entities."""

    kind: Literal["first_install", "backfill"]
    since_us: int
    done_s: float
    total_s: float
    rows: int
    rate_per_s: float
    eta_s: float | None


class Job(Answer):
    """A backfill that somebody asked for; seconds are summed over Entities."""

    id: str
    site: str
    keys: list[str]
    start_us: int
    end_us: int
    state: JobState
    created_us: int
    finished_us: int | None
    settled_s: float
    total_s: float
    rows: int


class Jobs(Answer):
    """Backfills, newest first."""

    jobs: list[Job]


class Audits(Answer):
    """When the recorder was last compared with what is stored: the last 24 hours, and all of it."""

    day_us: int | None
    all_us: int | None


class EntityCompleteness(Answer):
    """How much of a span is known of one Entity, and how; `ha_off_s`: of what is missing, Home Assistant was off."""

    key: str
    length_s: float
    live_s: float
    backfilled_s: float
    statistics_s: float
    missing_s: float
    ha_off_s: float


class CompletenessEntities(Answer):
    """What is known of each Entity."""

    site: str
    zone: str
    entities: list[EntityCompleteness]


class Hour(Answer):
    """One hour: how much of it is known, and how; mean over the Entities.

    `ha_off_s`: of what is missing, while Home Assistant was off.
    """

    start_us: int
    length_s: float
    live_s: float
    backfilled_s: float
    statistics_s: float
    missing_s: float
    ha_off_s: float


class CompletenessHours(Answer):
    """What is known of each hour."""

    site: str
    zone: str
    hours: list[Hour]


class SyncEntry(Answer):
    """One line of the sync log."""

    ts_us: int
    what: str
    detail: str
    since_us: int | None
    until_us: int | None
    rows: int | None
    source: str | None
    result: str


class Sync(Answer):
    """How the record of a Site is kept complete."""

    site: str
    now_us: int
    link: SyncLink
    clock: SyncClock | None
    recorder: SyncRecorder | None
    gaps: SyncGaps
    progress: Progress | None
    importing: Importing | None
    jobs: list[Job]
    audits: Audits
    log: list[SyncEntry]
