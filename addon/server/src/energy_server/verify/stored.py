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
    """What goes by one entity_id, as the API tells it: the Entity of now, and those that left and went by it before."""

    keys: tuple[str, ...]
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
        by_leaving = sorted(
            answer["entities"], key=lambda entity: (entity["until_us"] is None, entity["until_us"] or 0)
        )
        keys: dict[str, list[str]] = {}
        for entity in by_leaving:
            keys.setdefault(entity["entity_id"], []).append(entity["key"])
        newest = {entity["entity_id"]: entity for entity in by_leaving}
        return [
            StoredEntity(
                keys=tuple(keys[entity_id]),
                entity_id=entity_id,
                unit=entity["unit"],
                counter=entity["state_class"] in ("total", "total_increasing"),
            )
            for entity_id, entity in newest.items()
        ]

    async def readings(self, entity: StoredEntity, span: Span) -> dict[int, float | None]:
        """Return all readings of the span that are stored under an entity_id."""
        found: dict[int, float | None] = {}
        for key in entity.keys:
            found |= await self._readings(key, span)
        return found

    async def _readings(self, key: str, span: Span) -> dict[int, float | None]:
        """Return all readings of a key in the span; where that is more than one answer holds, in halves."""
        status, answer = await self._ask("/api/readings", key=key, start=str(span.since_us), end=str(span.until_us))
        if status == OK:
            return dict(zip(answer["ts_us"], answer["value"], strict=True))
        if answer["error"]["code"] != "too_many":
            raise ServerRefusedError(answer["error"]["message"])
        middle_us = (span.since_us + span.until_us) // 2
        earlier = await self._readings(key, Span(span.since_us, middle_us))
        return earlier | await self._readings(key, Span(middle_us, span.until_us))

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


def _left(entity: Mapping[str, Any]) -> tuple[bool, int]:
    """Order Entities by when they left; those of now come last."""
    return entity["until_us"] is None, entity["until_us"] or 0


@asynccontextmanager
async def asking(url: str, token: str, site: str | None) -> AsyncIterator[StoredReadings]:
    """Hold a session with a server for the length of a context."""
    headers = {"Authorization": f"Bearer {token}"}
    async with ClientSession(headers=headers, timeout=ClientTimeout(ANSWER_WITHIN_S)) as session:
        yield StoredReadings(session, url.rstrip("/"), site)
