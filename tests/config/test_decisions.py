"""Keys of applications: what each opens, and what is refused of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sojourn.config import Config, load_config
from sojourn.model.errors import ConfigError
from sojourn.wiring.deciding import callers

KEY, SECRET = "a-key-of-many-characters", "a-secret-of-many-characters"


def load(folder: Path, keys: str, more: str = "") -> Config:
    """Load a configuration with these keys."""
    file = folder / "sojourn.yaml"
    file.write_text(f"decisions: {{ keys: {{ {keys} }} }}\n{more}")
    return load_config(file, environment={"APP_KEY": KEY, "PAGE_SECRET": SECRET})


def test_keys_are_read_with_what_they_open(tmp_path: Path) -> None:
    """From the file, or from the environment."""
    page = f"page: {{ key: {KEY}-2, kind: browser, flags: [banner, 'journey.a.*'], secret_env: PAGE_SECRET }}"
    found = callers(load(tmp_path, f"shop: {{ key_env: APP_KEY }}, {page}", f"admin_token: {KEY}-3"))
    shop, browser, admin = found[KEY], found[f"{KEY}-2"], found[f"{KEY}-3"]
    assert (shop.name, shop.is_browser, shop.flags) == ("shop", False, ("*",))
    assert (browser.is_browser, browser.flags, browser.secret) == (True, ("banner", "journey.a.*"), SECRET)
    assert (admin.is_browser, admin.flags) == (False, ("*",))


def test_without_keys_nobody_may_ask(tmp_path: Path) -> None:
    """The safe default."""
    assert callers(load(tmp_path, "")) == {}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("a: { key: short }", "decisions.keys.a: expected at least 16 characters, got fewer"),
        (f"a: {{ key: {KEY}, kind: browser }}", "decisions.keys.a: is in a page"),
        (f"a: {{ key: {KEY} }}, b: {{ key: {KEY} }}", "decisions.keys.b: shares its key with 'a'"),
        (f"a: {{ key: {KEY}, secret: {SECRET} }}", "secret is for keys of kind browser"),
        (f"a: {{ key: {KEY}, trust_events: true }}", "trust_events is for keys of kind browser"),
        (f"a: {{ key: {KEY}, kind: browser, flags: [x], secret: short }}", "at least 16 characters"),
        (f"a: {{ key: {KEY}, kind: phone }}", "expected one of server, browser, got 'phone'"),
        (f"a: {{ key: {KEY}, flag: [x] }}", "unknown setting 'flag'; did you mean 'flags'"),
        ("a: {}", "needs 'key'"),
    ],
)
def test_a_key_that_opens_too_much_or_nothing_is_refused(tmp_path: Path, keys: str, words: str) -> None:
    """With its name, and what to do."""
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, keys)
    assert words in str(refused.value)


def test_the_admin_token_is_no_applications_key(tmp_path: Path) -> None:
    """It opens more than decisions."""
    with pytest.raises(ConfigError, match="is the admin_token"):
        load(tmp_path, f"a: {{ key: {KEY} }}", f"admin_token: {KEY}")
