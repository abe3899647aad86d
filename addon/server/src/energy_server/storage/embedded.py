"""The embedded pair: DuckDB and SQLite, files in the data folder."""

from energy_server.settings import Settings
from energy_server.storage.pair import Pair
from energy_server.store.duckdb import DuckDBSeriesStore
from energy_server.store.sqlite import SqliteStateStore


def pair(settings: Settings) -> Pair:
    """Return the stores, not open yet."""
    return Pair(
        DuckDBSeriesStore(settings.data_path / "series", settings.memory_limit_mb),
        SqliteStateStore(settings.data_path / "state.sqlite"),
    )
