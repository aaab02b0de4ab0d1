"""Asked: what may be asked of an experiment, as the options of a command and the parameters of a path."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sojourn.analytics.experiments.reporting import Asked
from sojourn.analytics.experiments.results import Method
from sojourn.analytics.experiments.rules import Rule
from sojourn.analytics.questions.asked import Question
from sojourn.analytics.selecting import instant_ms
from sojourn.analytics.statistics.fixed import ALPHA
from sojourn.analytics.statistics.sequential import TUNING
