"""The serving store: what a cluster keeps of everybody, in Redis or Valkey, for whoever answers questions.

    PREFIX:s:STAGE|KEY   a state: its place in the log (30 hexadecimal digits), and the record of the topic
                         `states`; without a record: there was one up to that place, and it is gone
    PREFIX:n:ID          where the newest event lies that names an id, as a place and who else it names
    PREFIX:t:ID          the same, of the newest that says whose a device is
    PREFIX:offsets       partition of `states` -> the offset from which it is to be read on

Everything is written forward only: what is of an earlier place than what is there changes nothing, so that
whoever writes may begin anew at any time. What is here may be lost: it is made again from the topic. The
library is an extra (`pip install 'sojourn[cluster]'`), imported where somebody talks to the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from time import monotonic
from typing import Any, TypeVar

from msgspec import Struct

from sojourn.adapters.reasons import clean
from sojourn.engine.notes import Note, decode_note, encode_note
from sojourn.engine.records import Saved, decode_saved, saved_name
from sojourn.model.errors import ConfigError, DownError, UnavailableError
from sojourn.model.turn import Key

OWNER = "cluster.serving"
TIMEOUT_S = 2.0  # for the store to answer whoever writes states.
ASK_S = 0.5  # for whoever waits for an answer.
SULK_S = 1.0  # after a failure nobody waits for it again for so long.
GONE_S = 3_600  # so long it is known that something is gone: longer than a job begins again after a failure.
NOTED_S = 600  # so long a job may be behind, and it is still known that it is.
AT_ONCE = 200  # records of one call: the store does nothing else meanwhile, for some 0.5 ms.
CONNECTIONS = 64  # at once; whoever comes then waits for one,
MAX_WAITING = 2_000  # and so many may: more than a server answers in a second come again.

PLACE_CHARS = 30
# Of what is gone the topic says no place: it was no earlier than what was known of it. So a state of that
# very place is taken again, and a repetition that brings it says once more that it is gone.
_FORWARD = """
for i, key in ipairs(KEYS) do
  local new, old = ARGV[i + 1], redis.call('GETRANGE', key, 0, 29)
  local place = string.sub(new, 1, 30)
  if #new <= 30 then
    if place < old then place = old end
    if place ~= '' then redis.call('SET', key, place, 'EX', ARGV[1]) end
  elseif place >= old then
    redis.call('SET', key, new)
  end
end
"""
# What is there must be what whoever writes has stored, or more: else the store lost it.
_ADVANCE = """
local has_all = 1
for i = 1, #ARGV, 3 do
  local old = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0')
  if old < tonumber(ARGV[i + 1]) then
    has_all = 0
  elseif old < tonumber(ARGV[i + 2]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
  end
end
return has_all
"""
_NOTE = """
for i, key in ipairs(KEYS) do
  if string.sub(ARGV[i + 1], 1, 30) > redis.call('GETRANGE', key, 0, 29) then
    redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1])
  end
