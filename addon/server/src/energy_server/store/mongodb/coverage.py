"""Coverage in MongoDB, changed in one step without a transaction, which only a replica set has.

In:   rows of Coverage to add and to remove.
Out:  all of that, or nothing.
Failures: StoreUnavailableError; what was in doubt then is settled by the next call, whatever that is about.

The spans of each kind (Site, Entity, source, reason) are one document that is never changed. A change writes new
documents, then one update of the head, which says which documents count: that update is the step. It names the step it
follows, so a message that the server finds late (it hung, and was given up) changes nothing. What no head names is
garbage, removed after each change and at the start.
"""

import asyncio
import hashlib
import json
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from energy_server.errors import StoreUnavailableError
from energy_server.model.coverage import CoverageSource, Span
from energy_server.store.mongodb.connection import Connection, Document, insert_missing
from energy_server.store.mongodb.failures import as_written
from energy_server.store.port import CoverageRow

TRIES = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """What the rows of one document have in common."""

    site: str
    key: str | None
    source: CoverageSource
    reason: str | None

    @property
    def name(self) -> str:
        """A name that any database takes as a field."""
        parts = json.dumps([self.site, self.key, self.source.value, self.reason])
        return hashlib.sha256(parts.encode()).hexdigest()


class CoverageDocuments:
    """The Coverage that refers to one SeriesStore. Only one server may change it: the last that read it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._writer = uuid.uuid4().hex
        self._changing = asyncio.Lock()
        self.forget()

    def forget(self) -> None:
        """Know nothing, as at the start."""
        self._store_id: str | None = None
        self._step = 0
        self._spans: dict[Kind, frozenset[Span]] = {}
        self._ids: dict[str, str] = {}
        self._in_doubt: set[Kind] = set()

    async def load(self, store_id: str) -> list[CoverageRow]:
        """Return the Coverage that refers to this SeriesStore, and delete any other."""
        async with self._changing:
            others = {"$ne": store_id}
            await self._connection.write(lambda database: database.coverage_heads.delete_many({"_id": others}))
            await self._connection.write(lambda database: database.coverage.delete_many({"store_id": others}))
            await self._read(store_id)
            unnamed = {"store_id": store_id, "_id": {"$nin": list(self._ids.values())}}
            await self._connection.write(lambda database: database.coverage.delete_many(unnamed))
            return [
                CoverageRow(kind.site, kind.key, kind.source, span, kind.reason)
                for kind, spans in self._spans.items()
                for span in sorted(spans)
            ]

    async def save(self, store_id: str, rows: Sequence[CoverageRow], removed: Sequence[CoverageRow]) -> None:
        """Remove, then add rows."""
        async with self._changing:
            if self._store_id != store_id:
                await self._read(store_id)
            changed = {kind: set(self._spans.get(kind, ())) for kind in self._in_doubt}
            for row in (*removed, *rows):
                changed.setdefault(_kind(row), set(self._spans.get(_kind(row), ())))
            for row in removed:
                changed[_kind(row)].discard(row.span)
            for row in rows:
                changed[_kind(row)].add(row.span)
            if changed:
                await self._change(store_id, changed)

    async def _change(self, store_id: str, changed: dict[Kind, set[Span]]) -> None:
        fresh = {kind: uuid.uuid4().hex for kind, spans in changed.items() if spans}
        documents = [_document(store_id, fresh[kind], kind, sorted(changed[kind])) for kind in fresh]
        self._in_doubt |= set(changed)
        if documents:
            await self._connection.write(lambda database: insert_missing(database.coverage, documents))
        replaced = [self._ids[kind.name] for kind in changed if kind.name in self._ids]
        await self._commit(store_id, {kind.name: fresh.get(kind) for kind in changed})
        self._in_doubt = set()
        self._spans.update((kind, frozenset(spans)) for kind, spans in changed.items())
        for kind in set(changed) - set(fresh):
            self._spans.pop(kind, None)
        with suppress(StoreUnavailableError):  # the step is made; the next start removes what is left
            await self._connection.write(lambda database: database.coverage.delete_many({"_id": {"$in": replaced}}))

    async def _commit(self, store_id: str, named: dict[str, str | None]) -> None:
        """Let the head name these documents, None for no longer any. Raises StoreUnavailableError."""
        update: dict[str, Any] = {"$inc": {"step": 1}}
        if taken := {f"documents.{name}": kept for name, kept in named.items() if kept is not None}:
            update["$set"] = taken
        if left := {f"documents.{name}": "" for name, kept in named.items() if kept is None}:
            update["$unset"] = left
        for _ in range(TRIES):
            if await self._update_head(store_id, update):
                self._step += 1
                self._ids = {**self._ids, **{name: kept for name, kept in named.items() if kept is not None}}
                for name in (name for name, kept in named.items() if kept is None):
                    self._ids.pop(name, None)
                return
            head = await self._head(store_id)
            if head is None or head["writer"] != self._writer:
                raise StoreUnavailableError(
                    "Another server took over this database. Give each a database of its own, and restart this one."
                )
            # An earlier step that was in doubt was made after all, or this one was.
            self._step, self._ids = head["step"], dict(head["documents"])
            if all(self._ids.get(name) == kept for name, kept in named.items()):
                return
        raise StoreUnavailableError("MongoDB does not let the Coverage be saved. The server tries again.")

    async def _update_head(self, store_id: str, update: Document) -> bool:
        """Say whether the step follows the one that we know of, and so was made."""
        mine = {"_id": store_id, "writer": self._writer, "step": self._step}
        result = await self._connection.write(lambda database: database.coverage_heads.update_one(mine, update))
        return result.matched_count == 1

    async def _read(self, store_id: str) -> None:
        """Take over what is stored."""
        ours = {"$set": {"writer": self._writer}, "$setOnInsert": {"step": 0, "documents": {}}}
        await self._connection.write(
            lambda database: database.coverage_heads.update_one({"_id": store_id}, ours, upsert=True)
        )
        head = await self._head(store_id)
        if head is None:
            raise StoreUnavailableError("MongoDB lost what was just written. The server tries again.")
        found = await self._connection.read(
            lambda database: database.coverage.find({"store_id": store_id}).to_list(None)
        )
        with as_written("coverage"):
            self._step, self._ids = int(head["step"]), dict(head["documents"])
            named = set(self._ids.values())
            self._spans = dict(_kind_and_spans(document) for document in found if document["_id"] in named)
        self._store_id = store_id
        self._in_doubt = set()

    async def _head(self, store_id: str) -> Document | None:
        return await self._connection.read(lambda database: database.coverage_heads.find_one({"_id": store_id}))


def _kind(row: CoverageRow) -> Kind:
    return Kind(row.site, row.key, row.source, row.reason)


def _document(store_id: str, name: str, kind: Kind, spans: Sequence[Span]) -> Document:
    return {
        "_id": name,
        "store_id": store_id,
        "site": kind.site,
        "key": kind.key,
        "source": kind.source.value,
        "reason": kind.reason,
        "spans_us": [edge for span in spans for edge in (span.since_us, span.until_us)],
    }


def _kind_and_spans(document: Document) -> tuple[Kind, frozenset[Span]]:
    edges = iter(document["spans_us"])
    kind = Kind(document["site"], document["key"], CoverageSource(document["source"]), document["reason"])
    return kind, frozenset(Span(*pair) for pair in zip(edges, edges, strict=True))
