"""Connections: what is refused by which code, what closes, and that others are unharmed."""

import asyncio
import json
import struct

import aiohttp
import pytest

from energy_server.ledger.coverage import CoverageLedger
from energy_server.link.messages import MAX_BYTES
from energy_server.model.coverage import Claim, CoverageSource, Span
from tests.server.link.linking import (
    MINUTE_US,
    NOON_US,
    SECOND_US,
    SITE,
    Client,
    Linked,
    catalog,
    hello,
    readings,
)


async def until_free(home: Linked) -> None:
    """Wait until the Site's connection is over for the server too."""
    async with asyncio.timeout(30):
        while home.links.status(SITE).connected:
            home.published.clear()
            await home.published.wait()


async def refused(client: Client, text: str, code: str) -> str:
    await client.socket.send_str(text)
    message = str((await client.expect("error", code=code))["message"])
    await client.expect_close()
    return message


async def test_a_welcome_says_the_limits(home: Linked) -> None:
    client = await home.connect()
    await client.send(hello())
    welcome = await client.expect("welcome")
    limits = {"window": 64, "max_rows": 5000, "max_bytes": 4_194_304, "server_id": "5d0c8b4e"}
    assert limits.items() <= welcome.items()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '"hello"',
        '{"type":"hello"',
        '{"type":null}',
        "[" * 100_000,
        '{"type":"hello","now_us":1e999}',
    ],
)
async def test_what_is_no_message_is_refused_before_hello_and_after(home: Linked, text: str) -> None:
    await refused(await home.connect(), text, "bad_message")
    client = await home.connect()
    await client.greet()
    await refused(client, text, "bad_message")
    await until_free(home)
    await (await home.connect()).greet()


async def test_binary_is_no_message(home: Linked) -> None:
    client = await home.connect()
    await client.socket.send_bytes(json.dumps(hello()).encode())
    await client.expect("error", code="bad_message")
    await client.expect_close()


