"""Which spans came late, from one run of the server to the next."""

import pytest

from energy_server.ledger import late as module
from energy_server.ledger.late import Late
from energy_server.model.coverage import Span
from energy_server.model.site import Site
from energy_server.store.port import StateStore
from tests.server.ledger.ledgers import SITE

HOME = Site(SITE, "Home", "Europe/Amsterdam", "EUR", "NL", "2026.10.4", "0.1.0")


@pytest.fixture
async def late(state: StateStore) -> Late:
    await state.save_site(HOME)
    return Late(state)


def known(late: Late) -> list[tuple[int, int]]:
    return [(span.since_us, span.until_us) for span in late.spans(SITE, 0, 10_000)]


async def test_late_spans_outlast_a_restart_as_few_rows(late: Late, state: StateStore) -> None:
    await late.take(SITE, [Span(100, 110)], [])
    await late.take(SITE, [Span(110, 120)], [Span(120, 130)])
    await late.take(SITE, [Span(300, 310)], [])
    assert known(late) == [(100, 120), (300, 310)]
    again = Late(state)
    await again.load()
    assert known(again) == known(late)
    assert again.spans(SITE, 115, 305) == [Span(115, 120), Span(300, 305)]
    assert again.spans("another", 0, 10_000) == []


async def test_what_is_lived_through_again_and_comes_in_time_is_late_no_longer(late: Late) -> None:
    await late.take(SITE, [Span(100, 200)], [])
    await late.take(SITE, [], [Span(150, 160), Span(400, 410)])
    assert known(late) == [(100, 150), (160, 200)]


async def test_beyond_the_bound_the_oldest_are_forgotten(late: Late, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SPANS", 3)
    for number in range(5):
        await late.take(SITE, [Span(number * 10, number * 10 + 5)], [])
    assert known(late) == [(20, 25), (30, 35), (40, 45)]
