"""How properties are tried: none has a clock, so a slow machine fails none; what failed can be run again."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.soak import tries

settings.register_profile(
    "house",
    deadline=None,
    max_examples=tries(100),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("house")
