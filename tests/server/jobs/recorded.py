"""A Home Assistant with a recorder that counts and digests, for the audits: it speaks to a real endpoint."""

import asyncio
from dataclasses import dataclass, field

from tests.server.link.linking import HOUR_US, NOON_US, Client, Json, Linked, entity, readings

EARLIEST_US = 946_684_800_000_000


@dataclass
class Recorded:
    """What the recorder has: readings by key, digests by (key, since, until); `asked` are the requests that came."""

    home: Linked
    keys: tuple[str, ...] = ("a", "b")
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    digests: dict[tuple[str, int, int], str] = field(default_factory=dict)
    asked: list[Json] = field(default_factory=list)
    gaps: list[Json] = field(default_factory=list)
    answers: bool = True
    until_us: int | None = None
    """The hours that the recorder has written end here."""
    gone: set[str] = field(default_factory=set)
    """What it does not know any more."""

    async def connect(self, since_us: int = NOON_US - 30 * HOUR_US, **sources: str) -> None:
        self.client: Client = await self.home.connect()
        await self.client.greet(keys=())
        described = [entity(key, since_us=since_us, source=sources.get(key, "state")) for key in self.keys]
        await self.client.number({"type": "catalog", "rev": 2, "entities": described})
        of = list(range(len(self.keys)))
        nothing = {"type": "nothing", "catalog": 2, "of": of, "span": [EARLIEST_US, since_us]}
        await self.client.number(nothing | {"reason": "purged"})
        await self.client.number(nothing | {"reason": "no_statistics"})
        seq = await self.client.number(readings([], span=(since_us, NOON_US), catalog=2))
        await self.client.expect("ack", seq=seq)

    async def sends(self, key: str, *instants: int) -> None:
        rows = [[self.keys.index(key), instant, 1.0] for instant in instants]
        span = (min(instants), max(instants) + 1)
        seq = await self.client.number(
            readings(rows, origin="recorder", of=[self.keys.index(key)], span=span, catalog=2)
        )
        await self.client.expect("ack", seq=seq)

    async def answer(self) -> None:
        """Answer requests until the connection ends, or everything before `over` is answered."""
        while (message := await self.client.receive()) is not None:
            if message["type"] == "error":
                return
            if message["type"] == "gaps":
                self.gaps.append(message)
            elif message["type"] == "request":
                self.asked.append(message)
                if self.answers and message["kind"] in ("counts", "digests"):
                    await self.client.number(self._answer(message))

    def _answer(self, asked: Json) -> Json:
        of = [place for place in asked["of"] if self.keys[place] not in self.gone]
        about = {"type": asked["kind"], "catalog": 2, "id": asked["id"], "of": of}
        if asked["kind"] == "digests":
            found = [
                [self.keys.index(key), since, until, text]
                for (key, since, until), text in self.digests.items()
                if self.keys.index(key) in of
            ]
            return about | {"rows": found}
        since, until = asked["span"]
        until = until if self.until_us is None else max(since, min(until, self.until_us))
        rows = [
            [self.keys.index(key), hour, n]
            for (key, hour), n in self.counts.items()
            if since <= hour < until and self.keys.index(key) in of
        ]
        return about | {"span": [since, until], "rows": rows}

    def requests(self, kind: str) -> list[Json]:
        return [message for message in self.asked if message["kind"] == kind]


async def while_answering[T](recorded: Recorded, what: asyncio.Future[T] | asyncio.Task[T]) -> T:
    """Return what is awaited, while the client answers."""
    answering = asyncio.create_task(recorded.answer())
    done = await what
    if not recorded.client.socket.closed:
        await recorded.client.send({"type": "over"})  # which no server knows: it says so, after all else
    await answering
    return done
