"""The StateStore on MongoDB.

| module | holds |
|---|---|
| `store.py` | the port: one collection for each kind of thing |
| `connection.py` | the driver: the only module that knows motor; its limits |
| `failures.py` | what the driver's failures mean, and what to do |
| `coverage.py` | Coverage as documents that are never changed, and one that says which of them count |
| `schema.py` | indexes and their versions |
"""

from energy_server.store.mongodb.store import MongoStateStore

__all__ = ["MongoStateStore"]
