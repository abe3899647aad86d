"""What is read from the recorder afterwards is what listening heard at the time, reading by reading."""

from collections import Counter
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance, session_scope
from hypothesis import given
from hypothesis import strategies as st

from custom_components.energy_dashboard.pipeline.claims import in_messages
from custom_components.energy_dashboard.pipeline.clock import now_us
from custom_components.energy_dashboard.pipeline.convert import Converter
from custom_components.energy_dashboard.pipeline.listen import Listener
from custom_components.energy_dashboard.pipeline.model import Catalog, Entity, Kind
from custom_components.energy_dashboard.pipeline.outbox import Row
from custom_components.energy_dashboard.pipeline.recorder_states import recorded, window
from custom_components.energy_dashboard.pipeline.replay import Part, readings_of
from custom_components.energy_dashboard.pipeline.spans import Span
from tests.integration.past import settled

ENTITIES = (
    Entity("a", "sensor.meter", "x", Kind.ENERGY, "kWh", state_class="total_increasing", source_unit="kWh"),
    Entity("b", "sensor.cycle", "x", Kind.ENERGY, "kWh", state_class="total", source_unit="kWh"),
    Entity("c", "sensor.power", "x", Kind.POWER, "W", state_class="measurement", source_unit="W"),
    Entity("d", "sensor.price", "x", Kind.PRICE, "EUR/kWh", source_unit="EUR/kWh"),
)
UNITS = {
    Kind.ENERGY: ("kWh", "Wh", "MWh", "GJ", "m³"),
    Kind.POWER: ("W", "kW", "BTU/h", "V"),
    Kind.PRICE: ("EUR/kWh", "ct/kWh"),
}
STATES = ("unavailable", "unknown", "", "off", "nan", "inf", "1_000", " 7 ", "٣", "1e-3", "-0", "1e400", "9" * 70)


def set_somehow(hass: HomeAssistant, dice: Random, entity: Entity) -> None:
    """Do something that an integration may do to an entity."""
    before = hass.states.get(entity.entity_id)
    match dice.random():
        case chance if chance < 0.06:
            hass.states.async_remove(entity.entity_id)
        case chance if chance < 0.3 and before is not None:  # reported again, unchanged
            hass.states.async_set(entity.entity_id, before.state, before.attributes)
        case chance if chance < 0.35 and before is not None:
            hass.states.async_set(entity.entity_id, before.state, before.attributes, force_update=True)
        case _:
            attributes: dict[str, Any] = {"unit_of_measurement": dice.choice(UNITS[entity.kind])}
            if entity.state_class == "total":
                reset = dice.choice(["2026-11-01T00:00:00+00:00", "2026-11-02", "never", None, 5])
                attributes |= {"last_reset": reset} if reset is not None else {}
            value = dice.choice(STATES) if dice.random() < 0.2 else repr(dice.uniform(-10, 1000))
            hass.states.async_set(entity.entity_id, value, attributes)


@pytest.mark.parametrize("seed", range(8))
async def test_what_is_read_afterwards_is_what_was_heard(recorder_mock: object, hass: HomeAssistant, seed: int) -> None:
    del recorder_mock
    dice = Random(seed)  # noqa: S311 a test
    heard: list[Row] = []

    class Hearing:
        """An outbox that keeps every row."""

        catalog = Catalog(1, ENTITIES, b"")
        rows = heard

        def begin(self, *_: object) -> bool:
            return False

        seal = begin

        def end(self) -> None:
            return

    listener = Listener(hass, Hearing(), on_sealed=lambda _: None, on_new_entity=lambda _: None, skipped=Counter())  # type: ignore[arg-type]
    listener.install(Hearing.catalog, "EUR")
    listener.start()
    began_us = now_us()
    for _ in range(500):
        set_somehow(hass, dice, dice.choice(ENTITIES))
        if dice.random() < 0.1:
            await hass.async_block_till_done()
    await settled(hass)
    span = Span(began_us, now_us())
    listener.stop()

    def read() -> list[Row]:
        with session_scope(hass=hass, read_only=True) as session:
            ids = {
                entity_id: found.id for entity_id, found in recorded(session, [e.entity_id for e in ENTITIES]).items()
            }
            found = window(session, list(ids.values()), span, 10_000, {})
        rows: list[Row] = []
        for place, entity in enumerate(ENTITIES):
            part = Part(entity, place, ids[entity.entity_id], span.since_us, Converter(entity, "EUR"))
            states = [row for row in found.rows if row[0] == part.id]
            rows.extend(readings_of(part, states, found.attributes, span, found.newest_s.get(part.id), last=True))
        return rows

    rows = await get_instance(hass).async_add_executor_job(read)
    assert len(rows) > 300
    assert set(rows) - set(heard) == set()
    assert set(heard) - set(rows) == set()


@given(
    st.lists(st.tuples(st.just(0), st.integers(0, 60), st.just(1.0)), max_size=60),
    st.integers(1, 9),
    st.integers(0, 40),
)
def test_messages_claim_the_span_once_and_hold_each_reading(
    rows: list[tuple[int, int, float]], max_rows: int, since_us: int
) -> None:
    span = Span(since_us, 61)
    expected = sorted(rows)
    messages = list(in_messages(list(rows), span, max_rows))
    assert sorted(row for _, some in messages for row in some) == expected
    assert messages[0][0].until_us == span.until_us
    assert messages[-1][0].since_us == span.since_us
    for (newer, _), (older, _) in pairwise(messages):
        assert newer.since_us == older.until_us
    for claim, some in messages:
        assert all(row[1] < claim.until_us for row in some)
        within = [row for row in some if row[1] >= span.since_us]
        assert all(row[1] >= claim.since_us for row in within)
        assert len(some) <= max_rows or claim.since_us == span.since_us
