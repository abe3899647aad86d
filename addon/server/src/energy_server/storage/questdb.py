"""QuestDB for readings and Statistics, MongoDB for everything else, both by their URLs.

In:   settings.
Out:  the stores, not open yet.
Failures: StoreUnavailableError where a URL is missing or is none; the message never holds one.
"""

from energy_server.errors import StoreUnavailableError
from energy_server.settings import Settings
from energy_server.storage.pair import Pair
from energy_server.store.mongodb import MongoStateStore
from energy_server.store.questdb import QuestDBAddress, QuestDBSeriesStore


def pair(settings: Settings) -> Pair:
    """Return the stores, not open yet."""
    if settings.questdb_url is None or settings.mongodb_url is None:
        raise StoreUnavailableError(
            "The data of this server is in QuestDB and MongoDB. Set questdb_url and mongodb_url again; or, to begin"
            " anew with the embedded stores, set storage to embedded."
        )
    pg_url = None if settings.questdb_pg_url is None else settings.questdb_pg_url.get_secret_value()
    try:
        address = QuestDBAddress.of(settings.questdb_url.get_secret_value(), pg_url)
    except ValueError as err:
        raise StoreUnavailableError(f"{err}.") from err
    return Pair(QuestDBSeriesStore(address), MongoStateStore(settings.mongodb_url))
