"""`make screenshots`: a picture of every page of the studio, in light and dark, into the documentation."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from demo.place import prepare, remember
from demo.program import Program
from tests.browser.chromium import started
from tests.browser.house import House
from tests.browser.studio import screens, sign_in, visit

PICTURES = Path(__file__).parents[2] / "docs/pictures/studio"
SIZE = {"width": 1280, "height": 800}
SETTLE_MS = 1_500  # layouts and charts come to rest.
SEED = 7


def main() -> None:
    """Take them all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        setup = prepare(
            Path(folder) / "house", sinks={"console": {"type": "console"}, "shop": {"type": "console"}}
        )
        remember(setup, seed=SEED)
        with Program(setup) as program, started() as browser:
            house = House(program, setup)
            for scheme in ("light", "dark"):
                context = browser.new_context(base_url=house.address, viewport=SIZE, color_scheme=scheme)
                page = context.new_page()
                sign_in(page, house)
                for screen in screens(house):
                    visit(page, screen)
                    page.wait_for_timeout(SETTLE_MS)
                    page.screenshot(path=PICTURES / f"{screen.name}-{scheme}.png")
                    print(screen.name, scheme)
                context.close()
            program.stop()


if __name__ == "__main__":
    sys.exit(main())
