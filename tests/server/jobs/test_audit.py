"""The audit: what the recorder has and we lack is fetched, once; nothing is deleted; every run is told."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from energy_server.jobs import audit as module
from energy_server.jobs.audit import DAY_US, SETTLE_US, Audit, document_of
from energy_server.ledger.wanted import Wanted
from energy_server.link.events import LinkChanged
from energy_server.model.coverage import Span
from energy_server.model.site import Site
from tests.server.jobs.recorded import Recorded, while_answering
from tests.server.link.linking import HOUR_US, MINUTE_US, NOON_US, SECOND_US, SITE, Linked, linked

HOUR = NOON_US - 3 * HOUR_US
HOME = Site(SITE, "Home", "Europe/Amsterdam", "EUR", None, "2026.10.4", "0.1.0")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Linked]:
    async with linked(tmp_path) as opened:
        yield opened


class Audited:
    """An audit of one Site, whose clock the test sets."""

    def __init__(self, home: Linked) -> None:
        self.home = home
        self.now_us = NOON_US
        self.recorded = Recorded(home)
        wanted = Wanted(home.ledger, home.asked)
        self.audit = Audit(home.series, home.state, home.ledger, wanted, home.asked, home.links, lambda: self.now_us)

    async def run(self, what: Coroutine[Any, Any, None]) -> None:
        await while_answering(self.recorded, asyncio.create_task(what))

    async def day(self) -> None:
        await self.run(self.audit.audit_day(HOME))

    async def all(self) -> None:
        await self.run(self.audit.audit_all(HOME))

    def asked(self, key: str) -> list[Span]:
        return self.home.asked.of(SITE, key)


@pytest.fixture
async def audited(home: Linked) -> AsyncIterator[Audited]:
    audited = Audited(home)
    await audited.recorded.connect()
    yield audited
    await audited.recorded.client.socket.close()


async def test_nothing_differs(audited: Audited) -> None:
    await audited.recorded.sends("a", HOUR, HOUR + SECOND_US)
    audited.recorded.counts = {("a", HOUR): 2}
    await audited.day()
    assert audited.asked("a") == []
    (line,) = await audited.home.state.sync_log(1)
    until_us = NOON_US - HOUR_US
    assert (line.what, line.detail) == ("audit", "readings of the last 24 hours: no difference")
    assert (line.since_us, line.until_us, line.rows, line.source, line.result) == (
        until_us - DAY_US,
        until_us,
        2,
        "recorder",
        "done",
    )


async def test_an_hour_of_which_the_recorder_has_more_is_asked_for(audited: Audited) -> None:
    await audited.recorded.sends("a", HOUR, HOUR + SECOND_US)
    audited.recorded.counts = {("a", HOUR): 3, ("b", HOUR): 1, ("b", HOUR + HOUR_US): 1}
    await audited.day()
    assert audited.asked("a") == [Span(HOUR, HOUR + HOUR_US)]
    assert audited.asked("b") == [Span(HOUR, HOUR + 2 * HOUR_US)]
    (line,) = await audited.home.state.sync_log(1)
    assert line.detail == "readings of the last 24 hours: 3 hours of 2 entities differ"


async def test_what_is_on_its_way_is_not_judged(audited: Audited) -> None:
    audited.recorded.counts = {("a", HOUR): 3}
    await audited.day()
    await audited.day()
    await audited.recorded.sends("a", HOUR, HOUR + SECOND_US, HOUR + 2 * SECOND_US)
    await audited.day()
    assert audited.asked("a") == [Span(HOUR + 2 * SECOND_US + 1, HOUR + HOUR_US)], "still to be answered"


async def test_what_fetching_does_not_change_is_explained_until_it_changes(audited: Audited) -> None:
    """A recorder that was killed lost some that we heard."""
    instants = [HOUR + at * SECOND_US for at in range(5)]
    await audited.recorded.sends("a", *instants)
    audited.recorded.counts = {("a", HOUR): 3}
    await audited.day()
    assert audited.asked("a") == [Span(HOUR, HOUR + HOUR_US)]
    await audited.recorded.sends("a", HOUR, HOUR + HOUR_US - 1)
    audited.recorded.counts = {("a", HOUR): 4}
    await audited.day()
    assert audited.asked("a") == [Span(HOUR, HOUR + HOUR_US)], "another count is another difference"
    await audited.recorded.sends("a", HOUR, HOUR + HOUR_US - 1)
    for _ in range(2):
        await audited.day()
        assert audited.asked("a") == [], "its readings came, and it still differs"
    again = Audited(audited.home)
    again.recorded = audited.recorded
    await again.day()
    assert again.asked("a") == [], "a restart does not forget it"


async def test_what_the_recorder_lost_stays(audited: Audited) -> None:
    await audited.recorded.sends("a", HOUR, HOUR + SECOND_US)
    await audited.day()
    assert audited.asked("a") == []
    assert len(await audited.home.series.read(SITE, "a", 0, NOON_US)) == 2


async def test_a_gap_is_not_a_difference(audited: Audited) -> None:
    await audited.home.ledger.void_after(SITE, HOUR + MINUTE_US)
    audited.recorded.counts = {("a", HOUR): 3}
    await audited.day()
    assert audited.asked("a") == []


async def test_an_hour_that_is_not_over_is_not_counted(audited: Audited) -> None:
    audited.recorded.counts = {("a", NOON_US - HOUR_US): 3}
    await audited.day()
    assert max(message["span"][1] for message in audited.recorded.requests("counts")) == NOON_US - HOUR_US


async def test_a_recorder_that_does_not_answer_is_told(audited: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.05)
    monkeypatch.setattr("energy_server.jobs.digests.ANSWER_WITHIN_S", 0.05)
    audited.recorded.answers = False
    await audited.day()
    (line,) = await audited.home.state.sync_log(1)
    assert line.result == "partly"
    assert "did not answer" in line.detail


async def test_hours_that_the_recorder_has_not_written_are_not_told_of(audited: Audited) -> None:
    await audited.recorded.sends("a", HOUR)
    audited.recorded.counts = {("a", HOUR): 1, ("a", HOUR + HOUR_US): 9}
    audited.recorded.until_us = HOUR + HOUR_US
    await audited.day()
    (line,) = await audited.home.state.sync_log(1)
    assert (line.until_us, line.result, line.rows) == (HOUR + HOUR_US, "done", 1)
    assert line.detail == "readings of the last 24 hours: no difference"


async def test_where_nothing_could_be_counted_the_audit_ends_at_once_and_says_so(audited: Audited) -> None:
    """The default patience is minutes: the test would end before."""
    audited.recorded.until_us = 0
    await audited.day()
    (line,) = await audited.home.state.sync_log(1)
    assert (line.detail, line.result, line.rows) == (
        "readings of the last 24 hours: nothing could be counted",
        "partly",
        0,
    )


async def test_who_the_recorder_does_not_know_is_told(audited: Audited) -> None:
    await audited.recorded.sends("a", HOUR)
    audited.recorded.counts = {("a", HOUR): 1, ("b", HOUR): 5}
    audited.recorded.gone = {"b"}
    await audited.all()
    lines = {line.source: line for line in await audited.home.state.sync_log(2)}
    assert lines["recorder"].detail == "all readings of the recorder: no difference, not all could be counted"
    assert lines["statistics"].detail == "hourly statistics: same, 1 entities could not be compared"
    assert {line.result for line in lines.values()} == {"partly"}
    assert audited.asked("b") == []
    audited.recorded.gone = {"a", "b"}
    await audited.all()
    assert {line.result for line in await audited.home.state.sync_log(2)} == {"partly"}


async def test_a_connection_that_ends_ends_the_audit(audited: Audited) -> None:
    audited.recorded.answers = False
    running = asyncio.create_task(audited.audit.audit_day(HOME))
    await audited.recorded.client.expect("request", kind="counts")
    await audited.recorded.client.socket.close()
    await running
    lines = await audited.home.state.sync_log(5)
    assert "partly" in {line.result for line in lines}


async def test_the_night_compares_all_that_the_recorder_has(audited: Audited) -> None:
    state = {"type": "recorder", "state": "ready", "oldest_us": NOON_US - 3 * DAY_US}
    await audited.recorded.client.send(state)
    await audited.recorded.sends("a", HOUR)
    await audited.all()
    spans = [message["span"] for message in audited.recorded.requests("counts")]
    assert spans[0][1] == NOON_US - HOUR_US, "newest first"
    assert spans[-1][0] == NOON_US - HOUR_US - 3 * DAY_US
    assert all(until - since <= DAY_US for since, until in spans)


async def test_edited_statistics_are_imported_again(audited: Audited) -> None:
    recorded, month = audited.recorded, 30 * DAY_US
    since = NOON_US - 90 * DAY_US
    rows = [[0, since + at * HOUR_US, None, None, None, 1.0, 1.0] for at in range(60 * 24)]
    hours = {"type": "statistics", "catalog": 2, "level": "hour", "rows": rows}
    seq = await recorded.client.number(hours | {"of": [0], "span": [since, since + 2 * month]})
    await recorded.client.expect("ack", seq=seq)
    recorded.digests = {("a", since + at * month, since + (at + 1) * month): "old" for at in range(3)}
    await audited.all()
    assert recorded.requests("statistics") == [], "the first time there is nothing to compare with"
    recorded.digests[("a", since + month, since + 2 * month)] = "edited"
    recorded.digests[("a", since + 2 * month, since + 3 * month)] = "grown"
    await audited.all()
    (request,) = recorded.requests("statistics")
    assert (request["of"], request["span"]) == ([0], [since + month, since + 2 * month]), "where hours were imported"
    await audited.all()
    assert len(recorded.requests("statistics")) == 1, "once"
    assert {line.detail for line in await audited.home.state.sync_log(9) if line.source == "statistics"} == {
        "hourly statistics: same",
        "hourly statistics: 1 entities changed",
    }


async def test_statistics_without_an_entity_are_read_again_daily(home: Linked) -> None:
    audited = Audited(home)
    await audited.recorded.connect(b="statistic")
    await audited.all()
    (request,) = audited.recorded.requests("statistics")
    assert (request["of"], request["span"]) == ([1], [NOON_US - 40 * DAY_US, NOON_US])
    assert all(1 not in message["of"] for message in audited.recorded.requests("counts")), "it has no readings"
    await audited.recorded.client.socket.close()


async def test_when_audits_are_due(audited: Audited) -> None:
    async def look(after_us: int, home: Site = HOME) -> set[str]:
        audited.now_us = NOON_US + after_us
        before = await audited.home.state.document(document_of(SITE)) or {}
        await audited.run(audited.audit.look(home))
        after = await audited.home.state.document(document_of(SITE)) or {}
        return {name for name in ("day_us", "all_us") if before.get(name) != after.get(name)}

    assert await look(SETTLE_US - 1) == set(), "an outage is reconciled first"
    assert await look(SETTLE_US) == {"day_us", "all_us"}, "there was no night yet"
    assert await look(SETTLE_US + HOUR_US) == set()
    assert await look(SETTLE_US + HOUR_US + 1) == {"day_us"}
    assert await look(11 * HOUR_US) == {"day_us"}, "one in the morning in Amsterdam"
    assert await look(12 * HOUR_US + SETTLE_US) == {"day_us", "all_us"}, "the next night"
    elsewhere = replace(HOME, time_zone="Pacific/Honolulu")
    assert await look(12 * HOUR_US + 2 * SETTLE_US, elsewhere) == {"day_us", "all_us"}, "another date, another night"
    await audited.recorded.client.socket.close()
    async with asyncio.timeout(30):
        while LinkChanged(SITE, connected=False) not in audited.home.events:
            audited.home.published.clear()
            await audited.home.published.wait()
    assert await look(40 * HOUR_US) == set(), "nobody to ask"
