"""Tell Home Assistant, through the Supervisor, where this app is: its user only has to confirm.

In:   the Supervisor's address and token, and how the integration reaches this server.
Out:  the Supervisor has it; until then one try after the other. One line in the log when it is told, one for each
      new reason why it is not. No token is part of a line. Nothing leaves but cancelling.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
from pydantic import SecretStr

SERVICE = "energy_dashboard"
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
ANSWER_WITHIN_S = 10.0

_LOGGER = logging.getLogger(__name__)

type Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Announcement:
    """How the integration reaches this server."""

    host: str
    port: int
    token: str = field(repr=False)

    def message(self) -> dict[str, object]:
        """Return what the Supervisor is told."""
        return {"service": SERVICE, "config": {"host": self.host, "port": self.port, "token": self.token}}


async def _attempt(client: aiohttp.ClientSession, url: str, announcement: Announcement) -> str | None:
    """Tell it once; return why it was not taken, None if it was."""
    try:
        async with client.post(f"{url}/discovery", json=announcement.message(), allow_redirects=False) as response:
            return None if response.status == HTTPStatus.OK else f"HTTP {response.status}"
    except TimeoutError:
        return "no answer"
    except aiohttp.ClientError as err:
        return type(err).__name__


async def announce(
    url: str, supervisor_token: SecretStr, announcement: Announcement, *, sleep: Sleep = asyncio.sleep
) -> None:
    """Tell the Supervisor, again and again until it takes it."""
    wait_s = FIRST_WAIT_S
    told = None
    headers = {"Authorization": f"Bearer {supervisor_token.get_secret_value()}"}
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as client:
        while (reason := await _attempt(client, url.rstrip("/"), announcement)) is not None:
            if reason != told:
                _LOGGER.warning("The Supervisor does not take the discovery, trying again: %s", reason)
            told = reason
            await sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)
    _LOGGER.info("Home Assistant is told of this app: %s port %s", announcement.host, announcement.port)
