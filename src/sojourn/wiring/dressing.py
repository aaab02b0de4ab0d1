"""Dressing: what the door adds to an event that comes live, and takes away, done to one that is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from sojourn.adapters.lookups import LocalLookups
from sojourn.config import Config
from sojourn.model.event import EMPTY, Event
from sojourn.model.ports import Lookups
from sojourn.server.ingest.context import NO_CONTEXT, read_context

Dress = Callable[[Event], Event]


@contextmanager
def dressing(config: Config) -> Iterator[Dress]:
    """Open what an import dresses events with. Raises ConfigError where the geo database is none."""
    lookups = LocalLookups(config.geo_database)
    try:
        yield dresser(lookups, keep_full_ip=config.keep_full_ip)
    finally:
        lookups.close()


def dresser(lookups: Lookups, *, keep_full_ip: bool) -> Dress:
    """Return what dresses one event: its address as kept, device, place, its context's traits and session.

    It raises InputError where the context is no object, or over a bound of the door.
    """

    def dress(event: Event) -> Event:
        context = read_context(event.context, keep_address=keep_full_ip)
        if context is NO_CONTEXT:
            return event
        address = context.address
        has_no_traits = event.kind == "identify" and event.traits == EMPTY
        return replace(
            event,
            context=context.raw,
            # RudderStack's SDKs put the traits of an identify into its context.
            traits=context.traits if has_no_traits else event.traits,
            session_id=event.session_id or context.session_id,
            ip=None if address is None else address.full if keep_full_ip else address.truncated,
            device=None if context.user_agent is None else lookups.device(context.user_agent),
            geo=None if address is None else lookups.geo(address.full),
        )

    return dress
