"""The command `energy-server`.

In:   the command line, the environment, a file of settings.
Out:  exit status 0; 2 for a bad setting, named on stderr; 1 when the server cannot do its work.
"""

import asyncio
import ctypes
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

import orjson

from energy_server.api.auth import load_token
from energy_server.api.openapi import document
from energy_server.api.routes import ROUTES
from energy_server.app import serve
from energy_server.errors import StoreUnavailableError
from energy_server.settings import Settings, SettingsError, parse

BAD_SETTING = 2
FAILED = 1
M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3
LARGE_BYTES = 131_072


def _give_memory_back() -> None:
    """Let glibc return large blocks to the system as soon as they are free: by itself it keeps some megabytes."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # another C library has none
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_ARENA_MAX, 2)


def _serve(settings: Settings) -> int:
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _give_memory_back()
    try:
        asyncio.run(serve(settings))
    except OSError as err:
        print(f"energy-server: cannot listen on {settings.host}:{settings.port}: {err.strerror}", file=sys.stderr)
        return FAILED
    return 0


def _token(settings: Settings) -> int:
    try:
        print(load_token(settings.token, settings.data_path))
    except StoreUnavailableError as err:
        print(f"energy-server: {err}", file=sys.stderr)
        return FAILED
    return 0


def _openapi(_settings: Settings) -> int:
    print(orjson.dumps(document(ROUTES), option=orjson.OPT_INDENT_2).decode())
    return 0


OF_ITS_OWN = {"verify": "energy_server.verify.command", "export": "energy_server.export.command"}
"""Commands with a command line of their own, each in a module that the server does not need in memory."""
RUN = {"serve": _serve, "token": _token, "openapi": _openapi}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in OF_ITS_OWN:
        status: int = import_module(OF_ITS_OWN[given[0]]).main(given[1:])
        return status
    try:
        command, settings = parse(given)
    except SettingsError as err:
        print(f"energy-server: {err}", file=sys.stderr)
        return BAD_SETTING
    return RUN[command](settings)


if __name__ == "__main__":
    sys.exit(main())
