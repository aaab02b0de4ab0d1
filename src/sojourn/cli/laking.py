"""The lake of a cluster: written, and asked from a folder that stands for it."""

from __future__ import annotations

import msgspec
import typer

from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration
from sojourn.cli.output import say_json

lake = typer.Typer(invoke_without_command=True)


@lake.callback(epilog="`sojourn cluster lake`")
def write(context: typer.Context, *, data: DataOption = None, config: ConfigOption = None) -> None:
    """Write a cluster's entries and facts to its lake, until it is told to stop; one process does.

    Every row is there once, whenever it is killed: what it has read is committed with the rows. SIGTERM and
        Ctrl-C end it in good order.
    """
    if context.invoked_subcommand is not None:
        return
    from sojourn.wiring.cluster_lake import write_lake  # noqa: PLC0415 - help needs no Kafka

    write_lake(configuration(config, data))


@lake.command("link", epilog="`sojourn cluster lake link --data lake`")
def link(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Let the data folder stand for the cluster's lake, so that whatever asks a folder asks that.

    `sojourn graph`, `funnel`, `retention`, `attribution`, `lake query` and `lake export` do.
    """
    from sojourn.wiring import cluster_lake  # noqa: PLC0415 - as above

    path = cluster_lake.link(configuration(config, data))
    if json:
        say_json({"file": str(path)})
    else:
        typer.echo(
            f"{path}: this folder stands for the cluster's lake now; ask it with --data {path.parent.parent}"
        )


@lake.command("tidy", epilog="`sojourn cluster lake tidy`")
def tidy(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Erase people who were forgotten, merge small files, and remove old snapshots with their files.

    Beside the process that writes; once a day, say. Files of days that are over are merged.
    """
    from sojourn.wiring import cluster_tidying  # noqa: PLC0415 - as above

    done = cluster_tidying.tidy(configuration(config, data), now=cluster_tidying.now())
    if json:
        say_json(msgspec.structs.asdict(done))
        return
    typer.echo(f"rows of people who were forgotten, and of days kept long enough: {done.rows} removed")
    typer.echo(f"days merged: {done.days}; files removed: {done.files}")
