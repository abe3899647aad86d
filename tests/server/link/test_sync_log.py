"""What the sync log says of a Link."""

from tests.server.link.linking import SITE, Linked


async def test_the_sync_log_tells_of_the_connection_and_its_end(home: Linked) -> None:
    client = await home.connect()
    await client.greet()
    await client.send({"type": "goodbye"})
    await client.expect_close()
    log = await home.state.sync_log(10)
    assert [(entry.site, entry.what) for entry in log] == [(SITE, "disconnected"), (SITE, "connected")]
    assert log[0].detail == "Home Assistant said goodbye"
