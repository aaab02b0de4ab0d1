"""Bodies: from the bytes of a request to the bytes of its JSON, bounded while they are unpacked.

What a body is, its own first bytes say. Announcements are wrong in the field: rudder-sdk-node sends gzip as a
form, posthog-js sends gzip and announces nothing, proxies unpack and keep the header.
"""

from __future__ import annotations

import zlib

from sojourn.model.errors import InputError

MAX_BODY_BYTES = (
    4 << 20
)  # 4 MiB, packed or not: eight times what Segment takes, so that no SDK's batch is split.

GZIP = b"\x1f\x8b"
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
RAW_DEFLATE = -zlib.MAX_WBITS
REFUSED_ENCODINGS = ("br", "zstd")


def unpack(body: bytes, encoding: str) -> bytes:
    """Return the body without its compression.

    `encoding` is the Content-Encoding header; gzip is known by its first bytes also where nothing was
    announced. Raises InputError: `unsupported-encoding` (415), `bad-compression` (400), `body-too-large`
    (413).
    """
    encoding = encoding.strip().lower()
    if body.startswith(GZIP) or _is_zlib(body):
        return _inflate(body, GZIP_OR_ZLIB)
    if _may_be_json(body):
        return body
    if encoding == "deflate":
        return _inflate(body, RAW_DEFLATE)
    if encoding in REFUSED_ENCODINGS:
        raise InputError(
            "unsupported-encoding",
            f"expected gzip, deflate or no compression, got {encoding}; send it uncompressed",
            status=415,
        )
    return body


def too_large() -> InputError:
    """Make the error for a body that is over the bound."""
    return InputError(
        "body-too-large",
        f"expected at most {MAX_BODY_BYTES} bytes, unpacked; send smaller batches",
        status=413,
    )


def _is_zlib(body: bytes) -> bool:
    """Whether the body starts with a zlib header (RFC 1950: 0x78, and the two bytes are a multiple of 31)."""
    return len(body) > 2 and body[0] == 0x78 and (body[0] << 8 | body[1]) % 31 == 0


def _may_be_json(body: bytes) -> bool:
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _inflate(body: bytes, window_bits: int) -> bytes:
    """Unpack every member of a stream; stop as soon as the bound is passed."""
    unpacked: list[bytes] = []
    room = MAX_BODY_BYTES
    while body:
        stream = zlib.decompressobj(window_bits)
        try:
            part = stream.decompress(body, room + 1)
        except zlib.error as error:
            raise InputError("bad-compression", f"expected gzip or deflate: {error}") from None
        room -= len(part)
        if room < 0:
            raise too_large()
        if not stream.eof:
            raise InputError("bad-compression", "the compressed body ends too early; send it again")
        unpacked.append(part)
        # gzip may be several members in a row (RFC 1952); anything else after the end is padding.
        body = stream.unused_data if stream.unused_data.startswith(GZIP) else b""
    return b"".join(unpacked)
