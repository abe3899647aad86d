"""Where a run looks for free ports: a place of its own, so that runs and workers beside each other do not meet.

In:   the first port of a kind of server.
Out:  the first port to try; all stay below those that the system gives to outgoing connections, so that a server that
      is down finds its own free again. `own_port` is nobody else's in this process meanwhile. Fails with `NoPortError`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from dev.processes import free_port

WORKERS = 2
PORTS_OF_WORKER = 4_000
PORTS_OF_RUN = 10
RUNS = 300
_TAKEN: set[int] = set()


def first_port(base: int) -> int:
    """Return the place of this run and worker above the base: 8,000 ports are shared out."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    return base + worker * PORTS_OF_WORKER + os.getpid() % RUNS * PORTS_OF_RUN


@contextmanager
def own_port(first: int) -> Iterator[int]:
    """Return a port that is free, and that stays its owner's for the length of the context, also while it is down."""
    port = free_port(first, taken=tuple(_TAKEN))
    _TAKEN.add(port)
    try:
        yield port
    finally:
        _TAKEN.discard(port)
