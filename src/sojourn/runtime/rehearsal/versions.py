"""Versions: the definitions that a rehearsal sets side by side, and what of them has to be played."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from sojourn.definitions.catalogue import Definitions, build_catalogue
from sojourn.definitions.chart import Want
from sojourn.definitions.journey import Call, Catalogue, Journey
from sojourn.definitions.policy import DEFAULT_POLICY


def with_drafts(published: Catalogue, drafts: Definitions) -> Catalogue:
    """Return a catalogue in which drafts take the place of what they name; all else stays in force.

    A draft's policy replaces the policy, its segments all segments, where it has any, and a flag the one of
    its name.

    Raises DefinitionError where they do not fit together.
    """
    names = {draft.name for draft in drafts.journeys}
    others = [journey for name, journey in published.journeys.items() if name not in names]
    built = build_catalogue(
        [*others, *drafts.journeys],
        ranks=published.ranks,
        session_gap_ms=published.session_gap_ms,
        policy=drafts.policy if drafts.policy is not DEFAULT_POLICY else published.policy,
        segments=drafts.segments or published.segments.values(),
        flags={**published.flags, **{flag.name: flag for flag in drafts.flags}}.values(),
    )
    return replace(built, forecasts=published.forecasts, allocations=published.allocations)


def as_played(catalogue: Catalogue, names: frozenset[str]) -> Catalogue:
    """Return a catalogue of these journeys only, in the versions that people enter now.

    Pauses and publications of the past are left out: a rehearsal asks what the definitions do.
    """
    journeys = {name: journey for name, journey in catalogue.journeys.items() if name in names}
    return replace(
        catalogue,
        journeys=journeys,
        versions={(journey.name, journey.version): journey for journey in journeys.values()},
        entries=_among(catalogue.entries, names),
        by_segment=_among(catalogue.by_segment, names),
        scheduled=tuple(journey for journey in catalogue.scheduled if journey.name in names),
        renewed=0,
        renewed_at=0,
        migrations={},
        holds={},
        is_playing=False,
    )


def related(catalogues: Sequence[Catalogue], names: Iterable[str]) -> frozenset[str]:
    """Return these journeys and those that can make a difference to them.

    Caps count over all journeys; else those of one group, and those that call one another, matter.
    """
    every = {journey.name for catalogue in catalogues for journey in catalogue.journeys.values()}
    if any(_has_caps(catalogue) for catalogue in catalogues):
        return frozenset(every)
    ties = [tie for catalogue in catalogues for tie in _ties(catalogue)]
    found = set(names)
    size = -1
    while size != len(found):
        size = len(found)
        for tie in ties:
            if tie & found:
                found |= tie
    return frozenset(found & every)


def can_be_entered(catalogue: Catalogue, names: Iterable[str]) -> bool:
    """Tell whether somebody who did these events and no others may enter a journey; sure where it says no."""
    if catalogue.segments or catalogue.by_segment or catalogue.scheduled:
        return True
    return any(name in catalogue.entries for name in names)


def _among(index: dict[str, tuple[Journey, ...]], names: frozenset[str]) -> dict[str, tuple[Journey, ...]]:
    kept = {
        key: tuple(journey for journey in journeys if journey.name in names)
        for key, journeys in index.items()
    }
    return {key: journeys for key, journeys in kept.items() if journeys}


def _has_caps(catalogue: Catalogue) -> bool:
    policy = catalogue.policy
    return bool(policy.caps) or any(channel.caps for channel in policy.channels.values())


def _ties(catalogue: Catalogue) -> list[set[str]]:
    groups: dict[str, set[str]] = {}
    ties: list[set[str]] = []
    for journey in catalogue.journeys.values():
        if journey.group:
            groups.setdefault(journey.group, set()).add(journey.name)
        ties += [{journey.name, called} for called in _called(journey)]
    return [*ties, *groups.values()]


def _called(journey: Journey) -> set[str]:
    return {
        content.body.journey
        for state in journey.chart.states
        for content in state.entry
        if isinstance(content, Want) and isinstance(content.body, Call)
    }
