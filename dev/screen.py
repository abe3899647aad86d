"""What the commands here show: one line for each step, and how far a long one is.

In:   steps as they begin, go on and end.
Out:  on a terminal a line that moves, elsewhere plain lines. Nothing fails.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

PLAIN_STEPS = 10


class Step:
    """One step on its way."""

    def __init__(self, screen: Screen, what: str) -> None:
        """Made by `Screen.step`."""
        self._screen = screen
        self._what = what
        self._bar: Progress | None = None
        self._said = 0

    def __call__(self, share: float) -> None:
        """Show how far it is, 0 to 1."""
        console = self._screen.console
        if not console.is_terminal:
            if (said := int(share * PLAIN_STEPS)) > self._said:
                self._said = said
                console.print(f"  … {self._what}: {share:.0%}", highlight=False)
            return
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=share, total=1.0)

    def _open(self) -> None:
        if self._screen.console.is_terminal:
            spinner, words = SpinnerColumn(), TextColumn("{task.description}")
            self._bar = Progress(
                spinner,
                words,
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._screen.console,
                transient=True,
            )
            self._bar.add_task(self._what, total=None)
            self._bar.start()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


class Screen:
    """Where it is shown."""

    def __init__(self) -> None:
        """Use the terminal, or whatever the output is."""
        self.console = Console(highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, what: str) -> Iterator[Step]:
        """Show a step while it goes on, and a line when it is done."""
        step = Step(self, what)
        begun_s = time.monotonic()
        step._open()  # noqa: SLF001 the two are one thing
        try:
            yield step
        finally:
            step._close()  # noqa: SLF001 the two are one thing
        self.console.print(f"  [green]✓[/] {what} [dim]{time.monotonic() - begun_s:.1f} s[/]")

    def say(self, text: str = "") -> None:
        """Print a line or more; rich's markup is understood."""
        self.console.print(text)
