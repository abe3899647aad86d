"""Which stores are used, and why.

| module | holds |
|---|---|
| `choice.py` | the choice between the pairs, made once and remembered |
| `embedded.py`, `questdb.py` | a pair each: a SeriesStore and a StateStore, made of settings |

A pair's module is loaded when it is chosen: the drivers of the other would cost 27 MB for nothing.
"""

from importlib import import_module

from energy_server.settings import Settings
from energy_server.storage.choice import BACKENDS, Choice, choose
from energy_server.storage.pair import Pair

__all__ = ["Choice", "Pair", "choose", "pair_of"]


def pair_of(choice: Choice, settings: Settings) -> Pair:
    """Return the stores of a choice, not open yet. Raises StoreUnavailableError for settings they cannot work with."""
    pair: Pair = import_module(BACKENDS[choice.backend]).pair(settings)
    return pair
