"""Energy Dashboard: every energy reading of this home goes to a server that proves that none is missing.

In:   a config entry.
Out:  the pipeline composed and running, until the entry is unloaded or Home Assistant stops.
"""

from collections import Counter
from random import Random
from typing import Any

from homeassistant.const import CONF_TOKEN, CONF_URL, EVENT_CORE_CONFIG_UPDATE, Platform
from homeassistant.const import __version__ as ha_version
from homeassistant.core import Event, HassJob, HomeAssistant, callback
from homeassistant.helpers import instance_id
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.json import json_bytes
from homeassistant.util.hass_dict import HassKey

from .catalog import CatalogKeeper
from .const import DOMAIN, EARLIEST_US, INTEGRATION_VERSION, OUTBOX_BYTES
from .coordinator import StatusCoordinator
from .data import EnergyDashboardConfigEntry, EnergyDashboardData
from .issues import Issues
from .memory import Memory, Unfinished
from .panel import async_add_panel
from .pipeline.handshake import Server
from .pipeline.link import Link
from .pipeline.listen import Listener
from .pipeline.model import Catalog, Site
from .pipeline.outbox import Outbox
from .pipeline.reconcile import Reconcile
from .pipeline.recorder import Recorder
from .pipeline.watch import RecorderWatch

KEPT: HassKey[dict[str, Outbox]] = HassKey(f"{DOMAIN}_kept")
"""What was not acknowledged when an entry was unloaded: a new token or address makes the next set-up deliver it."""

PLATFORMS = [Platform.BINARY_SENSOR, Platform.SENSOR]


def site_of(hass: HomeAssistant, site_id: str) -> Site:
    """Return this Home Assistant as the server should know it."""
    return Site(
        id=site_id,
        name=hass.config.location_name,
        time_zone=hass.config.time_zone,
        currency=hass.config.currency,
        country=hass.config.country,
        ha_version=ha_version,
    )


async def async_setup_entry(hass: HomeAssistant, entry: EnergyDashboardConfigEntry) -> bool:
    """Begin to listen, whether the server is there or not: what it misses waits in the outbox."""
    data = await _compose(hass, entry)
    entry.runtime_data = data
    entry.async_on_unload(lambda: _listen_no_more(data))  # also when the rest of the set-up fails
    data.watch.start()
    data.listener.start()
    await data.keeper.start()
    data.link.start()
    entry.async_on_unload(hass.async_add_shutdown_job(HassJob(_stop, f"{DOMAIN} stop"), data))

    @callback
    def present_again(_event: Event[Any]) -> None:
        data.keeper.settings_changed()
        entry.async_create_background_task(hass, data.link.renew(), f"{DOMAIN} renew")

    entry.async_on_unload(hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, present_again))
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    if (remove_panel := await async_add_panel(hass, entry)) is not None:
        entry.async_on_unload(remove_panel)
    return True


async def _compose(hass: HomeAssistant, entry: EnergyDashboardConfigEntry) -> EnergyDashboardData:
    """Wire the stages of the pipeline together."""
    memory = Memory(hass, entry.entry_id)
    before = await memory.load()
    recorder = Recorder(hass)

    @callback
    def on_recorder() -> None:
        memory.save()
        reconcile.recorder_changed()

    kept = hass.data.setdefault(KEPT, {}).pop(entry.entry_id, None)
    watch = RecorderWatch(hass, recorder, before.blind, before.began, restarted=kept is None, on_change=on_recorder)
    skipped: Counter[str] = Counter()
    reconcile = Reconcile(hass, recorder, watch, before.pending, before.misfits, skipped, on_change=memory.save)
    memory.unfinished = lambda: Unfinished(
        reconcile.pending, sorted(reconcile.imports.misfits), watch.blind(), watch.really_began_us()
    )
    outbox = Outbox(json_bytes, OUTBOX_BYTES, EARLIEST_US) if kept is None else kept
    issues = Issues(hass, entry.entry_id, entry.data[CONF_URL])
    site_id = await instance_id.async_get(hass)
    was_connected = False

    @callback
    def on_sealed(stepped: bool) -> None:  # noqa: FBT001 the callback's only argument
        if stepped:
            link.clock_set()
        link.wake()

    @callback
    def on_catalog(catalog: Catalog) -> None:
        listener.install(catalog, hass.config.currency)

    @callback
    def on_status() -> None:
        nonlocal was_connected
        if link.status.connected != was_connected:
            was_connected = link.status.connected
            listener.connection_changed(connected=was_connected)
        issues.follow(link.status.problem)
        if link.status.problem is not None and link.status.problem.code == "invalid_auth":
            entry.async_start_reauth(hass)
        coordinator.async_set_updated_data(coordinator.snapshot())

    last_rev = 0 if outbox.catalog is None else outbox.catalog.rev
    keeper = CatalogKeeper(hass, memory, recorder, on_catalog, last_rev)
    listener = Listener(hass, outbox, on_sealed=on_sealed, on_new_entity=keeper.entity_appeared, skipped=skipped)
    link = Link(
        session=async_get_clientsession(hass),
        server=Server(entry.data[CONF_URL], entry.data[CONF_TOKEN]),
        site=lambda: site_of(hass, site_id),
        version=INTEGRATION_VERSION,
        outbox=outbox,
        reconciler=reconcile,
        spawn=lambda job: entry.async_create_background_task(hass, job, f"{DOMAIN} link"),
        on_status=on_status,
        random=Random(),  # noqa: S311 only spreads attempts in time
    )
    coordinator = StatusCoordinator(hass, entry, outbox, listener, link.status, reconcile)
    entry.async_on_unload(issues.clear)
    return EnergyDashboardData(memory, keeper, listener, outbox, link, watch, reconcile, coordinator)


@callback
def _listen_no_more(data: EnergyDashboardData) -> None:
    """Take nothing in any more; it does no harm to say so twice."""
    data.keeper.stop()
    data.listener.stop()
    data.watch.stop()


async def _stop(data: EnergyDashboardData) -> None:
    """Stop listening, deliver what was heard, and say goodbye."""
    _listen_no_more(data)
    await data.link.close()
    await data.memory.save_now()


async def async_unload_entry(hass: HomeAssistant, entry: EnergyDashboardConfigEntry) -> bool:
    """Leave nothing running."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    await _stop(entry.runtime_data)
    if len(entry.runtime_data.outbox):
        hass.data[KEPT][entry.entry_id] = entry.runtime_data.outbox
    return True


async def async_remove_entry(hass: HomeAssistant, entry: EnergyDashboardConfigEntry) -> None:
    """Forget what was stored of the entry."""
    hass.data.get(KEPT, {}).pop(entry.entry_id, None)
    await Memory(hass, entry.entry_id).remove()
