"""Friction: what goes against a person, found event by event as it happens to them.

Signals are judged by the events' own times, in the order of arrival. What nobody knows yet when an event
comes (whether a form will be submitted) is a deadline on the log's clock, and fires at the instant it was
due. Whether a click was dead is judged at the next thing that happens to the person, before it: it wakes
nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, Struct
from msgspec.structs import replace

from sojourn.definitions.friction_rules import FRICTION_EVENT, FrictionRules, Role
from sojourn.definitions.journey import Catalogue
from sojourn.engine import journeys, segments
from sojourn.engine.friction_properties import cart_of, form_of, place_of, step_of, target_of
from sojourn.engine.friction_state import (
    MAX_WAITING_CLICKS,
    Deadline,
    Friction,
    Signal,
    WaitingClick,
    score,
)
from sojourn.engine.ledger import Ledger
from sojourn.engine.objects import encode_json, read_object
from sojourn.engine.rage import Click, press
from sojourn.engine.state import Life
from sojourn.engine.trail import Trail, is_a_step, walk
from sojourn.engine.traits import tally
from sojourn.engine.view import View
from sojourn.model.event import OUR_SOURCE, Event
from sojourn.model.fact import FrictionFound
from sojourn.model.ids import derive
from sojourn.model.turn import Arrived

SAME_BURST_MS = 3_000  # a client's own signal and ours this close are one: PostHog gives a click 2.75 s.

_NO_ROLES: frozenset[Role] = frozenset()
_WORKED: frozenset[Role] = frozenset({"effect", "step", "form_start", "form_submit", "cart", "purchase"})
"""What shows that a click worked."""


def is_on(catalogue: Catalogue) -> bool:
    """Tell whether anybody asks."""
    return catalogue.needs.friction or catalogue.policy.friction.is_named


class _Case(Struct, frozen=True, gc=False):
    """One event, and the person it happens to."""

    life: Life
    friction: Friction
    rules: FrictionRules
    arrived: Arrived
    roles: frozenset[Role]
    properties: Mapping[str, Any]
    ledger: Ledger

    @property
    def at(self) -> int:
        """The event's own time."""
        return self.arrived.event.occurred_at

    def find(self, name: str, target: str, *, at: int | None = None) -> Signal | None:
        """Write a signal down, where it is looked for."""
        signal = Signal(self.at if at is None else at, name, target)
        return _note(self.life, signal, self.rules, self.ledger)

    def expect(self, name: str, target: str, within_ms: int) -> None:
        """Wait for something, from now on by the log's clock; imported history waits for nothing."""
        if self.rules.seeks(name) and not self.arrived.is_history:
            due = self.ledger.at + within_ms
            self.friction.expect(Deadline(due, name, target, self.arrived.is_shadow))


def notice(life: Life, arrived: Arrived, visit: str, ledger: Ledger) -> list[Signal]:
    """Take one event in; return the signals it makes, which journeys are still to `hear` of.

    Args:
        life: whose; the event is in its session already.
        arrived: the event.
        visit: its session's id; empty where it came too late for one.
        ledger: where facts go.
    """
    rules = ledger.catalogue.policy.friction
    name = arrived.event.name
    roles = rules.roles.get(name, _NO_ROLES)
    if name in ledger.catalogue.ranks:
        roles |= {"step"}
    if not roles:
        return []
    friction = life.friction
    if friction is None:
        friction = life.friction = Friction()
    properties = read_object(arrived.event.properties)
    case = _Case(life, friction, rules, arrived, roles, properties, ledger)
    found = [_error(case), _told(case), _click(case), *_step(case, visit)]
    _wait(case)
    return [signal for signal in found if signal is not None]


def judge(life: Life, event: Event | None, ledger: Ledger) -> bool:
    """Say of a click that nobody knew about that it was dead, before what happens next; true where one was.

    By the next event's own time, or, with none, by the log's clock: something due by it fires next. At most
    one at a time: journeys that hear of it may have something due before the next one; call again.
    """
    friction = life.friction
    if friction is None or not friction.clicks:
        return False
    catalogue = ledger.catalogue
    if not is_on(catalogue):
        friction.clicks = []
        return False
    rules = catalogue.policy.friction
    has_worked = event is not None and (
        event.name in catalogue.ranks or bool(_WORKED & rules.roles.get(event.name, _NO_ROLES))
    )
    for click in tuple(friction.clicks):
        now, since = (ledger.at, click.seen_at) if event is None else (event.occurred_at, click.at)
        is_dead = now - since > rules.dead_ms
        if is_dead or (has_worked and now >= since):
            friction.clicks.remove(click)
        if is_dead and not _is_told(friction.told_at, "dead", click.at):
            _call_dead(life, click, ledger)
            return True
    keep_waiting(life, ledger)
    return False


