"""Studio types: the document by which the studio is typed.

`python -m tests.server.studio_types` writes it anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.server.houses import House
from web.build import run

KEPT = Path(__file__).parents[2] / "web/ui/openapi.json"


def served() -> Any:
    """Return the document that a server of this clone serves."""
    return House().ask("/api/openapi.json").json()


def main() -> None:
    """Keep the document, and let its types be made."""
    KEPT.write_text(
        json.dumps(served(), indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
    )
    run("run", "types", "-w", "ui")


if __name__ == "__main__":
    main()
