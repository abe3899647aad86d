"""The command `script/run`: the whole product with a simulated home, or the server alone.

In:   the command line; ENERGY_STATE, the folder in which all state is kept (default: .state in the checkout).
Out:  everything running until Ctrl-C or SIGTERM, then nothing. Exit status 0; 1 when something failed, with what to do.
      Meanwhile each part may be stopped and started by `part_command`.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from . import demo
from .control import STATE, command_line, listening
from .demo import Demo
from .parts import NOT_STARTED
from .processes import AlreadyRunningError, NoPortError, ProcessDiedError, free_port, only_one, while_running
from .provision import HISTORY_DAYS
from .screen import Screen
from .server import Server

PORT = 8765
HA_PORT = 8123
OWN = "own_server"
FAILURES = (*NOT_STARTED, NoPortError)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="script/run",
        description="Run a Home Assistant with a simulated home, the integration and the server.",
        epilog="In a second terminal, while it runs: script/run stop PART and script/run start PART, where PART is "
        "server, home_assistant, or with --storage questdb also questdb or mongodb.",
    )
    parser.add_argument("--fresh", action="store_true", help="start over: delete the demo's state first")
    parser.add_argument("--server", action="store_true", help="run the server alone, for your own Home Assistant")
    parser.add_argument(
        "--storage",
        choices=("embedded", "questdb"),
        help="where the data is kept: in files, or in a QuestDB and a MongoDB of the demo (default: as the last time)",
    )
    parser.add_argument("--port", type=int, default=PORT, help="port of the server (default: %(default)s)")
    parser.add_argument("--ha-port", type=int, default=HA_PORT, help="port of Home Assistant (default: %(default)s)")
    parser.add_argument(
        "--history-days",
        type=int,
        default=HISTORY_DAYS,
        help="days of history that a new demo begins with (default: %(default)s)",
    )
    return parser.parse_args()


def lan_address() -> str:
    """Return this machine's address in its network, as other machines see it. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


async def run_demo(folder: Path, options: argparse.Namespace, screen: Screen) -> None:
    """Run the demo until it is cancelled."""
    if options.fresh:
        demo.clear(folder)
    running = Demo(
        folder,
        screen,
        port=options.port,
        ha_port=options.ha_port,
        history_days=options.history_days,
        storage=options.storage,
    )
    try:
        await running.start()
        login = f"login [bold]{running.user.username}[/] / [bold]{running.user.password}[/]"
        async with listening(folder, screen.say) as requests:
            parts = ", ".join(running.parts.names)
            screen.say(
                f"""
  [bold]Dashboard[/]       {running.server.url}/#token={running.server.token()}
  [bold]Home Assistant[/]  {running.home_assistant.url}   {login}

  Storage: {running.storage}
  Logs: {folder / "logs"}   Stop: Ctrl-C   Start over: {command_line(folder, "--fresh")}
  Stop or start a part of it, in a second terminal: {command_line(folder, "stop", "server")}   Parts: {parts}
"""
            )
            await running.parts.watch(requests)
    finally:
        await finish(running.parts.stop, running.parts.kill)


async def run_server(folder: Path, options: argparse.Namespace, screen: Screen) -> None:
    """Run the server alone until it is cancelled."""
    own = folder / OWN
    port = free_port(options.port, host="0.0.0.0")  # noqa: S104 somebody's Home Assistant is on another machine
    if port != options.port:
        screen.say(f"  [yellow]Port {options.port} is in use; {port} is used instead.[/]")
    server = Server(own / "data", port, host="0.0.0.0")  # noqa: S104 the same
    with screen.step("The server"):
        process = await server.start(own / "server.log")
    try:
        address = f"http://{lan_address()}:{port}"
        screen.say(
            f"""
  [bold]Dashboard[/]  {server.url}/#token={server.token()}

  In your Home Assistant: copy [bold]custom_components/energy_dashboard[/] into its configuration's custom_components
  folder, restart it, add the integration "Energy Dashboard" under Settings > Devices & services, and enter
    [bold]Address[/]  {address}
    [bold]Token[/]    {server.token()}

  Log: {own / "server.log"}   Data: {server.data}   Stop: Ctrl-C
"""
        )
        await while_running([process], asyncio.Event().wait())
    finally:
        await finish(process.stop, process.kill)


async def finish(stop: Callable[[], Awaitable[object]], kill: Callable[[], Awaitable[object]]) -> None:
    """Stop in order, whatever happens meanwhile; being asked a second time means at once."""
    stopping = asyncio.ensure_future(stop())
    try:
        await asyncio.shield(stopping)
    except asyncio.CancelledError:
        await kill()
        await asyncio.gather(stopping, return_exceptions=True)


def explain(error: ProcessDiedError, folder: Path, screen: Screen) -> None:
    """Show the last lines of a program that died, and what to do."""
    screen.fail(error.report)
    again, over = command_line(folder), command_line(folder, "--fresh")
    screen.say(f"\nRun {again} again to go on where it stopped, or {over} to start over.")


async def main(folder: Path, options: argparse.Namespace) -> int:
    """Run what is asked for; Ctrl-C and SIGTERM stop it."""
    screen = Screen()
    run = run_server if options.server else run_demo
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(run(folder, options, screen))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        screen.say("Stopped.")
        return 0
    except ProcessDiedError as err:
        explain(err, folder, screen)
    except FAILURES as err:
        screen.say(f"\n[red]It failed:[/] {err}\nLogs: {folder / 'logs'}. Run {command_line(folder)} again to go on.")
    return 1


def command() -> int:
    """Run `main` with the state folder held."""
    options = parse()
    folder = Path(os.environ.get("ENERGY_STATE", STATE)).resolve()
    try:
        with only_one(folder):
            return asyncio.run(main(folder, options))
    except AlreadyRunningError as err:
        print(f"{err} Stop it first, or name another folder: ENERGY_STATE=/path script/run --port … --ha-port …")
        return 1


if __name__ == "__main__":
    sys.exit(command())
