"""Belonging: which segments people were in and when, and which variant of an experiment they met first."""

from sojourn.analytics.belonging.known import ALWAYS, NEVER, Belonging, Encounter
from sojourn.analytics.belonging.spans import Spans

__all__ = ["ALWAYS", "NEVER", "Belonging", "Encounter", "Spans"]
