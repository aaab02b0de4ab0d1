"""Planning: what publishing some files would change, and where the people inside would land.

Pure: what is in force, the files and how many people are where go in; the plan comes out, nothing is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from sojourn.definitions.catalogue import Definitions, build_catalogue, load_definitions
from sojourn.definitions.controls import Change, Publishing, Taking
from sojourn.definitions.durations import write_duration
from sojourn.definitions.journey import Catalogue, Journey
from sojourn.definitions.moving import counterpart, is_place, start_of
from sojourn.definitions.publishing import InForce
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import InputError
from sojourn.model.views import ChangeView, LandingView, PlanView, SettingView, SharedView

People = Mapping[tuple[str, str], Mapping[str, int]]
"""(journey, version) -> state -> how many are in it now."""


class Request(Struct, frozen=True, kw_only=True):
    """How somebody wants to publish."""

    policy: Taking = "pin"
    states: dict[str, str] = {}
    """State of an older version -> state of the new one; says `map`."""

    @property
    def taking(self) -> Taking:
        """The policy, with what the map says."""
        return "map" if self.states else self.policy


class Planned(Struct, frozen=True, kw_only=True):
    """What would be appended, and what people are shown of it."""

    publishing: Publishing | None
    """None: nothing differs."""
    view: PlanView


def load_texts(texts: Iterable[tuple[str, str]]) -> Definitions:
    """Compile definitions that are all there is, from (file, text); raises DefinitionError."""
    definitions = load_definitions(texts)
    build_catalogue(
        definitions.journeys,
        segments=definitions.segments,
        policy=definitions.policy,
        flags=definitions.flags,
    )
    return definitions


def difference(
    in_force: InForce,
    definitions: Definitions,
    *,
    is_whole: bool,
    settings: Mapping[str, Any] | None = None,
    request: Request | None = None,
) -> Publishing | None:
    """Say what differs from what is in force; None: nothing.

    With `is_whole`, a journey in force that is not among these is removed, and so is all that is shared.
    `settings` are `ranks` and `session_gap_ms`.
    """
    asked = request or Request()
    changes = [
        Change(journey=one.name, version=one.version, text=one.text, policy=asked.taking, states=asked.states)
        for one in sorted(definitions.journeys, key=lambda each: each.name)
        if in_force.current.get(one.name) != one.version
    ]
    names = {one.name for one in definitions.journeys}
    removed = sorted(set(in_force.current) - names) if is_whole else []
    shared = list(definitions.texts) if is_whole or definitions.texts else in_force.shared
    said = {**(settings or {}), "shared": shared}
    differing = {name: value for name, value in said.items() if getattr(in_force, name) != value}
    if not changes and not removed and not differing:
        return None
    return Publishing(changes=changes, removed=removed, **differing)


def plan(
    in_force: InForce,
    catalogue: Catalogue,
    definitions: Definitions,
    *,
    people: People,
    is_whole: bool,
    request: Request,
    settings: Mapping[str, Any] | None = None,
) -> Planned:
    """Plan a publishing and preview it; raises DefinitionError and InputError where the request is none.

    Where somebody would have nowhere to go, the plan says so in `refused`, and must not be carried out.
    """
    _check_together(in_force, catalogue, definitions, is_whole=is_whole)
    publishing = (
        difference(in_force, definitions, is_whole=is_whole, settings=settings, request=request)
        or Publishing()
    )
    compiled = {one.name: one for one in definitions.journeys}
    changed = {change.journey: compiled[change.journey] for change in publishing.changes}
    _check_map(request, changed, catalogue)
    names = sorted({*compiled, *publishing.removed})
    look = _Look(in_force, catalogue, people, request)
    views = [look.change(name, compiled.get(name)) for name in names]
    refused = [sentence for view in views for sentence in _refusals(view, compiled.get(view.journey))]
    is_nothing = publishing == Publishing()
    return Planned(
        publishing=None if is_nothing else publishing,
        view=PlanView(
            policy=request.taking,
            journeys=views,
            refused=refused,
            revision=None,
            shared=[] if publishing.shared is None else list(_shared(catalogue, definitions)),
            settings=list(_settings(in_force, publishing)),
        ),
    )


def _check_together(
    in_force: InForce, catalogue: Catalogue, definitions: Definitions, *, is_whole: bool
) -> None:
    """Refuse what cannot stand beside the journeys that stay in force as they are."""
    names = {one.name for one in definitions.journeys}
    others = [one for one in catalogue.journeys.values() if one.name not in names and not is_whole]
    known = {one.name for one in definitions.segments} if definitions.texts else catalogue.segments.keys()
    for journey in others:
        for name in sorted({*journey.needs.segments, journey.entry.segment} - {"", *known}):
            reason = (
                f"journey {journey.name} asks for the segment {name!r}, and these files have none of that "
                "name; publish the file that defines it, too"
            )
            raise InputError("unknown-segment", reason, path="definitions")
    build_catalogue(
        [*definitions.journeys, *others],
        ranks=in_force.ranks,
        session_gap_ms=in_force.session_gap_ms,
        segments=definitions.segments,
        policy=definitions.policy,
        flags=definitions.flags,
    )


def _check_map(request: Request, changed: Mapping[str, Journey], catalogue: Catalogue) -> None:
    """Refuse a map that names a state nobody can be in, or one that nobody can be put into."""
    old = {
        state.id
        for (name, _), journey in catalogue.versions.items()
        if name in changed
        for state in journey.chart.states[1:]
    }
    new = {state.id for journey in changed.values() for state in journey.chart.states[1:]}
    for source, target in request.states.items():
        if source not in old:
            reason = f"no version of what changes has a state {source!r}{did_you_mean(source, sorted(old))}"
            raise InputError("unknown-state", reason, path="map")
        if not any(is_place(journey.chart, target) for journey in changed.values()):
            hint = did_you_mean(target, sorted(new))
            reason = f"nobody can be put into {target!r}{hint}; name a state of the new version, or done"
            raise InputError("unknown-state", reason, path="map")


class _Look(Struct, frozen=True):
    """What a preview looks at."""

    in_force: InForce
    catalogue: Catalogue
    people: People
    request: Request

    def change(self, name: str, journey: Journey | None) -> ChangeView:
        """Show what becomes of one journey; None: it is removed."""
        before = self.in_force.current.get(name)
        version = (before or "") if journey is None else journey.version
        kind = "removed"
        if journey is not None:
            kind = "new" if before is None else "unchanged" if before == version else "changed"
        return ChangeView(
            journey=name,
            change=kind,
            version=version,
            before=before if kind == "changed" else None,
            people=[] if kind == "unchanged" else list(self._landings(name, journey)),
        )

    def _landings(self, name: str, journey: Journey | None) -> Iterator[LandingView]:
        """Yield where the people of each state of each version stand afterwards."""
        for (owner, version), states in sorted(self.people.items()):
            old = self.catalogue.versions.get((owner, version))
            if owner != name or old is None:
                continue
            is_staying = journey is None or self.request.taking == "pin" or version == journey.version
            for state, n_people in sorted(states.items()):
                lands_in: list[str] | None = [state]
                if not is_staying and journey is not None:
                    target = counterpart(old.chart, journey.chart, state, self.request.states)
                    lands_in = None if target is None else start_of(journey.chart, target)
                yield LandingView(
                    version=version, state=state, n_people=n_people, stays=is_staying, lands_in=lands_in
                )


def _shared(catalogue: Catalogue, definitions: Definitions) -> Iterator[SharedView]:
    """Yield what differs of policy, segments and flags."""
    if definitions.policy != catalogue.policy:
        yield SharedView(what="policy", change="changed")
    yield from _named(
        "segment",
        {name: one.text for name, one in catalogue.segments.items()},
        {one.name: one.text for one in definitions.segments},
    )
    yield from _named(
        "flag",
        {name: one.version for name, one in catalogue.flags.items()},
        {one.name: one.version for one in definitions.flags},
    )


def _named(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[SharedView]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            change = "new" if name not in before else "changed" if name in after else "removed"
            yield SharedView(what=f"{what} {name}", change=change)


def _settings(in_force: InForce, publishing: Publishing) -> Iterator[SettingView]:
    """Yield which settings change."""
    if publishing.ranks is not None:
        before, after = _in_order(in_force.ranks), _in_order(publishing.ranks)
        yield SettingView(name="steps", before=before, after=after)
    if publishing.session_gap_ms is not None:
        before, after = write_duration(in_force.session_gap_ms), write_duration(publishing.session_gap_ms)
        yield SettingView(name="session_gap", before=before, after=after)


def _in_order(ranks: Mapping[str, int]) -> str:
    return ", ".join(sorted(ranks, key=lambda step: ranks[step])) or "none"


def _refusals(view: ChangeView, journey: Journey | None) -> Iterator[str]:
    lost: dict[str, int] = {}
    for landing in view.people:
        if landing.lands_in is None:
            lost[landing.state] = lost.get(landing.state, 0) + landing.n_people
    for state, n_people in lost.items():
        names = sorted(one.id for one in journey.chart.states[1:]) if journey else []
        who = "1 person is" if n_people == 1 else f"{n_people:,} people are"
        yield (
            f"journey {view.journey}: {who} in {state!r}, which version {view.version} does not have"
            f"{did_you_mean(state, names)}; say where they go with --map {state}=STATE, or keep them with "
            "--policy pin [unmapped-state]"
        )
