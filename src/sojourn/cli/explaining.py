"""Explaining: why this person did, or did not, get that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration, now_ms
from sojourn.cli.output import complain, instant, relative, say_json, show, table
from sojourn.runtime.telling import tell_story

if TYPE_CHECKING:
    from sojourn.model.fact import Fact, Judged
    from sojourn.model.views import AwaitedView, ExplanationView, RunView


def explain(
    person: Annotated[str, typer.Argument(metavar="ID", help="A user id or an anonymous id.")],
    journey: Annotated[str, typer.Argument(metavar="JOURNEY", help="The journey's name.")],
    *,
    last: Annotated[
        int, typer.Option("--last", min=1, max=1_000, help="The newest enrolments; at most so many.")
    ] = 3,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Say why a person did, or did not, get what a journey sends.

    The chain of facts that led here: which event, guard, cap, quiet hour, hold-out or consent decided,
    with the values it saw; and, where the person is inside, what is awaited and how each guard would answer.
    """
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(configuration(config, data)) as house:
        view = house.explain(person, journey)
    if view is None:
        complain(f"{person}: nobody has this id; is it spelled as the SDK sends it?")
        raise typer.Exit(1)
    if json:
        say_json(view)
    else:
        show(*describe(view, now_ms(), last=last))


def describe(view: ExplanationView, now: int, *, last: int) -> Iterator[Any]:
    """Lay an explanation out for people: what happened, then what is awaited, then why nothing did."""
    for run in view.runs[-last:]:
        key = f", for {run.key}" if run.key else ""
        title = f"{view.journey} {run.version}{key}: {'over' if run.is_over else 'inside'}"
        yield table(("when (UTC)", "", "what"), _story(run.facts, now), title=title)
        if run.awaits:
            yield table(("in", "awaits", "then", "asks"), _awaited_rows(run, now), title="what it waits for")
    left_out = len(view.runs) - last
    if left_out > 0:
        yield f"{left_out:,} older enrolments are left out; --last {len(view.runs)} shows them."
    if view.refusals:
        yield table(("when (UTC)", "", "what"), _story(view.refusals, now), title="and did not enter")
    if not view.runs and view.entry:
        yield table(("the entry asks", "now", "as"), _judged_rows(view.entry), title="to enter")
    yield from view.hints
    if view.is_cut:
        yield "Only the newest facts were looked at; older ones are left out."


def _story(facts: Sequence[Fact], now: int) -> list[tuple[str, str, str]]:
    rows = []
    for fact, line in zip(facts, tell_story(facts), strict=True):
        rows.append((instant(fact.at), relative(fact.at, now), line))
        rows += [("", "", f"  {_say(judged)}") for judged in getattr(fact, "judged", ())]
    return rows


def _say(judged: Judged) -> str:
    """Say what a guard asked, what it answered, and what it saw."""
    return f"{'since' if judged.held else 'not'} {judged.guard}{_values(judged)}"


def _values(judged: Judged) -> str:
    seen = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in judged.saw.items()]
    return f"   ({', '.join(seen)})" if seen else ""


def _judged_rows(several: Sequence[Judged]) -> list[tuple[str, str, str]]:
    return [(each.guard, "true" if each.held else "false", _values(each).strip()) for each in several]


def _awaited_rows(run: RunView, now: int) -> list[tuple[str, str, str, str]]:
    return [
        (way.state, _awaited(way, now), ", ".join(way.to), "; ".join(map(_ask, way.guards)))
        for way in run.awaits
    ]


def _awaited(way: AwaitedView, now: int) -> str:
    if way.due_at is not None:
        return f"{instant(way.due_at)} UTC, {relative(way.due_at, now)}"
    return way.event or "a change"


def _ask(judged: Judged) -> str:
    return f"{judged.guard}: {'true' if judged.held else 'false'} now{_values(judged)}"
