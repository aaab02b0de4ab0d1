"""One person as their state alone tells: what led there is among the facts, which are kept elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from sojourn.definitions.journey import Catalogue
from sojourn.engine.records import Saved
from sojourn.engine.state import Tie
from sojourn.model.fact import Fact
from sojourn.model.ports import Progress, Stored
from sojourn.model.turn import Key
from sojourn.model.views import ProfileView
from sojourn.runtime.reading import find_profile
from sojourn.runtime.served.people import Look, States


async def served_profile(store: States, any_id: str, *, catalogue: Catalogue, now: int) -> ProfileView | None:
    """Find a person by a user id or an anonymous id, without a timeline.

    Raises UnavailableError where the store does not answer.
    """
    look = Look()
    ids = [any_id, any_id[2:]] if any_id[:2] in ("u:", "a:") else [any_id]
    devices: list[Key] = [("identity", one) for one in ids]
    await look.read([*(("profile", one) for one in ids), *devices], store)
    ties = (look.state(key) for key in devices)
    owners = [tie.owner for tie in ties if isinstance(tie, Tie) and tie.owner is not None]
    await look.read((("profile", owner) for owner in owners), store)
    return find_profile(_StatesAlone(look, now), any_id, catalogue=catalogue)


class _StatesAlone:
    """What a look has read, to whoever reads a store."""

    def __init__(self, look: Look, now: int) -> None:
        self._look = look
        self._now = now

    def progress(self) -> Progress:
        return Progress(clock=self._now)

    def load(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        found = ((key, self._look.saved(key)) for key in keys)
        return {key: _stored(saved) for key, saved in found if saved is not None}

    def facts(self, key: Key, *, limit: int = 1000) -> list[Fact]:
        del key, limit
        return []


def _stored(saved: Saved) -> Stored:
    return Stored(saved.state, saved.wake or None, 0)
