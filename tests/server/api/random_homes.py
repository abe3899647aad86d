"""Homes whose Statistics change at random, on a real store: rollups, Gaps, imported hours, roles.

In:   a seed.
Out:  `RandomHome.happen`, one change after the other, each told to whoever keeps energy, as the server tells it.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from energy_server.energy.periods import to_us
from energy_server.model.entity import Entity, Role
from energy_server.model.statistic import FIVE_MINUTES_US, HOUR_US, Level, Provenance, Source, StatisticColumns
from energy_server.rollup.accumulate import hours
from energy_server.store.port import SeriesStore
from tests.server.homes import METERS, meter

FIRST_US = to_us(datetime(2026, 3, 24, tzinfo=UTC))
"""Some days before the clocks go forward in Europe."""
HOURS = 10 * 24
PARTS = 12

type Told = Callable[[str, int, int], None]


def columns(
    key: str, start_us: np.ndarray, change: np.ndarray, covered_s: np.ndarray, provenance: np.ndarray
) -> StatisticColumns:
    """Return the Statistics of one Entity."""
    unknown = np.full(len(start_us), np.nan)
    return StatisticColumns(
        keys=[key],
        place=np.zeros(len(start_us), np.int32),
        start_us=start_us.astype(np.int64),
        mean=unknown,
        minimum=unknown,
        maximum=unknown,
        change=change.astype(np.float64),
        last=unknown,
        covered_s=covered_s.astype(np.float64),
        provenance=provenance.astype(np.uint8),
    )


@dataclass(slots=True)
class RandomHome:
    """A home that is never quiet."""

    series: SeriesStore
    told: Sequence[Told]
    chance: random.Random
    entities: list[Entity] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with every meter and two devices, listened to from the beginning."""
        fixed = [meter(role, group, since_us=FIRST_US) for role, group in METERS.items()]
        devices = [meter(Role.DEVICE, f"device:{n}", number=n, since_us=FIRST_US) for n in (1, 2)]
        self.entities = fixed + devices

    async def happen(self) -> None:
        """Let something happen to one Entity."""
        if self.chance.random() < 0.03:
            self.change_roles()
        else:
            await self.happen_to_statistics()

    async def happen_to_statistics(self) -> None:
        """Let something be rolled up or imported."""
        await self.chance.choice((self.roll, self.roll, self.bring))()

    async def fill(self) -> None:
        """Let everything be known of most of the time."""
        for entity in self.entities:
            await self._put_rollup(entity.key, 0, HOURS)
            if self.chance.random() < 0.7:
                await self._put_import(entity.key, 0, HOURS)

    async def roll(self) -> None:
        """Roll up some hours of an Entity, or the last minutes of one."""
        first = self.chance.randrange(HOURS)
        await self._put_rollup(self._key(), first, min(HOURS, first + self.chance.choice((1, 1, 1, 3, 30))))

    async def bring(self) -> None:
        """Import some hours of an Entity."""
        first = self.chance.randrange(HOURS)
        await self._put_import(self._key(), first, min(HOURS, first + self.chance.choice((1, 1, 4, 60))))

    def change_roles(self) -> None:
        """Take the roles of an Entity, or give them back."""
        place = self.chance.randrange(len(self.entities))
        one = self.entities[place]
        self.entities[place] = one.__replace__(until_us=FIRST_US if one.until_us is None else None)

    def span(self) -> tuple[int, int]:
        """Return a span of whole hours."""
        first, last = sorted(self.chance.sample(range(-3, HOURS + 4), 2))
        if self.chance.random() < 0.3:
            first, last = 0, HOURS
        return FIRST_US + first * HOUR_US, FIRST_US + last * HOUR_US

    def _key(self) -> str:
        return self.chance.choice(self.entities).key

    async def _put_rollup(self, key: str, first: int, last: int) -> None:
        change, covered_s, provenance = (np.empty((last - first) * PARTS) for _ in range(3))
        at = 0
        while at < last - first:
            until = min(last - first, at + self.chance.choice((1, 2, 7, 24)))
            part = slice(at * PARTS, until * PARTS)
            amounts = [self.chance.choice((0.0, 0.01, self.chance.random())) for _ in range((until - at) * PARTS)]
            covered, known, amount = self.chance.choices(
                ((300.0, Provenance.MEASURED, 1.0), (0.0, Provenance.INTERPOLATED, 1.0), (300.0, 4, np.nan)), (6, 3, 1)
            )[0]
            change[part], covered_s[part], provenance[part] = np.array(amounts) * amount, covered, known
            at = until
        start_us = FIRST_US + first * HOUR_US + FIVE_MINUTES_US * np.arange(len(change))
        five = columns(key, start_us, change, covered_s, provenance)
        await self.series.put_statistics("home", Level.FIVE_MINUTES, Source.ROLLUP, five)
        await self.series.put_statistics("home", Level.HOUR, Source.ROLLUP, hours(five))
        self._tell(first, last)

    async def _put_import(self, key: str, first: int, last: int) -> None:
        start_us = FIRST_US + HOUR_US * np.arange(first, last)
        change = np.array(
            [self.chance.choices((0.0, np.nan, self.chance.random() * 5), (1, 0.2, 6))[0] for _ in start_us]
        )
        found = columns(
            key, start_us, change, np.full(len(change), 3600.0), np.full(len(change), Provenance.STATISTICS)
        )
        await self.series.put_statistics("home", Level.HOUR, Source.IMPORT, found)
        self._tell(first, last)

    def _tell(self, first: int, last: int) -> None:
        for told in self.told:
            told("home", FIRST_US + first * HOUR_US, FIRST_US + last * HOUR_US)
