"""Write an answer as JSON: arrays go out as they are, NaN and infinities become null.

In:   dictionaries of plain values and numpy columns.
Out:  a compressed response.

Columns are written one by one: who writes a big answer in a thread holds up the event loop by one of them at most.
"""

import zlib
from collections.abc import Mapping

import numpy as np
import orjson
from aiohttp import web
from numpy.typing import NDArray

from energy_server.model.statistic import Provenance

NAMES = np.array([provenance.name.lower() for provenance in Provenance], dtype=object)
OPTIONS = orjson.OPT_SERIALIZE_NUMPY
WORTH_COMPRESSING = 4_096


def reply(document: Mapping[str, object], request: web.Request) -> web.Response:
    """Return the document as JSON."""
    body = orjson.dumps(document, option=OPTIONS)
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if len(body) > WORTH_COMPRESSING and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = zlib.compress(body, level=1, wbits=31)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, content_type="application/json", headers=headers)


def column(values: NDArray[np.generic]) -> orjson.Fragment:
    """Return the values as JSON."""
    return orjson.Fragment(orjson.dumps(np.ascontiguousarray(values), option=OPTIONS))


def provenance_names(values: NDArray[np.uint8]) -> orjson.Fragment:
    """Return the names of numbers of Provenance as JSON."""
    return orjson.Fragment(orjson.dumps(NAMES[values].tolist()))
