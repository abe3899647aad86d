"""The StateStore on MongoDB: one collection for each kind of thing.

In:   calls of the port, from the event loop.
Out:  their results.
Failures: StoreUnavailableError when MongoDB cannot be reached, hangs, is full, has no primary or refuses the login; the
next call tries again by itself.

What a user or a device can influence is only ever a value, never a name of a field and never part of a query's
operators. Named documents are kept as JSON text: their fields may have names that MongoDB would take for paths.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import batched

import pymongo
from pydantic import SecretStr
from pymongo import DESCENDING, ReplaceOne, UpdateOne

from energy_server.errors import StoreUnavailableError
from energy_server.model.entity import Entity, Kind, Role, RoleAssignment, StateClass
from energy_server.model.site import Site
from energy_server.store.mongodb.connection import Connection, Document, insert_missing
from energy_server.store.mongodb.coverage import CoverageDocuments
from energy_server.store.mongodb.failures import as_written
from energy_server.store.mongodb.schema import migrate
from energy_server.store.port import CoverageRow, StateInfo, SyncEntry, document_text

SYNC_LOG_LINES = 1_000
LOOK_WITHIN_S = 2.0
AT_ONCE = 10_000
"""Documents in one message, which must stay below 48 MB."""

type Mark = tuple[str, str, int]


class MongoStateStore:
    """Sites, Entities, Coverage, dirty marks, documents and the sync log. See `store.port.StateStore`."""

    def __init__(self, url: SecretStr) -> None:
        self._connection = Connection(url)
        self._coverage = CoverageDocuments(self._connection)
        self._logging = asyncio.Lock()
        self._last_line: int | None = None

    async def open(self) -> None:
        """Connect, and bring the schema up to date."""
        await self._connection.open()
        try:
            await migrate(self._connection)
        except StoreUnavailableError:
            await self._connection.close()
            raise
        self._coverage.forget()
        self._last_line = None

    async def close(self) -> None:
        """Let go of the server."""
        await self._connection.close()

    async def save_site(self, site: Site) -> None:
        """Insert or replace a Site."""
        document = asdict(site)
        document["_id"] = document.pop("id")
        await self._connection.write(
            lambda database: database.sites.replace_one({"_id": site.id}, document, upsert=True)
        )

    async def sites(self) -> list[Site]:
        """Return all Sites."""
        found = await self._connection.read(lambda database: database.sites.find().sort("_id").to_list(None))
        with as_written("sites"):
            return [Site(id=document.pop("_id"), **document) for document in found]

    async def save_catalog(self, site: str, entities: Sequence[Entity], now_us: int) -> None:
        """Make these the Entities of the Site."""
        present = {"site": site, "until_us": None}
        known = await self._connection.read(lambda database: database.entities.find(present, {"_id": 1}).to_list(None))
        named = {entity.key for entity in entities}
        changes: list[UpdateOne | ReplaceOne[Document]] = [
            UpdateOne({"_id": document["_id"]}, {"$set": {"until_us": now_us}})
            for document in known
            if document["_id"]["key"] not in named
        ]
        for position, entity in enumerate(entities):
            document = _entity_document(site, entity, position)
            changes.append(ReplaceOne({"_id": document["_id"]}, document, upsert=True))
        if changes:
            await self._connection.write(lambda database: database.entities.bulk_write(changes, ordered=False))

    async def entities(self, site: str) -> list[Entity]:
        """Return the Entities of a Site, those that left included, in the catalog's order."""
        found = await self._connection.read(lambda database: database.entities.find({"site": site}).to_list(None))
        with as_written("entities"):
            found.sort(key=lambda document: (document["until_us"] is not None, document["position"]))
            return [_entity(document) for document in found]

    async def left_by(self, site: str, instant_us: int) -> None:
        """Let the Entities that left later have left at this instant."""
        later, left = {"site": site, "until_us": {"$gt": instant_us}}, {"$set": {"until_us": instant_us}}
        await self._connection.write(lambda database: database.entities.update_many(later, left))

    async def save_coverage(self, store_id: str, rows: Sequence[CoverageRow], removed: Sequence[CoverageRow]) -> None:
        """Remove, then add rows of Coverage."""
        await self._coverage.save(store_id, rows, removed)

    async def coverage(self, store_id: str) -> list[CoverageRow]:
        """Return the Coverage that refers to this SeriesStore, and delete any other."""
        return await self._coverage.load(store_id)

    async def mark_dirty(self, marks: Sequence[Mark]) -> None:
        """Remember hours that are to be rolled up anew."""
        for some in _mark_ids(marks):
            await self._mark(some)

    async def dirty(self) -> list[Mark]:
        """Return the marks."""
        found = await self._connection.read(lambda database: database.dirty.find().to_list(None))
        with as_written("dirty"):
            marks = (document["_id"] for document in found)
            return sorted((mark["site"], mark["key"], mark["hour_us"]) for mark in marks)

    async def clear_dirty(self, marks: Sequence[Mark]) -> None:
        """Forget marks."""
        for some in _mark_ids(marks):
            await self._clear(some)

    async def put_document(self, name: str, document: Mapping[str, object]) -> None:
        """Insert or replace a named document."""
        text = document_text(document)
        kept = {"_id": name, "json": text}
        await self._connection.write(lambda database: database.documents.replace_one({"_id": name}, kept, upsert=True))

    async def document(self, name: str) -> dict[str, object] | None:
        """Return a named document."""
        found = await self._connection.read(lambda database: database.documents.find_one({"_id": name}))
        if found is None:
            return None
        with as_written("documents"):
            document: dict[str, object] = json.loads(found["json"])
            return document

    async def log(self, entry: SyncEntry) -> None:
        """Add a line to the sync log, dropping what is too old to keep."""
        async with self._logging:
            if self._last_line is None:
                newest = await self._lines(1)
                self._last_line = int(newest[0]["_id"]) if newest else 0
            self._last_line += 1  # also when it fails: it may be there all the same
            line = {"_id": self._last_line, **asdict(entry)}
            await self._connection.write(lambda database: insert_missing(database.sync_log, [line]))
            too_old = {"_id": {"$lte": self._last_line - SYNC_LOG_LINES}}
            if self._last_line > SYNC_LOG_LINES:
                await self._connection.write(lambda database: database.sync_log.delete_many(too_old))

    async def sync_log(self, limit: int) -> list[SyncEntry]:
        """Return the newest lines, newest first."""
        lines = await self._lines(limit)
        with as_written("sync_log"):
            return [SyncEntry(**{name: line[name] for name in line if name != "_id"}) for line in lines]

    async def info(self) -> StateInfo:
        """Return how the store is."""
        figures, lag_s, trouble = {}, None, None
        try:
            with pymongo.timeout(LOOK_WITHIN_S):
                figures = await self._connection.read(lambda database: database.command("dbStats"))
                lag_s = await self._connection.lag_s()
        except StoreUnavailableError as err:
            trouble = err.message
        disk_bytes = figures.get("fsTotalSize")
        return StateInfo(
            backend="mongodb",
            version=self._connection.version,
            well=trouble is None,
            detail=trouble,
            rows=int(figures.get("objects", 0)),
            size_bytes=int(figures.get("storageSize", 0) + figures.get("indexSize", 0)),
            free_bytes=None if disk_bytes is None else int(disk_bytes - figures["fsUsedSize"]),
            last_write_us=self._connection.last_write_us,
            lag_s=lag_s,
        )

    async def _mark(self, ids: Sequence[Document]) -> None:
        documents = [{"_id": mark} for mark in ids]
        await self._connection.write(lambda database: insert_missing(database.dirty, documents))

    async def _clear(self, ids: Sequence[Document]) -> None:
        await self._connection.write(lambda database: database.dirty.delete_many({"_id": {"$in": ids}}))

    async def _lines(self, limit: int) -> list[Document]:
        return await self._connection.read(
            lambda database: database.sync_log.find().sort("_id", DESCENDING).limit(limit).to_list(None)
        )


def _mark_ids(marks: Sequence[Mark]) -> Iterator[list[Document]]:
    """Return the ids of marks, each once, in portions; their fields are in one order, which is part of an id."""
    unique: Iterable[Mark] = dict.fromkeys(marks)
    for some in batched(unique, AT_ONCE, strict=False):
        yield [{"site": site, "key": key, "hour_us": hour_us} for site, key, hour_us in some]


def _entity_document(site: str, entity: Entity, position: int) -> Document:
    fields = {name: value for name, value in asdict(entity).items() if name != "key"}
    placed = {"_id": {"site": site, "key": entity.key}, "site": site, "position": position, "until_us": None}
    return fields | placed


def _entity(document: Document) -> Entity:
    fields = {name: value for name, value in document.items() if name not in ("_id", "position")}
    roles = tuple(RoleAssignment(**(role | {"role": Role(role["role"])})) for role in document["roles"])
    state_class = None if document["state_class"] is None else StateClass(document["state_class"])
    known = {"key": document["_id"]["key"], "kind": Kind(document["kind"]), "state_class": state_class, "roles": roles}
    return Entity(**(fields | known))
