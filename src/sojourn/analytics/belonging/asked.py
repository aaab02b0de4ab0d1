"""Asked: what may be asked of segments by themselves."""

from __future__ import annotations

from sojourn.analytics.questions.asked import Question


class Segments(Question, frozen=True, kw_only=True):
    """The segments that anybody was ever in, and how many people were."""
