"""The reference year, or a share of its Entities, in any pair of stores.

In:   a pair of open stores, a share of the Entities, a file that remembers what is done.
Out:  the stores as a server leaves them. 100 M readings take QuestDB about 15 minutes. Resumed at the month where it
      was interrupted, since all of it may be written twice.

The meters of the home are always there, so what a query is about is the same at any share.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from energy_server.ledger.coverage import CoverageLedger
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.statistic import Level, Source
from energy_server.rollup.accumulate import hours
from energy_server.store.port import SeriesStore, StateStore
from tests.bench.reference_year.build import (
    END_US,
    MONTHS,
    ORIGIN_US,
    START_US,
    VERSION,
    batches,
    between,
    draw,
    imported,
    in_order_of_time,
    month_us,
    rolled,
)
from tests.bench.reference_year.entities import SITE, Signal, signals
from tests.bench.reference_year.signals import DAY_US, Course, course, instants
from tests.bench.say import say


@dataclass(slots=True)
class Done:
    """What is done, in a file beside the data."""

    file: Path
    steps: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> Done:
        """Read the file; one of another version knows of nothing."""
        known = json.loads(file.read_text()) if file.exists() else {}
        return cls(file, known["steps"] if known.get("version") == VERSION else [])

    def add(self, step: str) -> None:
        """Remember a step."""
        self.steps.append(step)
        self.file.write_text(json.dumps({"version": VERSION, "steps": self.steps}))


def share(part: float) -> list[Signal]:
    """Return the meters of the home, and that part of all other signals."""
    return [signal for signal in signals(START_US) if signal.entity.roles or signal.place % 100 < part * 100]


def readings_of(chosen: Sequence[Signal]) -> int:
    """Return how many readings the signals have."""
    return sum(
        len(instants(signal, month_us(number), month_us(number + 1))) for signal in chosen for number in range(MONTHS)
    )


async def fill(series: SeriesStore, state: StateStore, chosen: Sequence[Signal], done: Done) -> None:
    """Make what is missing."""
    courses = [course(signal, ORIGIN_US) for signal in chosen]
    if "imported" not in done.steps:
        for one in courses:
            await series.put_statistics(SITE.id, Level.HOUR, Source.IMPORT, imported(one))
        done.add("imported")
    for number in range(MONTHS):
        if f"month {number}" not in done.steps:
            started_s = time.monotonic()
            await _fill_month(series, courses, number)
            done.add(f"month {number}")
            say(f"{series.__class__.__name__}: month {number + 1} of {MONTHS}, {time.monotonic() - started_s:.0f} s")
    if "described" not in done.steps:
        await _describe(series, state, chosen)
        done.add("described")


async def _fill_month(series: SeriesStore, courses: Sequence[Course], number: int) -> None:
    month = [draw(one, number) for one in courses]
    for batch in batches(courses, month):
        await series.append([batch])
    five = [rolled(one, drawn, number) for one, drawn in zip(courses, month, strict=True)]
    for level, parts in {Level.FIVE_MINUTES: five, Level.HOUR: [hours(part) for part in five]}.items():
        columns = in_order_of_time(parts)
        for day_us in range(month_us(number), month_us(number + 1), DAY_US):
            await series.put_statistics(SITE.id, level, Source.ROLLUP, between(columns, day_us, day_us + DAY_US))
    while await series.upkeep():
        pass


async def _describe(series: SeriesStore, state: StateStore, chosen: Sequence[Signal]) -> None:
    await state.save_site(SITE)
    await state.save_catalog(SITE.id, [signal.entity for signal in chosen], START_US)
    ledger = CoverageLedger(state, series.store_id)
    await ledger.load()
    await ledger.record(Claim(SITE.id, CoverageSource.LIVE, Span(START_US, END_US)))
    for signal in chosen:
        await ledger.record(Claim(SITE.id, CoverageSource.HOUR, Span(ORIGIN_US, START_US), (signal.entity.key,)))
    await ledger.close()
    await state.put_document(f"rolled_until:{SITE.id}", {"ts_us": END_US})
