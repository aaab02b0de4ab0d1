"""Hold-outs: who enters and moves as all do and gets nothing, so that a message's worth can be known.

Each has a seed of its own, so that they are independent: `holdout/all` keeps people from everything,
`holdout:JOURNEY` from what a journey wants, `holdout/channel/CHANNEL` from what goes by a channel. What is
hashed is the id a person had when asked first, and stays it: a name does not change the answer.
"""

from __future__ import annotations

from typing import Literal

from sojourn.definitions.journey import Journey
from sojourn.engine.experiments import is_held_out
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life, Memory

_GLOBAL = "holdout/all"
_OF_JOURNEY = "holdout:"
_OF_CHANNEL = "holdout/channel/"


def holdout_of(
    life: Life, memory: Memory, journey: Journey, ledger: Ledger
) -> Literal["", "global", "journey"]:
    """Tell which hold-out keeps somebody back who enters a journey; the global one is asked first."""
    if journey.holdout and not memory.unit:
        memory.unit = ledger.unit
    share = ledger.catalogue.policy.holdout
    if share and is_held_out(_GLOBAL, _unit(life, ledger), share):
        return "global"
    return "journey" if is_held_out(_OF_JOURNEY + journey.name, memory.unit, journey.holdout) else ""


def is_kept_from(life: Life, channel: str, ledger: Ledger) -> bool:
    """Tell whether a channel's hold-out keeps the person back."""
    share = ledger.catalogue.policy.channel(channel).holdout
    return share > 0 and is_held_out(_OF_CHANNEL + channel, _unit(life, ledger), share)


def _unit(life: Life, ledger: Ledger) -> str:
    if not life.unit:
        life.unit = ledger.unit
    return life.unit
