"""Answer Gaps from the recorder's states: newest first, a window of time of all Entities at once.

In:   what the server wants, the recorder.
Out:  `readings` and `nothing` messages, each claiming what it settles; nothing where nothing may be claimed yet.
Fails with RecorderUnavailableError; what is still wanted is planned anew.

A window holds so many states that the recorder is held for a short time only, whatever the machine. Reading, converting
and encoding happen in threads, in pieces that leave the event loop its turn.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import batched
from typing import Final

from homeassistant.core import HomeAssistant

from .channel import Channel, Subject
from .claims import nothing_body
from .clock import now_us, process_began_us
from .convert import Converter, instant_us
from .model import Catalog, Entity, Source
from .recorder import Condition, Recorder
from .recorder_runs import runs
from .recorder_states import Attributes, Recorded, Window, first_states, recorded, window
from .recorder_statistics import HOUR_US
from .replay import Part, messages_of
from .spans import Span, difference
from .timeline import Piece, Timeline, Verdict, of_entity, timeline
from .watch import RecorderWatch

MEMBERS: Final = 200
"""Entities in one window at most: each costs the recorder a few look-ups in an index."""
HELD_S: Final = 0.03
"""A window should hold the recorder for about this long."""
FEWEST, MOST = 1_000, 3_000
"""Bounds of how many states a window is meant to hold."""
FIRST_US: Final = 600_000_000
NARROWEST_US: Final = 1_000
WIDEST_US: Final = 30 * 24 * 3_600_000_000
ATTRIBUTES: Final = 20_000
"""Attributes that are remembered from window to window; ids may be used again after a purge, so not for long."""
LOOK_UPS: Final = 400
"""Of first states in one question, by an index."""
RETRY_S, LONGEST_RETRY_S = 10.0, 60.0
WRITTEN_S: Final = 0.05

type Wanted = Sequence[tuple[str, Span]]


@dataclass(frozen=True, slots=True)
class Member:
    """An Entity whose states are still to be read, back to `since_us`; its id in the recorder."""

    key: str
    id: int
    since_us: int


@dataclass(slots=True)
class Plan:
    """What is to be answered: reasons at once, then states by the instant up to which they are asked for."""

    nothing: list[tuple[Verdict, Span, list[str]]] = field(default_factory=list)
    quiet: list[tuple[str, Span]] = field(default_factory=list)
    states: dict[int, list[Member]] = field(default_factory=dict)
    later: bool = False
    later_us: int = 0
    """The end of what could not be answered yet."""
    began_us: int | None = None

    @property
    def done(self) -> bool:
        """Whether nothing is left to answer now."""
        return not (self.nothing or self.quiet or self.states)


class Width:
    """How long a window is, and of how many Entities: it holds about as many states as the recorder reads in HELD_S.

    Few Entities for an hour are better than many for a minute: the server sums up whole hours.
    """

    def __init__(self) -> None:
        """Begin small: nothing is known of the home yet."""
        self.states = 1_000
        self._us_of_one = FIRST_US / 100  # how long one Entity takes for one state

    @property
    def members(self) -> int:
        """Return for how many Entities a window should be."""
        return int(min(max(self._us_of_one * self.states / HOUR_US, 1), MEMBERS))

    def begin_us(self, until_us: int, members: int) -> int:
        """Return where a window for so many Entities begins, with a full hour if that makes no window of nothing."""
        width_us = int(min(max(self._us_of_one * self.states / members, NARROWEST_US), WIDEST_US))
        full_hour_us = -(-(until_us - width_us) // HOUR_US) * HOUR_US
        return full_hour_us if full_hour_us < until_us else until_us - width_us

    def learn(self, width_us: int, members: int, found: int, held_s: float) -> None:
        """Take what a window held and how long it took."""
        measured = width_us * members / max(found, 1)
        self._us_of_one = min(max(measured, self._us_of_one / 4), self._us_of_one * 4)
        factor = min(max(HELD_S / max(held_s, 1e-4), 0.25), 1.5)
        self.states = int(min(max(self.states * factor, FEWEST), MOST))

    def too_wide(self) -> None:
        """Take that there was more than expected."""
        self._us_of_one /= 4


class Gaps:
    """The Gaps of one connection."""

    def __init__(self, hass: HomeAssistant, recorder: Recorder, watch: RecorderWatch, skipped: Counter[str]) -> None:
        """Nothing is wanted yet. `skipped` counts the states that give no reading, those heard from now on, too."""
        self._hass = hass
        self._recorder = recorder
        self._watch = watch
        self._wanted: Wanted = ()
        self._plan: Plan | None = Plan()
        self._retry_s = RETRY_S
        self._width = Width()
        self._attributes: dict[int, Attributes] = {}
        self._converters: dict[str, tuple[Entity, Converter]] = {}
        self._sent: list[tuple[Subject, asyncio.Future[bool]]] = []
        self._left_out: list[Subject] = []
        self._skipped = skipped
        self._listens_us = now_us()
        self._counted_us: dict[str, int] = {}
        self.sent_rows = 0

    @property
    def open(self) -> int:
        """Return how many spans the server wants."""
        return len(self._wanted)

    def want(self, wanted: Wanted) -> None:
        """Replace what is wanted: all that was stored before the server made the list is considered in it."""
        self._wanted = wanted
        self._sent = [(subject, done) for subject, done in self._sent if not done.done()]
        self._plan = None
        self._retry_s = RETRY_S

    def leave_out(self, subject: Subject) -> None:
        """Never send this again: the server cannot read it."""
        self._left_out.append(subject)

    def disconnected(self) -> None:
        """Forget what was wanted on a connection that is gone."""
        self._sent.clear()
        self.want(())

    def replan(self) -> None:
        """Judge anew what could not be answered before."""
        self._plan = None

    def next_retry_s(self) -> float | None:
        """Return after how long what cannot be answered now should be tried again; None if there is no such thing.

        What is too young is tried as soon as the recorder has certainly written it, else each time it is longer, until
        the list is another.
        """
        if self._plan is None or not self._plan.later:
            return None
        retry_s, self._retry_s = self._retry_s, min(self._retry_s * 2, LONGEST_RETRY_S)
        written_s = (self._plan.later_us - now_us()) / 1e6 + self._recorder.latest_s + WRITTEN_S
        return min(retry_s, written_s) if written_s > 0 else retry_s

    async def step(self, channel: Channel) -> bool:
        """Answer a little; returns False when nothing can be answered now."""
        catalog = channel.catalog
        if catalog is None or not self._wanted:
            return False
        if self._plan is None:
            self._plan = await self._planned(catalog)
        plan = self._plan
        if plan.done:
            return False
        if plan.nothing:
            verdict, span, keys = plan.nothing.pop()
            await self._say_nothing(channel, catalog, verdict, span, keys)
        elif plan.quiet:
            await self._say_quiet(channel, catalog, *plan.quiet.pop())
        else:
            await self._read(channel, catalog, plan)
        return True

    # ---- what is to be done

    async def _planned(self, catalog: Catalog) -> Plan:
        """Judge everything that is wanted. Planned again if the catalog changed meanwhile: a rename is a change."""
        self._attributes.clear()
        began_us = self._recorder.began_us
        if not self._recorder.is_set_up:
            home, known = _without_recorder(now_us()), {}
        else:
            horizon_us = now_us() - int(self._recorder.latest_s * 1e6)
            await self._recorder.catch_up()
            really_began_us, back_us = self._watch.really_began_us(), self._watch.back_us
            found = await self._recorder.ask(
                partial(runs, really_began_us=really_began_us, process_began_us=process_began_us(), back_us=back_us)
            )
            ready = self._recorder.status().condition is Condition.READY
            home = timeline(found, self._watch.blind(), horizon_us, current=ready)
            entity_ids = [
                catalog.entities[catalog.places[key]].entity_id for key, _ in self._wanted if key in catalog.places
            ]
            known = await self._recorder.ask(partial(recorded, entity_ids=dict.fromkeys(entity_ids)))
        included = {entity.key for entity in catalog.entities if self._included(entity)}
        quiet = self._quiet(catalog, known, included, home.present)
        unseen = await self._unseen(home, known, catalog)
        plan = await self._hass.async_add_executor_job(
            _plan, self._wanted, catalog, home, known | quiet, unseen, included, self._answered()
        )
        plan.began_us = began_us
        return plan

    async def _unseen(self, home: Timeline, known: Mapping[str, Recorded], catalog: Catalog) -> dict[int, list[Span]]:
        """Return by id where entities were not recorded in the runs that something is wanted of."""
        spans = [span for _, span in self._wanted]
        runs = home.runs(Span(min(spans).since_us, max(span.until_us for span in spans))) if spans else []
        first_us = await self._first_states([of.id for of in known.values()], runs)
        unseen = {id_: home.unseen(first) for id_, first in first_us.items()}
        counters = [known[one.entity_id].id for one in catalog.entities if one.counter and one.entity_id in known]
        for id_, first in (await self._first_states(counters, home.resumed)).items():
            unseen[id_] += home.unreported(first)
        return unseen

    async def _first_states(self, ids: Sequence[int], spans: Sequence[Span]) -> dict[int, dict[Span, int]]:
        """Return by id the instant of the first state in each span that has one."""
        first_us: dict[int, dict[Span, int]] = {id_: {} for id_ in ids}
        for few in batched(ids, LOOK_UPS, strict=False):
            for some in batched(spans, max(1, LOOK_UPS // len(few)), strict=False):
                found = await self._recorder.ask(partial(first_states, ids=few, spans=some))
                for (id_, span), first in found.items():
                    first_us[id_][span] = first
        return first_us

    def _included(self, entity: Entity) -> bool:
        return entity.source is Source.STATE and self._recorder.is_set_up and self._recorder.records(entity.entity_id)

    def _quiet(
        self, catalog: Catalog, known: Mapping[str, Recorded], included: set[str], present: Span | None
    ) -> dict[str, Recorded]:
        """Return Entities whose state is older than the recorder's memory: it has none of it, but nothing happened.

        No state is older than the present run, whatever a clock that had not been set yet says.
        """
        quiet: dict[str, Recorded] = {}
        for key, _ in self._wanted:
            if present is None or (place := catalog.places.get(key)) is None:
                continue
            entity_id = catalog.entities[place].entity_id
            if entity_id not in known and key in included and (state := self._hass.states.get(entity_id)) is not None:
                since_us = max(instant_us(state.last_updated), present.since_us)
                quiet[entity_id] = Recorded(NO_ID, since_us, since_us)
        return quiet

    # ---- answers

    async def _say_nothing(
        self, channel: Channel, catalog: Catalog, verdict: Verdict, span: Span, keys: list[str]
    ) -> None:
        of = sorted(catalog.places[key] for key in keys if key in catalog.places)
        body = nothing_body(catalog.rev, span, of, verdict.value)
        await self._post(channel, "nothing", body, catalog, keys, span)

    async def _say_quiet(self, channel: Channel, catalog: Catalog, key: str, span: Span) -> None:
        """Send the state that an Entity has had all the time."""
        place = catalog.places.get(key)
        state = None if place is None else self._hass.states.get(catalog.entities[place].entity_id)
        if place is None or state is None or instant_us(state.last_updated) > span.since_us:
            self.replan()  # it changed a moment ago
            return
        found = Window([(NO_ID, state.state, state.last_updated_timestamp, None, 0)], (), {}, {}, {})
        part = self._part(catalog, Member(key, NO_ID, span.since_us), place)
        for message in messages_of(catalog.rev, [part], found, {0: state.attributes}, span, channel.max_rows):
            await self._post(channel, "readings", message.body, catalog, message.keys, message.span)

    async def _read(self, channel: Channel, catalog: Catalog, plan: Plan) -> None:
        """Read one window and send what is in it."""
        until_us = max(plan.states)
        members = plan.states[until_us][: self._width.members]
        since_us = max(self._width.begin_us(until_us, len(members)), min(member.since_us for member in members))
        span = Span(since_us, until_us)
        limit = MOST * 2 if until_us - since_us > NARROWEST_US else 1_000_000
        found = await self._recorder.ask(
            partial(window, ids=[member.id for member in members], span=span, limit=limit, known=self._attributes)
        )
        if plan.began_us != self._recorder.began_us:
            self.replan()  # it has another database
            return
        if not found.complete:
            self._width.too_wide()
            return
        self._width.learn(until_us - since_us, len(members), len(found.rows), self._recorder.holding.last_s)
        if self._plan is not plan or channel.catalog is not catalog:
            return
        if len(self._attributes) > ATTRIBUTES:
            self._attributes.clear()
        self._attributes.update(found.attributes)
        known = [
            member for member in members if found.oldest_us.get(member.id, until_us) <= max(since_us, member.since_us)
        ]
        plan.later |= len(known) < len(members)  # purged meanwhile: judged anew
        del plan.states[until_us][: len(members)]
        if not plan.states[until_us]:
            del plan.states[until_us]
        if rest := [member for member in known if member.since_us < since_us]:
            plan.states.setdefault(since_us, []).extend(rest)
        parts = [
            self._part(catalog, member, place)
            for member in known
            if (place := catalog.places.get(member.key)) is not None
        ]
        sendable = await self._hass.async_add_executor_job(
            messages_of, catalog.rev, parts, found, self._attributes, span, channel.max_rows
        )
        self._count(parts, span)
        for message in sendable:
            self.sent_rows += message.count
            await self._post(channel, "readings", message.body, catalog, message.keys, message.span)

    def _count(self, parts: Sequence[Part], span: Span) -> None:
        """Count what gave no reading, once: answers go back in time, and what is asked for again was counted."""
        for part in parts:
            self._skipped += part.skipped
            self._counted_us[part.entity.key] = min(part.counted_us, max(span.since_us, part.since_us))

    def _part(self, catalog: Catalog, member: Member, place: int) -> Part:
        entity = catalog.entities[place]
        counted_us = self._counted_us.get(entity.key, self._listens_us)
        blind = self._watch.blind()
        return Part(entity, place, member.id, member.since_us, self._converted(entity), counted_us, blind)

    def _converted(self, entity: Entity) -> Converter:
        """Return the converter of an Entity, which is remembered for as long as the Entity stays as it is."""
        before = self._converters.get(entity.key)
        if before is None or before[0] != entity:
            before = self._converters[entity.key] = (entity, Converter(entity, self._hass.config.currency))
        return before[1]

    async def _post(
        self, channel: Channel, kind: str, body: bytes, catalog: Catalog, keys: Sequence[str], span: Span
    ) -> None:
        subject = Subject("states", tuple(keys), span)
        self._sent.append((subject, await channel.post(subject, kind, body, catalog)))

    def _answered(self) -> dict[str, list[Span]]:
        """Return what needs no answer any more, though the server's list may still have it."""
        stored = [subject for subject, done in self._sent if not done.done() or done.result()]
        answered: defaultdict[str, list[Span]] = defaultdict(list)
        for subject in (*stored, *self._left_out):
            for key in subject.keys:
                answered[key].append(subject.span)
        return answered


