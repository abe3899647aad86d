"""The user's own proof, `energy-server verify`, run on a product.

In:   a running Home Assistant and server.
Out:  what it printed; fails with the whole of it when something is missing or different.
"""

import asyncio
from datetime import UTC, datetime, timedelta

from tests.product.home import EPOCH, Home
from tests.product.saying import say
from tests.product.server import COMMAND, Server
from tests.product.waiting import true

SETTLED_WITHIN_S = 180.0


async def settled(server: Server, until_us: int, within_s: float = SETTLED_WITHIN_S) -> None:
    """Wait until the server lacks nothing of what was before the instant."""

    async def look() -> bool:
        sync = await server.get("/api/sync")
        gaps = sync["gaps"]["list"]
        return bool(sync["link"]["connected"]) and all(gap["since_us"] >= until_us for gap in gaps)

    await true(look, "all gaps to be closed", within_s)


async def verified(home: Home, server: Server, until_us: int) -> str:
    """Compare every reading before the instant; returns what was printed."""
    until = EPOCH + timedelta(microseconds=until_us)
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        "verify",
        *("--recorder", home.installation.folder / "home-assistant_v2.db"),
        *("--data-path", server.data_path, "--url", server.url, "--end", until.isoformat()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    text = output.decode(errors="replace")
    assert process.returncode == 0, text
    say(text[text.rindex(" entities, ") - 6 :].strip())
    return text


def now_us() -> int:
    """Return the instant now."""
    return (datetime.now(UTC) - EPOCH) // timedelta(microseconds=1)
