"""Testing: the public batteries that every adapter, ours or yours, must pass, and stories of your journeys.

from sojourn.testing import Story, check_sink
"""

from sojourn.testing.log import check_log
from sojourn.testing.outbox import check_outbox
from sojourn.testing.sink import check_sink, checked_action
from sojourn.testing.store import check_store
from sojourn.testing.story import Story
from sojourn.testing.then import Then

__all__ = ["Story", "Then", "check_log", "check_outbox", "check_sink", "check_store", "checked_action"]
