"""Two Home Assistants with one identity: the copy is refused as soon as the original shows that it is alive, too."""

import pytest

from energy_server.link.errors import LinkError
from energy_server.link.runs import COPIED, MOST_RUNS, TOLD, Runs
from energy_server.model.coverage import Claim, CoverageSource, Span
from tests.server.link.linking import MINUTE_US, NOON_US, SITE, Client, Linked, catalog, hello, readings


async def came(home: Linked, run: str) -> Client:
    """Return the connection of a run, which is welcome."""
    client = await home.connect()
    await client.send(hello() | {"run": run})
    await client.expect("welcome")
    return client


async def lived(client: Client, since_minute: int, until_minute: int) -> None:
    """Claim some minutes before noon."""
    if not client.seq:
        await client.number(catalog("a"))
    span = (NOON_US - since_minute * MINUTE_US, NOON_US - until_minute * MINUTE_US)
    seq = await client.number(readings([], span=span))
    await client.expect("ack", seq=seq)


async def refused(home: Linked, run: str) -> str:
    """Return what a run is told that is not welcome."""
    client = await home.connect()
    await client.send(hello() | {"run": run})
    error = await client.expect("error", code="site_busy")
    await client.expect_close()
    return str(error["message"])


async def lines(home: Linked) -> list[str]:
    return [line.detail for line in await home.state.sync_log(50) if line.what == "copy"]


async def test_the_copy_that_takes_the_place_of_its_original_is_refused_when_that_is_back(home: Linked) -> None:
    original = await came(home, "original")
    await lived(original, 50, 40)
    await original.socket.close()
    copy = await came(home, "copy")
    await lived(copy, 39, 20)
    assert "Another connection" in await refused(home, "original"), "it is free in a moment"
    assert (await copy.expect("error", code="site_busy"))["message"] == TOLD
    await copy.expect_close()
    original = await came(home, "original")
    await lived(original, 40, 10)
    assert home.ledger.live_spans(SITE) == [Span(NOON_US - 50 * MINUTE_US, NOON_US - 10 * MINUTE_US)]
    await original.socket.close()
    for _ in range(3):
        assert await refused(home, "copy") == TOLD, "also while the original is away"
    await (await came(home, "original")).socket.close()
    assert await lines(home) == [COPIED]


async def test_what_the_copy_claimed_is_void(home: Linked) -> None:
    """The original had to drop what it kept, so that nobody knows what it heard then."""
    original = await came(home, "original")
    await lived(original, 50, 40)
    assert "Another connection" in await refused(home, "copy"), "when it came first says nothing"
    await lived(original, 40, 35)
    await original.socket.close()
    copy = await came(home, "copy")
    await lived(copy, 34, 20)
    await copy.socket.close()
    original = await came(home, "original")
    await lived(original, 25, 10)
    await original.socket.close()
    minutes = [(50, 35), (25, 10)]
    assert home.ledger.live_spans(SITE) == [
        Span(NOON_US - since * MINUTE_US, NOON_US - until * MINUTE_US) for since, until in minutes
    ]
    assert await lines(home) == [COPIED]


async def test_what_the_copy_claimed_is_void_also_after_a_restart(home: Linked) -> None:
    await home.ledger.record(Claim(SITE, CoverageSource.LIVE, Span(0, 100)))
    runs = Runs(home.state, home.ledger)
    for run, until_us in (("original", 200), ("copy", 300)):
        await runs.greet(SITE, run)
        await runs.speaks(SITE, run)
        await home.ledger.record(Claim(SITE, CoverageSource.LIVE, Span(until_us - 100, until_us)))
    await runs.greet(SITE, "original")
    again = Runs(home.state, home.ledger)
    await again.greet(SITE, "original")
    await again.speaks(SITE, "original")
    assert home.ledger.live_spans(SITE) == [Span(0, 200)]
    await home.ledger.record(Claim(SITE, CoverageSource.LIVE, Span(200, 400)))
    await again.speaks(SITE, "original")
    assert home.ledger.live_spans(SITE) == [Span(0, 400)], "once"


async def test_a_home_that_is_started_again_and_again_is_no_copy(home: Linked) -> None:
    for number in range(2 * MOST_RUNS):
        client = await came(home, f"run {number}")
        await client.socket.close()
        again = await came(home, f"run {number}")
        await again.socket.close()
    assert await lines(home) == []


async def test_a_copy_that_was_started_again_is_told_apart_again(home: Linked) -> None:
    """Nobody else can say which one is to stay: it is its user who stops the other one, and starts this one."""
    for run in ("original", "copy", "original"):
        await (await came(home, run)).socket.close()
    assert await refused(home, "copy") == TOLD
    await (await came(home, "copy, again")).socket.close()
    await (await came(home, "original")).socket.close()
    assert await refused(home, "copy, again") == TOLD
    assert await lines(home) == [COPIED, COPIED]
    await (await came(home, "the one that stays")).socket.close()
    await (await came(home, "the one that stays")).socket.close()
    assert await lines(home) == [COPIED, COPIED]


async def test_one_that_says_no_run_is_not_judged(home: Linked) -> None:
    for run in (None, "a", None, "b"):
        client = await (came(home, run) if run else home.connect())
        if run is None:
            await client.send(hello())
            await client.expect("welcome")
        await client.socket.close()
    assert await lines(home) == []


async def test_a_server_that_was_started_again_remembers_who_is_the_copy(home: Linked) -> None:
    for run in ("original", "copy"):
        assert await Runs(home.state, home.ledger).greet(SITE, run) == []
    assert await Runs(home.state, home.ledger).greet(SITE, "original") == ["copy"]
    with pytest.raises(LinkError, match="copy of it"):
        await Runs(home.state, home.ledger).greet(SITE, "copy")
    assert await Runs(home.state, home.ledger).greet("elsewhere", "copy") == []


async def test_a_store_that_is_away_holds_nobody_up(home: Linked) -> None:
    runs = Runs(home.state, home.ledger)
    await home.state.close()
    for run in ("original", "copy"):
        assert await runs.greet(SITE, run) == []
        await runs.speaks(SITE, run)
    assert await runs.greet(SITE, "original") == ["copy"]
    await home.state.open()


async def test_an_original_waits_for_the_store_to_take_away_what_the_copy_claimed(home: Linked) -> None:
    original = await came(home, "original")
    await lived(original, 50, 40)
    await original.socket.close()
    copy = await came(home, "copy")
    await lived(copy, 39, 20)
    await copy.socket.close()
    await home.ledger.flush()
    await home.state.close()
    original = await home.connect()
    await original.send(hello() | {"run": "original"})
    await original.expect("error", code="store_unavailable")
    await original.expect_close()
    await home.state.open()
    await (await came(home, "original")).socket.close()
    assert home.ledger.live_spans(SITE) == [Span(NOON_US - 50 * MINUTE_US, NOON_US - 40 * MINUTE_US)]
