"""Sites and keys are any text without NUL: stored and found again, never executed."""

import asyncio
import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from energy_server.link.errors import LinkError
from energy_server.link.messages import decode
from energy_server.model.reading import Origin
from energy_server.model.statistic import Level, Source
from energy_server.store.port import SeriesStore
from tests.server.link.linking import catalog, hello
from tests.server.store.readings import DAY_US, EVER, HOUR_US, NOON_US, batch, changes_of, rows_of, statistics

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=255)
HOSTILE = (
    "'; DROP TABLE energy_readings; --",
    "' OR '1'='1",
    '"; ALTER TABLE energy_readings SUSPEND WAL; "',
    "energy_readings,site=other value=9 1\n",
    "a,b=c d\\ e\r\n\t",
    "$1",
    "%s{0}",
    "null",
    "NaN",
    "\ufeff\u200b\u202e",
    "e\u0301",
    "\U0001f50c",
    " ",
    "\x01\x7f",
    "k" * 65_536,
    "€" * 65_536,
)


async def told_apart(store: SeriesStore, site: str, key: str) -> None:
    """Store readings and Statistics under the names and beside them, and find each by its own name alone."""
    beside = key + "'"
    await store.open()
    home = site + uuid4().hex
    await store.append([batch(key, [(NOON_US, 1.0)], site=home), batch(beside, [(NOON_US, 2.0)], site=home)])
    await store.append([batch(key, [(NOON_US, 9.0), (NOON_US - DAY_US, 0.5)], Origin.RECORDER, site=home)])
    await store.put_statistics(
        home, Level.HOUR, Source.IMPORT, statistics([(key, NOON_US, 3.0), (beside, NOON_US, 4.0)])
    )
    assert rows_of(await store.read(home, key, *EVER)) == [(NOON_US - DAY_US, 0.5), (NOON_US, 1.0)]
    assert rows_of(await store.read(home, beside, *EVER)) == [(NOON_US, 2.0)]
    assert rows_of(await store.before(home, key, NOON_US)) == [(NOON_US - DAY_US, 0.5)]
    assert rows_of(await store.after(home, key, 0)) == [(NOON_US - DAY_US, 0.5)]
    assert (await store.reduce(home, key, NOON_US, NOON_US + 1, 1)).count.tolist() == [1]
    assert await store.counts(home, [beside], *EVER) == {(beside, NOON_US // HOUR_US * HOUR_US): 1}
    found = await store.statistics(home, [beside, key], Level.HOUR, Source.IMPORT, *EVER)
    assert changes_of(found) == [(beside, NOON_US, 4.0), (key, NOON_US, 3.0)]
    known = await store.latest(home)
    await store.close()
    await store.open()
    assert await store.latest(home) == known
    assert set(known) == {key, beside}
    assert (await store.info()).well
    await store.close()


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
async def test_hostile_names_are_only_names(make_again: Callable[[], SeriesStore], text: str) -> None:
    await told_apart(make_again(), text, text)


@pytest.mark.parametrize("text", ["\0", "a\0b", "a\n\0", "a" * 256, ""])
def test_what_is_no_name_does_not_come_this_far(text: str) -> None:
    with pytest.raises(LinkError) as of_site:
        decode(json.dumps(hello(site=text)))
    with pytest.raises(LinkError) as of_key:
        decode(json.dumps({**catalog(text), "seq": 1}))
    assert (of_site.value.code, of_key.value.code) == ("bad_message", "bad_message")


@settings(max_examples=15, deadline=None)
@given(site=TEXT, key=TEXT)
@example(site="home", key="''")
def test_any_text_is_a_name(make_again: Callable[[], SeriesStore], site: str, key: str) -> None:
    asyncio.run(told_apart(make_again(), site, key))
