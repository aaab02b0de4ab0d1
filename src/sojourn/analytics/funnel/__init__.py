"""Funnels: how many go how far through some steps, how fast, and where the others go."""

from __future__ import annotations

from sojourn.analytics.funnel.answer import FunnelAnswer, FunnelStep, funnel
from sojourn.analytics.funnel.definition import Exclusion, Funnel, parse_exclusion

__all__ = ["Exclusion", "Funnel", "FunnelAnswer", "FunnelStep", "funnel", "parse_exclusion"]