async def test_a_wrong_field_is_named(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    message = readings([]) | {"span": [NOON_US]}
    assert (await refused(client, json.dumps(message | {"seq": 2}), "bad_message")).startswith("span: ")
    status = home.links.status(SITE)
    assert status.error is not None
    assert status.error.code == "bad_message"


async def test_a_hello_of_another_protocol_is_told_what_is_spoken(home: Linked) -> None:
    client = await home.connect()
    await client.send(hello(protocol=2))
    error = await client.expect("error", code="protocol_unsupported")
    assert (error["oldest"], error["newest"]) == (1, 1)
    await client.expect_close()


async def test_a_second_hello_is_refused(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    await refused(client, json.dumps(hello()), "bad_message")


async def test_silence_instead_of_a_hello_is_ended(home: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("energy_server.link.endpoint.HELLO_TIMEOUT_S", 0.01)
    client = await home.connect()
    await client.expect("error", code="bad_message")
    await client.expect_close()


async def test_too_many_bytes(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    text = json.dumps({"type": "goodbye", "x": "é" * (MAX_BYTES * 2 // 3)}, ensure_ascii=False)
    assert len(text) < MAX_BYTES < len(text.encode())
    await refused(client, text, "too_large")


async def test_far_too_many_bytes_close_at_once(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    announced = struct.pack("!BBQ", 0x81, 0xFF, 2 * MAX_BYTES + 1)  # a text of that length follows, masked
    client.socket._writer.transport.write(announced + b"mask" + b"x" * MAX_BYTES)
    await client.expect_close()
    assert client.socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    await until_free(home)


async def test_too_many_rows(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    rows = [[0, NOON_US, 1]] * 5_001
    await refused(client, json.dumps(readings(rows) | {"seq": 2}), "too_large")


async def test_the_most_rows_are_taken(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    seq = await client.number(readings([[0, NOON_US - row, 1.0] for row in range(5_000)]))
    await client.expect("ack", seq=seq, refused=[])


@pytest.mark.parametrize("seq", [1, 3, 0, 2**40])
async def test_numbers_grow_by_one(home: Linked, seq: int) -> None:
    client = await home.connect()
    await client.greet()
    await client.send(readings([[0, NOON_US, 1]]) | {"seq": seq})
    await client.expect("error", code="bad_seq" if seq else "bad_message")
    await client.expect_close()
    assert len(await home.series.read(SITE, "a", 0, 2**62)) == 0


async def test_a_row_is_refused_alone_and_counted(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    good = [0, NOON_US, 1]
    first = await client.number(readings([good, [0, NOON_US, "x"], "row"]))
    second = await client.number(readings([[7, NOON_US, 1], good]))
    await client.expect("ack", seq=second)
    acks = [message for message in client.received if message["type"] == "ack"]
    assert [row for ack in acks for row in ack["refused"]] == [
        {"seq": first, "row": 1, "code": "bad_value"},
        {"seq": first, "row": 2, "code": "bad_row"},
        {"seq": second, "row": 0, "code": "bad_place"},
    ]
    assert home.links.status(SITE).refused == {"bad_value": 1, "bad_row": 1, "bad_place": 1}


async def test_one_connection_for_each_site(home: Linked) -> None:
    first, second = await home.connect(), await home.connect()
    await first.greet()
    await second.send(hello())
    await second.expect("error", code="site_busy")
    await second.expect_close()
    other = await home.connect()
    await other.greet(site="another home")
    seq = await first.number(readings([]))
    await first.expect("ack", seq=seq)
    await first.socket.close()
    await until_free(home)
    await (await home.connect()).greet()


async def test_a_connection_that_breaks_frees_its_site(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    client.socket._response.close()
    await until_free(home)
    await (await home.connect()).greet()


async def test_goodbye_drains_first(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    seq = await client.number(readings([[0, NOON_US, 1]]))
    await client.send({"type": "goodbye"})
    await client.expect("ack", seq=seq)
    await client.expect_close()


async def test_what_a_clock_far_ahead_left_behind_keeps_nothing_else_from_coming(home: Linked) -> None:
    """It was set right and is believed, but what it said last is sent first, again on each connection."""
    client = await home.connect()
    await client.greet(keys=("a",))
    ahead_us = NOON_US + 13 * MINUTE_US
    await client.number(readings([[0, ahead_us, 1]], span=(ahead_us - MINUTE_US, ahead_us)))
    seq = await client.number(readings([[0, NOON_US - SECOND_US, 2]]))
    await client.expect("ack", seq=seq)
    assert home.ledger.live_end_us(SITE) == NOON_US
    await client.number(readings([], span=(NOON_US - 20 * MINUTE_US, NOON_US - 19 * MINUTE_US)))
    await client.expect("error", code="clock_behind")
    await client.socket.close()


async def test_a_clock_far_behind_is_not_believed(home: Linked) -> None:
    await home.ledger.record(Claim(SITE, CoverageSource.LIVE, Span(0, NOON_US + 90 * MINUTE_US)))
    client = await home.connect()
    await client.send(hello())
    await client.expect("welcome")
    error = await client.expect("error", code="clock_behind")
    assert "89 minutes" in error["message"]
    seq = await client.number(catalog("a"))
    await client.expect("ack", seq=seq)
    await client.number(readings([[0, NOON_US - SECOND_US, 1]]))
    await client.expect("error", code="clock_behind")
    await client.number({"type": "nothing", "catalog": 1, "span": (0, 1), "of": [0], "reason": "purged"})
    await client.send({"type": "goodbye"})
    await client.expect_close()
    assert client.received[-1]["type"] in ("error", "request"), "nothing after the refused message is acknowledged"
    assert len(await home.series.read(SITE, "a", 0, 2**62)) == 0
    assert home.ledger.live_end_us(SITE) == NOON_US + 90 * MINUTE_US


async def test_a_clock_a_little_behind_cuts_coverage_and_goes_on(home: Linked) -> None:
    await home.ledger.record(Claim(SITE, CoverageSource.LIVE, Span(0, NOON_US + 9 * MINUTE_US)))
    client = await home.connect()
    await client.greet()
    seq = await client.number(readings([], (NOON_US - SECOND_US, NOON_US)))
    await client.expect("ack", seq=seq)
    assert home.ledger.live_end_us(SITE) == NOON_US
    again = CoverageLedger(home.state, home.series.store_id)
    await again.load()
    assert again.live_end_us(SITE) == NOON_US


async def test_a_stopping_server_says_so(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    closing = asyncio.create_task(home.links.close())
    await client.expect("error", code="shutting_down")
    await client.expect_close()
    await closing
    await until_free(home)


async def test_the_status_of_a_link(home: Linked) -> None:
    assert home.links.status(SITE).connected is False
    client = await home.connect()
    await client.greet()
    seq = await client.number(readings([[0, NOON_US, 1]] * 30, skipped={"not_numeric": 3}))
    await client.expect("ack", seq=seq)
    status = home.links.status(SITE)
    assert (status.connected, status.since_us, status.last_message_us, status.last_reading_us) == (True, *[NOON_US] * 3)
    assert status.readings_per_s == pytest.approx(0.5)
    assert status.skipped == {"not_numeric": 3}
