"""What a route is.

In:   a line of the table in `routes.py`.
Out:  an aiohttp handler that parses the parameters first. Raises what they or the handler raise.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel

from energy_server.api.parameters import Query, parse_query


@dataclass(frozen=True, slots=True)
class Route[Q: Query]:
    """One route.

    `answer` None: 204 without a body, or a `file` of that media type. `socket`: a WebSocket, whose messages are
    `answer`s. `open`: needs no authentication. `data`: answers from the stores, so it may find nothing, or find them
    closed.
    """

    method: str
    path: str
    summary: str
    handler: Callable[[web.Request, Q], Awaitable[web.StreamResponse]]
    query: type[Q]
    answer: type[BaseModel] | None
    body: type[BaseModel] | None = None
    file: str | None = None
    open: bool = False
    socket: bool = False
    data: bool = True

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        return await self.handler(request, parse_query(request, self.query))
