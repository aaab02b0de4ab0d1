"""A map as large as products have, in a house of its own: no other test is to find it on its map."""

from __future__ import annotations

import time
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from demo.place import prepare
from demo.program import Program
from tests.browser.house import House
from tests.browser.looking import look
from tests.browser.studio import PATIENCE_MS, ask, send, sign_in

pytestmark = pytest.mark.browser


def test_two_hundred_steps_and_two_thousand_moves_cost_no_element_a_move(
    browser: Browser, tmp_path: Path
) -> None:
    """Moves are one canvas: what a browser lays out grows with steps alone."""
    walks = [
        {
            "type": "track",
            "event": f"Large {(walk * 37 + n * (walk % 13 + 1)) % 200:03}",
            "userId": f"walker-{walk}",
            "messageId": uuid4().hex,
            "timestamp": f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z",
        }
        for walk in range(300)
        for n in range(40)
    ]
    setup = prepare(tmp_path / "house", sinks={"shop": {"type": "console"}})
    with Program(setup) as program:
        house = House(program, setup)
        for at in range(0, len(walks), 1_000):
            send(house, *walks[at : at + 1_000])
        deadline = time.monotonic() + 60
        while len(ask(house, "/api/v1/analytics/graph")["nodes"]) < 200:
            assert time.monotonic() < deadline, "the engine takes twelve thousand events within a minute"
            time.sleep(0.5)
        assert len(ask(house, "/api/v1/analytics/graph")["edges"]) >= 2_000
        page = browser.new_context(base_url=house.address).new_page()
        sign_in(page, house)
        look(page, "/map?rare=0")
        page.locator(".react-flow__node", has_text="Large").first.wait_for(timeout=PATIENCE_MS)
        assert page.locator(".react-flow__edge").count() == 0
        assert page.locator("canvas").count() == 1
        page.context.close()
        program.stop()
