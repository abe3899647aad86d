"""A panel session that is over lets nobody in, whoever has its cookie."""

from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard.sessions import SESSION_S
from tests.integration.home import MockConfigEntry
from tests.integration.panel import HTTP_OF_HOME_ASSISTANT, Clock, browser_of, sessions_clock
from tests.integration.test_panel import GetClient, Pages, add, pages

pytestmark = HTTP_OF_HOME_ASSISTANT

__all__ = ["pages", "sessions_clock"]  # fixtures


async def test_the_cookie_of_an_ended_session_opens_nothing_until_it_is_renewed(
    hass: HomeAssistant,
    sessions_clock: Clock,
    pages: Pages,
    hass_client_no_auth: GetClient,
) -> None:
    entry: MockConfigEntry = await add(hass, pages.url)
    browser = await browser_of(hass, await hass_client_no_auth(), entry.entry_id, admin=True)
    await browser.open()
    sessions_clock.now_s += SESSION_S - 1
    assert (await browser.ask("")).status == 200
    stolen = browser.cookie
    sessions_clock.now_s += 1
    assert (await browser.ask("")).status == 401
    assert (await browser.ask("api/live", headers={"Origin": browser.origin})).status == 401
    await browser.open()
    assert (await browser.ask("")).status == 200
    browser.cookie = stolen
    assert (await browser.ask("")).status == 401
