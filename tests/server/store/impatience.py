"""Little patience with a MongoDB that is known not to answer: what waits for it ends soon, as it would end later.

In:   nothing.
Out:  a context for as long as it is away. Before and after it has the time that it needs on a busy machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from energy_server.store.mongodb import connection

SOON_MS = 700


@contextmanager
def impatience() -> Iterator[None]:
    """Wait for it for less than a second."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(connection, "FIND_SERVER_WITHIN_MS", SOON_MS)
        patched.setattr(connection, "ANSWER_WITHIN_MS", SOON_MS)
        yield
