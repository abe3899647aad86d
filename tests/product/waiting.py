"""Wait for what another process does without saying when it is done.

In:   a look at it, and how long it may take.
Out:  what the look found. Fails with `InVainError`, which is a failed assertion.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

LOOK_AGAIN_S = 0.1
PATIENCE_S = 60.0


class InVainError(AssertionError):
    """It never came."""


async def until[T](look: Callable[[], Awaitable[T | None]], what: str, within_s: float = PATIENCE_S) -> T:
    """Look again and again until there is something."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                found = await look()
                if found is not None:
                    return found
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError as err:
        raise InVainError(f"Waited {within_s:.0f} s in vain for {what}.") from err


async def true(look: Callable[[], Awaitable[bool]], what: str, within_s: float = PATIENCE_S) -> None:
    """Look again and again until it is so."""

    async def found() -> bool | None:
        return await look() or None

    await until(found, what, within_s)


async def equal[T](look: Callable[[], Awaitable[T]], expected: T, within_s: float = PATIENCE_S) -> None:
    """Look again and again until it is as expected; in the end compare, which tells how it differs."""
    found = await look()
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while found != expected:
                await asyncio.sleep(LOOK_AGAIN_S)
                found = await look()
    assert found == expected
