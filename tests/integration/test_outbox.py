"""The outbox keeps its laws, whatever happens in whatever order."""

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from homeassistant.helpers.json import json_bytes
from hypothesis import given
from hypothesis import strategies as st

from custom_components.energy_dashboard.const import OUTBOX_BYTES
from custom_components.energy_dashboard.pipeline import listen
from custom_components.energy_dashboard.pipeline.model import Catalog
from custom_components.energy_dashboard.pipeline.outbox import BATCH_ROWS, INSTANT_ROWS, Batch, Outbox

START_US = 1_800_000_000_000_000
EARLIEST_US = START_US - 1_000_000_000_000
SECOND = 1_000_000
type Span = tuple[int, int]


def catalog(rev: int = 1) -> Catalog:
    return Catalog(rev, (), b"[]")


@dataclass
class Home:
    """An outbox, the clocks it is given, and everything that really happened."""

    outbox: Outbox = field(default_factory=lambda: Outbox(json_bytes, 1 << 30, EARLIEST_US))
    wall_us: int = START_US
    monotonic_us: int = 5 * SECOND
    happened: list[tuple[int, int]] = field(default_factory=list)
    rev: int = 1
    stepped: bool = False

    def __post_init__(self) -> None:
        self.outbox.begin(catalog(), self.wall_us, self.monotonic_us)

    def pass_time(self, duration_us: int) -> None:
        self.wall_us += duration_us
        self.monotonic_us += duration_us

    def set_clock(self, step_us: int) -> None:
        self.wall_us += step_us
        self.stepped = True

    def read(self, count: int = 1) -> None:
        for _ in range(count):
            self.pass_time(1)
            self.happened.append((self.wall_us, len(self.happened)))
            self.outbox.rows.append((0, self.wall_us, float(len(self.happened) - 1)))
        self.pass_time(1)

    def seal(self) -> bool:
        return self.outbox.seal(self.wall_us, self.monotonic_us)

    def change_catalog(self) -> None:
        self.rev += 1
        self.outbox.begin(catalog(self.rev), self.wall_us, self.monotonic_us)

    def batches(self) -> list[Batch]:
        """Return everything that waits, in its order, and check each Batch's own form."""
        self.outbox.rewind()
        found = []
        while self.outbox.waiting:
            found.append(self.outbox.take())
        self.outbox.rewind()
        for batch in found:
            message = content(batch)
            assert tuple(message["span"]) == batch.span
            assert message["catalog"] == batch.catalog.rev
            assert len(message["rows"]) == batch.count
            assert batch.span[0] <= batch.span[1]
        assert [batch.catalog.rev for batch in found] == sorted(batch.catalog.rev for batch in found)
        return found

    def assert_claims_are_true(self, batches: list[Batch]) -> None:
        """Whatever a Batch claims, it carries: no reading of its span is anywhere else."""
        for batch in batches:
            carried = {int(row[2]) for row in content(batch)["rows"]}
            claimed = {number for ts_us, number in self.happened if batch.span[0] <= ts_us < batch.span[1]}
            assert claimed <= carried


def content(batch: Batch) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(b"{" + batch.body)
    return parsed


def values(batches: list[Batch]) -> list[int]:
    return [int(row[2]) for batch in batches for row in content(batch)["rows"]]


STEPS = st.one_of(
    st.tuples(st.just("read"), st.integers(1, 30)),
    st.tuples(st.just("read"), st.integers(BATCH_ROWS, 3 * BATCH_ROWS)),
    st.tuples(st.just("pass_time"), st.integers(0, 60 * SECOND)),
    st.tuples(st.just("seal"), st.none()),
    st.tuples(st.just("change_catalog"), st.none()),
    st.tuples(st.just("take"), st.integers(1, 3)),
    st.tuples(st.just("settle"), st.integers(1, 3)),
    st.tuples(st.just("rewind"), st.none()),
)


def run(home: Home, steps: list[tuple[str, int | None]]) -> list[Batch]:
    """Do the steps; returns the Batches that were acknowledged."""
    settled: list[Batch] = []
    in_flight: list[Batch] = []
    for name, amount in steps:
        if name == "take":
            in_flight.extend(home.outbox.take() for _ in range(amount or 0) if home.outbox.waiting)
        elif name == "settle":
            settled.extend(batch for batch in in_flight[:amount] if home.outbox.settle(batch))
            del in_flight[:amount]
        elif name == "rewind":
            home.outbox.rewind()
            in_flight = []
        elif amount is None:
            getattr(home, name)()
        else:
            getattr(home, name)(amount)
    return settled


@given(st.lists(STEPS, max_size=30))
def test_nothing_is_lost_or_claimed_wrongly(steps: list[tuple[str, int | None]]) -> None:
    home = Home()
    settled = run(home, steps)
    home.pass_time(1)
    home.seal()
    batches = settled + home.batches()
    assert sorted(values(batches)) == [number for _, number in home.happened]
    home.assert_claims_are_true(batches)
    for before, after in pairwise(batches):
        assert before.span[1] == after.span[0]
    assert batches[0].span[0] == START_US
    assert batches[-1].span[1] == home.wall_us


@given(st.lists(STEPS, max_size=30), st.integers(2_000, 60_000))
def test_a_full_outbox_drops_the_oldest_with_its_claim(steps: list[tuple[str, int | None]], max_bytes: int) -> None:
    home = Home(Outbox(json_bytes, max_bytes, EARLIEST_US))
    settled = run(home, steps)
    home.pass_time(1)
    home.seal()
    kept = home.batches()
    home.assert_claims_are_true(settled + kept)
    assert len(values(settled + kept)) + home.outbox.dropped_rows == len(home.happened)
    assert home.outbox.bytes <= max_bytes or len(kept) == 1
    for before, after in pairwise(kept):
        assert before.span[1] == after.span[0]  # what went is at the beginning, nowhere between
    assert kept[-1].span[1] == home.wall_us
    assert sum(batch.span[1] - batch.span[0] for batch in kept) <= home.wall_us - START_US


