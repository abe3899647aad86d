"""What must survive a restart of Home Assistant is written, also while it keeps changing."""

import asyncio
from typing import Any

import pytest
from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard import memory
from custom_components.energy_dashboard.const import DOMAIN
from custom_components.energy_dashboard.pipeline.spans import Span


async def test_what_is_to_be_remembered_is_written_although_more_changes(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SAVE_DELAY_S", 0.2)
    kept = memory.Memory(hass, "one")
    kept.unfinished = lambda: memory.Unfinished(pending=["sensor.power"], blind=[Span(1, 2)])
    async with asyncio.timeout(30):
        while f"{DOMAIN}.one" not in hass_storage:
            kept.save()
            await asyncio.sleep(0.05)  # less than what it waits for
    assert hass_storage[f"{DOMAIN}.one"]["data"]["pending"] == ["sensor.power"]
    await kept.save_now()
    assert await memory.Memory(hass, "one").load() == kept.unfinished()
