"""`make screenshots`: a picture of every page of the studio, in light and dark, into the documentation.

`python -m tests.browser.screenshots map person` takes these alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.browser.chromium import started
from tests.browser.house import opened
from tests.browser.studio import screens, sign_in, visit

PICTURES = Path(__file__).parents[2] / "docs/pictures/studio"
SIZE = {"width": 1280, "height": 800}
SETTLE_MS = 1_500  # layouts and charts come to rest.


def main() -> None:
    """Take them all, or those that are named."""
    wanted = set(sys.argv[1:])
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder) / "house") as house,
        started() as browser,
    ):
        for scheme in ("light", "dark"):
            context = browser.new_context(base_url=house.address, viewport=SIZE, color_scheme=scheme)
            page = context.new_page()
            sign_in(page, house)
            for screen in screens(house):
                if wanted and screen.name not in wanted:
                    continue
                visit(page, screen)
                page.wait_for_timeout(SETTLE_MS)
                page.screenshot(path=PICTURES / f"{screen.name}-{scheme}.png")
                print(screen.name, scheme)
            context.close()


if __name__ == "__main__":
    sys.exit(main())
