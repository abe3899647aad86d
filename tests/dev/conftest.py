"""A house that the tests of a session share: computing a day takes a third of a second."""

import pytest

from dev.simulated_home.model import House, day_number
from tests.dev.days import FIRST_S, LAST_S, SEED


@pytest.fixture(scope="session")
def house() -> House:
    house = House(SEED, day_number(FIRST_S) + 4, kept_days=16)
    for at_s in (FIRST_S - 86_400, FIRST_S, LAST_S):
        house.prepare(at_s)
    return house
