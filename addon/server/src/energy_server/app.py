"""Wire the parts together: the only module that knows them all.

In:   settings.
Out:  an application whose stores open in the background, and `serve`, which runs it until SIGTERM or SIGINT.

A store that is locked, full or unreadable is no reason to stop: the process stays up, answers `store_unavailable`,
and tries again. Leaving this module: OSError when the address cannot be listened on.
"""

import asyncio
import logging
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import web

from energy_server.api.access_log import AccessLogger, http_logger
from energy_server.api.ahead import strike_ahead
from energy_server.api.auth import Auth, load_token
from energy_server.api.core import STAGE, Core, Opening, Stage
from energy_server.api.dashboard import FOLDER
from energy_server.api.energy_cache import EnergyCache
from energy_server.api.failures import render_failures
from energy_server.api.guard import Guard, add_security_headers
from energy_server.api.ingress import INGRESS, Ingress
from energy_server.api.live import LiveHub
from energy_server.api.logins import Logins
from energy_server.api.routes import OPEN, register
from energy_server.api.session import AUTH
from energy_server.discovery import Announcement, announce
from energy_server.errors import StoreUnavailableError
from energy_server.jobs.audit import Audit
from energy_server.jobs.backfill import Backfills
from energy_server.jobs.losses import Losses
from energy_server.jobs.upkeep import keep_in_order
from energy_server.ledger.asked import Asked
from energy_server.ledger.coverage import FLUSH_INTERVAL_S, CoverageLedger
from energy_server.ledger.dirty import DirtyMarks
from energy_server.ledger.wanted import Wanted
from energy_server.link.endpoint import LinkEndpoint
from energy_server.link.events import LiveEvent, StatisticsStored
from energy_server.rollup.worker import RollupWorker
from energy_server.settings import Settings
from energy_server.storage import Choice, Pair, choose, pair_of
from energy_server.store.port import SeriesStore, StateInfo, StateStore, StoreInfo
from energy_server.supervise import Supervisor

_LOGGER = logging.getLogger(__name__)

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 15.0
MOST_BODY_BYTES = 65_536
MOST_LINE_BYTES = 16_384
MOST_HEADER_BYTES = 8_190
GOODBYE_WITHIN_S = 3.0
SHUTDOWN_WITHIN_S = 3.0


def now_us() -> int:
    """Return the server's clock, epoch microseconds."""
    return time.time_ns() // 1_000


async def server_id_of(state: StateStore) -> str:
    """Return the random id that this server keeps."""
    known = await state.document("server")
    if known is not None:
        return str(known["id"])
    server_id = uuid.uuid4().hex
    await state.put_document("server", {"id": server_id})
    return server_id


async def _flush(ledger: CoverageLedger) -> None:
    while True:
        await asyncio.sleep(FLUSH_INTERVAL_S)
        await ledger.flush()


def _choose(settings: Settings) -> tuple[Choice, Pair]:
    choice = choose(settings)
    _LOGGER.info("storage %s: %s", choice.backend, choice.reason)
    return choice, pair_of(choice, settings)


async def _tried(store: SeriesStore | StateStore, opening: AsyncExitStack) -> StoreUnavailableError | None:
    """Open a store, to be closed with the rest; returns what keeps it from opening."""
    try:
        await store.open()
    except StoreUnavailableError as err:
        return err
    opening.push_async_callback(store.close)
    return None


