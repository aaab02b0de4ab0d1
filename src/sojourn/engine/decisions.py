"""Decisions: what an application is told of a person: where they stand in a journey, what it does next, and
what stand-alone flags say.

A flag of a journey is `journey.NAME.ATTRIBUTE`, for any journey in force and for those that people are still
inside. Asking changes nothing: no state, no assignment, no fact. Whoever is held out is answered as somebody
outside, and the answer says so: an application that shows what a state says keeps the hold-out whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from sojourn.definitions.chart import State, Want
from sojourn.definitions.experiment import Experiment, Flag
from sojourn.definitions.flags import JOURNEY_PREFIX
from sojourn.definitions.holdouts import OF_JOURNEY
from sojourn.definitions.internal_events import INTERNAL
from sojourn.definitions.journey import Catalogue, Do, Journey
from sojourn.engine import forecasts
from sojourn.engine.experiments import Choice
from sojourn.engine.flags import judge
from sojourn.engine.holdouts import holdout_of, holdouts_of_action
from sojourn.engine.holds import released_at
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Enrolment, Life, Memory, Wanted
from sojourn.engine.view import View
from sojourn.model.ids import ProfileId, decision_id

MAX_WAYS = 16  # ways out of where somebody stands that `next_action` names.

HELD_OUT, TREATED = "held-out", "treated"
OUTSIDE, NONE = "outside", "none"

_OF_TEMPLATES = frozenset({"profile", "trait", "traits", "entry", "session", "journey"})
"""What a body may ask for and still be what will be sent: there is no event to speak of yet."""

Reason = Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN"]


class Decision(Struct, frozen=True, kw_only=True):
    """What one flag says of one person now."""

    key: str
    value: Any
    variant: str
    reason: Reason
    metadata: dict[str, str | float | bool]
    """Flat: `decision_id` and `held_out`; `journey_version` or `flag_version`; where they apply `node`,
    `experiment`, `propensity`, `holdout` and `stranger`."""
    choice: Choice | None = None
    """Where the answer was drawn at random, and is an exposure when one flag is asked for."""


class Asking(Struct, frozen=True, kw_only=True):
    """When is asked, of whom, and with what beside it."""

    catalogue: Catalogue
    at: int
    """ms."""
    unit: str
    """The person's id: what assignment hashes where their life names no other."""
    context: Mapping[str, Any] = {}
    """Attributes the application sends: what guards of flags see as `properties`. They are kept nowhere."""
    is_trusted: bool = True
    """False: whoever asks may be anybody, and is told no text that a template fills with a person's data."""


class AskedView(View):
    """A person as a guard sees them when an application asks: `properties` are what it sent."""

    __slots__ = ("_context",)

    def __init__(self, life: Life, asking: Asking) -> None:
        super().__init__(life, asking.catalogue, at=asking.at, unit=asking.unit)
        self._context = asking.context

    @property
    def properties(self) -> Mapping[str, Any]:
        """The attributes that came with the question."""
        return self._context


class _Standing(Struct, frozen=True, gc=False):
    """Where a person stands with one journey."""

    life: Life
    journey: Journey
    """The version they are inside, else the one that new people enter."""
    enrolment: Enrolment | None
    """The one entered last; None outside."""
    holdout: str
    """Which hold-out keeps them back, or would if they entered now; empty: none."""
    asking: Asking
    node: str
    """The states they are in: one for each parallel region, in the order of the document; empty outside."""
    is_paused: bool
    """The journey stands still."""

    @property
    def is_hidden(self) -> bool:
        return self.holdout != ""


def decide(life: Life | None, key: str, asking: Asking) -> Decision | None:
    """Answer one flag; None where there is no such flag. Without a life, of somebody nobody knows yet."""
    flag = asking.catalogue.flags.get(key)
    if flag is not None:
        known = life or Life()
        return _judged(known, flag, AskedView(known, asking), asking)
    name, attribute = split_key(key)
    answer = _ANSWERS.get(attribute)
    if answer is None:
        return None
    standing = _standing(life or Life(), name, asking)
    return None if standing is None else answer(standing, key)


