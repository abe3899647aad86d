"""Configure the demo's Home Assistant, step by step; each step looks first whether it is done.

In:   a running Home Assistant and who its user is.
Out:  the simulated home, its history, the Energy settings and this integration in it. A run that was cut short is
      taken up where it stopped. Fails with `HomeAssistantError`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

from .energy_settings import MONEY, energy_settings
from .ha import Connection, HomeAssistantError, Installation, User, log_in, onboard, onboarded, until
from .server import Server
from .simulated_home import history
from .simulated_home.const import DOMAIN as SIMULATED_HOME
from .simulated_home.history import HOUR_S, Hours, Series
from .simulated_home.model import House
from .simulated_home.sensors import SENSORS, Counter, Sensor, is_offline, shown

INTEGRATION = "energy_dashboard"
HISTORY_DAYS = 396
FAILED = ("setup_error", "migration_error", "failed_unload")


class Report(Protocol):
    """How a step says how far it is, 0 to 1."""

    def __call__(self, share: float) -> None:
        """Show it."""


async def ensure_user(installation: Installation, user: User) -> str:
    """Create the owner unless it exists; return an access token."""
    if not await onboarded(installation):
        await onboard(installation, user)
    tokens = await log_in(installation, user)
    token: str = tokens["access_token"]
    return token


async def ensure_home(connection: Connection, seed: int, epoch_day: int) -> None:
    """Set the simulated home up unless it is."""
    if not await connection.entries(SIMULATED_HOME):
        await connection.flow(SIMULATED_HOME, {"seed": seed, "epoch_day": epoch_day})
    await until(lambda: loaded(connection, SIMULATED_HOME), "the simulated home")


async def loaded(connection: Connection, domain: str) -> bool | None:
    """Return True when the integration's only entry is set up; raises HomeAssistantError when it failed for good."""
    (entry,) = await connection.entries(domain)
    if entry["state"] in FAILED:
        raise HomeAssistantError(f"{domain} did not start: {entry['reason']}")
    return True if entry["state"] == "loaded" else None


def history_begin_s(begun_s: int, days: int = HISTORY_DAYS) -> int:
    """Return the full hour at which the history of a home that was set up at `begun_s` begins."""
    return begun_s // HOUR_S * HOUR_S - days * 24 * HOUR_S


async def _first_states(
    connection: Connection, entity_ids: Sequence[str], begun_s: int
) -> dict[str, list[dict[str, Any]]]:
    """Return the first states of these entities, each with `s` (state) and `lu` (epoch seconds), from the recorder."""

    async def look() -> dict[str, list[dict[str, Any]]] | None:
        states: dict[str, list[dict[str, Any]]] = await connection.command(
            "history/history_during_period",
            start_time=datetime.fromtimestamp(begun_s, UTC).isoformat(),
            end_time=datetime.now(UTC).isoformat(),
            entity_ids=list(entity_ids),
            include_start_time_state=False,
            significant_changes_only=False,
            minimal_response=True,
            no_attributes=True,
        )
        return states if len(states) == len(entity_ids) else None

    return await until(look, "the first states of the simulated home in Home Assistant's recorder")


def _numbers(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["s"] not in {"unavailable", "unknown"}]


def _first(house: House, sensor: Sensor, rows: Sequence[dict[str, Any]]) -> float:
    """Return the first number among the states; for a device that is offline, what it will show first."""
    if numbers := _numbers(rows):
        return float(numbers[0]["s"])
    at_s = int(rows[0]["lu"])
    while is_offline(sensor, at_s):
        at_s += 1
    house.prepare(at_s)
    value = shown(house, sensor, at_s)
    if value is None:
        raise HomeAssistantError(f"{sensor.entity_id} shows nothing")
    return value


async def has_history(connection: Connection, begun_s: int, days: int = HISTORY_DAYS) -> bool:
    """Say whether all sensors have their history."""
    wanted = [*(sensor.entity_id for sensor in SENSORS), *(money.entity_id for money in MONEY)]
    return not await _missing(connection, wanted, history_begin_s(begun_s, days))


