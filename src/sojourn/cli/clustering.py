"""Clustering: an installation whose log is Kafka and whose engine runs on Flink."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from sojourn.cli import cluster_forgetting, laking, working
from sojourn.cli.options import ConfigOption, DataOption, JsonOption, configuration
from sojourn.cli.output import say_json
from sojourn.cli.plan_report import carry_out
from sojourn.cli.publishing import DryOption, FilesArgument, MapOption, PolicyOption, YesOption, asked_of
from sojourn.model.views import PlanView

cluster = typer.Typer(help="On Kafka and Flink: topics, journeys, the job, the door.", no_args_is_help=True)


@cluster.command("init", epilog="`sojourn cluster init`")
def init(*, data: DataOption = None, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Create the topics that are not there yet; those that are stay as they are."""
    from sojourn.wiring.cluster import make_cluster, topics_in_use  # noqa: PLC0415 - help needs no Kafka

    settings = configuration(config, data)
    made = make_cluster(settings)
    names = topics_in_use(settings)
    if json:
        say_json({"created": made, "kept": [name for name in names if name not in made]})
        return
    for name in names:
        typer.echo(f"{name}: {'created' if name in made else 'there already'}")


@cluster.command("publish", epilog="`sojourn cluster publish --dry-run`")
def publish(
    files: FilesArgument = None,
    *,
    policy: PolicyOption = "pin",
    states: MapOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Bring journeys into force on a cluster, as `sojourn publish` does in a folder.

    What is in force is read from the topic of controls, and the change is one more of them: every task
        switches at the same place of the log. How many people are in which state is not known here: where
        people go along, a state that is gone is refused unless it is mapped.
    """
    from sojourn.server.asked import Publish  # noqa: PLC0415 - help needs no Kafka
    from sojourn.wiring import cluster_publishing  # noqa: PLC0415

    settings = configuration(config, data)
    asked = asked_of(settings, files, policy=policy, states=states)

    def do(is_dry: bool) -> PlanView:
        return cluster_publishing.publish(settings, msgspec.convert({**asked, "dry_run": is_dry}, Publish))

    carry_out(do, dry_run=dry_run, yes=yes, json=json)


@cluster.command("job", epilog="`sojourn cluster job --out job.json --parallelism 4`")
def job(
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")] = Path("job.json"),
    parallelism: Annotated[
        int, typer.Option("--parallelism", "-p", min=1, max=1_023, help="Tasks; at most `cluster.shards`.")
    ] = 1,
    data: DataOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Write the settings that the Flink job takes, and say the command that begins it.

    The file holds no secret: where `cluster.client_env` names a variable, so does the file, and it must be
        set where Flink's processes run.
    """
    from sojourn.wiring.cluster import job_command, write_job  # noqa: PLC0415 - help needs no Kafka

    write_job(configuration(config, data), out)
    command = job_command(out, parallelism=parallelism)
    if json:
        say_json({"file": str(out), "command": command})
    else:
        typer.echo(f"{out}: the settings of the job. Begin it where Flink is installed:\n{command}")


@cluster.command("serve", epilog="`sojourn cluster serve`")
def serve(*, data: DataOption = None, config: ConfigOption = None) -> None:
    """Take events over HTTP and make them durable on Kafka, until it is told to stop.

    As many of these as wanted may stand side by side. SIGTERM and Ctrl-C end it in good order.
    """
    import uvloop  # noqa: PLC0415 - help needs no server

    from sojourn.wiring.cluster_serving import serve_door  # noqa: PLC0415

    uvloop.run(serve_door(configuration(config, data)))


cluster.command("forget", epilog="`sojourn cluster forget ada --dry-run`")(cluster_forgetting.forget)


@cluster.command("feed", epilog="`sojourn cluster feed`")
def feed(
    *,
    from_beginning: Annotated[
        bool,
        typer.Option("--from-beginning", help="Read all states again, as for a store that is made anew."),
    ] = False,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Bring what the job keeps of everybody to the serving store, as one of a group, until told to stop.

    Where the store lost what it had, all of it is made again from the topic of states.
    """
    import uvloop  # noqa: PLC0415 - help needs no server

    from sojourn.wiring import cluster_feeding  # noqa: PLC0415

    uvloop.run(cluster_feeding.feed(configuration(config, data), from_beginning=from_beginning))


cluster.command("work", epilog="`sojourn cluster work`")(working.work)
cluster.command("learn", epilog="`sojourn cluster learn`")(working.learn)
cluster.add_typer(working.dead, name="dead")
cluster.add_typer(working.failed, name="failed")
cluster.add_typer(laking.lake, name="lake")