def decide_all(life: Life | None, asking: Asking) -> list[Decision]:
    """Answer every flag there is: those of journeys, then stand-alone ones, each by their keys."""
    known = life or Life()
    found: list[Decision] = []
    for name in journey_names(asking.catalogue):
        standing = _standing(known, name, asking)
        if standing is not None:
            found += [answer(standing, f"{JOURNEY_PREFIX}{name}.{each}") for each, answer in _ANSWERS.items()]
    view = AskedView(known, asking)
    found += [_judged(known, flag, view, asking) for _, flag in sorted(asking.catalogue.flags.items())]
    return found


def flag_keys(catalogue: Catalogue) -> list[str]:
    """Return the keys of all flags there are, as `decide_all` answers them."""
    of_journeys = [f"{JOURNEY_PREFIX}{name}.{each}" for name in journey_names(catalogue) for each in _ANSWERS]
    return of_journeys + sorted(catalogue.flags)


def journey_names(catalogue: Catalogue) -> list[str]:
    """Return the names of journeys somebody can enter or be inside, sorted."""
    return sorted({name for name, _ in catalogue.versions} | catalogue.journeys.keys())


def split_key(key: str) -> tuple[str, str]:
    """Return the journey and the attribute that a key names; the latter is empty where it names none."""
    if not key.startswith(JOURNEY_PREFIX):
        return "", ""
    name, _, attribute = key[len(JOURNEY_PREFIX) :].rpartition(".")
    return name, attribute


def _standing(life: Life, name: str, asking: Asking) -> _Standing | None:
    catalogue = asking.catalogue
    enrolment = next((one for one in reversed(life.enrolments) if one.journey == name), None)
    journey = catalogue.versions.get((name, enrolment.version)) if enrolment else None
    if journey is None:
        enrolment = None  # outside, or in a version that is withdrawn
        journey = catalogue.journeys.get(name) or _closed(catalogue, name)
    if journey is None:
        return None
    holdout = enrolment.holdout if enrolment else _foretold(life, journey, asking)
    node = ",".join(enrolment.machine.active) if enrolment else ""
    is_paused = bool(catalogue.holds) and released_at(catalogue, name, asking.at) != asking.at
    return _Standing(life, journey, enrolment, holdout, asking, node, is_paused)


def _closed(catalogue: Catalogue, name: str) -> Journey | None:
    """Return a version of a journey that nobody enters any more."""
    return next((one for (each, _), one in catalogue.versions.items() if each == name), None)


def _foretold(life: Life, journey: Journey, asking: Asking) -> str:
    """Tell which hold-out would keep somebody back who entered now, without asking it for them."""
    if not (journey.holdout or asking.catalogue.policy.holdout):
        return ""
    memory = life.memories.get(journey.name)
    ledger = Ledger(asking.catalogue, ProfileId("u:" + asking.unit))
    return holdout_of(Life(unit=life.unit), Memory(unit=memory.unit if memory else ""), journey, ledger)


# -- The attributes of a journey.


def _state(of: _Standing, key: str) -> Decision:
    if of.is_hidden:
        return _told(of, key, "", HELD_OUT, reason="SPLIT")
    if of.enrolment is None:
        return _told(of, key, "", OUTSIDE, reason="STATIC")
    return _told(of, key, of.node, of.node or NONE, reason="TARGETING_MATCH")


def _variant(of: _Standing, key: str) -> Decision:
    """Tell the variant of the last of the journey's splits that the person has come to."""
    if of.is_hidden:
        return _told(of, key, "", HELD_OUT, reason="SPLIT")
    for experiment in reversed(of.journey.experiments.values()):
        met = of.life.met.get(experiment.id)
        variant = met.variant if met else of.life.variants.get(experiment.id)
        if variant is not None:
            return _told(of, key, variant, variant, reason="SPLIT", more=_drawn(experiment, variant))
    return _told(of, key, "", NONE, reason="STATIC")


