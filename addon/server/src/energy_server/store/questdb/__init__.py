"""The SeriesStore on QuestDB, a database server of its own.

| module | holds |
|---|---|
| `store.py` | the port: writes, reads and recovery put together |
| `address.py` | where QuestDB is and who we are there (pure) |
| `schema.py` | the tables, their versions, whether somebody altered them |
| `connection.py` | the connections that read, and the one read-your-writes rule |
| `failures.py` | which of QuestDB's failures mean "try again later", and what to do then |
| `writing.py` | rows to QuestDB's own client, durable when it returns |
| `rows.py` | readings as numpy columns, one row per instant (pure) |
| `absent.py` | which rows are not stored yet |
| `series.py` | which (site, key) there are, and the latest reading of each |
| `queries.py` | readings read back |
| `statistics.py` | Statistics read back |
| `health.py` | how the tables are; suspended ones resumed |

Every value that somebody outside can influence reaches QuestDB as a bound parameter, or encoded by its own client.
"""

from energy_server.store.questdb.address import QuestDBAddress
from energy_server.store.questdb.store import QuestDBSeriesStore

__all__ = ["QuestDBAddress", "QuestDBSeriesStore"]
