"""Working in a cluster: outbox workers, the actions they gave up, and the events that were refused."""

from __future__ import annotations

from typing import Annotated

import typer

from sojourn.cli.letters import (
    BeforeOption,
    revive_dead,
    show_dead,
    show_failed,
    show_failed_kinds,
    show_retried,
)
from sojourn.cli.options import ConfigOption, DataOption, JsonOption, LimitOption, configuration

dead = typer.Typer(
    help="Actions that a cluster's workers gave up, each with its last error.", no_args_is_help=True
)
failed = typer.Typer(help="Events that a cluster refused, each with its reason.", no_args_is_help=True)


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

    def revive(chosen: list[str] | None) -> int:
        with dead_letters(configuration(config, data)) as letters:
            return len(letters.revive(chosen, now=now_ms()))

    revive_dead(revive, actions, is_all=is_all, of="cluster ", json=json)


@failed.command("list", epilog="`sojourn cluster failed list`")
def list_failed(
    *,
    limit: LimitOption = 100,
    before: BeforeOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List events that a door refused, or the engine failed on, newest first; of the 20,000 newest."""
    from sojourn.wiring.cluster_failed import failed_events  # noqa: PLC0415 - help needs no Kafka

    show_failed(
        failed_events(configuration(config, data), limit=limit, before=before), limit=limit, json=json
    )


@failed.command("summary", epilog="`sojourn cluster failed summary`")
def count_failed(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Count events that were refused, by reason and source; those retried with success are left out."""
    from sojourn.wiring.cluster_failed import failed_kinds  # noqa: PLC0415 - help needs no Kafka

    show_failed_kinds(failed_kinds(configuration(config, data)), json=json)


@failed.command("retry", epilog="`sojourn cluster failed retry 17 18`")
def retry_failed(
    numbers: Annotated[
        list[int], typer.Argument(metavar="NUMBER...", help="As `sojourn cluster failed list` shows them.")
    ],
    *,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Read events that were refused again, as a door does now, and take those that read well.

    Each is taken under its own message id, and comes now: journeys see it at this instant. Where the log has
        it already, the job's first stage drops it.
    """
    from sojourn.wiring import cluster_failed  # noqa: PLC0415 - help needs no Kafka

    show_retried(cluster_failed.retry_failed(configuration(config, data), numbers), json=json)


def learn(*, data: DataOption = None, config: ConfigOption = None) -> None:
    """Learn forecasts and weights of experiments from a cluster's facts, until it is told to stop.

    One process learns, and puts what follows into the log; a second one stands by, and goes on where it was.
    """
    import asyncio  # noqa: PLC0415 - help needs no loop

    from sojourn.wiring import cluster_learning  # noqa: PLC0415 - help needs no Kafka

    asyncio.run(cluster_learning.learn(configuration(config, data)))