NO_ID: Final = -1
"""The id of an Entity of which the recorder has no state, though it had one all the time."""


def _without_recorder(now_us: int) -> Timeline:
    """Return what may be said where there is no recorder."""
    return Timeline((Piece(Span(0, now_us), Verdict.NOT_RECORDED),))


def _plan(
    wanted: Wanted,
    catalog: Catalog,
    home: Timeline,
    known: Mapping[str, Recorded],
    unseen: Mapping[int, Sequence[Span]],
    included: set[str],
    answered: Mapping[str, Sequence[Span]],
) -> Plan:
    """Cut what is wanted into what settles it."""
    plan = Plan()
    reasons: defaultdict[tuple[Span, Verdict], list[str]] = defaultdict(list)
    for key, gap in wanted:
        if (place := catalog.places.get(key)) is None:
            continue
        of = known.get(catalog.entities[place].entity_id)
        lacking = () if of is None else unseen.get(of.id, ())
        for part in difference(gap, answered.get(key, ())):
            answered_us = 0
            for piece in of_entity(home, part, of, included=key in included, unseen=lacking):
                answered_us += piece.span.until_us - piece.span.since_us
                if piece.verdict is not Verdict.STATES or of is None:
                    reasons[piece.span, piece.verdict].append(key)
                elif of.id == NO_ID:
                    plan.quiet.append((key, piece.span))
                else:
                    plan.states.setdefault(piece.span.until_us, []).append(Member(key, of.id, piece.span.since_us))
            if answered_us < part.until_us - part.since_us:
                plan.later, plan.later_us = True, max(plan.later_us, part.until_us)
    plan.nothing = sorted(
        ((verdict, span, keys) for (span, verdict), keys in reasons.items()), key=lambda item: item[1]
    )
    return plan
