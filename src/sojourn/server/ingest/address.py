"""Addresses: which one is the person's, and how much of it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec import Struct

KEPT_BITS_V4 = (
    24  # What Matomo and Google Analytics kept of an address under German data protection: a quarter dropped.
)
KEPT_BITS_V6 = 48  # A household or office usually has a /56 or /64 of its own.
MAX_ADDRESSES = 16_384  # cached: a few MB


class Address(Struct, frozen=True, gc=False):
    """An address as it came, and as it is kept."""

    full: str
    truncated: str


@lru_cache(MAX_ADDRESSES)
def read_address(text: str) -> Address | None:
    """Read an IP address; None where it is none, or 0.0.0.0 (Segment's way to say: do not record it)."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_unspecified:
        return None
    if isinstance(address, IPv4Address):
        kept = int(address) >> (32 - KEPT_BITS_V4) << (32 - KEPT_BITS_V4)
        return Address(str(address), str(IPv4Address(kept)))
    kept = int(address) >> (128 - KEPT_BITS_V6) << (128 - KEPT_BITS_V6)
    return Address(str(IPv6Address(int(address))), str(IPv6Address(kept)))


def peer_address(headers: Mapping[bytes, bytes], peer: str | None, *, n_proxies: int) -> str | None:
    """Return the address of whoever asked.

    `n_proxies` is how many proxies of the operator's own stand before us: each adds one entry to
    X-Forwarded-For, and what lies further left is only the caller's word.
    """
    if n_proxies:
        hops = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        if len(hops) >= n_proxies and hops[-n_proxies].strip():
            return hops[-n_proxies].strip()
    return peer
