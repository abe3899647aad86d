"""Find what of a message cannot be stored, so that the rest can.

In:   a message whose writing failed in a way that nobody expected; how to write.
Out:  everything else of it durable; the rows that are refused as `not_stored`. A message of which too much fails is
      refused as a whole, without its claim: its span stays a Gap.
Failures: StoreUnavailableError, after which all of it may be repeated; and what a catalog fails with, since nothing
      after it could be understood.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from energy_server.errors import StoreUnavailableError
from energy_server.link.accepted import Accepted
from energy_server.link.messages import Refused
from energy_server.model.reading import ReadingBatch

_LOGGER = logging.getLogger(__name__)

MOST_TRIES = 60
CODE = "not_stored"

type Write = Callable[[Sequence[Accepted]], Awaitable[None]]


async def write_what_can(messages: Sequence[Accepted], write: Write, told: set[str]) -> list[Accepted]:
    """Write messages; return them with the rows that are refused. `told` are the failures that were logged already."""
    try:
        await write(messages)
    except StoreUnavailableError:
        raise
    except Exception as err:
        if len(messages) > 1:
            return [done for message in messages for done in await write_what_can([message], write, told)]
        if messages[0].store is not None:
            raise
        _tell(err, messages[0], told)
        return [await _without_its_worst(messages[0], write)]
    return list(messages)


async def _without_its_worst(message: Accepted, write: Write) -> Accepted:
    batch = message.readings
    if batch is None:
        return _refused(message, range(0 if message.statistics is None else len(message.statistics)))
    parts, worst, tries = [range(len(batch))], [], 0
    while parts:
        part, tries = parts.pop(), tries + 1
        if await _writes(replace(message, readings=_part(batch, part), claims=()), write):
            continue
        if len(part) == 1:
            worst.append(part[0])
        elif tries >= MOST_TRIES:
            return _refused(message, range(len(batch)))
        else:
            middle = len(part) // 2
            parts += [part[:middle], part[middle:]]
    if not await _writes(replace(message, readings=None), write):
        return _refused(message, range(len(batch)))
    return _refused(message, worst)


async def _writes(message: Accepted, write: Write) -> bool:
    try:
        await write([message])
    except StoreUnavailableError:
        raise
    except Exception:  # noqa: BLE001 - it was logged when it came first
        return False
    return True


def _part(batch: ReadingBatch, rows: range) -> ReadingBatch:
    here = slice(rows.start, rows.stop)
    return ReadingBatch(
        batch.site, batch.origin, batch.keys[here], batch.ts_us[here], batch.values[here], batch.reset_us[here]
    )


def _refused(message: Accepted, worst: Sequence[int]) -> Accepted:
    """Return the message with its rows at these places of the valid ones refused too."""
    already = {row for row, _ in message.refused}
    valid = [row for row in range(len(already) + max(worst, default=-1) + 1) if row not in already]
    also = [Refused(valid[at], CODE) for at in worst]
    return replace(message, refused=sorted([*message.refused, *also]))


def _tell(err: Exception, message: Accepted, told: set[str]) -> None:
    what = f"{type(err).__name__}: {err}"
    if what not in told:
        told.add(what)
        _LOGGER.error("Rows of message %s cannot be stored and are refused", message.seq, exc_info=err)
