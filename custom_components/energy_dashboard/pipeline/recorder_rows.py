"""Many rows of Home Assistant's recorder at once, as the database's driver gives them.

In:   a session of the recorder, a question for columns that need no conversion: numbers and text.
Out:  plain tuples. No failures of its own.

A row of SQLAlchemy's is an object, one that the garbage collector keeps an eye on: a hundred thousand of them make it
go through the whole of Home Assistant's memory, for a third of a second in which nothing else runs. A tuple of numbers
and text is none of its business, and is made in half the time.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session


def all_rows(session: Session, question: Select[Any]) -> Sequence[tuple[Any, ...]]:
    """Return all rows of the answer."""
    result = session.connection().execute(question)
    rows = result.cursor.fetchall()
    result.close()
    return rows
