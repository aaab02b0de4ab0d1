"""Authoring: what authors are told of one house: what is wrong, what goes through, who is where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from sojourn.adapters.sqlite.traffic import Cursor, SqliteTraffic
from sojourn.definitions.chart import Chart, State
from sojourn.definitions.checking import Verdict, check_files
from sojourn.definitions.drawing import chart_of
from sojourn.definitions.journey import Catalogue, Journey
from sojourn.definitions.publishing import InForce
from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.way_ids import ENTRY, EXIT, GOAL, ways_taken
from sojourn.model.authored import (
    CheckView,
    DwellView,
    InsidePage,
    ProblemView,
    StateTraffic,
    TrafficView,
    VersionTextView,
)
from sojourn.model.charts import ChartView
from sojourn.model.errors import InputError, Problem, UnavailableError
from sojourn.server.authoring import Check

MAX_WAITING = 16
"""Checks that wait for the one under way: more authors than type in one second."""

Happened = Iterable[tuple[Sequence[str | list[str]], int]]


class Authors:
    """Answers authors, from what is in force and from the tables of traffic."""

    def __init__(
        self,
        traffic: SqliteTraffic,
        *,
        in_force: Callable[[], InForce],
        catalogue: Callable[[], Catalogue],
        sinks: Collection[str] | None,
    ) -> None:
        self._traffic = traffic
        self._in_force = in_force
        self._catalogue = catalogue
        self._sinks = sinks
        self._checking = asyncio.Lock()
        self._n_waiting = 0

    async def check(self, asked: Check) -> CheckView:
        """Say what is wrong in files, and draw what compiles; one at a time, beside the event loop."""
        if self._n_waiting >= MAX_WAITING:
            raise UnavailableError(f"{self._n_waiting} checks are waiting; ask again later")
        self._n_waiting += 1
        try:
            async with self._checking:
                return await asyncio.to_thread(self._check, asked)
        finally:
            self._n_waiting -= 1

    def chart(self, journey: str, version: str) -> ChartView:
        """Lay out a version that is kept; empty: the one in force, or published last."""
        return chart_of(self._find(journey, version))

    def version(self, journey: str, version: str) -> VersionTextView:
        """Return a version as it was written, and the one published before it."""
        found = self._find(journey, version)
        own = [one for one in self._in_force().versions if one.journey == journey]
        at = next((n for n, one in enumerate(own) if one.version == found.version), 0)
        before = own[at - 1] if at else None
        return VersionTextView(
            journey=journey,
            version=found.version,
            text=found.text,
            before=before.version if before else None,
            before_text=before.text if before else None,
        )

    def traffic(self, journey: str, version: str, *, since: int | None, until: int | None) -> TrafficView:
        """Count what went through a version."""
        found = self._find(journey, version)
        reach = self._traffic.reach()
        happened = self._traffic.happened(journey, found.version, since=since, until=until)
        states, ways = counted(found.chart, happened)
        for name, n in self._traffic.people(journey, found.version).items():
            states.setdefault(name, StateTraffic()).n_people = n
        for name, classes in self._traffic.stays(journey, found.version, since=since, until=until).items():
            states.setdefault(name, StateTraffic()).dwell_ms = _dwell(classes)
        return TrafficView(
            journey=journey,
            version=found.version,
            states=states,
            ways=ways,
            since=None if since is None else since // 3_600_000 * 3_600_000,
            until=until,
            at=reach.clock,
            position=reach.position,
        )

    def inside(self, journey: str, version: str, *, state: str, after: str | None, limit: int) -> InsidePage:
        """List people inside a journey, those who came last first."""
        current = self._find(journey, version)
        known = [one for name, one in self._catalogue().versions if name == journey]
        versions = [current.version] if version else known
        found = self._traffic.inside(
            journey,
            versions,
            states=_leaves(current.chart, state) if state else (),
            after=_cursor(after),
            limit=limit,
        )
        cursor = found[-1][0] if len(found) == limit else None
        return InsidePage(
            items=[view for _, view in found], next=None if cursor is None else f"{cursor[0]}-{cursor[1]}"
        )

    def _check(self, asked: Check) -> CheckView:
        in_force, catalogue = self._in_force(), self._catalogue()
        verdict = check_files(
            [(each.file, each.text) for each in asked.definitions],
            shared=() if asked.is_whole else in_force.shared,
            others=() if asked.is_whole else catalogue.journeys.values(),
            sinks=self._sinks,
        )
        return check_view(verdict)

    def _find(self, journey: str, version: str) -> Journey:
        """Return a version that is kept; raise InputError where there is none."""
        catalogue = self._catalogue()
        if not version and journey in catalogue.journeys:
            return catalogue.journeys[journey]
        own = [one for (name, _), one in catalogue.versions.items() if name == journey]
        if not own:
            names = sorted({name for name, _ in catalogue.versions})
            reason = f"there is no journey {journey[:200]!r}{did_you_mean(journey, names)}"
            raise InputError("unknown-journey", reason, status=404)
        found = own[-1] if not version else catalogue.versions.get((journey, version))
        if found is None:
            reason = (
                f"journey {journey} has no version {version[:200]!r}; `sojourn versions {journey}` lists them"
            )
            raise InputError("unknown-version", reason, status=404)
        return found


def check_view(verdict: Verdict) -> CheckView:
    """Lay out what is to be said of files."""
    problems = [_problem(one, is_error=True) for one in verdict.problems]
    problems += [_problem(one, is_error=False) for one in verdict.warnings]
    return CheckView(problems=problems, charts=[chart_of(journey) for journey in verdict.journeys])


def counted(chart: Chart, happened: Happened) -> tuple[dict[str, StateTraffic], dict[str, int]]:
    """Count states and ways from what happened in a version, as the tables of traffic tell it."""
    states: dict[str, StateTraffic] = {}
    ways: dict[str, int] = {}

    def came(names: Iterable[str], n: int) -> None:
        for name in names:
            states.setdefault(name, StateTraffic()).entered += n

    def went(names: Iterable[str], n: int) -> None:
        for name in names:
            states.setdefault(name, StateTraffic()).left += n

    for what, n in happened:
        match what:
            case ["moved", list(source), list(target), str(event)]:
                came(target, n)
                went(source, n)
                for way in ways_taken(chart, source, target, event):
                    ways[way] = ways.get(way, 0) + n
            case ["entered"]:
                ways[ENTRY] = ways.get(ENTRY, 0) + n
            case ["goal"]:
                ways[GOAL] = ways.get(GOAL, 0) + n
            case ["exited", str(reason), list(names)]:
                went([] if reason == "final" else names, n)
                if reason == "exit":
                    ways[EXIT] = ways.get(EXIT, 0) + n
            case ["came", list(names)]:
                came(names, n)
            case ["went", list(names)]:
                went(names, n)
    return states, ways


def _problem(problem: Problem, *, is_error: bool) -> ProblemView:
    return ProblemView(
        file=problem.file,
        line=problem.line,
        column=problem.column,
        severity="error" if is_error else "warning",
        code=problem.code,
        message=problem.message,
    )


def _dwell(classes: Mapping[int, int]) -> DwellView:
    total = sum(classes.values())
    found: list[int] = []
    seen = 0
    for edge in sorted(classes):
        seen += classes[edge]
        while len(found) < 2 and seen * 10 >= total * (5, 9)[len(found)]:
            found.append(edge)
    return DwellView(p50=found[0], p90=found[1])


def _leaves(chart: Chart, name: str) -> list[str]:
    """Return the atomic states of which whoever is in a state is in exactly one."""
    index = chart.by_id.get(name)
    if index is None:
        raise InputError("unknown-state", f"there is no state {name[:200]!r}", status=404)
    state: State = chart.states[index]
    if state.is_leaf or not state.children:
        return [state.id]
    children = state.children[:1] if state.kind == "parallel" else state.children
    return [leaf for child in children for leaf in _leaves(chart, chart.states[child].id)]


def _cursor(after: str | None) -> Cursor | None:
    if after is None:
        return None
    since, _, number = after.partition("-")
    return int(since), int(number)
