"""Hold-outs: who enters and moves as all do and gets nothing, so that a message's worth can be known.

Each has a seed of its own, so that they are independent: `holdout/all` keeps people from everything,
`holdout:JOURNEY` from what a journey wants, `holdout/channel/CHANNEL` from what goes by a channel,
`holdout/node/JOURNEY/STATE` from what one state does, `holdout/experiment/ID` from the experiment of a flag.
What is hashed is the id a person had when asked first, and stays it: a name does not change the answer.
"""

from __future__ import annotations

from typing import Literal

from sojourn.definitions.experiment import Experiment
from sojourn.definitions.holdouts import OF_ALL, OF_CHANNEL, OF_EXPERIMENT, OF_JOURNEY, OF_NODE
from sojourn.definitions.journey import Journey
from sojourn.engine.experiments import is_held_out
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life, Memory, Wanted
from sojourn.engine.view import View


def holdout_of(
    life: Life, memory: Memory, journey: Journey, ledger: Ledger
) -> Literal["", "global", "journey"]:
    """Tell which hold-out keeps somebody back who enters a journey; the global one is asked first."""
    if journey.holdout and not memory.unit:
        memory.unit = life.unit or ledger.unit  # by which they may have been told of it
    share = ledger.catalogue.policy.holdout
    if share and is_held_out(OF_ALL, _unit(life, ledger), share):
        return "global"
    return "journey" if is_held_out(OF_JOURNEY + journey.name, memory.unit, journey.holdout) else ""


def holdouts_of_action(life: Life, wanted: Wanted, ledger: Ledger) -> list[str]:
    """Name every hold-out that keeps the person back from an action, each asked on its own.

    So a report can set any of them against the rest: `global`, `journey`, `channel`, `node`, in this order.
    """
    found = [wanted.holdout] if wanted.holdout else []
    if found == ["global"] and _is_held_out_of_journey(life, wanted, ledger):
        found.append("journey")
    share = ledger.catalogue.policy.channel(wanted.channel).holdout if wanted.channel else 0.0
    if share and is_held_out(OF_CHANNEL + wanted.channel, _unit(life, ledger), share):
        found.append("channel")
    share = wanted.node_holdout if ledger.catalogue.policy.asks_nodes else 0.0
    if share and is_held_out(f"{OF_NODE}{wanted.journey}/{wanted.state}", _unit(life, ledger), share):
        found.append("node")
    return found


def holdout_of_experiment(
    life: Life, experiment: Experiment, view: View
) -> Literal["", "global", "experiment"]:
    """Tell which hold-out keeps somebody from a flag's experiment; asking changes nothing in their life."""
    unit = life.unit or view.unit
    share = view.catalogue.policy.holdout
    if share and is_held_out(OF_ALL, unit, share):
        return "global"
    share = experiment.holdout if view.catalogue.policy.asks_nodes else 0.0
    return "experiment" if is_held_out(OF_EXPERIMENT + experiment.id, unit, share) else ""


def keep_unit(life: Life, ledger: Ledger) -> None:
    """Keep the id by which hold-outs were asked: somebody saw what they said."""
    _unit(life, ledger)


def _is_held_out_of_journey(life: Life, wanted: Wanted, ledger: Ledger) -> bool:
    journey = ledger.catalogue.versions.get((wanted.journey, wanted.version))
    memory = life.memories.get(wanted.journey)
    if journey is None or memory is None:
        return False
    return is_held_out(OF_JOURNEY + journey.name, memory.unit, journey.holdout)


def _unit(life: Life, ledger: Ledger) -> str:
    if not life.unit:
        life.unit = ledger.unit
    return life.unit
