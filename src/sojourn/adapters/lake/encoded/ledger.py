"""Ledger: who a profile is, as far as facts were read, by the rules of `resolving`, one profile at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.words import Places
from sojourn.analytics.names import Names

ALWAYS = np.iinfo(np.int64).max
"""Where every entry of a profile is the person's."""

DEVICE = "a:"
"""Before the ids of devices, among profiles."""
NOBODY = ""
"""The owner of a device whose past nobody takes."""


class Owned(NamedTuple):
    """Who named a device first, and with which entry."""

    device: str
    owner: str
    position: int


class Aliased(NamedTuple):
    """Whose the events of a user are from now on."""

    profile: str
    target: str


class Identity(NamedTuple):
    """Who a profile is: `before` of entries before `until`, and itself of later ones."""

    before: str
    until: int
    after: str


class KeptLedger(NamedTuple):
    """A ledger as it lies on disk; devices and profiles are sorted."""

    devices: Names
    owners: Names
    until: NDArray[np.int64]
    profiles: Names
    targets: Names


class Ledger:
    """What is kept, and what was learnt since: a later fact never changes who named a device first."""

    def __init__(self, kept: KeptLedger) -> None:
        self._kept = kept
        self._devices, self._profiles = Places(kept.devices), Places(kept.profiles)
        self._identities: dict[str, Identity] = {}  # as long as nothing new is said
        self._owned: dict[str, tuple[str, int]] = {}
        self._aliased: dict[str, str] = {}

    def learn(self, owned: Collection[Owned], aliased: Collection[Aliased]) -> set[str]:
        """Take facts in, in order; return the people some of whose events may have moved."""
        self._look_up([*(one.device for one in owned), *(one.owner for one in owned)])
        self._look_up([*(one.profile for one in aliased), *(one.target for one in aliased)])
        if aliased:
            self._identities.clear()
        pointers = {one.profile: one.target for one in aliased}
        moved = {self._end(profile) for profile in pointers}
        self._aliased |= pointers
        moved |= {self._end(profile) for profile in pointers}
        for device, owner, position in owned:
            if self._owner(device) is None:
                self._owned[device] = (owner, position)
                self._identities.pop(device, None)
                moved |= {device, self._end(owner)} if owner else set()
        return moved

    def look_up(self, profiles: Iterable[str]) -> None:
        """Learn of many at once who they are, as far as nothing was ever said of them: nearly everybody."""
        new = [profile for profile in set(profiles) if profile not in self._identities]
        self._look_up(new)
        for profile in new:
            if self._target(profile) is None and self._owner(profile) is None:
                self._identities[profile] = Identity(profile, ALWAYS, profile)

    def _look_up(self, profiles: Collection[str]) -> None:
        """Search for many at once in what is kept."""
        self._profiles.look_up(profiles)
        self._devices.look_up(profile for profile in profiles if profile.startswith(DEVICE))

    def identity(self, profile: str) -> Identity:
        """Say who a profile is."""
        known = self._identities.get(profile)
        if known is None:
            known = self._identities[profile] = self._identity(profile)
        return known

    def _identity(self, profile: str) -> Identity:
        owned = self._owner(profile)
        if owned is not None and owned[0] != NOBODY:
            return Identity(self._end(owned[0]), owned[1], profile)
        person = self._end(profile)
        return Identity(person, ALWAYS, person)

    def kept(self) -> KeptLedger:
        """Return all of it, to be kept."""
        if not self._owned and not self._aliased:
            return self._kept
        old = self._kept
        owned = dict(zip(old.devices, zip(old.owners, old.until.tolist(), strict=True), strict=True))
        owned |= self._owned
        aliased = dict(zip(old.profiles, old.targets, strict=True)) | self._aliased
        devices, profiles = sorted(owned), sorted(aliased)
        return KeptLedger(
            Names.of(devices),
            Names.of(owned[device][0] for device in devices),
            np.array([owned[device][1] for device in devices], dtype=np.int64),
            Names.of(profiles),
            Names.of(aliased[profile] for profile in profiles),
        )

    def _owner(self, device: str) -> tuple[str, int] | None:
        owned = self._owned.get(device)
        if owned is None and device.startswith(DEVICE):
            place, is_there = self._devices.find(device)
            if is_there:
                owned = self._kept.owners[place], int(self._kept.until[place])
        return owned

    def _target(self, profile: str) -> str | None:
        target = self._aliased.get(profile)
        if target is None:
            place, is_there = self._profiles.find(profile)
            target = self._kept.targets[place] if is_there else None
        return target

    def _end(self, profile: str) -> str:
        """Follow aliases to their end; those in a circle are who of it sorts first."""
        walked: dict[str, int] = {}
        at = profile
        while at not in walked:
            walked[at] = len(walked)
            target = self._target(at)
            if target is None or target == at:
                return at
            at = target
        return min(name for name, place in walked.items() if place >= walked[at])
