"""Set the simulated home up: one step."""

from typing import Any

import probatio as vol
from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.util import dt as dt_util

from .const import CONF_EPOCH_DAY, CONF_SEED, DEFAULT_SEED, DOMAIN
from .model import day_number


class SimulatedHomeFlow(ConfigFlow, domain=DOMAIN):
    """Ask for the seed, and the day from which the meters count."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the form, or create the entry."""
        if user_input is not None:
            return self.async_create_entry(title="Simulated home", data=user_input)
        today = day_number(int(dt_util.utcnow().timestamp()))
        schema = vol.Schema(
            {
                vol.Required(CONF_SEED, default=DEFAULT_SEED): vol.All(int, vol.Range(min=0)),
                vol.Required(CONF_EPOCH_DAY, default=today): vol.All(int, vol.Range(min=0)),
            }
        )
        return self.async_show_form(step_id="user", data_schema=schema)
