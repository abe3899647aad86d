"""Have Home Assistant's recorder sum up a time that has passed, as it would have then.

In:   the WebSocket command `simulated_home/compile_statistics`: a span, and the entities that are summed up anew.
Out:  the statistics of every 5 minutes and hour of the span, made by the recorder's own tasks, one after the other; the
      answer comes when they are. Periods that the recorder has summed up before stay as they are.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import probatio as vol
from homeassistant.components import websocket_api
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.tasks import RecorderTask, StatisticsTask
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import async_response, require_admin, websocket_command
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance

from .const import DOMAIN

COMMAND = f"{DOMAIN}/compile_statistics"
PERIOD = timedelta(minutes=5)


@dataclass(slots=True)
class DoneTask(RecorderTask):
    """The end of the queue: whatever was asked for before has been done."""

    done: asyncio.Future[None]

    def run(self, instance: Recorder) -> None:
        """Tell."""
        instance.hass.loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


@websocket_command(
    {
        vol.Required("type"): COMMAND,
        vol.Required("start"): str,
        vol.Required("end"): str,
        vol.Required("statistic_ids"): [str],
    }
)
@require_admin
@async_response
async def compile_statistics(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Sum up a span."""
    recorder = get_instance(hass)
    start, end = datetime.fromisoformat(message["start"]), datetime.fromisoformat(message["end"])
    # The present may have been summed up while their past was being recorded: it would count as what was before.
    recorder.async_clear_statistics(message["statistic_ids"])
    while start < end:
        recorder.queue_task(StatisticsTask(start, fire_events=False))
        start += PERIOD
    done: asyncio.Future[None] = hass.loop.create_future()
    recorder.queue_task(DoneTask(done))
    await done
    connection.send_result(message["id"])


def register(hass: HomeAssistant) -> None:
    """Register the command."""
    websocket_api.async_register_command(hass, compile_statistics)
