"""The embedded SeriesStore: DuckDB, one file per UTC month of readings, one file of Statistics.

| module | holds |
|---|---|
| `store.py` | the port: threads, recovery, reads and writes put together |
| `connection.py` | the instance, its limits, and which of DuckDB's failures mean "try again later" |
| `columns.py` | readings as numpy columns: one row per instant, split by month (pure) |
| `series.py` | (site, key) as small numbers, and the latest reading of each |
| `months.py` | the files of readings and their generations |
| `statistics.py` | the file of Statistics |
"""

from energy_server.store.duckdb.store import DuckDBSeriesStore

__all__ = ["DuckDBSeriesStore"]
