"""Working in a cluster: outbox workers, and the actions they gave up."""

from __future__ import annotations

from typing import Annotated

import typer

from sojourn.cli.letters import show_dead
from sojourn.cli.options import ConfigOption, DataOption, JsonOption, LimitOption, configuration
from sojourn.cli.output import complain, say_json
from sojourn.model.errors import ConfigError

dead = typer.Typer(
    help="Actions that a cluster's workers gave up, each with its last error.", no_args_is_help=True
)


def work(*, data: DataOption = None, config: ConfigOption = None) -> None:
    """Deliver a cluster's actions to the configured sinks, as one of a group, until it is told to stop.

    As many of these as wanted stand side by side and share the work, up to one for each partition of the
        actions. SIGTERM and Ctrl-C end it in good order: what is in flight ends, what is done is committed.
    """
    import uvloop  # noqa: PLC0415 - help needs no server

    from sojourn.wiring import cluster_work  # noqa: PLC0415

    uvloop.run(cluster_work.work(configuration(config, data)))


@dead.command("list", epilog="`sojourn cluster dead list`")
def list_dead(
    *,
    limit: LimitOption = 100,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List actions that were given up, newest first."""
    from sojourn.wiring.cluster_dead import dead_letters  # noqa: PLC0415 - help needs no Kafka

    with dead_letters(configuration(config, data)) as letters:
        show_dead(letters.read(limit=limit), limit=limit, json=json)


@dead.command("retry", epilog="`sojourn cluster dead retry --all`")
def retry_dead(
    actions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ACTION]...", help="Ids, as `sojourn cluster dead list` shows them."),
    ] = None,
    *,
    is_all: Annotated[bool, typer.Option("--all", help="All of them, 20,000 at most at a time.")] = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Put actions that were given up back on their way, as if never tried.

    The receiver sees the same idempotency key as before.
    """
    from sojourn.wiring.cluster_dead import dead_letters, now_ms  # noqa: PLC0415 - help needs no Kafka

    if bool(actions) == is_all:
        raise ConfigError("cluster dead retry: name the actions to retry, or say --all")
    with dead_letters(configuration(config, data)) as letters:
        n_revived = len(letters.revive(actions or None, now=now_ms()))
    if json:
        say_json({"revived": n_revived})
    else:
        typer.echo(f"{n_revived} on their way again; they go out while `sojourn cluster work` runs")
    if n_revived < (n_named := len(set(actions or ()))):
        complain(
            f"{n_named - n_revived} of {n_named} are no dead letters; `sojourn cluster dead list` shows "
            "their ids"
        )
        raise typer.Exit(1)
