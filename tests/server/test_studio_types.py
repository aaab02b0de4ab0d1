"""What the studio is typed by is what is served."""

from __future__ import annotations

import json

from tests.server.studio_types import KEPT, served


def test_the_studio_is_typed_by_what_is_served() -> None:
    """`npm run check` holds `schema.ts` to the document that is kept; this holds that to the server."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    assert kept == served(), (
        "the API changed: run `python -m tests.server.studio_types`, and commit what it writes"
    )