async def ensure_history(
    connection: Connection,
    house: House,
    begun_s: int,
    computed: Sequence[Hours],
    report: Report,
    days: int = HISTORY_DAYS,
) -> None:
    """Import the hourly statistics of all sensors that lack them.

    `computed`: the model's days, from the one before the history begins until today.
    """
    first_s = history_begin_s(begun_s, days)
    counters = [sensor.entity_id for sensor in SENSORS if isinstance(sensor.source, Counter)]
    states = await _first_states(connection, counters, begun_s)
    seen_s = int(min(rows[0]["lu"] for rows in states.values()))
    costs = await _first_states(connection, [money.entity_id for money in MONEY], begun_s)
    makers: Mapping[str, Callable[[], Series]] = {
        sensor.entity_id: partial(
            history.series,
            house,
            sensor,
            computed,
            first_s,
            seen_s // HOUR_S * HOUR_S,
            _first(house, sensor, states[sensor.entity_id]) if sensor.entity_id in states else None,
        )
        for sensor in SENSORS
    } | {
        money.entity_id: partial(
            history.money_series, house, money, computed, first_s, int(_numbers(costs[money.entity_id])[0]["lu"])
        )
        for money in MONEY
    }
    missing = await _missing(connection, list(makers), first_s)
    for place, entity_id in enumerate(missing):
        report(place / len(missing))
        series = makers[entity_id]()
        await connection.command(f"{SIMULATED_HOME}/import_history", metadata=series.metadata, stats=series.rows)
    report(1.0)


async def _missing(connection: Connection, entity_ids: Sequence[str], first_s: int) -> list[str]:
    """Return those that have no statistics of the history's first hour; each series is imported whole."""
    start = datetime.fromtimestamp(first_s, UTC)
    found = await connection.command(
        "recorder/statistics_during_period",
        start_time=start.isoformat(),
        end_time=(start + timedelta(hours=1)).isoformat(),
        statistic_ids=list(entity_ids),
        period="hour",
        types=["state", "mean"],
    )
    return [entity_id for entity_id in entity_ids if entity_id not in found]


async def ensure_energy_settings(connection: Connection) -> None:
    """Save Home Assistant's Energy settings unless there are some."""
    try:
        known = await connection.command("energy/get_prefs")
    except HomeAssistantError:  # "No prefs": the answer of a Home Assistant that has none yet
        known = {}
    if not known.get("energy_sources"):
        await connection.command("energy/save_prefs", **energy_settings())


async def until_valid(connection: Connection) -> None:
    """Have the Energy settings checked; they want statistics of everything that they name."""
    await until(lambda: _valid(connection), "Home Assistant to find the Energy settings valid")


async def _valid(connection: Connection) -> bool | None:
    """Return True when there is nothing to complain of, apart from the device that is offline for an hour each day."""
    found = await connection.command("energy/validate")
    issues = [issue for part in found.values() for source in part for issue in source]
    now_s = int(datetime.now(UTC).timestamp())
    offline = {sensor.entity_id for sensor in SENSORS if is_offline(sensor, now_s)}
    serious = [issue for issue in issues if not {entity for entity, _ in issue["affected_entities"]} <= offline]
    return None if serious else True


async def ensure_integration(connection: Connection, url: str, token: str) -> None:
    """Set this integration up, or point it at the server's present address and token."""
    settings = {"url": url, "token": token}
    entries = await connection.entries(INTEGRATION)
    if entries:
        result = await connection.flow(INTEGRATION, settings, entry_id=entries[0]["entry_id"])
        if result.get("reason") == "wrong_server":  # its data was deleted since: begin anew
            await connection.delete(f"/api/config/config_entries/entry/{entries[0]['entry_id']}")
            entries = []
    if not entries:
        await connection.flow(INTEGRATION, settings)
    await until(lambda: loaded(connection, INTEGRATION), "the integration")


async def until_heard(server: Server, patience_s: float = 60.0) -> None:
    """Wait until the server has a reading of the home's."""
    begun_us = int(datetime.now(UTC).timestamp() * 1e6)

    async def look() -> bool | None:
        links = [site["link"] for site in (await server.status())["sites"]]
        return True if any(link["connected"] and (link["last_reading_us"] or 0) > begun_us for link in links) else None

    await until(look, "a reading to arrive at the server", patience_s)
