"""Forgetting: somebody asks that a person be forgotten; the control, and then the erasing behind it."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import msgspec
import structlog

from sojourn.adapters.lake.durable import replace_file
from sojourn.adapters.sqlite import SqliteStore
from sojourn.adapters.sqlite.erasing import Finder
from sojourn.config import Config
from sojourn.definitions.controls import Forgetting, forget_event
from sojourn.engine.forgetting import keys_of, people_of
from sojourn.model.account import OPERATOR
from sojourn.model.errors import InputError
from sojourn.model.event import Event
from sojourn.model.views import ForgottenRow, ForgottenView
from sojourn.runtime.forgotten import Waiting
from sojourn.runtime.kin import Kin, find_kin
from sojourn.runtime.live import Live
from sojourn.server.forgetting import Forget
from sojourn.wiring.erasing import Erasing, Traffic
from sojourn.wiring.house import House, now_ms
from sojourn.wiring.lake import erase_lake
from sojourn.wiring.named import failed_of
from sojourn.wiring.trafficside import IdleTraffic

KEY_FILE = "forget.key"
KEY_BYTES = 32
MAX_FACTS = 10_000  # are counted: each costs reading the commit it was in.
MAX_ROUNDS = 5  # of a control and a look at what was tied to the person meanwhile.
LOOK_S = 0.2  # how often it is looked whether the lake's writer is done.
STORED_S = 0.02
RETRY_S = 30.0  # where erasing failed.
_WHAT_TO_DO = "nothing is lost: it is tried again; where the disk is full, make room"

log = structlog.get_logger("sojourn")


class Clerk:
    """Finds who is meant, and writes the control; in a folder that is open to write."""

    def __init__(self, data: Path, house: House) -> None:
        self._data = data
        self._house = house

    def look(self, any_id: str, asked: Forget) -> tuple[Kin, ForgottenView]:
        """Say what is kept of somebody; raises InputError where it cannot be asked so."""
        kin = find_kin(self._house.store, any_id, also=asked.also)
        refuse(any_id, kin, asked)
        n_failed = self._n_failed({any_id, *kin.users, *kin.devices} - set(kin.shared))
        if n_failed and not kin.devices:
            kin = msgspec.structs.replace(kin, devices=[any_id])
        view = ForgottenView(
            request_id=None,
            ids=sorted({*kin.users, *kin.devices}),
            shared=kin.shared,
            n_events=kin.n_events,
            n_journeys=kin.n_journeys,
            n_failed=n_failed,
        )
        if asked.dry_run:
            self._count(kin, view)
        return kin, view

    def _count(self, kin: Kin, view: ForgottenView) -> None:
        """Count what only who wants to know beforehand has to wait for."""
        store = self._house.store
        assert isinstance(store, SqliteStore), "a house that is open to write has its own store"
        theirs = Forgetting(request="", users=kin.users, devices=kin.devices)
        for key in keys_of(theirs):
            if key[0] != "identity" or key[1] not in kin.shared:
                view.n_facts += len(store.facts(key, limit=MAX_FACTS - view.n_facts))
        view.n_actions = kin.n_deferred + store.outbox.count_of(people_of(theirs, shared=kin.shared))

    def control(self, kin: Kin, asked: Forget, *, by: str, now: int) -> Event:
        """Write the control that forgets somebody."""
        return forget_event(forgetting_of(self._data, kin, asked, by=by), now=now)

    def waiting(self, request: str) -> Waiting | None:
        """Return a request whose control is in force, while it waits to be carried out."""
        asked = self._house.driver.forgotten.waiting
        return next((one for one in asked if one.forgetting.request == request), None)

    def _n_failed(self, ids: set[str]) -> int:
        finder = Finder(self._data)
        try:
            return len(failed_of(finder, ids))
        finally:
            finder.close()


def refuse(any_id: str, kin: Kin, asked: Forget) -> None:
    """Raise InputError where somebody cannot be forgotten as it is asked for."""
    if not asked.dry_run and asked.confirm != any_id:
        reason = "confirm: expected the id of the path once more: there is no way back"
        raise InputError("unconfirmed", reason, path="confirm", status=422)
    if kin.tangled and not asked.dry_run:
        reason = (
            f"an alias that was taken back ties them to {', '.join(kin.tangled)}: these pasts cannot be "
            "told apart; name them in `also` to forget them as well"
        )
        raise InputError("tangled", reason, path="also", status=422)
    if any(each in asked.reason for each in (any_id, *kin.users, *kin.devices)):
        reason = "reason: it names the person, and is kept; say a ticket's number or the like"
        raise InputError("personal-reason", reason, path="reason", status=422)


def forgetting_of(data: Path, kin: Kin, asked: Forget, *, by: str) -> Forgetting:
    """Say who is forgotten, with hashes of their ids by the key that lies in the data folder."""
    key = _key_in(data)
    ids = [*kin.users, *(each for each in kin.devices if each not in kin.users)]
    return Forgetting(
        request=secrets.token_hex(16),
        by=by,
        reason=asked.reason,
        marks=[blake2b(each.encode(), key=key, digest_size=16).hexdigest() for each in ids],
        users=kin.users,
        devices=kin.devices,
    )


def _key_in(data: Path) -> bytes:
    """Return the key that hashes ids for the ledger; make it where there is none."""
    path = data / KEY_FILE
    with suppress(FileNotFoundError):
        key = path.read_bytes()
        if len(key) >= KEY_BYTES:  # a shorter one is what a crash left: it would hide nothing
            return key
    data.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")  # as `replace_file` has it; for nobody else to read
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    key = secrets.token_bytes(KEY_BYTES)
    replace_file(path, key)
    return key


class Forgetters:
    """Forgets people beside a running engine."""

    def __init__(
        self,
        config: Config,
        house: House,
        live: Live,
        *,
        bring: Callable[[Event], Awaitable[None]],
        traffic: Traffic,
        on_erased: Callable[[], None],
    ) -> None:
        """Forget beside a server; `on_erased` is called on its loop when somebody is gone."""
        self._config = config
        self._house = house
        self._live = live
        self._bring = bring
        self._traffic = traffic
        self._on_erased = on_erased
        self._clerk = Clerk(config.data, house)
        self._asking = asyncio.Lock()
        self._asked = asyncio.Event()
        self._is_stopping = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="erasing")
        self._loop: asyncio.AbstractEventLoop | None = None

    async def forget(self, any_id: str, asked: Forget, *, by: str) -> ForgottenView:
        """Forget a person, or show what that would take."""
        async with self._asking:
            await self._live.processed(self._live.appended)
            kin, view = await asyncio.to_thread(self._clerk.look, any_id, asked)
            if asked.dry_run or not kin.devices:
                return view
            view.request_id = await self._forget(kin, asked, by)
            view.done = self._house.driver.forgotten.row(view.request_id)
            return view

    def forgotten(self) -> Sequence[ForgottenRow]:
        """Return the ledger, newest first."""
        return self._house.driver.forgotten.ledger[::-1]

    async def run(self) -> None:
        """Erase whoever waits for it, until `stop`."""
        self._loop = asyncio.get_running_loop()
        erasing = Erasing(
            self._config.data,
            self._house,
            tell=self._tell,
            lake=self._erase_lake,
            traffic=self._traffic,
            check=self._check,
        )
        await self._on_thread(erasing.clean_up)
        while not self._is_stopping:
            waiting = self._house.driver.forgotten.waiting
            if not waiting:
                self._asked.clear()
                await self._asked.wait()
                continue
            one = waiting[0]
            try:
                await self._on_thread(lambda one=one: erasing.erase(one))  # type: ignore[misc]
            except Exception as error:  # a full disk, or a bug: all of it can be done twice
                log.error("erasing failed", request=one.forgetting.request, do=_WHAT_TO_DO, exc_info=error)
                await self._rest()
                continue
            self._on_erased()

    def stop(self) -> None:
        """Begin nothing more; what is under way is taken up by the next start."""
        self._is_stopping = True
        self._asked.set()

    async def _rest(self) -> None:
        """Wait a while, or until `stop`."""
        for _ in range(round(RETRY_S / LOOK_S)):
            if not self._is_stopping:
                await asyncio.sleep(LOOK_S)

    async def _on_thread(self, work: Callable[[], None]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except _StoppedError:
            log.info("erasing goes on with the next start")

    async def _forget(self, kin: Kin, asked: Forget, by: str) -> str:
        """Bring controls into force until nothing was tied to them meanwhile; return the last one's name."""
        for _ in range(MAX_ROUNDS):
            event = self._clerk.control(kin, asked, by=by, now=now_ms())
            await self._bring(event)
            waiting = self._clerk.waiting(event.message_id)
            if waiting is None or not waiting.more:
                break
            kin = Kin(users=kin.users, devices=sorted({*kin.devices, *waiting.more}))
        await self._stored()
        self._asked.set()
        return event.message_id

    def _tell(self, change: Callable[[], None]) -> None:
        """Change something where the engine runs, and wait until it is stored (on the erasing's thread)."""
        self._check()
        assert self._loop is not None

        async def changed() -> None:
            change()
            await self._stored()

        asyncio.run_coroutine_threadsafe(changed(), self._loop).result()

    async def _stored(self) -> None:
        """Wait until the store has what the requests are by now."""
        asked = self._house.driver.forgotten
        while not asked.is_kept(self._house.store):
            self._check()
            self._live.nudge()
            await asyncio.sleep(STORED_S)

    def _check(self) -> None:
        if self._is_stopping:
            raise _StoppedError

    def _erase_lake(self) -> None:
        self._check()
        if self._config.lake.enabled:
            time.sleep(LOOK_S)
        else:
            erase_lake(self._config.data)


def forget_in(config: Config, house: House, any_id: str, asked: Forget) -> ForgottenView:
    """Forget a person in a folder that nobody serves, to the end, before it returns."""
    clerk = Clerk(config.data, house)
    kin, view = clerk.look(any_id, asked)
    if asked.dry_run or not kin.devices:
        return view
    event = clerk.control(kin, asked, by=OPERATOR, now=house.driver.clock)
    house.driver.bring(event)

    def tell(change: Callable[[], None]) -> None:
        change()
        house.driver.settle((), until=house.driver.clock)

    erasing = Erasing(
        config.data,
        house,
        tell=tell,
        lake=lambda: erase_lake(config.data),
        traffic=IdleTraffic(config.data),
        check=_go_on,
        rest=0,
    )
    for waiting in list(house.driver.forgotten.waiting):
        erasing.erase(waiting)
    view.request_id = event.message_id
    view.done = house.driver.forgotten.row(event.message_id)
    return view


def _go_on() -> None:
    """Nobody ends it early."""


class _StoppedError(Exception):
    """The server stops: what is under way is left to the next start."""
