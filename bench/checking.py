"""Checking: what a definition costs whose author types: 200 states and 200 guards, one of them changed."""

from __future__ import annotations

import time

from bench.figures import Figure, Figures
from sojourn.definitions.checking import check_files
from sojourn.wiring.authoring import check_view

N_STATES = 200
N_TIMES = 15


def measure() -> Figures:
    """Check one text that nobody read before, then again and again with another guard changed."""
    first, *again = [_took_ms(text(changed=n)) for n in range(N_TIMES + 1)]
    return {
        # CPU time, and the least of it: what others do on the machine only adds.
        "check_ms": Figure(round(min(again), 1), "ms CPU", "goal: below 50; 200 states, one guard changed"),
        "check_first_ms": Figure(round(first, 1), "ms CPU", "the same, never read before"),
    }


def text(*, changed: int) -> str:
    """Write a journey with a guard of three clauses on every way from state to state; one of them differs."""
    lines = ["journey: large", "entry: { on: Start }", "states:"]
    for n in range(N_STATES):
        most = n + 1_000 if n == changed else n
        guard = f"properties.value > {most} and trait.plan == 'p{n}' and count('Seen {n}', within='1d') >= 2"
        follower = f"s{n + 1}" if n + 1 < N_STATES else "done"
        lines += [
            f"  s{n}:",
            "    on:",
            f"      Step {n}:",
            f'        - {{ when: "{guard}", to: {follower} }}',
            "    after: { 1d: done }",
        ]
    return "\n".join(lines)


def _took_ms(definition: str) -> float:
    """Do what a server does when it is asked: check, and draw what is good."""
    began = time.process_time()
    verdict = check_files([("large.yaml", definition)], sinks=("console",))
    view = check_view(verdict)
    took_s = time.process_time() - began
    assert not view.problems, "what is measured is a definition that is good"
    assert len(view.charts) == 1, "and drawn"
    return took_s * 1_000