def keep_waiting(life: Life, ledger: Ledger) -> None:
    """Let something happen to a person while nobody knows of their clicks: none is dead before it any more.

    An event that came late, or another life, says nothing of a click, and what it began is there already.
    """
    friction = life.friction
    if friction is None or not friction.clicks:
        return
    earliest = ledger.at - ledger.catalogue.policy.friction.dead_ms
    friction.clicks = [
        click if click.seen_at >= earliest else replace(click, seen_at=earliest) for click in friction.clicks
    ]


def hear(life: Life, signals: list[Signal], ledger: Ledger, *, is_history: bool = False) -> None:
    """Let segments, then journeys hear of signals, each as an event of its name, in the turn that found it.

    Of imported history only segments hear: it says who somebody is, and begins nothing.
    """
    for signal in signals:
        name = FRICTION_EVENT + signal.name
        joined = segments.follow(life, name, ledger)
        if not is_history and (joined or life.enrolments or name in ledger.catalogue.entries):
            event = _event_of(life, signal, name, ledger)
            view = View(life, ledger.catalogue, at=ledger.at, unit=ledger.unit, event=event)
            journeys.move(life, event, view, ledger, joined=joined)


def next_due(life: Life, _ledger: Ledger) -> int:
    """Return when the next deadline is due, ms; 0 where there is none."""
    friction = life.friction
    return friction.deadlines[0].due if friction is not None and friction.deadlines else 0


def fire(life: Life, ledger: Ledger) -> None:
    """Let the next deadline pass at `ledger.at`, when it was due: what was waited for did not happen."""
    assert life.friction is not None, "a deadline is somebody's"
    deadline = life.friction.deadlines.pop(0)
    ledger.is_shadow = deadline.is_shadow
    if is_on(ledger.catalogue):
        rules = ledger.catalogue.policy.friction
        signal = _note(life, Signal(ledger.at, deadline.name, deadline.target), rules, ledger)
        hear(life, [signal] if signal else [], ledger)


def follow(life: Life, replaced: tuple[str, ...], visit: str) -> None:
    """A late event gave the current visit another id: it is the same visit."""
    if life.friction is not None and life.friction.trail is not None:
        trail = life.friction.trail
        if trail.visit in replaced:
            trail.visit = visit


def _note(life: Life, signal: Signal, rules: FrictionRules, ledger: Ledger) -> Signal | None:
    friction = life.friction
    assert friction is not None, "what is found is kept"
    if not rules.seeks(signal.name):
        return None
    friction.keep(signal)
    name, needs = FRICTION_EVENT + signal.name, ledger.catalogue.needs
    if name in needs.counts or name in needs.since:
        tally(life.counters, name, at=signal.at, window_ms=needs.counts.get(name, 0))
    # As of the later of the two: an old signal that arrives now does not count as if it were new.
    ledger.note(
        FrictionFound,
        signal=signal.name,
        target=signal.target,
        score=score(friction, rules, max(ledger.at, signal.at)),
    )
    return signal


def _error(case: _Case) -> Signal | None:
    click = case.friction.click
    if "error" not in case.roles or click is None or not 0 <= case.at - click.at <= case.rules.error_ms:
        return None
    case.friction.click = None  # one click, one signal, however many errors it causes
    return case.find("error_click", click.target)


def _told(case: _Case) -> Signal | None:
    """Take the client's own word, unless the engine has found the same."""
    for name in ("rage", "dead"):
        if name in case.roles:
            if _is_told(case.friction.found_at, name, case.at):
                return None
            case.friction.told_at[name] = case.at
            return case.find(name, target_of(case.properties))
    return None


