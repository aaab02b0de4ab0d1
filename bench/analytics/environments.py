"""Environments: each peer installed on demand, in a place of its own that git does not see."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from bench.analytics.children import ANSWER, REASON_CHARS
from bench.analytics.inputs import CACHE
from bench.figures import ROOT

INSTALL_LIMIT_S = 900  # one of them is compiled


class Peer(NamedTuple):
    """One peer."""

    name: str
    module: str
    """Its driver, in `bench.analytics.peers`."""
    requirements: tuple[str, ...]


class Installed(NamedTuple):
    """A peer, and the Python that runs it."""

    peer: Peer
    python: Path
    failure: str = ""
    """Why there is none."""

    def command(self, task: str, source: Path) -> list[str]:
        """Return the command that does one task; empty where the peer is not there."""
        if self.failure:
            return []
        return [
            str(self.python),
            "-m",
            f"bench.analytics.peers.{self.peer.module}",
            task,
            str(source),
            ANSWER,
        ]


def peer(name: str) -> Peer:
    """Return a peer as `peers.toml` has it."""
    found = tomllib.loads((Path(__file__).parent / "peers.toml").read_text(encoding="utf-8"))[name]
    return Peer(found["name"], found["module"], tuple(found["requirements"]))


def install(one: Peer) -> Installed:
    """Install a peer where it is not yet; whoever cannot be installed here says why."""
    pins = hashlib.sha256("\n".join([*one.requirements, sys.version]).encode()).hexdigest()[:8]
    place = CACHE / "peers" / f"{one.module}-{pins}"
    python, ready = place / "bin" / "python", place / "ready"
    if ready.exists():
        return Installed(one, python)
    place.parent.mkdir(parents=True, exist_ok=True)
    print(f"installing {one.name} ...", file=sys.stderr, flush=True)
    uv = str(ROOT / ".ci" / "environment")
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)],
        [uv, "pip", "install", "--quiet", "--python", str(python), *one.requirements],
    ):
        failure = _failure(command)
        if failure:
            return Installed(one, python, f"does not install here: {failure}")
    ready.touch()
    return Installed(one, python)


def _failure(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False, cwd=ROOT
        )
    except subprocess.TimeoutExpired:
        return f"not done after {INSTALL_LIMIT_S} s"
    if not done.returncode:
        return ""
    return (" ".join(done.stderr.split()) or f"status {done.returncode}")[:REASON_CHARS]