def _next_action(of: _Standing, key: str) -> Decision:
    if of.is_hidden:
        return _told(of, key, {"kind": NONE}, HELD_OUT, reason="SPLIT")
    if of.enrolment is None:
        return _told(of, key, {"kind": NONE}, OUTSIDE, reason="STATIC")
    found, holdouts = _describe_next(of, of.enrolment)
    if holdouts:
        more = {"held_out": True, "holdout": ",".join(holdouts)}
        return _told(
            of, key, found, HELD_OUT if found["kind"] == "wait" else "act", reason="SPLIT", more=more
        )
    return _told(of, key, found, found["kind"], reason="TARGETING_MATCH")


def _in_holdout(of: _Standing, key: str) -> Decision:
    share = _share_held_out(of)
    variant = HELD_OUT if of.holdout else TREATED
    if of.enrolment is not None and of.enrolment.parent:  # what called it decided, not a draw of its own
        return _told(of, key, of.holdout != "", variant, reason="TARGETING_MATCH")
    eligible = {HELD_OUT: share, TREATED: 1 - share}
    if not share or not eligible[variant]:  # nothing is drawn, or it was by a share that holds no more
        reason: Reason = "SPLIT" if of.holdout else "STATIC"
        return _told(of, key, of.holdout != "", variant, reason=reason)
    choice = Choice(
        experiment=OF_JOURNEY + of.journey.name,
        variant=variant,
        propensity=eligible[variant],
        eligible=eligible,
    )
    more = {"experiment": choice.experiment, "propensity": choice.propensity}
    return _told(of, key, of.holdout != "", variant, reason="SPLIT", more=more, choice=choice)


def _propensity(of: _Standing, key: str) -> Decision:
    """Forecast the likeliest of the events that reach the goal; 0.0 where nothing is known of it."""
    names = of.journey.goal.names if of.journey.goal else ()
    each = [
        forecasts.probability(of.life, of.asking.catalogue, name, at=of.asking.at) for name in sorted(names)
    ]
    known = [probability for probability in each if probability is not None]
    if not known:
        return _told(of, key, 0.0, "unknown", reason="UNKNOWN")
    return _told(of, key, float(max(known)), "forecast", reason="TARGETING_MATCH")


_ANSWERS: dict[str, Callable[[_Standing, str], Decision]] = {
    "in_holdout": _in_holdout,
    "next_action": _next_action,
    "node": _state,
    "propensity": _propensity,
    "state": _state,
    "variant": _variant,
}

ATTRIBUTES = tuple(_ANSWERS)
"""Of every journey."""


def _told(
    of: _Standing,
    key: str,
    value: Any,
    variant: str,
    *,
    reason: Reason,
    more: Mapping[str, Any] | None = None,
    choice: Choice | None = None,
) -> Decision:
    """Say it, with what holds for every flag of a journey; one that stands still is DISABLED."""
    asking, version = of.asking, of.journey.version
    # A text and a truth are told by their variant; a number and what comes next are not.
    said = variant if isinstance(value, str | bool) else variant + msgspec.json.encode(value).decode()
    metadata: dict[str, Any] = {
        "decision_id": decision_id(asking.unit, key, version, said),
        "journey_version": version,
        "held_out": of.is_hidden,
    }
    if of.enrolment is not None:
        metadata["node"] = of.node
    if of.holdout:
        metadata["holdout"] = of.holdout
    if more:
        metadata |= more
    return Decision(
        key=key,
        value=value,
        variant=variant,
        reason="DISABLED" if of.is_paused else reason,
        metadata=metadata,
        choice=choice,
    )


def _drawn(experiment: Experiment, variant: str) -> dict[str, Any]:
    """Name the split, and how likely the variant was where that has not changed since."""
    found: dict[str, Any] = {"experiment": experiment.id}
    if experiment.allocation == "fixed" and variant in experiment.variants:
        found["propensity"] = experiment.weights[experiment.variants.index(variant)]
    return found


def _share_held_out(of: _Standing) -> float:
    """Return the probability that one of the two hold-outs keeps somebody back: they are independent."""
    everywhere = of.asking.catalogue.policy.holdout
    return everywhere + (1 - everywhere) * of.journey.holdout


