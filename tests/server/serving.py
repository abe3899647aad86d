"""A running server, as tests see it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp

from energy_server.api.core import Core, Stage

TOKEN = "a-token-that-only-the-tests-know"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(slots=True)
class Running:
    """A server that listens, and a client that knows the token."""

    url: str
    stage: Stage
    client: aiohttp.ClientSession
    data_path: Path

    @property
    def core(self) -> Core:
        return self.stage.core()

    async def get(self, path: str, **query: Any) -> Any:
        """Return the answer to a request that succeeds."""
        async with self.client.get(f"{self.url}{path}", params=query) as response:
            body = await response.json()
            assert response.status == 200, body
            return body

    async def error(self, path: str, *, status: int, method: str = "GET", **query: Any) -> dict[str, Any]:
        """Return the error of a request that fails, which has the one error body."""
        async with self.client.request(method, f"{self.url}{path}", params=query) as response:
            assert response.status == status, await response.text()
            return error_of(await response.json())


def error_of(body: Any) -> dict[str, Any]:
    """Return the error of the one error body."""
    assert set(body) == {"error"}
    error = cast("dict[str, Any]", body["error"])
    assert set(error) == {"code", "message", "field"}
    assert isinstance(error["code"], str)
    assert error["code"]
    assert isinstance(error["message"], str)
    assert error["message"]
    return error


type Start = Callable[..., Awaitable[Running]]
