"""Then: what a story expects of one person; where it is otherwise, the failure tells their story."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from sojourn.definitions.zones import zone_named
from sojourn.model import fact as facts
from sojourn.model.action import Action
from sojourn.model.fact import Fact
from sojourn.model.views import EnrolmentView, ProfileView
from sojourn.runtime.telling import tell_story

if TYPE_CHECKING:
    from sojourn.testing.story import Story

SHOWN_CHARS = 400  # of a body, in a failure.


class Then:
    """Expectations of one person, up to now; each returns itself, so that they can be said in a row."""

    def __init__(self, story: Story, who: str) -> None:
        self._story = story
        self._who = who

    def __call__(self, who: str) -> Then:
        """Ask about another person."""
        return Then(self._story, who)

    def sent(
        self,
        sink: str = "",
        *,
        times: int | None = None,
        body: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Then:
        """Expect that something was sent: by this sink, with these fields in its body; exactly `times`."""
        __tracebackhide__ = True
        wanted = {**(body or {}), **fields}
        n_sent = sum(_fits(action, sink, wanted) for action in self._actions())
        if n_sent == 0 if times is None else n_sent != times:
            count = "" if times is None else f", {_times(times)}, not {_times(n_sent)}"
            self._fail(f"something was sent{_by(sink)}{_with(wanted)}{count}")
        return self

    def sent_nothing(self, sink: str = "") -> Then:
        """Expect that nothing was sent: at all, or by this sink."""
        __tracebackhide__ = True
        if any(_fits(action, sink, {}) for action in self._actions()):
            self._fail(f"nothing was sent{_by(sink)}")
        return self

    def is_in(self, state: str, *, journey: str = "", key: str = "") -> Then:
        """Expect that the person stands in a state, or in one inside it."""
        __tracebackhide__ = True
        inside = [each for enrolment in self._enrolments(journey, key) for each in self._states(enrolment)]
        if not any(each == state or each.endswith("." + state) for each in inside):
            self._fail(f"is in {state}{_of(journey)}{_for(key)}")
        return self

    def is_out(self, journey: str = "") -> Then:
        """Expect that the person is in no journey, or not in this one."""
        __tracebackhide__ = True
        if self._enrolments(journey, ""):
            self._fail(f"is in no state{_of(journey)}" if journey else "is in no journey")
        return self

    def entered(self, journey: str = "", *, times: int | None = None) -> Then:
        """Expect that the person entered; exactly `times`."""
        __tracebackhide__ = True
        n_entered = len(self._facts(facts.Entered, journey=journey))
        if n_entered == 0 if times is None else n_entered != times:
            count = "" if times is None else f" {_times(times)}, not {_times(n_entered)}"
            self._fail(f"entered {journey or 'a journey'}{count}")
        return self

    def did_not_enter(self, reason: str = "", *, journey: str = "") -> Then:
        """Expect that an entry was refused, for this reason: `re-entry`, `already-in`, `cooldown`, ..."""
        __tracebackhide__ = True
        return self._told(facts.NotEntered, "did not enter", reason, journey=journey)

    def left(self, reason: str = "", *, journey: str = "") -> Then:
        """Expect that the person left, for this reason: `goal`, `exit`, `final`, ..."""
        __tracebackhide__ = True
        return self._told(facts.Exited, "left", reason, journey=journey)

    def withheld(self, reason: str = "", *, sink: str = "") -> Then:
        """Expect that an action was not sent, for this reason: `cap`, `consent`, `held-out`, ..."""
        __tracebackhide__ = True
        return self._told(facts.ActionWithheld, f"an action{_by(sink)} was withheld", reason, sink=sink)

    def put_off(self, reason: str = "", *, sink: str = "") -> Then:
        """Expect that an action was put off, for this reason: `quiet-hours`."""
        __tracebackhide__ = True
        return self._told(facts.ActionDeferred, f"an action{_by(sink)} was put off", reason, sink=sink)

    def reached_goal(self, journey: str = "", *, value: float | None = None) -> Then:
        """Expect that the goal was reached, worth this much."""
        __tracebackhide__ = True
        reached = self._facts(facts.GoalReached, journey=journey)
        if not any(value is None or fact.value == value for fact in reached):
            worth = "" if value is None else f", worth {value:g}"
            self._fail(f"reached the goal{_of(journey)}{worth}")
        return self

    def is_known(self, **traits: Any) -> Then:
        """Expect traits."""
        __tracebackhide__ = True
        known = self._profile().traits
        if any(name not in known or known[name] != value for name, value in traits.items()):
            self._fail(f"has the traits {_shown(traits)}, among {_shown(known)}")
        return self

    def is_in_segment(self, segment: str) -> Then:
        """Expect that the person belongs to a segment."""
        __tracebackhide__ = True
        if not self._belongs(segment):
            self._fail(f"is in the segment {segment}")
        return self

    def is_not_in_segment(self, segment: str) -> Then:
        """Expect that the person does not belong to a segment."""
        __tracebackhide__ = True
        if self._belongs(segment):
            self._fail(f"is not in the segment {segment}")
        return self

    def tells(self) -> str:
        """Return the person's story, a line for each thing that happened."""
        profile = self._profile()
        bodies = {action.id: _shown(_body(action)) for action in self._actions()}
        lines = []
        for fact, line in zip(profile.timeline, tell_story(profile.timeline), strict=True):
            body = bodies.get(fact.action_id) if isinstance(fact, facts.ActionDecided) else None
            lines.append(f"  {self._when(fact.at)}  {line}" + (f": {body}" if body else ""))
        return "\n".join(lines)

    # -- What is asked, and how a failure reads.

    def _told(self, kind: type[Fact], what: str, reason: str, **fields: str) -> Then:
        __tracebackhide__ = True
        if not any(not reason or fact.reason == reason for fact in self._facts(kind, **fields)):
            because = f", because of {reason}" if reason else ""
            self._fail(f"{what}{_of(fields.get('journey', ''))}{because}")
        return self

    def _belongs(self, segment: str) -> bool:
        changes = [
            fact
            for fact in self._profile().timeline
            if isinstance(fact, facts.SegmentEntered | facts.SegmentLeft) and fact.segment == segment
        ]
        return bool(changes) and isinstance(changes[-1], facts.SegmentEntered)

    def _facts(self, kind: type[Fact], **fields: str) -> list[Any]:
        found: list[Any] = [fact for fact in self._profile().timeline if isinstance(fact, kind)]
        return [
            fact
            for fact in found
            if all(not value or getattr(fact, field) == value for field, value in fields.items())
        ]

    def _actions(self) -> list[Action]:
        self._profile()
        return self._story.actions(self._who)

    def _enrolments(self, journey: str, key: str) -> list[EnrolmentView]:
        return [
            each
            for each in self._profile().enrolments
            if (not journey or each.journey == journey) and (not key or each.key == key)
        ]

    def _states(self, enrolment: EnrolmentView) -> set[str]:
        """Return the active states with those around them."""
        version = self._story.catalogue.versions.get((enrolment.journey, enrolment.version))
        if version is None:
            return set(enrolment.state)
        states = version.chart.states
        active = [state for state in states if state.id in enrolment.state]
        around = {states[index].id for state in active for index in state.ancestors}
        return {*enrolment.state, *around}

    def _profile(self) -> ProfileView:
        profile = self._story.profile(self._who)
        if profile is None:
            raise AssertionError(f"nobody is called {self._who!r} in this story; who did something?")
        return profile

    def _fail(self, expected: str) -> NoReturn:
        __tracebackhide__ = True
        stands = [f"  {line}" for line in map(self._stand, self._profile().enrolments)] or ["  in no journey"]
        raise AssertionError(
            "\n".join(
                (
                    f"expected of {self._who}, at {self._when(self._story.now)}: {expected}",
                    f"What happened to {self._who}:",
                    self.tells() or "  nothing",
                    f"Where {self._who} stands:",
                    *stands,
                )
            )
        )

    def _stand(self, enrolment: EnrolmentView) -> str:
        due_at = enrolment.next_timer_at
        timer = "" if due_at is None else f", until {self._when(due_at)} at the latest"
        key = f" for {enrolment.key}" if enrolment.key else ""
        return f"{enrolment.journey}{key}: in {', '.join(enrolment.state)}{timer}"

    def _when(self, at: int) -> str:
        return datetime.fromtimestamp(at / 1000, zone_named(self._story.zone)).strftime(
            "%a %Y-%m-%d %H:%M:%S"
        )


def _fits(action: Action, sink: str, wanted: Mapping[str, Any]) -> bool:
    if sink and action.sink != sink:
        return False
    body = _body(action)
    return all(name in body and body[name] == value for name, value in wanted.items())


def _body(action: Action) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(action.body)
    return body


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "..."


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n} times")


def _by(sink: str) -> str:
    return f" by {sink}" if sink else ""


def _of(journey: str) -> str:
    return f" of {journey}" if journey else ""


def _for(key: str) -> str:
    return f" for {key}" if key else ""


def _with(wanted: Mapping[str, Any]) -> str:
    return f" with {_shown(wanted)}" if wanted else ""