def _click(case: _Case) -> Signal | None:
    friction, rules = case.friction, case.rules
    if "click" not in case.roles or case.properties.get("$event_type", "click") != "click":
        return None
    target = target_of(case.properties)
    if target in rules.ignored_targets or any(case.properties.get(one) for one in rules.ignored_properties):
        friction.burst = None
        return None
    friction.click = WaitingClick(case.at, case.ledger.at, target)
    _await_effect(case, target)
    click = Click(case.at, target, place_of(case.properties))
    friction.burst, is_rage = press(friction.burst, click, rules.rage)
    if not is_rage or _is_told(friction.told_at, "rage", case.at):
        return None
    friction.found_at["rage"] = case.at
    return case.find("rage", target)


def _await_effect(case: _Case, target: str) -> None:
    clicks = case.friction.clicks
    if not (case.rules.has_effects and case.rules.seeks("dead")):
        return
    if not case.arrived.is_history and all(click.target != target for click in clicks):
        clicks.append(WaitingClick(case.at, case.ledger.at, target, case.arrived.is_shadow))
        del clicks[:-MAX_WAITING_CLICKS]


def _call_dead(life: Life, click: WaitingClick, ledger: Ledger) -> None:
    """Find a click dead as of the instant it was clear, which lies before what happens next."""
    rules = ledger.catalogue.policy.friction
    assert life.friction is not None, "the click was waiting there"
    life.friction.found_at["dead"] = click.at
    before = ledger.at, ledger.position, ledger.is_shadow
    ledger.at, ledger.position = min(ledger.at, click.seen_at + rules.dead_ms), 0
    ledger.is_shadow = click.is_shadow
    signal = _note(life, Signal(click.at + rules.dead_ms, "dead", click.target), rules, ledger)
    hear(life, [signal] if signal else [], ledger)
    keep_waiting(life, ledger)
    ledger.at, ledger.position, ledger.is_shadow = before


def _step(case: _Case, visit: str) -> list[Signal | None]:
    if "step" not in case.roles or not visit:
        return []
    friction, rules, ranks = case.friction, case.rules, case.ledger.catalogue.ranks
    name = case.arrived.event.name
    step = step_of(name, case.properties)
    trail = friction.trail
    if step in rules.ignored_targets or (trail is not None and not is_a_step(trail, step, case.at)):
        return []
    if trail is None or trail.visit != visit:
        trail = friction.trail = Trail(visit)
    rank = ranks.get(step, ranks.get(name, -1))
    found = [case.find(one, step) for one in walk(trail, step, case.at, rank=rank, rules=rules)]
    friction.drop("stall")
    if rules.stall_of(step):
        case.expect("stall", step, rules.stall_of(step))
    return found


def _wait(case: _Case) -> None:
    """Begin and end waiting for forms and carts."""
    roles, friction, rules = case.roles, case.friction, case.rules
    if "form_submit" in roles:
        form = form_of(case.properties)
        friction.drop("form_abandon", form or None)
        friction.drop("form_abandon", "")
    if "form_start" in roles:
        case.expect("form_abandon", form_of(case.properties), rules.form_ms)
    if "purchase" in roles or "cart" in roles:
        friction.drop("cart_abandon")
    if "cart" in roles:
        case.expect("cart_abandon", cart_of(case.properties), rules.cart_ms)


def _is_told(instants: Mapping[str, int], name: str, at: int) -> bool:
    told_at = instants.get(name)
    return told_at is not None and abs(at - told_at) <= SAME_BURST_MS


def _event_of(life: Life, signal: Signal, name: str, ledger: Ledger) -> Event:
    assert life.friction is not None, "its signal is kept there"
    number = str(life.friction.n_signals)
    rules = ledger.catalogue.policy.friction
    properties = {
        "signal": signal.name,
        "target": signal.target,
        "score": score(life.friction, rules, max(ledger.at, signal.at)),
    }
    return Event(
        source=OUR_SOURCE,
        message_id=derive("friction", ledger.profile_id, signal.name, signal.target, str(signal.at), number),
        kind="track",
        name=name,
        occurred_at=signal.at,
        received_at=ledger.at,
        anonymous_id=life.anonymous_ids[-1] if life.anonymous_ids else None,
        user_id=life.user_ids[0] if life.user_ids else None,
        properties=Raw(encode_json(properties)),
    )
