"""Plans as people read them: what a publishing changes, whom it touches, and why it cannot be done."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from sojourn.cli.output import complain, say_json, show, table
from sojourn.model.errors import ConfigError
from sojourn.model.views import PlanView


def carry_out(do: Callable[[bool], PlanView], *, dry_run: bool, yes: bool, json: bool) -> None:
    """Show a plan, ask, and do it; `do` is told whether it is only to plan."""
    if not dry_run and not yes and not json:
        view = do(True)
        _show_plan(view)
        _stop_where_refused(view)
        if not _changes(view):
            return
        confirm("Publish this?")
    view = do(dry_run)
    if json:
        say_json(view)
    elif dry_run or yes:
        _show_plan(view)
    _stop_where_refused(view, is_told=json)
    if view.revision is not None and not json:
        typer.echo(f"In force, as revision {view.revision}")


def confirm(question: str) -> None:
    """Ask whoever sits there; end where they say no."""
    if not sys.stdin.isatty():
        raise ConfigError("nobody is there to be asked; say --yes")
    typer.confirm(question, abort=True)


def _changes(view: PlanView) -> bool:
    is_changed = any(each.change != "unchanged" for each in view.journeys)
    return is_changed or bool(view.shared or view.settings)


def _show_plan(view: PlanView) -> None:
    rows = [
        (each.journey, each.change, each.version, f"was {each.before}" if each.before else "")
        for each in view.journeys
    ]
    show(table(("journey", "", "version", ""), rows) if rows else "No journeys.")
    people = [
        (each.journey, one.version, one.state, f"{one.n_people:,}", _where(one.lands_in, stays=one.stays))
        for each in view.journeys
        for one in each.people
    ]
    if people:
        show(table(("journey", "version", "people now in", "", "will be in"), people))
    if view.shared:
        show(table(("shared by journeys", ""), [(each.what, each.change) for each in view.shared]))
    if view.settings:
        others = [(one.name, one.before, one.after) for one in view.settings]
        show(table(("changes, too", "was", "will be"), others))
    if not _changes(view) and view.revision is None:
        typer.echo("Nothing to publish: this is in force")


def _where(lands_in: list[str] | None, *, stays: bool) -> str:
    if lands_in is None:
        return "nowhere: map it"
    return "the same version" if stays else ", ".join(lands_in)


def _stop_where_refused(view: PlanView, *, is_told: bool = False) -> None:
    if view.refused:
        if not is_told:
            complain("\n".join(view.refused))
        raise typer.Exit(1)
