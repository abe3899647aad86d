"""The reference home with 40 devices: its circuits are devices, too.

In:   the reference year.
Out:  a data folder for a server, gone when the context ends: the readings and Statistics are those of the reference
      year, the catalog has more roles. Nobody else may use the reference year meanwhile.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from energy_server.model.entity import Entity, Kind, Role, RoleAssignment
from energy_server.store.sqlite import SqliteStateStore
from tests.bench.reference_year.build import START_US, Reference
from tests.bench.reference_year.entities import SITE, Signal

DEVICES = 40
ROLES = {Kind.ENERGY: Role.DEVICE, Kind.POWER: Role.DEVICE_POWER}
ONE_MINUTE_S = 60


def with_devices(signals: Sequence[Signal]) -> list[Entity]:
    """Return the catalog in which so many Entities are devices: those that are, then others that report as often."""
    entities = []
    devices = 0
    for signal in signals:
        one = signal.entity
        if signal.interval_s == ONE_MINUTE_S and one.kind in ROLES and devices < DEVICES:
            devices += 1
            one = one.__replace__(roles=(RoleAssignment(ROLES[one.kind], f"device:{devices}", one.name),))
        entities.append(one)
    return entities


@asynccontextmanager
async def many_devices(reference: Reference) -> AsyncIterator[Path]:
    """Make the folder."""
    with tempfile.TemporaryDirectory(prefix="energy-bench-") as folder:
        data_path = Path(folder) / "data"
        data_path.mkdir()
        (data_path / "series").symlink_to(reference.data_path / "series", target_is_directory=True)
        for name in ("state.sqlite", "storage.json"):
            shutil.copy(reference.data_path / name, data_path / name)
        state = SqliteStateStore(data_path / "state.sqlite")
        await state.open()
        await state.save_catalog(SITE.id, with_devices(reference.signals), START_US)
        await state.close()
        yield data_path