def _with_trouble[Info: (StoreInfo, StateInfo)](info: Info, trouble: StoreUnavailableError | None) -> Info:
    return info if trouble is None else replace(info, well=False, detail=trouble.message)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What was read from the stores when they opened."""

    ledger: CoverageLedger
    dirty: DirtyMarks
    losses: Losses
    asked: Asked
    wanted: Wanted
    backfills: Backfills
    server_id: str


class Server:
    """The running parts: opens them, hands them to the API, closes them in order."""

    def __init__(self, settings: Settings, clock_us: Callable[[], int]) -> None:
        self.auth = Auth(time.monotonic, Logins(time.time))
        self.stage = Stage()
        self.hub = LiveHub(clock_us)
        self._settings = settings
        self._clock_us = clock_us
        self._started_us = clock_us()
        self._chosen: tuple[Choice, Pair] | None = None
        self._energy: EnergyCache | None = None
        self._supervisor = Supervisor(clock_us)
        self._links: LinkEndpoint | None = None
        self._opened = AsyncExitStack()

    async def life(self, _app: web.Application) -> AsyncIterator[None]:
        """Open in the background, close at the end."""
        self._supervisor.start("stores", self._open_at_last)
        yield
        await self._supervisor.stop()
        self.stage.leave(StoreUnavailableError("The server stops."))
        try:
            await self._opened.aclose()
        except StoreUnavailableError as err:
            _LOGGER.error("Closing the stores: %s", err)  # noqa: TRY400 the message says all that is known

    async def part(self, _app: web.Application) -> None:
        """Tell integrations and browsers that the server stops."""
        closing = [asyncio.create_task(self.hub.close())]
        if self._links is not None:
            closing.append(asyncio.create_task(self._links.close()))
        _, deaf = await asyncio.wait(closing, timeout=GOODBYE_WITHIN_S)
        for task in deaf:
            task.cancel()

    async def _open_at_last(self) -> None:
        wait_s = FIRST_WAIT_S
        told = None
        while True:
            try:
                await self._open()
            except StoreUnavailableError as err:
                self.stage.leave(err)
                if err.message != told:
                    _LOGGER.warning("The stores cannot be used, trying again: %s", err)
                told = err.message
            else:
                return
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _open(self) -> None:
        """Open everything, or nothing. Raises StoreUnavailableError."""
        settings = self._settings
        if self._chosen is None:
            self._chosen = await asyncio.to_thread(_choose, settings)
        choice, pair = self._chosen
        series, state = pair.series, pair.state
        token = await asyncio.to_thread(load_token, settings.token, settings.data_path)
        self.auth.use_token(token, settings.data_path)
        async with AsyncExitStack() as opening:
            await self._open_stores(choice, pair, opening)
            ledger = CoverageLedger(state, series.store_id)
            await ledger.load()
            opening.push_async_callback(ledger.close)
            dirty = DirtyMarks(state)
            await dirty.load()
            losses = Losses(series, state, ledger, dirty, self._rolled, self._clock_us)
            await losses.void()
            asked = Asked()
            wanted = Wanted(ledger, asked)
            backfills = Backfills(state, asked, wanted, self._clock_us)
            await backfills.load()
            loaded = _Loaded(ledger, dirty, losses, asked, wanted, backfills, await server_id_of(state))
            self._opened = opening.pop_all()
        self._run(choice, pair, loaded)
        if settings.supervisor_token is not None:
            announcement = Announcement(settings.discovery_host, settings.port, token)
            telling = partial(announce, settings.supervisor_url, settings.supervisor_token, announcement)
            self._supervisor.start("discovery", telling)

    async def _open_stores(self, choice: Choice, pair: Pair, opening: AsyncExitStack) -> None:
        """Open both, so that what is wrong with either is told at once. Raises StoreUnavailableError."""
        state = await _tried(pair.state, opening)
        series = await _tried(pair.series, opening)
        troubles = [error.message for error in (state, series) if error is not None]
        if troubles:
            self.stage.opening = Opening(
                choice,
                _with_trouble(await pair.series.info(), series),
                _with_trouble(await pair.state.info(), state),
                self._started_us,
                self._clock_us,
            )
            raise StoreUnavailableError(" ".join(troubles))

    def _run(self, choice: Choice, pair: Pair, loaded: _Loaded) -> None:
        """Start the tasks and let the API in."""
        settings, series, state = self._settings, pair.series, pair.state
        ledger, dirty, asked, wanted = loaded.ledger, loaded.dirty, loaded.asked, loaded.wanted
        energy = self._energy = EnergyCache(series)
        self._links = LinkEndpoint(
            series=series,
            state=state,
            ledger=ledger,
            dirty=dirty,
            asked=asked,
            wanted=wanted,
            publish=self._publish,
            clock_us=self._clock_us,
            server_id=loaded.server_id,
            commit_interval_s=settings.commit_interval_s,
        )
        worker = RollupWorker(series, state, ledger, dirty, self._rolled, interval_s=settings.rollup_interval_s)
        self._supervisor.start("rollup", worker.run)
        self._supervisor.start("coverage", partial(_flush, ledger))
        self._supervisor.start("losses", loaded.losses.run)
        audit = Audit(series, state, ledger, wanted, asked, self._links, self._clock_us)
        self._supervisor.start("audit", audit.run)
        self._supervisor.start("backfill", loaded.backfills.run)
        self._supervisor.start("upkeep", partial(keep_in_order, series, state, self._clock_us))
        core = Core(
            storage=choice,
            series=series,
            state=state,
            ledger=ledger,
            wanted=wanted,
            backfills=loaded.backfills,
            energy=energy,
            links=self._links,
            hub=self.hub,
            server_id=loaded.server_id,
            started_us=self._started_us,
            clock_us=self._clock_us,
            problems=self._supervisor.problems,
        )
        self.stage.enter(core)
        self._supervisor.start("energy", partial(strike_ahead, core))
        _LOGGER.info("The stores are open")

    def _rolled(self, site: str, start_us: int, end_us: int) -> None:
        self._publish(StatisticsStored(site, start_us, end_us))

    def _publish(self, event: LiveEvent) -> None:
        if self._energy is not None and isinstance(event, StatisticsStored):
            self._energy.changed(event.site, event.start_us, event.end_us)
        self.hub.publish(event)


def build(settings: Settings, clock_us: Callable[[], int] = now_us) -> web.Application:
    """Return the application."""
    server = Server(settings, clock_us)
    ingress = Ingress(settings.ingress_peer)
    # An app is called by the name that it announces.
    announced = () if settings.supervisor_token is None else (settings.discovery_host.lower(),)
    guard = Guard(server.auth, ingress, (*settings.allowed_hosts, *announced), OPEN)
    app = web.Application(middlewares=[render_failures, guard.middleware()], client_max_size=MOST_BODY_BYTES)
    app[INGRESS] = ingress
    app[STAGE] = server.stage
    app[AUTH] = server.auth
    app[FOLDER] = settings.dashboard_path
    register(app)
    app.on_response_prepare.append(add_security_headers)
    app.on_shutdown.append(server.part)
    app.cleanup_ctx.append(server.life)
    return app


def runner_of(app: web.Application, *, access_log: bool) -> web.AppRunner:
    """Return what runs the application, with its limits."""
    return web.AppRunner(
        app,
        access_log=logging.getLogger("energy_server.access") if access_log else None,
        access_log_class=AccessLogger,
        logger=http_logger(),
        shutdown_timeout=SHUTDOWN_WITHIN_S,
        max_line_size=MOST_LINE_BYTES,
        max_field_size=MOST_HEADER_BYTES,
    )


async def listen(runner: web.AppRunner, settings: Settings) -> str:
    """Listen, and return the address of the dashboard. Raises OSError."""
    await web.TCPSite(runner, settings.host, settings.port).start()
    host, port = runner.addresses[0][:2]
    if settings.ingress_port is not None:
        known = len(runner.addresses)
        await web.TCPSite(runner, settings.host, settings.ingress_port).start()
        runner.app[INGRESS].port = runner.addresses[known][1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises OSError when the address cannot be listened on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = runner_of(build(settings), access_log=settings.access_log)
    await runner.setup()
    try:
        _LOGGER.info("ready %s", await listen(runner, settings))
        await stop.wait()
        _LOGGER.info("stopping")
    finally:
        await runner.cleanup()
