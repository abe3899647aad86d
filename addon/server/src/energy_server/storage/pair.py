"""A pair of stores that belong together."""

from dataclasses import dataclass

from energy_server.store.port import SeriesStore, StateStore


@dataclass(frozen=True, slots=True)
class Pair:
    """Where readings and Statistics are kept, and where everything else is."""

    series: SeriesStore
    state: StateStore
