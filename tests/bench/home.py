"""A real Home Assistant inside this process, with entities whose states the benches change.

In:   an empty folder for its configuration.
Out:  HomeAssistant, started as its own runner starts it, without recorder unless one is configured; lists of state
      changes; what firing them costs.
"""

import asyncio
import gc
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from homeassistant.bootstrap import async_setup_hass
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry
from homeassistant.runner import RuntimeConfig

from tests.bench.server import free_port

ENERGY_ENTITIES = 60
OTHER_ENTITIES = 140
CHANGES_PER_TURN = 20
CHANGES_PER_SMALL_BATCH = 10
WARM_UP_CHANGES = 200
LOOPS_PER_SMALL_BATCH = 4
"""Turns of the event loop that sending a small Batch may take before the next one begins."""
# they say that ffmpeg and libturbojpeg are missing, and that nothing is installed by pip: so it shall be
SILENCED = ("haffmpeg.core", "homeassistant.components.camera.img_util", "homeassistant.bootstrap")
CONFIGURATION = """\
homeassistant:
  name: Bench
  unit_system: metric
  time_zone: Europe/Amsterdam
  currency: EUR
  country: NL
"""

type Change = tuple[str, str, Mapping[str, object]]
type Drain = Callable[[], Awaitable[None]]


class HomeFailedError(RuntimeError):
    """Home Assistant did not start."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU per state change: of the event loop's thread, and of all threads."""

    loop_us: float
    cpu_us: float


def _write_configuration(folder: Path, more: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text(CONFIGURATION + more)
    (folder / ".storage").mkdir(exist_ok=True)
    # a port in YAML would be taken for a trial
    http = {
        "server_host": ["127.0.0.1"],
        "server_port": free_port(),
        "cors_allowed_origins": ["https://cast.home-assistant.io"],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": "2026-01-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    document = {
        "version": 2,
        "minor_version": 2,
        "key": "http",
        "data": {"stable": http, "pending": None, "yaml_migration_done": True},
    }
    (folder / ".storage" / "http").write_text(json.dumps(document))


async def start(folder: Path, more: str = "") -> HomeAssistant:
    """Start Home Assistant in the folder, with more lines in its configuration."""
    _write_configuration(folder, more)
    for name in SILENCED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    hass = await async_setup_hass(RuntimeConfig(config_dir=str(folder), skip_pip=True))
    if hass is None:
        raise HomeFailedError
    await hass.async_start()
    await hass.async_block_till_done()
    return hass


def _energy(number: int) -> tuple[str, Mapping[str, object]]:
    kind, unit, state_class = [
        ("power", "W", "measurement"),
        ("power", "W", "measurement"),
        ("energy", "kWh", "total_increasing"),
    ][number % 3]
    return f"bench_{kind}_{number}", {
        "state_class": state_class,
        "unit_of_measurement": unit,
        "device_class": kind,
        "friendly_name": f"Bench {kind} {number}",
    }


def _other(number: int) -> tuple[str, Mapping[str, object]]:
    name = f"bench_other_{number}"
    if number % 2:
        return f"binary_sensor.{name}", {"device_class": "motion", "friendly_name": f"Motion {number}"}
    return f"sensor.{name}", {
        "state_class": "measurement",
        "unit_of_measurement": "%",
        "device_class": "humidity",
        "friendly_name": f"Humidity {number}",
    }


def energy_entities(hass: HomeAssistant) -> list[tuple[str, Mapping[str, object]]]:
    """Register the energy entities, and give each a first state."""
    registry = entity_registry.async_get(hass)
    made = []
    for number in range(ENERGY_ENTITIES):
        name, attributes = _energy(number)
        entry = registry.async_get_or_create(
            "sensor",
            "bench",
            name,
            suggested_object_id=name,
            original_name=str(attributes["friendly_name"]),
            original_device_class=str(attributes["device_class"]),
            unit_of_measurement=str(attributes["unit_of_measurement"]),
            capabilities={"state_class": attributes["state_class"]},
        )
        hass.states.async_set(entry.entity_id, "0", attributes)
        made.append((entry.entity_id, attributes))
    return made


def other_entities(hass: HomeAssistant) -> list[tuple[str, Mapping[str, object]]]:
    """Give each of the other entities a first state."""
    made = [_other(number) for number in range(OTHER_ENTITIES)]
    for entity_id, attributes in made:
        hass.states.async_set(entity_id, "0", attributes)
    return made


class Changes:
    """Makes lists of state changes in which every state is new: meters grow, the others vary."""

    def __init__(self, entities: Sequence[tuple[str, Mapping[str, object]]]) -> None:
        """Start all meters at 1,000."""
        self._entities = entities
        self._made = 0
        self._rng = random.Random(20261121)  # noqa: S311 made up readings

    def take(self, count: int) -> list[Change]:
        """Return the next changes, the entities taking turns."""
        changes = []
        for number in range(self._made, self._made + count):
            entity_id, attributes = self._entities[number % len(self._entities)]
            changes.append((entity_id, self._state(attributes, number // len(self._entities)), attributes))
        self._made += count
        return changes

    def _state(self, attributes: Mapping[str, object], turn: int) -> str:
        if attributes.get("state_class") == "total_increasing":
            return f"{1000 + turn * 0.003:.3f}"
        if attributes.get("device_class") == "motion":
            return "on" if turn % 2 else "off"
        # the last digit makes sure that the state differs from the one before
        return f"{self._rng.randrange(1, 4_000)}.{turn % 10}"


async def fire(hass: HomeAssistant, changes: Sequence[Change]) -> None:
    """Set the states as fast as possible, letting the loop do its other work every few of them."""
    for first in range(0, len(changes), CHANGES_PER_TURN):
        for entity_id, state, attributes in changes[first : first + CHANGES_PER_TURN]:
            hass.states.async_set(entity_id, state, attributes)
        await asyncio.sleep(0)


async def fire_few(hass: HomeAssistant, changes: Sequence[Change], after_few: Callable[[], None]) -> None:
    """Set the states as `fire` does, but as many at a time as one Batch has at 100 events/s."""
    for first in range(0, len(changes), CHANGES_PER_SMALL_BATCH):
        for entity_id, state, attributes in changes[first : first + CHANGES_PER_SMALL_BATCH]:
            hass.states.async_set(entity_id, state, attributes)
        after_few()
        for _ in range(LOOPS_PER_SMALL_BATCH):
            await asyncio.sleep(0)


async def loop_us(hass: HomeAssistant, changes: Sequence[Change]) -> float:
    """Return what firing changes that nobody wants costs the event loop, each; the first ones only warm the caches."""
    await fire(hass, changes[:WARM_UP_CHANGES])
    changes = changes[WARM_UP_CHANGES:]
    before_ns = time.thread_time_ns()
    await fire(hass, changes)
    return (time.thread_time_ns() - before_ns) / len(changes) / 1e3


async def cost(fired: Awaitable[None], drain: Drain, count: int) -> Cost:
    """Return what firing `count` changes costs, everything that they set in motion included.

    The garbage of the changes is part of it; what was there before is kept out of the collector's sight, or one pass
    over all of Home Assistant (0.3 s), in this turn or in another one, would decide the figure.
    """
    gc.collect()
    gc.freeze()
    loop_ns, cpu_ns = time.thread_time_ns(), time.process_time_ns()
    await fired
    await drain()
    loop_ns, cpu_ns = time.thread_time_ns() - loop_ns, time.process_time_ns() - cpu_ns
    gc.unfreeze()
    return Cost(loop_ns / count / 1e3, cpu_ns / count / 1e3)