@given(st.lists(STEPS, max_size=20))
def test_bytes_are_counted_exactly(steps: list[tuple[str, int | None]]) -> None:
    home = Home()
    run(home, steps)
    home.outbox.discard()
    assert home.outbox.bytes == 0
    assert len(home.outbox) == len(home.outbox.rows)


@given(
    st.integers(1_000_001, 10**12), st.sampled_from([1, -1]), st.integers(0, 60 * SECOND), st.integers(0, 60 * SECOND)
)
def test_a_clock_that_is_set_closes_the_span(step_us: int, sign: int, before_us: int, after_us: int) -> None:
    home = Home()
    home.read()
    home.pass_time(before_us)
    home.set_clock(sign * step_us)
    home.pass_time(after_us)
    assert home.seal() is (home.wall_us >= EARLIEST_US)
    home.read()
    home.seal()
    if home.wall_us < EARLIEST_US:
        return
    first, *_, last = home.batches()
    told = [content(batch).get("stepped_us") for batch in home.batches()]
    assert told == [None, sign * step_us]
    lived_us = 2 + before_us + after_us
    assert first.span[0] == START_US
    assert first.span[1] - first.span[0] <= lived_us
    assert first.span[1] <= max(START_US, home.wall_us)
    assert last.span[0] >= START_US + sign * step_us
    assert home.outbox.clock_steps == 1


def test_a_slow_drift_is_no_step() -> None:
    home = Home()
    for _ in range(10):
        home.pass_time(30 * SECOND)
        home.wall_us += 900_000
        assert not home.seal()
    assert home.outbox.clock_steps == 0


def test_before_the_release_nothing_is_captured() -> None:
    home = Home(wall_us=0)
    home.read(3)
    home.seal()
    assert home.batches() == []
    home.set_clock(START_US)
    home.read(2)
    home.seal()
    assert home.batches() == []  # the clock was set in the middle: what happened then is not known exactly
    home.read(1)
    home.seal()
    assert values(home.batches()) == [5]
    assert "stepped_us" not in content(home.batches()[0])  # nothing before is known, so nothing was skipped


def test_a_batch_in_flight_may_be_dropped_and_still_be_acknowledged() -> None:
    home = Home(Outbox(json_bytes, 2_000, EARLIEST_US))
    home.read()
    home.seal()
    sent = home.outbox.take()
    for _ in range(10):
        home.read()
        home.seal()
    assert home.outbox.settle(sent) is False
    assert home.outbox.dropped_batches > 0


def test_discard_oldest_takes_one() -> None:
    home = Home()
    home.outbox.discard_oldest()
    for _ in range(3):
        home.read()
        home.seal()
    home.outbox.take()
    home.outbox.discard_oldest()
    assert values(home.batches()) == [1, 2]
    assert home.outbox.peek() is not None


def test_a_quarter_of_an_hour_at_100_events_a_second_fits() -> None:
    """As it is collected while the server is away: by seconds, in a home of 500 Entities."""
    home = Home(Outbox(json_bytes, OUTBOX_BYTES, EARLIEST_US))
    home.outbox.begin(Catalog(2, (), b"x" * 500 * 400), home.wall_us, home.monotonic_us)
    for number in range(15 * 60 * 100):
        home.pass_time(10_000)
        home.outbox.rows.append((number % 500, home.wall_us, 123456.789 + number, home.wall_us))
        if number % int(listen.DELAY_OFFLINE_S * 100) == 0:
            home.seal()
    home.seal()
    assert home.outbox.dropped_batches == 0
    assert len(home.outbox) == 90_000
    assert home.outbox.bytes < OUTBOX_BYTES / 4


def test_what_happens_at_one_instant_may_be_more_than_a_message_holds() -> None:
    home = Home()
    home.outbox.rows.extend((0, home.wall_us, float(number)) for number in range(3 * INSTANT_ROWS))
    home.pass_time(5)
    home.outbox.rows.append((0, home.wall_us, -1.0))
    home.pass_time(5)
    home.seal()
    kept = home.batches()
    assert all(batch.count <= INSTANT_ROWS for batch in kept)
    assert [batch.open for batch in kept] == [True, True, False, False]
    assert [batch.span for batch in kept[:2]] == [(START_US, START_US)] * 2  # nothing is claimed before all is there
    assert sum(batch.count for batch in kept) == len(home.outbox) == 3 * INSTANT_ROWS + 1


@given(st.integers(0, 4))
def test_what_belongs_to_one_instant_is_dropped_together(in_flight: int) -> None:
    home = Home()
    home.outbox.rows.extend((0, home.wall_us, float(number)) for number in range(2 * INSTANT_ROWS + 1))
    home.pass_time(5)
    home.seal()
    home.read()
    home.seal()
    for _ in range(in_flight):
        home.outbox.take()
    assert home.outbox.waiting_rows == sum(batch.count for batch in home.outbox._waiting)
    home.outbox.discard_oldest()
    assert home.outbox.dropped_rows == 2 * INSTANT_ROWS + 1
    assert home.outbox.waiting_rows == sum(batch.count for batch in home.outbox._waiting)
    assert [batch.count for batch in home.batches()] == [1]


def test_what_was_skipped_travels_with_the_claim() -> None:
    home = Home()
    home.outbox.seal(home.wall_us + 1, home.monotonic_us + 1, {"not_numeric": 2})
    assert content(home.batches()[0])["skipped"] == {"not_numeric": 2}
