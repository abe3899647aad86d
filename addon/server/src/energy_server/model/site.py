"""The Site: one Home Assistant instance."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """One Home Assistant instance, identified by its instance id."""

    id: str
    name: str
    time_zone: str
    currency: str | None
    country: str | None
    ha_version: str
    integration_version: str
