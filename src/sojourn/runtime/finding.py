"""Finding: whose life somebody asks about, by ids that may be a user's or a device's.

Whoever has states at hand looks among them, and is told which are to be read before it can be known.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from sojourn.engine.state import Life, Pointer, State, Tie
from sojourn.model.turn import Key

UNSIGNED, ALIASED = "unsigned-device", "alias"  # why somebody is answered as a stranger.
MAX_ROUNDS = 8  # of looking and reading: a device, its owner, where an alias points, and who came meanwhile.


class Who(Struct, frozen=True, kw_only=True):
    """Whom somebody asks about: ids that a person may have, the likelier first."""

    user_ids: tuple[str, ...] = ()
    anonymous_ids: tuple[str, ...] = ()
    is_user: bool = False
    """The first of `user_ids` is surely a user's, also where nobody has it yet."""
    trusts_events: bool = True
    """False: what events say of who is who opens nothing: a device that they tie to a user is a stranger's,
    and so is a user id that an alias makes another's."""

    @property
    def keys(self) -> list[Key]:
        """Where a change of any of these ids can show."""
        return [
            *(("profile", each) for each in self.user_ids),
            *(("alias", each) for each in self.user_ids),
            *(("identity", each) for each in self.anonymous_ids),
        ]


class Found(Struct, frozen=True, gc=False):
    """Where a person's life is kept, and that life, which belongs to the engine: nobody changes it."""

    key: Key
    life: Life | None
    """None where nobody has the id yet."""
    is_hidden: bool = False
    """It is a user's id, asked about as a device's: who asks is told of nobody and exposes nobody."""
    stranger: str = ""
    """Why who asks may hear it where somebody is hidden from them: `unsigned-device` or `alias`."""
    by: str = ""
    """The user id they were found by: whose events go to this life, which an alias may make another's."""

    @property
    def ids(self) -> Iterator[str]:
        """Every id that is known of them."""
        yield self.key[1]
        if self.life is not None:
            yield from self.life.user_ids
            yield from self.life.anonymous_ids


class Finder:
    """Looks among the states that are at hand, which whoever keeps them says."""

    def _state(self, key: Key, unread: list[Key]) -> State | None:
        """Return a state; where it is not known whether there is one, say so in `unread`."""
        raise NotImplementedError

    def _has(self, key: Key) -> bool:
        """Tell whether it is known of a key what its state is, and be it none."""
        raise NotImplementedError

    def _may_be_aliased(self, user_id: str) -> bool:
        """Tell whether an alias may ever have been said of a user id."""
        raise NotImplementedError

    def _at_hand(self, who: Who, unread: list[Key]) -> Found | None:
        """Find somebody in memory; else say in `unread` what is to be read first."""
        for user_id in who.user_ids:
            found = self._profile(user_id, unread, follows=who.trusts_events)
            if found is not None:
                return found
        for anonymous_id in () if unread else who.anonymous_ids:
            found = self._of_device(anonymous_id, who, unread)
            if found is not None:
                return found
            if unread:
                break
        if unread:
            others = (key for key in who.keys if key[0] != "alias" and key not in unread)
            unread += [key for key in others if not self._has(key)]
            return None
        # Nobody yet. What may be a device's id is one: a profile made of it would hide its person later.
        is_user = who.is_user or not who.anonymous_ids
        return Found(("profile", who.user_ids[0]) if is_user else ("identity", who.anonymous_ids[0]), None)

    def _of_device(self, anonymous_id: str, who: Who, unread: list[Key]) -> Found | None:
        """Find whose device an id is, or the life nobody has named yet."""
        key: Key = ("identity", anonymous_id)
        tie = self._state(key, unread)
        if not isinstance(tie, Tie):
            return None
        if (tie.is_user or tie.owner == anonymous_id) and not who.user_ids:
            return Found(key, None, is_hidden=True)  # nor why: that would tell that there is such a user
        if tie.owner is not None and not who.trusts_events:
            return Found(key, None, is_hidden=True, stranger=UNSIGNED)
        if tie.life is not None:
            return Found(key, tie.life)
        # Of a user whom nobody knows yet, it is somebody else's device.
        owner = None if who.is_user else tie.owner
        return None if owner is None else self._profile(owner, unread)

    def _profile(self, user_id: str, unread: list[Key], *, follows: bool = True) -> Found | None:
        """Find the life that a user id stands for now; a stranger's where an alias is not to be followed."""
        to = user_id
        if self._may_be_aliased(user_id):
            pointer = self._state(("alias", user_id), unread)
            if unread:
                return None
            if isinstance(pointer, Pointer) and pointer.to is not None:
                if not follows:
                    return Found(("profile", user_id), None, is_hidden=True, stranger=ALIASED)
                to = pointer.to
        key: Key = ("profile", to)
        life = self._state(key, unread)
        return Found(key, life, by=user_id) if isinstance(life, Life) else None
