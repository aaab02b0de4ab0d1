"""The demo's way to watch the program: figures read wrongly would be believed."""

from __future__ import annotations

import pytest

from demo.program import Metrics, quantile, since

TEXT = """# HELP deliveries What became of actions
# TYPE deliveries counter
deliveries_total{outcome="delivered",sink="shop"} 7.0
deliveries_total{outcome="failed",sink="shop"} 2.0
lag 0.0
took_seconds_bucket{le="0.01"} 50.0
took_seconds_bucket{le="0.02"} 90.0
took_seconds_bucket{le="+Inf"} 100.0
"""


def test_a_metric_is_summed_over_its_labels() -> None:
    """A counter without labels is the same case."""
    metrics = Metrics(TEXT)
    found = (
        metrics.total("deliveries_total"),
        metrics.total("deliveries_total", outcome="failed"),
        metrics.total("lag"),
        metrics.total("never heard of"),
    )
    assert found == (9, 2, 0, 0)


@pytest.mark.parametrize(
    ("share", "seconds"), [(0.25, 0.005), (0.5, 0.01), (0.7, 0.015), (0.9, 0.02), (0.99, 0.02)]
)
def test_a_quantile_lies_on_a_line_inside_its_bucket(share: float, seconds: float) -> None:
    """As Prometheus' own `histogram_quantile` has it; what is beyond the last bound is said to be at it."""
    assert quantile(Metrics(TEXT).buckets("took_seconds"), share) == pytest.approx(seconds)


def test_a_histogram_nobody_used_has_no_quantile() -> None:
    """Nothing is not zero."""
    assert quantile({0.1: 0.0, float("inf"): 0.0}, 0.5) is None
    assert quantile({}, 0.5) is None


def test_only_what_came_after_an_earlier_look_counts() -> None:
    """A warm-up's slow start is not what is measured."""
    assert since({0.1: 9.0, 1.0: 12.0}, {0.1: 4.0, 1.0: 7.0}) == {0.1: 5.0, 1.0: 5.0}
