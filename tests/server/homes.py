"""A home in the stores: Entities with roles, readings and Statistics that are known to the last digit."""

from collections.abc import Sequence

import numpy as np

from energy_server.api.core import Core
from energy_server.model.coverage import Claim, CoverageSource, Span
from energy_server.model.entity import Entity, Kind, Role, RoleAssignment, StateClass
from energy_server.model.reading import Origin, ReadingBatch
from energy_server.model.site import Site
from energy_server.model.statistic import HOUR_US, Level, Provenance, Source, StatisticColumns

DAY_US = 24 * HOUR_US
START_US = 1_793_487_600_000_000
"""2026-11-01 in Berlin."""

METERS = {
    Role.GRID_IMPORT: "grid:0",
    Role.GRID_EXPORT: "grid:0",
    Role.SOLAR: "solar:0",
    Role.BATTERY_DISCHARGE: "battery:0",
    Role.BATTERY_CHARGE: "battery:0",
    Role.GAS: "gas:0",
    Role.WATER: "water:0",
}
KINDS = {Role.GAS: Kind.GAS, Role.WATER: Kind.WATER}


def site(id_: str = "home") -> Site:
    return Site(id_, "Home", "Europe/Berlin", "EUR", "DE", "2026.10.4", "0.1.0")


def meter(role: Role, group: str, *, home: str = "home", since_us: int = START_US, number: int = 0) -> Entity:
    """Return a counter whose key is its role."""
    key = role.value if number == 0 else f"{role.value}_{number}"
    kind = KINDS.get(role, Kind.ENERGY)
    return Entity(
        site=home,
        key=key,
        entity_id=f"sensor.{key}",
        name=key.replace("_", " "),
        area=None,
        device=None,
        kind=kind,
        unit="kWh" if kind is Kind.ENERGY else "m³",
        state_class=StateClass.TOTAL_INCREASING,
        source="state",
        since_us=since_us,
        roles=(RoleAssignment(role, group),),
    )


def gauge(key: str = "power", *, home: str = "home", since_us: int = START_US) -> Entity:
    """Return a power sensor without a role."""
    return Entity(
        home,
        key,
        f"sensor.{key}",
        "Power",
        "Kitchen",
        "Meter",
        Kind.POWER,
        "W",
        StateClass.MEASUREMENT,
        "state",
        since_us,
    )


def meters(devices: int = 5) -> list[Entity]:
    """Return a home with everything, 12 meters by default."""
    fixed = [meter(role, group) for role, group in METERS.items()]
    return fixed + [meter(Role.DEVICE, f"device:{number}", number=number + 1) for number in range(devices)]


async def settle(core: Core, entities: Sequence[Entity], *, home: str = "home", now_us: int = START_US) -> None:
    """Put a Site and its Entities into the state store."""
    await core.state.save_site(site(home))
    await core.state.save_catalog(home, entities, now_us)


async def read(
    core: Core, key: str, ts_us: Sequence[int], values: Sequence[float | None], *, home: str = "home"
) -> None:
    """Put readings into the store."""
    count = len(ts_us)
    await core.series.append(
        [ReadingBatch(home, Origin.LIVE, [key] * count, list(ts_us), list(values), [None] * count)]
    )


async def roll(
    core: Core,
    key: str,
    level: Level,
    change: Sequence[float] | np.ndarray,
    *,
    start_us: int = START_US,
    source: Source = Source.ROLLUP,
    covered_s: float | None = None,
    home: str = "home",
) -> None:
    """Put consecutive Statistics into the store."""
    count = len(change)
    changes = np.asarray(change, np.float64)
    covered = level.period_us / 1e6 if covered_s is None else covered_s
    known = Provenance.STATISTICS if source is Source.IMPORT else Provenance.MEASURED
    await core.series.put_statistics(
        home,
        level,
        source,
        StatisticColumns(
            keys=[key],
            place=np.zeros(count, np.int32),
            start_us=start_us + np.arange(count, dtype=np.int64) * level.period_us,
            mean=np.full(count, np.nan),
            minimum=np.full(count, np.nan),
            maximum=np.full(count, np.nan),
            change=changes,
            last=np.cumsum(changes),
            covered_s=np.full(count, covered),
            provenance=np.full(count, known, np.uint8),
        ),
    )


async def cover(
    core: Core, since_us: int, until_us: int, source: CoverageSource, *keys: str, home: str = "home"
) -> None:
    """Record Coverage, of all Entities where none is named."""
    await core.ledger.record(Claim(home, source, Span(since_us, until_us), tuple(keys) or None))
