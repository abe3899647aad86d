"""Replay a recording: a CSV's states, each through Home Assistant's event bus at its own instant.

In:   the action `simulated_home.replay`; a CSV with the columns `timestamp,value` (or `last_updated,state`), perhaps
      with `last_reset`.
Out:  one `state_changed` event for each row, `last_updated` being the row's instant to the microsecond; the answer
      says how many. Fails with ServiceValidationError for a file that cannot be read, before anything is set.
"""

import asyncio
import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import probatio as vol
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv

from .const import DOMAIN

SERVICE_REPLAY = "replay"
TIME_COLUMNS = ("timestamp", "last_updated")
VALUE_COLUMNS = ("value", "state")
# After so many rows the rest of Home Assistant has its turn.
ROWS_AT_ONCE = 100
SCHEMA = vol.Schema(
    {
        vol.Required("path"): cv.string,
        vol.Required("entity_id"): cv.entity_id,
        vol.Optional("attributes", default=dict): dict,
        vol.Optional("speed", default=0.0): vol.All(vol.Coerce(float), vol.Range(min=0)),
        vol.Optional("announce", default=False): cv.boolean,
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """One state of the recording."""

    at: datetime
    state: str
    last_reset: str | None


def read(path: Path) -> list[Row]:
    """Read a recording. Raises ValueError (what is wrong with it) and OSError."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or []
        times = next((name for name in TIME_COLUMNS if name in columns), None)
        values = next((name for name in VALUE_COLUMNS if name in columns), None)
        if times is None or values is None:
            raise ValueError(f"its columns must be timestamp,value or last_updated,state, not {','.join(columns)}")
        rows = [Row(_instant(line[times]), line[values], line.get("last_reset") or None) for line in reader]
    if not rows:
        raise ValueError("it has no rows")
    return rows


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def register(hass: HomeAssistant) -> None:
    """Register the action."""

    async def replay(call: ServiceCall) -> ServiceResponse:
        path: str = call.data["path"]
        try:
            rows = await hass.async_add_executor_job(read, Path(path))
        except (OSError, ValueError) as err:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="unreadable",
                translation_placeholders={"path": path, "reason": str(err)},
            ) from err
        if call.data["announce"]:
            hass.states.async_set(call.data["entity_id"], STATE_UNKNOWN, call.data["attributes"])
            return {"states": 0}
        await _play(hass, rows, call.data["entity_id"], call.data["attributes"], call.data["speed"])
        return {"states": len(rows), "first": rows[0].at.isoformat(), "last": rows[-1].at.isoformat()}

    hass.services.async_register(DOMAIN, SERVICE_REPLAY, replay, SCHEMA, supports_response=SupportsResponse.OPTIONAL)


async def _play(hass: HomeAssistant, rows: list[Row], entity_id: str, attributes: dict[str, Any], speed: float) -> None:
    """Set the states; `force_update`, because the recording has a row only where there was an event."""
    started_s = hass.loop.time()
    for place, row in enumerate(rows):
        if speed:
            due_s = started_s + (row.at - rows[0].at).total_seconds() / speed
            await asyncio.sleep(max(due_s - hass.loop.time(), 0.0))
        elif place % ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
        told = attributes if row.last_reset is None else {**attributes, "last_reset": row.last_reset}
        hass.states.async_set(entity_id, row.state, told, force_update=True, timestamp=row.at.timestamp())
