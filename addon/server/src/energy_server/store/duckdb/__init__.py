"""The embedded SeriesStore: DuckDB, one file per UTC month of readings, one file of Statistics.

| module | holds |
|---|---|
| `store.py` | the port: threads, reads and writes put together |
| `instance.py` | the one open instance: opening, recovery, opening anew |
| `upkeep.py` | what is due in the background, and doing it politely |
| `connection.py` | the instance, its limits, and which of DuckDB's failures mean "try again later" |
| `columns.py` | readings as numpy columns: one row per instant, split by month (pure) |
| `series.py` | (site, key) as small numbers, and the latest reading of each |
| `months.py` | the files of readings and their generations |
| `lost.py` | the months whose files were set aside |
| `sorting.py` | a month rewritten in order, into its next generation |
| `copying.py` | rows copied in slices, and compared |
| `statistics.py` | the file of Statistics |
"""

from energy_server.store.duckdb.store import DuckDBSeriesStore
from energy_server.store.duckdb.upkeep import Thresholds

__all__ = ["DuckDBSeriesStore", "Thresholds"]
