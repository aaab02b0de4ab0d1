"""Retrying: failed events read again as the door would now, from the bytes that are kept of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sojourn.model.errors import InputError
from sojourn.model.event import Event, FailedEvent
from sojourn.model.operating import FailedRetried
from sojourn.model.ports import Lookups
from sojourn.runtime.salvage import ENGINE_ERROR
from sojourn.server.ingest.message import Request
from sojourn.server.ingest.segment import Batch, judge, open_parcel
from sojourn.wiring.house import Readings


class Mended(Struct, frozen=True):
    """A failed event that reads well now."""

    id: int
    event: Event


Tried = Mended | FailedRetried


def read_failed(
    readings: Readings, ids: Sequence[int], *, sources: Collection[str], lookups: Lookups | None
) -> list[Tried]:
    """Read failed events by their numbers, each once; `sources` are those that may send."""
    return [_read(readings, number, sources, lookups) for number in dict.fromkeys(ids)]


def mended(tried: Sequence[Tried]) -> list[Mended]:
    """Return those that are to be appended."""
    return [each for each in tried if isinstance(each, Mended)]


def told(tried: Sequence[Tried], duplicates: Sequence[int]) -> list[FailedRetried]:
    """Say what came of each; `duplicates` as the log told of the events of `mended`."""
    known = {mended(tried)[index].id for index in duplicates}
    return [each if isinstance(each, FailedRetried) else _taken(each, known) for each in tried]


def reread(failed: FailedEvent, sources: Collection[str], lookups: Lookups | None) -> Tried:
    """Read a failed event's kept bytes as the door would now.

    What its request said around it (a batch's own context, headers) is not kept, and not there. Its number
    names it where it brings no message id, so that it has the same one however often it is tried.
    """
    number = failed.id or 0
    if failed.retried_at is not None:
        return _refused(number, "it was tried again before, and is in the log")
    if failed.code == ENGINE_ERROR:
        return _refused(number, "it is in the log: the engine failed on it, by a bug of ours")
    if failed.source not in sources:
        return _refused(number, f"the source {failed.source!r} has no write key any more")
    try:
        batch = _judged(failed, lookups)
    except InputError as error:
        batch = Batch([], [replace(failed, code=error.code, reason=error.reason)], [])
    if batch.events:
        return Mended(number, batch.events[0])
    if not batch.failed or batch.failed[0].code == "bad-json":
        reason = f"of its bytes only the first {len(failed.body):,} are kept, and they are no whole event"
        return _refused(number, reason)
    again = batch.failed[0]
    return FailedRetried(id=number, verdict="failed", reason=f"{again.reason} [{again.code}]")


def _read(readings: Readings, number: int, sources: Collection[str], lookups: Lookups | None) -> Tried:
    found = readings.failed(limit=1, before=number + 1)
    if not found or found[0].id != number:
        return missing(number)
    return reread(found[0], sources, lookups)


def missing(number: int) -> FailedRetried:
    """Say that nothing has this number."""
    return _refused(number, "there is no such failed event")


def _judged(failed: FailedEvent, lookups: Lookups | None) -> Batch:
    arrival = f"failed-{failed.id}"
    request = Request(source=failed.source, received_at=failed.received_at, arrival=arrival)
    body = failed.body if failed.kind else b'{"batch":[' + failed.body + b"]}"
    return judge(open_parcel(body, failed.kind), request, lookups=lookups)


def _taken(each: Mended, known: Collection[int]) -> FailedRetried:
    if each.id in known:
        reason = "the log has a message of this id already"
        return FailedRetried(id=each.id, verdict="duplicate", reason=reason)
    return FailedRetried(id=each.id, verdict="taken")


def _refused(number: int, reason: str) -> FailedRetried:
    return FailedRetried(id=number, verdict="refused", reason=reason)