end
"""

T = TypeVar("T")


class Place(Struct, frozen=True):
    """Where the store is, and what of that is not to be told."""

    url: str
    prefix: str
    password: str = ""
    username: str = ""

    def __repr__(self) -> str:
        return f"Place(prefix={self.prefix!r})"

    def clean(self, text: str) -> str:
        """Cut what the client says to a bound, without secrets."""
        return clean(text, [self.password] if self.password else [])


class Kept(Struct, frozen=True):
    """One state to keep: the newest record of its name; None: it is gone."""

    name: str
    record: bytes | None
    place: tuple[int, int] | None = None
    """Of what is gone, the newest place at which it was known."""


class StoreWriter:
    """Writes states, for one thread."""

    def __init__(self, place: Place) -> None:
        """Connect when it is first used; raises ConfigError where the library is missing."""
        redis = library()
        self._place = place
        self._errors = redis.RedisError
        settings = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
        self._client = redis.Redis.from_url(place.url, **_login(place), **settings)
        self._forward = self._client.register_script(_FORWARD)
        self._advance = self._client.register_script(_ADVANCE)

    def write(self, kept: Sequence[Kept], offsets: Mapping[int, int], *, stored: Mapping[int, int]) -> bool:
        """Write states, and then from where to read on.

        Returns False where what was `stored` is not there any more: then partitions are to be read anew, and
        nothing is said of where to. Raises UnavailableError where it does not answer.
        """
        try:
            for first in range(0, len(kept), AT_ONCE):
                some = kept[first : first + AT_ONCE]
                names = [_state_name(self._place.prefix, one.name) for one in some]
                self._forward(keys=names, args=[GONE_S, *map(_content, some)])
            places = [(one, stored.get(one, 0), upto) for one, upto in offsets.items()]
            said = self._advance(keys=[self._offsets], args=[one for place in places for one in place])
        except self._errors as error:
            raise self._trouble(error) from None
        return bool(said)

    def offsets(self) -> dict[int, int]:
        """Return from where each partition is to be read on; one that is not there, from its beginning."""
        try:
            found = self._client.hgetall(self._offsets)
        except self._errors as error:
            raise self._trouble(error) from None
        return {int(partition): int(offset) for partition, offset in found.items()}

    def forget_offsets(self) -> None:
        """Have everything read anew."""
        try:
            self._client.delete(self._offsets)
        except self._errors as error:
            raise self._trouble(error) from None

    def close(self) -> None:
        """Let go of the store."""
        self._client.close()

    @property
    def _offsets(self) -> str:
        return f"{self._place.prefix}:offsets"

    def _trouble(self, error: Exception) -> UnavailableError:
        return UnavailableError(f"the serving store: {self._place.clean(str(error))}")


class ServingStore:
    """Reads states and keeps notes, for one event loop."""

    def __init__(self, place: Place) -> None:
        """Connect when it is first used; raises ConfigError where the library is missing."""
        redis = library()
        asynchronous = import_module("redis.asyncio")
        self._place = place
        self._errors = (redis.RedisError, TimeoutError, OSError)
        pool = asynchronous.ConnectionPool.from_url(
            place.url,
            max_connections=CONNECTIONS,
            socket_timeout=ASK_S,
            socket_connect_timeout=ASK_S,
            **_login(place),
        )
        self._client = asynchronous.Redis(connection_pool=pool)
        self._note = self._client.register_script(_NOTE)
        self._sulks_until = 0.0
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._n_waiting = 0
        self.trouble: str | None = None
        """Why it did not answer last; None: it did."""
        self.n_lost = 0
        """Notes that it did not take."""

    async def look(self, keys: Sequence[Key], ids: Sequence[str] = ()) -> tuple[dict[Key, Saved], list[Note]]:
        """Return the states there are of keys, and what is noted of ids, as of now. Raises DownError."""
        states = [_state_name(self._place.prefix, saved_name(*key)) for key in keys]
        notes = [_note_name(self._place.prefix, one, is_tie=tie) for one in ids for tie in (False, True)]
        found = await self._ask(self._client.mget, states + notes)
        saved = {
            key: decode_saved(content[PLACE_CHARS:])
            for key, content in zip(keys, found, strict=False)
            if content is not None and len(content) > PLACE_CHARS
        }
        noted = found[len(states) :]
        return saved, [decode_note(content[PLACE_CHARS:]) for content in noted if content is not None]

    async def note(self, notes: Sequence[Note]) -> None:
        """Note what is newer than what is noted; where the store does not answer, it is lost, and counted."""
        names = [_note_name(self._place.prefix, one.id, is_tie=one.is_tie) for one in notes]
        contents = [_hexadecimal(one.place) + encode_note(one) for one in notes]
        try:
            for first in range(0, len(names), AT_ONCE):
                last = first + AT_ONCE
                await self._ask(self._note, names[first:last], [NOTED_S, *contents[first:last]])
        except UnavailableError:
            self.n_lost += len(names)

    async def close(self) -> None:
        """Let go of the store."""
        await self._client.aclose()

    async def _ask(self, what: Any, *arguments: Any) -> Any:
        if self._n_waiting >= MAX_WAITING:
            raise UnavailableError("too many wait for the serving store")
        self._n_waiting += 1
        try:
            async with self._free:
                return await self._answer(what, *arguments)
        finally:
            self._n_waiting -= 1

    async def _answer(self, what: Any, *arguments: Any) -> Any:
        if monotonic() < self._sulks_until:
            raise DownError(f"the serving store does not answer: {self.trouble}")
        try:
            async with asyncio.timeout(ASK_S):
                answer = await what(*arguments)
        except self._errors as error:
            self.trouble = self._place.clean(str(error) or type(error).__name__)
            self._sulks_until = monotonic() + SULK_S
            raise DownError(f"the serving store does not answer: {self.trouble}") from None
        self.trouble = None
        return answer


def library() -> Any:
    """Return the client library; ConfigError where it is not installed."""
    try:
        return import_module("redis")
    except ImportError:
        raise ConfigError(
            f"{OWNER}: needs the client of Redis; install it with: pip install 'sojourn[cluster]' [no-redis]"
        ) from None


def newest(records: Iterable[tuple[str, bytes | None]]) -> list[Kept]:
    """Keep of records of the topic, in its order, the newest of each name."""
    found: dict[str, Kept] = {}
    for name, record in records:
        before = found.get(name)
        place = None if before is None else before.place
        if record is not None:
            saved = decode_saved(record)
            place = max(place or (0, 0), (saved.at, saved.position))
        found[name] = Kept(name, record, place)
    return list(found.values())


def _content(kept: Kept) -> bytes:
    place = b"" if kept.place is None else _hexadecimal(kept.place)
    return place if kept.record is None else place + kept.record


def _hexadecimal(place: tuple[int, int]) -> bytes:
    return b"%014x%016x" % place


def _state_name(prefix: str, name: str) -> str:
    return f"{prefix}:s:{name}"


def _note_name(prefix: str, one: str, *, is_tie: bool) -> str:
    return f"{prefix}:{'t' if is_tie else 'n'}:{one}"


def _login(place: Place) -> dict[str, str]:
    told = {"password": place.password, "username": place.username}
    return {key: value for key, value in told.items() if value}