def _describe_next(of: _Standing, enrolment: Enrolment) -> tuple[dict[str, Any], list[str]]:
    """Describe what the person is to be shown where they stand, and what moves them on from there.

    What a hold-out of a channel or a state keeps from them is left out; returns which ones did.
    """
    states = of.journey.chart.standing(enrolment.machine.active)
    actions: list[dict[str, Any]] = []
    holdouts: dict[str, None] = {}
    for state, do in _wanted(states):
        kept_back = [] if do.is_transactional else _kept_back(of, enrolment, do, state)
        holdouts |= dict.fromkeys(kept_back)
        if not kept_back:
            actions.append(_describe_action(do, of, enrolment))
    found: dict[str, Any] = {"kind": "act" if actions else "wait", "state": of.node}
    if actions:
        found["actions"] = actions
    found["on"] = list(_ways(of.journey, states))[:MAX_WAYS]
    if enrolment.machine.timers:
        timer = enrolment.machine.timers[0]
        found["at"] = timer.due
        found["to"] = _targets(of.journey, states, timer.event)
    return found, list(holdouts)


def _wanted(states: Iterable[State]) -> Iterable[tuple[str, Do]]:
    """Yield (state, what it wants done on entry)."""
    for state in states:
        for content in state.entry:
            if isinstance(content, Want) and isinstance(content.body, Do):
                yield state.id, content.body


def _channel(do: Do, of: _Standing) -> str:
    return of.asking.catalogue.policy.channel_of(do.sink, named=do.channel)


def _kept_back(of: _Standing, enrolment: Enrolment, do: Do, state: str) -> list[str]:
    """Name the hold-outs that keep an action from the person, without asking them for good."""
    channel = _channel(do, of)
    if not (do.holdout or (channel and of.asking.catalogue.policy.channel(channel).holdout)):
        return []
    wanted = Wanted(
        0, "", do.sink, channel, do.topic, 0, enrolment.id, enrolment.journey, enrolment.version, state, b"",
        node_holdout=do.holdout,
    )  # fmt: skip
    ledger = Ledger(of.asking.catalogue, ProfileId("u:" + of.asking.unit))
    return holdouts_of_action(Life(unit=of.life.unit), wanted, ledger)


def _describe_action(do: Do, of: _Standing, enrolment: Enrolment) -> dict[str, Any]:
    """Say where an action goes, and its body where that can be told now: as it is, or filled."""
    found: dict[str, Any] = {"sink": do.sink}
    channel = _channel(do, of)
    if channel:
        found["channel"] = channel
    if do.topic:
        found["topic"] = do.topic
    if not do.body.names:
        found["body"] = do.body.source
    elif of.asking.is_trusted and do.body.names <= _OF_TEMPLATES:
        view = AskedView(of.life, of.asking)
        view.enrolment = enrolment
        try:
            found["body"] = do.body.render(view.names())
        except ValueError:  # a template's bounds: the turn withholds such an action
            return found
    return found


def _ways(journey: Journey, states: Iterable[State]) -> Iterable[dict[str, Any]]:
    """Yield the events that may move somebody on, innermost first; their guards are not asked."""
    for state in states:
        for way in state.transitions:
            for name in sorted(way.names):
                if not name.startswith(INTERNAL):
                    yield {"event": name, "to": [journey.chart.states[target].id for target in way.targets]}


def _targets(journey: Journey, states: Iterable[State], event: str) -> list[str]:
    """Return where the first way that an event may take leads."""
    for state in states:
        for way in state.transitions:
            if event in way.names:
                return [journey.chart.states[target].id for target in way.targets]
    return []


# -- Stand-alone flags.


def _judged(life: Life, flag: Flag, view: AskedView, asking: Asking) -> Decision:
    said = judge(flag, view, life)
    metadata: dict[str, Any] = {
        "decision_id": decision_id(asking.unit, flag.name, flag.version, said.variant),
        "flag_version": flag.version,
        "held_out": said.holdout != "",
    }
    if said.holdout:
        metadata["holdout"] = said.holdout
    if said.choice is not None:
        metadata |= {"experiment": said.choice.experiment, "propensity": said.choice.propensity}
    return Decision(
        key=flag.name,
        value=said.value,
        variant=said.variant,
        reason=said.reason,
        metadata=metadata,
        choice=said.choice,
    )
