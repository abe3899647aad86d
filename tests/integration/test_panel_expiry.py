"""A panel session that is over lets nobody in, whoever has its cookie."""

import pytest
from homeassistant.core import HomeAssistant

from custom_components.energy_dashboard import panel
from custom_components.energy_dashboard.sessions import SESSION_S
from tests.integration.home import MockConfigEntry
from tests.integration.panel import HTTP_OF_HOME_ASSISTANT, browser_of
from tests.integration.test_panel import GetClient, Pages, add, pages

pytestmark = HTTP_OF_HOME_ASSISTANT

__all__ = ["pages"]  # a fixture


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Count the sessions' time by a clock of the test's."""
    clock = Clock()
    monkeypatch.setattr(panel, "monotonic", clock)
    return clock


async def test_the_cookie_of_an_ended_session_opens_nothing_until_it_is_renewed(
    hass: HomeAssistant,
    clock: Clock,
    pages: Pages,
    hass_client_no_auth: GetClient,
) -> None:
    entry: MockConfigEntry = await add(hass, pages.url)
    browser = await browser_of(hass, await hass_client_no_auth(), entry.entry_id, admin=True)
    await browser.open()
    clock.now_s += SESSION_S - 1
    assert (await browser.ask("")).status == 200
    stolen = browser.cookie
    clock.now_s += 1
    assert (await browser.ask("")).status == 401
    assert (await browser.ask("api/live", headers={"Origin": browser.origin})).status == 401
    await browser.open()
    assert (await browser.ask("")).status == 200
    browser.cookie = stolen
    assert (await browser.ask("")).status == 401
