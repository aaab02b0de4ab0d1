"""Segments: who is in one now."""

from __future__ import annotations

from typing import Annotated

import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, LimitOption, configuration, now_ms
from sojourn.cli.output import complain, instant, progress, relative, say_json, show, table


def segment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A segment of the definitions in force.")],
    *,
    limit: LimitOption = 100,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Count who is in a segment now, and list those who joined last.

    Everybody's state is read, beside a server that may be running: seconds for a million people.
    """
    from sojourn import wiring  # noqa: PLC0415 - help needs no database

    with wiring.open_readings(configuration(config, data)) as house:
        n_people = sum(house.store.counts().get(kind, 0) for kind in ("profiles", "devices"))
        with progress("Reading people", total=n_people) as tell:
            view = house.segment(name, limit=limit, tell=tell)
        known = ", ".join(house.catalogue.segments) or "none"
    if view is None:
        complain(f"{name}: no segment in force has this name; there are: {known}")
        raise typer.Exit(1)
    if json:
        say_json(view)
        return
    now = now_ms()
    rows = [(one.id, f"{instant(one.since)} UTC", relative(one.since, now)) for one in view.members]
    show(f"{view.name}: {view.n_members:,} people", table(("person", "since", ""), rows))
