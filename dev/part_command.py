"""The commands `script/run stop PART` and `script/run start PART`, in a second terminal while the demo runs.

In:   the command line; ENERGY_STATE, the state folder of the demo (default: .state in the checkout).
Out:  the part stopped or started, and what happened in a line or more. Exit status 0; 1 when it was not done, with why.

A program of its own beside `dev.run`, whose imports take seconds on a small machine.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from .control import STATE, WHAT, NoDemoError, ask
from .screen import Screen


def command() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="script/run", description="Stop or start a part of the demo that runs.")
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("part", help="server, home_assistant, or with --storage questdb also questdb or mongodb")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # who waits no longer is told nothing more
    try:
        with Screen().console.status(f"{options.what} {options.part}"):
            answer = ask(Path(os.environ.get("ENERGY_STATE", STATE)).resolve(), options.what, options.part)
    except NoDemoError as err:
        print(err, file=sys.stderr)
        return 1
    print(answer.says, file=sys.stdout if answer.done else sys.stderr)
    return 0 if answer.done else 1


if __name__ == "__main__":
    sys.exit(command())
