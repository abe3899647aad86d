"""What is logged of requests: nothing that a visitor could have written by mistake.

In:   answered requests; requests that were no HTTP.
Out:  the method, the route's own path, the status, the time. Neither the query nor a header nor a path that is not
      ours, because people paste tokens into the wrong places.
"""

import logging

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError


class AccessLogger(AbstractAccessLogger):
    """One line per request."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log a request."""
        resource = request.match_info.route.resource if isinstance(request, web.Request) else None
        path = "-" if resource is None else resource.canonical
        self.logger.info("%s %s %s %.1f ms", request.method, path, response.status, time * 1_000)


class BadRequests(logging.Filter):
    """Keeps what a peer sent that is no HTTP out of the log: aiohttp would quote it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for a request that could not be parsed."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


def http_logger() -> logging.Logger:
    """Return the logger of what happens below the handlers."""
    logger = logging.getLogger("energy_server.http")
    if not logger.filters:
        logger.addFilter(BadRequests())
    return logger
