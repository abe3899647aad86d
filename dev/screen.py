"""What the commands here show: one line for each step, and how far a long one is.

In:   steps as they begin, go on and end.
Out:  on a terminal a line that moves, elsewhere plain lines. Nothing fails.
"""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

PLAIN_STEPS = 10


class Step:
    """One step on its way; use as `with`."""

    def __init__(self, console: Console, what: str) -> None:
        """Made by `Screen.step`."""
        self._console = console
        self._what = what
        self._bar: Progress | None = None
        self._said = 0
        self._begun_s = time.monotonic()

    def __enter__(self) -> Self:
        """Begin."""
        if self._console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._bar.add_task(self._what, total=None)
            self._bar.start()
        return self

    def __call__(self, share: float) -> None:
        """Show how far it is, 0 to 1."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=share, total=1.0)
        elif (said := int(share * PLAIN_STEPS)) > self._said:
            self._said = said
            self._console.print(f"  … {self._what}: {share:.0%}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say that it is done, unless it failed."""
        if self._bar is not None:
            self._bar.stop()
        if error is None:
            self._console.print(f"  [green]✓[/] {self._what} [dim]{time.monotonic() - self._begun_s:.1f} s[/]")


class Screen:
    """Where it is shown."""

    def __init__(self) -> None:
        """Use the terminal, or whatever the output is."""
        self.console = Console(highlight=False, soft_wrap=True)

    def step(self, what: str) -> Step:
        """Show a step while it goes on, and a line when it is done."""
        return Step(self.console, what)

    def say(self, text: str = "") -> None:
        """Print a line or more; rich's markup is understood."""
        self.console.print(text)

    def fail(self, text: str) -> None:
        """Print what failed, its first line in red; nothing in it is markup."""
        first, *more = text.splitlines()
        self.console.print(f"\n{first}", style="red", markup=False)
        for line in more:
            self.console.print(line, markup=False)
