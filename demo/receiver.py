"""The receiver: a stranger's web server that takes webhooks, checks them, and acts once for each key.

It behaves as Standard Webhooks asks of receivers: it checks the signature before it looks at anything else,
drops a key it has acted on already, and says 503 when it is not well. Told to, it is unwell on purpose,
or acts and says nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Lock, Thread
from typing import Any

TOLERANCE_S = 300  # Standard Webhooks: a timestamp further off is a replay.
MAX_BODY_BYTES = 1 << 20
LATEST = 50  # accepted webhooks kept whole, to be shown


def new_secret() -> str:
    """Make a signing secret as the webhook sink takes it."""
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, *, now_s: float) -> bool:
    """Tell whether a request carries a signature of this secret that is not too old.

    Source: the Standard Webhooks specification, `v1`: HMAC-SHA256 of `id.timestamp.body`.
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isdigit() or abs(now_s - int(timestamp)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    expected = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(expected, one) for one in headers.get("webhook-signature", "").split())


@dataclass(frozen=True)
class Webhook:
    """One action, acted on."""

    key: str
    data: dict[str, Any]
    """The `data` of its body: `journey`, `state`, `user_id`, `body`, ..."""
    received_at_s: float


@dataclass
class Tally:
    """What the receiver has seen."""

    n_acted: int = 0
    """Keys seen for the first time: what really happened to people."""
    n_repeated: int = 0
    """Repetitions of a known key: dropped, no harm done."""
    n_unwell: int = 0
    """Answered 503 on purpose: each must come back."""
    n_forged: int = 0
    """Signatures that are wrong or too old."""
    doubled: list[str] = field(default_factory=list)
    """What must never be: one effect under two keys, or one key with two contents."""


class Receiver:
    """Listens on a free port of this machine, on threads of its own."""

    def __init__(
        self,
        secret: str,
        *,
        share_unwell: float = 0.0,
        share_silent: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.tally = Tally()
        self.latest: deque[Webhook] = deque(maxlen=LATEST)
        self.bodies: dict[str, str] = {}
        """Key -> the digest of what came under it."""
        self._effects: dict[tuple[str, ...], str] = {}
        self._secret = secret
        self._share_unwell = share_unwell
        self._share_silent = share_silent
        self._random = Random(seed)
        self.on_action: Callable[[Webhook], None] = lambda _: None
        """Told of every action that is acted on, on the receiver's own threads."""
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where to send webhooks."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; what was seen stays readable."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def get_well(self) -> None:
        """From now on, answer every good request with 204."""
        self._share_unwell = self._share_silent = 0.0

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Judge one request and act on it; return the status to answer, 0 for none: the line is cut."""
        key = headers.get("webhook-id", "")
        with self._lock:
            if not is_signed(self._secret, headers, body, now_s=time.time()):
                self.tally.n_forged += 1
                return 401
            if self._random.random() < self._share_unwell:
                self.tally.n_unwell += 1
                return 503
            found = self._note(key, body)
            is_silent = self._random.random() < self._share_silent
        if found is not None:
            self.on_action(found)
        return 0 if is_silent else 204

    def _note(self, key: str, body: bytes) -> Webhook | None:
        content = hashlib.sha256(body).hexdigest()
        known = self.bodies.get(key)
        if known is not None:
            self.tally.n_repeated += 1
            if known != content:
                self.tally.doubled.append(f"key {key} came with two contents")
            return None
        data = json.loads(body)["data"]
        # The demo's journeys pass each acting state once, so this names one effect on one person.
        effect = (data["journey"], data["enrolment_id"], data["state"])
        if effect in self._effects:
            self.tally.doubled.append(f"{effect} came under {self._effects[effect]} and {key}")
        self._effects[effect] = key
        self.bodies[key] = content
        self.tally.n_acted += 1
        webhook = Webhook(key, data, time.time())
        self.latest.append(webhook)
        return webhook

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self.take

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one segment per answer: two would wait for each other 40 ms (Nagle, delayed ACK)
            timeout = 30

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                if length > MAX_BODY_BYTES:
                    self.send_error(413)
                    return
                body = self.rfile.read(length)
                if len(body) < length:  # the sender died in the middle of it
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = take(headers, body)
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing: the demo has a screen of its own."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of senders that die in the middle of a request; a bug of ours is loud."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)
