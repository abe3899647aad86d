"""Write a sensor's hourly statistics into Home Assistant's recorder, in one go.

In:   the WebSocket command `simulated_home/import_history`: metadata and stats as `recorder/import_statistics` takes
      them.
Out:  the statistics, written by the recorder's own thread; the answer comes when they are. Fails with
      HomeAssistantError.

`recorder/import_statistics` does the same, but looks for each row before it writes it: 5 s for a year of hours, and
the demo has 38 sensors. Here the history of a sensor is new, so its rows are written as one insert, by the same
tables.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import probatio as vol
from homeassistant.components import websocket_api
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.db_schema import Statistics
from homeassistant.components.recorder.models import StatisticMeanType, StatisticMetaData
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import async_response, require_admin, websocket_command
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import get_instance, session_scope
from sqlalchemy import delete, insert
from sqlalchemy.exc import SQLAlchemyError

from .const import DOMAIN

COMMAND = f"{DOMAIN}/import_history"
COLUMNS = ("state", "sum", "mean", "min", "max")


@dataclass(slots=True)
class WriteTask(RecorderTask):
    """The part that runs in the recorder's thread."""

    metadata: StatisticMetaData
    rows: list[dict[str, Any]]
    done: asyncio.Future[None]

    def run(self, instance: Recorder) -> None:
        """Write the rows instead of those that the series has at these hours."""
        error: SQLAlchemyError | None = None
        try:
            self._write(instance)
        except SQLAlchemyError as err:
            error = err
        instance.hass.loop.call_soon_threadsafe(self._tell, error)

    def _write(self, instance: Recorder) -> None:
        series = instance.statistics_meta_manager
        with session_scope(session=instance.get_session()) as session:
            known = series.get_many(session, statistic_ids={self.metadata["statistic_id"]})
            _, metadata_id = series.update_or_add(session, self.metadata, known)
            last = max(row["start_ts"] for row in self.rows)
            session.execute(
                delete(Statistics).where(Statistics.metadata_id == metadata_id, Statistics.start_ts <= last)
            )
            session.execute(insert(Statistics), [{**row, "metadata_id": metadata_id} for row in self.rows])

    def _tell(self, error: SQLAlchemyError | None) -> None:
        if self.done.done():  # nobody waits any more
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(HomeAssistantError(f"The history could not be written: {error}"))


@websocket_command({vol.Required("type"): COMMAND, vol.Required("metadata"): dict, vol.Required("stats"): [dict]})
@require_admin
@async_response
async def import_history(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Write one sensor's history."""
    given = message["metadata"]
    metadata = StatisticMetaData(
        has_sum=given["has_sum"],
        mean_type=StatisticMeanType(given["mean_type"]),
        name=given["name"],
        source=given["source"],
        statistic_id=given["statistic_id"],
        unit_class=given["unit_class"],
        unit_of_measurement=given["unit_of_measurement"],
    )
    done: asyncio.Future[None] = hass.loop.create_future()
    get_instance(hass).queue_task(WriteTask(metadata, [_row(row) for row in message["stats"]], done))
    await done
    connection.send_result(message["id"])


def register(hass: HomeAssistant) -> None:
    """Register the command."""
    websocket_api.async_register_command(hass, import_history)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    start_ts = datetime.fromisoformat(row["start"]).timestamp()
    return {"start_ts": start_ts, "created_ts": time.time(), **{column: row.get(column) for column in COLUMNS}}
