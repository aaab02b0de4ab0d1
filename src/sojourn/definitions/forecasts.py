"""Forecasts: what was learnt of people's steps, as definitions name it."""

from __future__ import annotations

OTHER = "(other)"
"""Stands for all steps too rare to be told apart."""
