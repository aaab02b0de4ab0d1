"""Forged requests, in a real browser: a page of another origin has the signed-in browser, in vain.

Both are at 127.0.0.1, on two ports: to a browser that is one site, so it sends even a cookie that is
`SameSite=Strict`. What refuses is the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from sojourn.server.studio import Studio
from tests.server.houses import TOKEN, House
from tests.server.serving import served

pytestmark = pytest.mark.browser

FORM = """
<!doctype html><form method="post" enctype="text/plain" action="{api}/api/v1/holds">
<input name='{{"name":"$stop","journey":"' value='"}}'><button>A prize</button></form>
"""
ASK = """async ([url, init]) => {
  try { const answer = await fetch(url, {credentials: 'include', ...init}); return await answer.text() }
  catch (error) { return 'refused by the browser' }
}"""
SIGN_IN = """async token => (await fetch('/api/v1/session', {
  method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({token}),
})).json()"""


@contextmanager
def another_origin(content: str) -> Iterator[str]:
    """Serve one page from a port of its own."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for part in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{part}.complete"})
            return
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content.encode()})

    with served(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def house() -> House:
    """A house in memory."""
    return House()


@pytest.fixture
def api(house: House) -> Iterator[str]:
    """Serve it, with the pages of the studio before it; yield its address."""
    with served(Studio(house.app)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def context(browser: Browser, api: str) -> Iterator[BrowserContext]:
    """A browser that signed in, as the studio does it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{api}/studio/")
    assert page.evaluate(SIGN_IN, TOKEN)["role"] == "admin"
    yield context
    context.close()


def test_a_page_of_our_own_may_change_something_with_the_sessions_token(
    context: BrowserContext, api: str, house: House
) -> None:
    """Else what follows would show nothing."""
    page = context.new_page()
    page.goto(f"{api}/studio/")
    csrf = page.evaluate("async () => (await (await fetch('/api/v1/session')).json()).csrf")
    change = {"method": "POST", "body": '{"name":"$stop"}', "headers": {"X-CSRF-Token": csrf}}
    assert '"stopped":true' in page.evaluate(ASK, [f"{api}/api/v1/holds", change])
    assert house.desk.holds().stopped


def test_scripts_do_not_see_the_cookie(context: BrowserContext, api: str) -> None:
    """It is there, and out of their reach."""
    page = context.new_page()
    page.goto(f"{api}/studio/")
    (cookie,) = context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("sojourn_session", True, "Strict")
    assert page.evaluate("document.cookie") == ""


def test_a_form_of_another_origin_changes_nothing(context: BrowserContext, api: str, house: House) -> None:
    """The oldest trick: it needs no script, and the cookie goes with it."""
    with another_origin(FORM.format(api=api)) as there:
        page = context.new_page()
        page.goto(there)
        with page.expect_response(f"{api}/api/v1/holds") as got:
            page.click("button")
        assert got.value.status == 403
        assert "sojourn_session" in got.value.request.all_headers().get("cookie", "")
        assert "cross-origin" in (page.text_content("body") or "")
    assert not house.desk.holds().stopped


@pytest.mark.parametrize(
    "init",
    [
        {},
        {"method": "POST", "body": "{}"},
        {"method": "POST", "body": "{}", "headers": {"X-CSRF-Token": "x"}},
    ],
    ids=["read", "change", "change with a token"],
)
def test_a_script_of_another_origin_reads_and_changes_nothing(
    context: BrowserContext, api: str, house: House, init: dict[str, Any]
) -> None:
    """Whatever it asks, the browser does not show it the answer; and the server gave none."""
    with another_origin("<!doctype html>") as there:
        page = context.new_page()
        page.goto(there)
        assert page.evaluate(ASK, [f"{api}/api/v1/holds", init]) == "refused by the browser"
        assert page.evaluate(ASK, [f"{api}/api/v1/status", {}]) == "refused by the browser"
    assert not house.desk.holds().stopped


def test_the_studio_stands_in_nobody_elses_frame(context: BrowserContext, api: str) -> None:
    """Or one would be made to click what one does not see."""
    with another_origin(f'<!doctype html><iframe src="{api}/studio/"></iframe>') as there:
        page = context.new_page()
        page.goto(there)
        frame = next(each for each in page.frames if each != page.main_frame)
        assert _shown(frame) == ""


def _shown(frame: Any) -> str:
    """Return what a frame shows: nothing where the browser put its own page of refusal there."""
    return "" if frame.url.startswith("chrome-error:") else frame.inner_text("body")


def test_no_script_in_a_page_of_the_studio_runs_but_its_own(context: BrowserContext, api: str) -> None:
    """Were text of somebody's ever taken for HTML, nothing of it would run."""
    page: Page = context.new_page()
    page.goto(f"{api}/studio/")
    page.evaluate(
        """() => {
        document.body.innerHTML += '<img src="data:," onerror="window.ran = 1">'
        const script = document.createElement('script')
        script.textContent = 'window.ran = 2'
        document.body.append(script)
    }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
