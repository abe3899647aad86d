"""What came late is noted, and told of once an outage is over; a clock that is wrong marks nothing."""

from collections.abc import Sequence

from energy_server.ledger.coverage import CoverageLedger
from energy_server.link.late import LATE_US, Lateness
from energy_server.model.coverage import Span
from tests.server.link.linking import MINUTE_US, NOON_US, SECOND_US, SITE, Client, Linked, catalog, hello, readings

TEN_US = 10 * MINUTE_US


def late_spans(linked: Linked) -> list[Span]:
    return linked.ledger.late.spans(SITE, 0, 2 * NOON_US)


async def claimed(client: Client, *spans: tuple[int, int]) -> None:
    for span in spans:
        seq = await client.number(readings([[0, span[1] - 1, 1.0]], span=span))
    await client.expect("ack", seq=seq)


def minutes(since_us: int, until_us: int) -> list[tuple[int, int]]:
    return [(at, at + MINUTE_US) for at in range(since_us, until_us, MINUTE_US)]


async def kept_for_ten_minutes(linked: Linked) -> Client:
    """Be in time up to noon, then away; return the connection that is open ten minutes after noon."""
    before = await linked.connect()
    await before.greet(keys=("a",))
    await claimed(before, (NOON_US - 30 * SECOND_US, NOON_US))
    await before.send({"type": "goodbye"})
    await before.expect_close()
    client = await linked.connect()
    await client.greet(now_us=NOON_US + TEN_US, keys=("a",))
    return client


async def test_an_outage_is_late_from_its_beginning_to_its_end(home: Linked) -> None:
    client = await kept_for_ten_minutes(home)
    assert late_spans(home) == []
    await claimed(client, *minutes(NOON_US, NOON_US + TEN_US))
    assert late_spans(home) == [Span(NOON_US, NOON_US + TEN_US)]
    assert [line for line in await home.state.sync_log(9) if line.what == "late"] == []
    later = NOON_US + TEN_US + 30 * SECOND_US
    await claimed(client, (NOON_US + TEN_US, later))
    await claimed(client, (later, later + SECOND_US))
    assert late_spans(home) == [Span(NOON_US, NOON_US + TEN_US)]
    (line,) = [line for line in await home.state.sync_log(9) if line.what == "late"]
    told = (line.since_us, line.until_us, line.rows, line.source, line.result)
    assert told == (NOON_US, NOON_US + TEN_US, 10, "outbox", "done")
    again = CoverageLedger(home.state, home.series.store_id)
    await again.load()
    assert again.late.spans(SITE, 0, 2 * NOON_US) == late_spans(home)
    assert home.ledger.live_spans(SITE) == [Span(NOON_US - 30 * SECOND_US, later + SECOND_US)]
    await client.socket.close()


async def test_an_outage_goes_on_where_a_connection_broke(home: Linked) -> None:
    client = await kept_for_ten_minutes(home)
    await claimed(client, *minutes(NOON_US, NOON_US + 4 * MINUTE_US))
    await client.socket.close()
    again = await home.connect()
    await again.greet(now_us=NOON_US + TEN_US + 20 * SECOND_US, keys=("a",))
    resent = minutes(NOON_US + 3 * MINUTE_US, NOON_US + TEN_US)
    await claimed(again, *resent, (NOON_US + TEN_US, NOON_US + TEN_US + 20 * SECOND_US))
    await claimed(again, (NOON_US + TEN_US + 20 * SECOND_US, NOON_US + TEN_US + 21 * SECOND_US))
    assert late_spans(home) == [Span(NOON_US, NOON_US + TEN_US + 20 * SECOND_US)]
    lines = [(line.since_us, line.until_us) for line in await home.state.sync_log(9) if line.what == "late"]
    assert lines == [(NOON_US, NOON_US + TEN_US + 20 * SECOND_US)]
    await again.socket.close()


async def test_what_was_known_in_time_and_is_sent_again_is_not_late(home: Linked) -> None:
    client = await kept_for_ten_minutes(home)
    await claimed(client, (NOON_US - 30 * SECOND_US, NOON_US), *minutes(NOON_US, NOON_US + TEN_US))
    assert late_spans(home) == [Span(NOON_US, NOON_US + TEN_US)]
    await client.socket.close()


async def test_a_claim_of_an_idle_home_is_late_as_far_as_it_was_away(home: Linked) -> None:
    client = await kept_for_ten_minutes(home)
    await claimed(client, (NOON_US, NOON_US + TEN_US + SECOND_US))
    assert late_spans(home) == [Span(NOON_US, NOON_US + TEN_US)]
    assert [line.what for line in await home.state.sync_log(9)].count("late") == 1
    await client.socket.close()


async def test_what_the_recorder_has_is_not_late(home: Linked) -> None:
    client = await home.connect()
    await client.send(hello())
    await client.expect("welcome")
    await client.number(catalog("a"))
    seq = await client.number(readings([], span=(NOON_US - TEN_US, NOON_US), origin="recorder", of=[0]))
    await client.expect("ack", seq=seq)
    assert late_spans(home) == []
    await client.socket.close()


def judged(lateness: Lateness, arrivals: Sequence[tuple[int, int, int]]) -> list[Span]:
    """Return what is late of claims, each (since, until, the client's clock at its arrival) in seconds."""
    found = (
        lateness.late(Span(since * SECOND_US, until * SECOND_US), 1, now * SECOND_US) for since, until, now in arrivals
    )
    return [span for span in found if span is not None]


def greeted(now_s: int) -> Lateness:
    lateness = Lateness()
    lateness.greet(now_s * SECOND_US)
    return lateness


def test_a_short_outage_is_in_time() -> None:
    assert judged(greeted(1_055), [(1_000 + at, 1_001 + at, 1_055) for at in range(55)]) == []


def test_a_clock_that_is_set_back_does_not_make_everything_late() -> None:
    before = [(at, at + 1, at + 1) for at in range(1_000, 1_300)]
    after = [(at - 250, at - 249, at + 1) for at in range(1_300, 1_900)]
    assert judged(greeted(1_000), before + after) == []


def test_a_clock_that_drifts_away_does_not_make_everything_late() -> None:
    assert judged(greeted(0), [(at, at + 30, 30 + at + at // 100) for at in range(0, 100_000, 30)]) == []


def test_a_clock_that_is_set_forward_is_no_outage() -> None:
    lateness = greeted(1_000)
    assert judged(lateness, [(at, at + 1, at + 1) for at in range(1_000, 1_010)]) == []
    lateness.greet(1_310 * SECOND_US)
    assert judged(lateness, [(1_010, 1_011, 1_310), (1_310, 1_311, 1_311)]) == [
        Span(1_010 * SECOND_US, 1_011 * SECOND_US)
    ]
    outage = lateness.over(Span(1_310 * SECOND_US, 1_311 * SECOND_US))
    assert outage is not None
    assert not outage.told
    assert judged(lateness, [(1_311, 1_312, 1_312)]) == []


def test_what_waits_while_a_connection_is_open_is_late_too() -> None:
    lateness = greeted(1_000)
    assert judged(lateness, [(1_000, 1_001, 1_001)]) == []
    waited = [(at, at + 1, 1_200) for at in range(1_001, 1_200)]
    late = judged(lateness, waited)
    assert (late[0].since_us, late[-1].until_us) == (1_001 * SECOND_US, 1_200 * SECOND_US - LATE_US)
