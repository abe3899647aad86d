"""The server's side of Gaps: what it wants, and what was claimed and sent of each entity."""

from typing import Any

from tests.integration.fake_server import FakeServer, Message


class Asking:
    """The server's side of Gaps."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server

    async def want(self, *gaps: tuple[str, int, int]) -> None:
        catalog = self.server.of("catalog")[-1]
        places = {entity["entity_id"]: place for place, entity in enumerate(catalog["entities"])}
        wanted = [{"place": places[entity_id], "since_us": a, "until_us": b} for entity_id, a, b in gaps]
        await self.server.send({"type": "gaps", "catalog": catalog["rev"], "gaps": wanted})

    def answers(self) -> list[Message]:
        return [
            message
            for message in self.server.messages
            if message["type"] == "nothing" or message.get("origin") == "recorder"
        ]

    def claims(self, entity_id: str) -> list[tuple[int, int, str]]:
        """Return what was claimed of an entity, in ascending time, neighbours of one kind as one."""
        catalogs = {message["rev"]: message["entities"] for message in self.server.of("catalog")}
        claims = sorted(
            (*message["span"], message.get("reason", "states"))
            for message in self.answers()
            if entity_id in [catalogs[message["catalog"]][place]["entity_id"] for place in message["of"]]
        )
        joined: list[tuple[int, int, str]] = []
        for since_us, until_us, how in claims:
            if joined and joined[-1][1:] == (since_us, how):
                joined[-1] = (joined[-1][0], until_us, how)
            else:
                joined.append((since_us, until_us, how))
        return joined

    async def settles(self, entity_id: str, *expected: tuple[int, int, str]) -> None:
        """Wait until exactly this was claimed of an entity."""
        try:
            await self.server.until(lambda: self.claims(entity_id) == list(expected), timeout_s=30)
        except TimeoutError:
            assert self.claims(entity_id) == list(expected)

    def rows(self, entity_id: str) -> list[Any]:
        catalogs = {message["rev"]: message["entities"] for message in self.server.of("catalog")}
        return sorted(
            (
                tuple(row[1:])
                for message in self.answers()
                for row in message.get("rows", ())
                if catalogs[message["catalog"]][row[0]]["entity_id"] == entity_id
            ),
            key=lambda row: row[0],
        )
