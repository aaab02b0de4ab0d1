"""The desk: where somebody asks to publish, to go back, to pause; it plans, and makes the control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sojourn.definitions.catalogue import Definitions, load_definitions
from sojourn.definitions.controls import (
    PAUSE,
    PUBLISH,
    RESUME,
    STOP,
    Holding,
    Publishing,
    control_event,
)
from sojourn.definitions.journey import EVERY_JOURNEY
from sojourn.definitions.planning import Planned, Request, plan
from sojourn.definitions.publishing import InForce, Version
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import InputError
from sojourn.model.event import Event
from sojourn.model.ports import Store
from sojourn.model.views import HoldView, VersionView
from sojourn.runtime.driver import Driver
from sojourn.runtime.tallies import Tallies
from sojourn.server.asked import Publish, Rollback, Settings


class Desk:
    """Plans over what one driver has in force."""

    def __init__(self, driver: Driver, store: Store) -> None:
        self._driver = driver
        self._store = store

    @property
    def in_force(self) -> InForce:
        """What is in force now."""
        assert self._driver.controls is not None, "a house knows what is in force"
        return self._driver.controls.in_force

    def plan(
        self,
        texts: Iterable[tuple[str, str]],
        request: Request,
        *,
        is_whole: bool,
        settings: Mapping[str, Any] | None = None,
    ) -> Planned:
        """Plan to publish files; with `is_whole`, they are all there is.

        `settings` are `ranks` and `session_gap_ms`; None: those in force. Raises DefinitionError and
        InputError.
        """
        shared = () if is_whole else self.in_force.shared
        definitions = load_definitions(texts, shared=shared)
        return self._plan(definitions, request, is_whole=is_whole, settings=settings)

    def plan_rollback(self, journey: str, to: str | None, request: Request) -> Planned:
        """Plan to publish an older version again: `to`, or the one published before the one in force."""
        found = self._older(journey, to)
        file = f"journey {journey}, version {found.version}"
        (again,) = load_definitions([(file, found.text)], shared=self.in_force.shared).journeys
        definitions = Definitions(journeys=(replace(again, version=found.version),))
        return self._plan(definitions, request, is_whole=False)

    def publishing(self, publishing: Publishing, *, now: int) -> Event:
        """Make the control that carries a plan out."""
        return self._event(PUBLISH, publishing, now)

    def holding(self, name: str, journey: str, *, now: int) -> Event | None:
        """Make the control that pauses, resumes, stops or releases; None where it is so already."""
        if name in (PAUSE, RESUME):
            self._known(journey)
        payload = Holding(journey=journey) if name in (PAUSE, RESUME) else Holding()
        is_open = self._is_held(payload.journey)
        return None if is_open == (name in (PAUSE, STOP)) else self._event(name, payload, now)

    def holds(self) -> HoldView:
        """Show what stands still."""
        names = [
            name for name in sorted(self.in_force.holds) if name != EVERY_JOURNEY and self._is_held(name)
        ]
        return HoldView(revision=self.in_force.revision, stopped=self._is_held(EVERY_JOURNEY), paused=names)

    def versions(self, journey: str) -> list[VersionView]:
        """Show the versions of a journey that are kept, the one published last first."""
        return versions_of(self.in_force, self._store, journey)

    def _plan(
        self,
        definitions: Definitions,
        request: Request,
        *,
        is_whole: bool,
        settings: Mapping[str, Any] | None = None,
    ) -> Planned:
        catalogue = self._driver.catalogue
        views = Tallies(self._store).views(catalogue)
        people = {(view.name, view.version): view.states for view in views}
        return plan(
            self.in_force,
            catalogue,
            definitions,
            people=people,
            is_whole=is_whole,
            request=request,
            settings=settings,
        )

    def _event(self, name: str, payload: Struct, now: int) -> Event:
        return control_event(name, payload, after=self._driver.position, now=now)

    def _is_held(self, name: str) -> bool:
        holds = self.in_force.holds.get(name)
        return bool(holds) and holds is not None and holds[-1].until is None

    def _known(self, journey: str) -> None:
        names = sorted({one.journey for one in self.in_force.versions})
        if journey not in names:
            reason = f"there is no journey {journey!r}{did_you_mean(journey, names)}"
            raise InputError("unknown-journey", reason, status=404)

    def _older(self, journey: str, to: str | None) -> Version:
        self._known(journey)
        own = [one for one in self.in_force.versions if one.journey == journey]
        if to is not None:  # the one in force, too: whoever says it twice wants it once
            own = [one for one in own if one.version == to]
        else:
            own = [one for one in own if one.version != self.in_force.current.get(journey)]
        if not own:
            which = f"no version {to}" if to else "no older version"
            reason = f"journey {journey} has {which}; `sojourn versions {journey}` lists those that are kept"
            raise InputError("unknown-version", reason, status=404)
        return own[-1]


def versions_of(in_force: InForce, store: Store, journey: str) -> list[VersionView]:
    """Show the versions of a journey that are kept, the one published last first; none: InputError."""
    found = [one for one in in_force.versions if one.journey == journey]
    if not found:
        names = sorted({one.journey for one in in_force.versions})
        reason = f"there is no journey {journey!r}{did_you_mean(journey, names)}"
        raise InputError("unknown-journey", reason, status=404)
    inside = Tallies(store).inside(journey)
    return [
        VersionView(
            journey=journey,
            version=one.version,
            is_open=in_force.current.get(journey) == one.version,
            revision=one.revision,
            published_at=one.at,
            policy=one.policy,
            n_people=inside.get(one.version, 0),
        )
        for one in reversed(found)
    ]


def planned(desk: Desk, asked: Publish | Rollback) -> Planned:
    """Plan what somebody asks for."""
    request = Request(policy=asked.policy, states=asked.states)
    if isinstance(asked, Rollback):
        return desk.plan_rollback(asked.journey, asked.to, request)
    texts = [(each.file, each.text) for each in asked.definitions]
    return desk.plan(texts, request, is_whole=asked.is_whole, settings=settings_asked(asked.settings))


def settings_asked(asked: Settings | None) -> dict[str, Any] | None:
    """Read what is to hold beside the files; raises InputError."""
    if asked is None:
        return None
    ranks = {step: rank for rank, step in enumerate(asked.steps)}
    if len(ranks) < len(asked.steps):
        repeated = next(step for rank, step in enumerate(asked.steps) if ranks[step] != rank)
        reason = f"{repeated!r} stands there twice; give each step one place"
        raise InputError("repeated-step", reason, path="settings.steps")
    return {"ranks": ranks, "session_gap_ms": asked.session_gap_ms}
