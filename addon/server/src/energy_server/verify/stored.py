"""What the server has stored, asked through its API, so that it works beside a running server and on every store.

In:   the server's address and token.
Out:  Entities, and their readings.
Failures: ServerRefusedError, whose message says what the server answered or that it does not.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from energy_server.model.coverage import Span

ANSWER_WITHIN_S = 60.0
OK = 200


class ServerRefusedError(Exception):
    """The server does not answer, or not with what was asked."""


@dataclass(frozen=True, slots=True)
class StoredEntity:
    """An Entity as the API tells it."""

    key: str
    entity_id: str
    unit: str
    counter: bool


class StoredReadings:
    """A server's API."""

    def __init__(self, session: ClientSession, url: str, site: str | None) -> None:
        self._session = session
        self._url = url
        self._site: Mapping[str, str] = {} if site is None else {"site": site}

    async def entities(self) -> list[StoredEntity]:
        """Return all Entities; one without states has nothing to compare."""
        answer = await self._get("/api/entities")
        return [
            StoredEntity(
                key=entity["key"],
                entity_id=entity["entity_id"],
                unit=entity["unit"],
                counter=entity["state_class"] in ("total", "total_increasing"),
            )
            for entity in answer["entities"]
        ]

    async def readings(self, key: str, span: Span) -> dict[int, float | None]:
        """Return all readings of an Entity in the span; where that is more than one answer holds, in halves."""
        status, answer = await self._ask("/api/readings", key=key, start=str(span.since_us), end=str(span.until_us))
        if status == OK:
            return dict(zip(answer["ts_us"], answer["value"], strict=True))
        if answer["error"]["code"] != "too_many":
            raise ServerRefusedError(answer["error"]["message"])
        middle_us = (span.since_us + span.until_us) // 2
        earlier = await self.readings(key, Span(span.since_us, middle_us))
        return earlier | await self.readings(key, Span(middle_us, span.until_us))

    async def _get(self, path: str) -> Any:
        status, answer = await self._ask(path)
        if status != OK:
            raise ServerRefusedError(answer["error"]["message"])
        return answer

    async def _ask(self, path: str, **query: str) -> tuple[int, Any]:
        try:
            async with self._session.get(f"{self._url}{path}", params={**query, **self._site}) as answer:
                return answer.status, await answer.json()
        except (ClientError, TimeoutError) as err:
            raise ServerRefusedError(f"{self._url} does not answer: {str(err) or type(err).__name__}") from err


@asynccontextmanager
async def asking(url: str, token: str, site: str | None) -> AsyncIterator[StoredReadings]:
    """Hold a session with a server for the length of a context."""
    headers = {"Authorization": f"Bearer {token}"}
    async with ClientSession(headers=headers, timeout=ClientTimeout(ANSWER_WITHIN_S)) as session:
        yield StoredReadings(session, url.rstrip("/"), site)
