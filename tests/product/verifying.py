"""The user's own proof, `energy-server verify`, run on a product.

In:   a running Home Assistant and server.
Out:  what it printed; fails with the whole of it when something is missing or different, or is stored that Home
      Assistant cannot have lost: nobody deletes states in these homes.
"""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from energy_server.verify.compare import Reason
from tests.product.home import EPOCH, Home
from tests.product.saying import say
from tests.product.server import COMMAND, Server
from tests.product.waiting import InVainError, true

SETTLED_WITHIN_S = 180.0


async def settled(server: Server, until_us: int, within_s: float = SETTLED_WITHIN_S) -> None:
    """Wait until the server has heard of the instant, and lacks nothing of what was before it."""

    sync: dict[str, Any] = {}

    async def look() -> bool:
        sync.update(await server.get("/api/sync"))
        gaps = sync["gaps"]
        heard = sync["link"]["connected"] and sync["clock"] and (sync["clock"]["live_end_us"] or 0) >= until_us
        heard = heard and sync["progress"] is None  # it has also what is wanted of the time before listening
        return bool(heard) and not any(gap["state"] == "open" and gap["since_us"] < until_us for gap in gaps["list"])

    try:
        await true(look, "all gaps to be closed", within_s)
    except InVainError as err:
        raise AssertionError(f"{err}\n{sync['link']}\n{sync['clock']}\n{sync['recorder']}\n{sync['gaps']}") from err


async def verified(home: Home, server: Server, until_us: int, since_us: int | None = None) -> str:
    """Compare every reading before the instant, perhaps only since another; returns what was printed."""
    status, text = await verify(home.installation.folder / "home-assistant_v2.db", server, until_us, since_us)
    assert status == 0, text
    assert Reason.UNEXPLAINED not in text, text
    say(summary(text))
    return text


async def verify(recorder: Path, server: Server, until_us: int, since_us: int | None = None) -> tuple[int, str]:
    """Run the command; return its exit status and what it printed."""
    span = ["--end", _text(until_us), *([] if since_us is None else ["--start", _text(since_us)])]
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        "verify",
        *("--recorder", str(recorder), "--data-path", str(server.data_path), "--url", server.url, *span),
        env={**os.environ, **server.settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")


def summary(text: str) -> str:
    """Return the lines that sum up what was printed."""
    lines = text.splitlines()
    return "\n".join(lines[next(number for number, line in enumerate(lines) if " recorded readings: " in line) :])


async def nothing_missing(home: Home, server: Server, since_us: int | None = None) -> None:
    """Wait until the server lacks nothing of what was before now, and compare it, perhaps only since an instant."""
    until_us = now_us()
    await settled(server, until_us)
    await verified(home, server, until_us, since_us)


def _text(instant_us: int) -> str:
    return (EPOCH + timedelta(microseconds=instant_us)).isoformat()


def now_us() -> int:
    """Return the instant now."""
    return (datetime.now(UTC) - EPOCH) // timedelta(microseconds=1)
