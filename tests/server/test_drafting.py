"""Drafts over HTTP: nobody overwrites anybody, nothing outside is reached, and files come first."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import httpx
import pytest

from sojourn.model.event import Event
from sojourn.server.drafting import Draft
from tests.engine.makers import event
from tests.server.houses import WELCOME, House

FILE = "journeys/welcome.yaml"
LATER = WELCOME.replace("1d", "2d")
METRICS = "metrics:\n  orders: { kind: count, on: Order Completed, within: 14d }\n"


def house(text: str = WELCOME) -> House:
    """Make a house whose one file says what is in force."""
    made = House()
    (made.authors.folder / FILE).write_text(text)
    return made


def save(
    of: House, text: str, *, file: str = FILE, base: str | None = None, **headers: str
) -> httpx.Response:
    """Save a draft, with headers as keywords."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return of.ask(
        f"/api/v1/drafts/{file}", method="PUT", json={"text": text, "base_etag": base}, headers=named
    )


def etag(of: House, file: str = FILE) -> str:
    """Return the etag of the file on disk."""
    found: str = of.ask(f"/api/v1/files/{file}").json()["etag"]
    return found


def draft(of: House, text: str = LATER) -> dict[str, Any]:
    """Begin a draft of the file."""
    answer = save(of, text, if_match=f'"{etag(of)}"')
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def publish(of: House, file: str = FILE, **asked: Any) -> httpx.Response:
    """Publish a draft."""
    return of.ask(f"/api/v1/drafts/{file}/publish", method="POST", json=asked)


def disk(of: House, file: str = FILE) -> str:
    """Return what a file says."""
    return (of.authors.folder / file).read_text()


# Files


def test_files_are_listed_with_their_kinds_and_what_is_wrong() -> None:
    """All of them together, so that what one names in another is known."""
    made = house()
    folder = made.authors.folder / "journeys"
    (folder / "shared.yaml").write_text('segments:\n  rich: "trait.rich == true"\n')
    (folder / "member.yml").write_text("journey: member\nentry: { segment: rich }\nstates: { a: {} }\n")
    (folder / "broken.yaml").write_text("journey: broken\nentry: { segment: poor }\nstates: { a: {} }\n")
    (made.authors.folder / "metrics").mkdir()
    (made.authors.folder / "metrics/orders.yaml").write_text(METRICS)
    found = {
        one["file"]: (one["kind"], one["name"], one["n_problems"]) for one in made.ask("/api/v1/files").json()
    }
    assert found == {
        FILE: ("journey", "welcome", 0),
        "journeys/shared.yaml": ("shared", "shared.yaml", 0),
        "journeys/member.yml": ("journey", "member", 0),
        "journeys/broken.yaml": ("journey", "broken", 1),
        "metrics/orders.yaml": ("metrics", "orders.yaml", 0),
    }


def test_a_draft_is_listed_in_the_place_of_its_file() -> None:
    """And one of a file that is not there yet, beside the others."""
    made = house()
    kept = draft(made)
    assert save(made, "journey: fresh", file="journeys/fresh.yaml", if_none_match="*").status_code == 200
    found = {one["file"]: one for one in made.ask("/api/v1/files").json()}
    assert (found[FILE]["is_draft"], found[FILE]["etag"]) == (True, kept["etag"])
    assert (found["journeys/fresh.yaml"]["is_new"], found["journeys/fresh.yaml"]["n_problems"]) == (True, 2)


@pytest.mark.parametrize(
    "file",
    ["journeys/%2e%2e", "journeys/.hidden.yaml", "journeys/a.txt", "elsewhere/a.yaml", "journeys/-x.yaml",
     "journeys/%2e%2e%2fsojourn.yaml", "%2e%2e/sojourn.yaml", "journeys/a%00.yaml", "journeys/a%2Fb.yaml",
     "journeys/con:.yaml", "journeys/ü.yaml", "journeys/" + "a" * 150 + ".yaml"],
)  # fmt: skip
def test_nothing_outside_the_folders_can_be_named(file: str) -> None:
    """Whatever the path says: there is no such file, to read, to draft or to publish."""
    made = house()
    (made.authors.folder / "sojourn.yaml").write_text("secret: 1")
    assert made.ask(f"/api/v1/files/{file}").status_code in (404, 422)
    assert save(made, "x: 1", file=file, if_none_match="*").status_code in (404, 422)
    assert publish(made, file, etag="x").status_code in (404, 422)
    assert disk(made, "sojourn.yaml") == "secret: 1"


def test_a_link_out_of_a_folder_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    """Else whoever may write a link could read the machine's files through the server."""
    made = house()
    secret = tmp_path / "secret.yaml"
    secret.write_text("journey: secret")
    (made.authors.folder / "journeys/link.yaml").symlink_to(secret)
    assert [one["file"] for one in made.ask("/api/v1/files").json()] == [FILE]
    assert made.ask("/api/v1/files/journeys/link.yaml").status_code == 404
    assert save(made, "x: 1", file="journeys/link.yaml", if_none_match="*").status_code == 422
    assert secret.read_text() == "journey: secret"


def test_a_link_that_stays_inside_is_a_file_like_any() -> None:
    """As volumes of Kubernetes are laid out; what is published replaces what the link leads to."""
    made = house()
    folder = made.authors.folder / "journeys"
    (folder / ".2026").mkdir()
    (folder / "welcome.yaml").rename(folder / ".2026/welcome.yaml")
    (folder / "welcome.yaml").symlink_to(".2026/welcome.yaml")
    kept = draft(made)
    assert publish(made, etag=kept["etag"]).json()["revision"] == 1
    assert (folder / "welcome.yaml").is_symlink()
    assert (folder / ".2026/welcome.yaml").read_text() == LATER


# Drafts


def test_a_draft_is_kept_over_the_file_that_was_seen() -> None:
    """With who wrote it, and what it was begun from."""
    made = house()
    kept = draft(made)
    found = made.ask(f"/api/v1/files/{FILE}").json()
    assert found["text"] == WELCOME
    assert found["draft"] == kept
    assert (kept["text"], kept["base_etag"], kept["updated_by"]) == (LATER, found["etag"], "$operator")


def test_whoever_saw_an_older_draft_is_told_what_is_there_now() -> None:
    """And nothing of theirs is kept, and nothing of the other's is lost."""
    made = house()
    first = draft(made)
    second = save(made, LATER + "# mine", if_match=first["etag"]).json()
    answer = save(made, LATER + "# theirs", if_match=first["etag"])
    assert answer.status_code == 412
    assert answer.json()["code"] == "not-what-you-saw"
    assert answer.json()["now"]["draft"] == second


@pytest.mark.parametrize("base", [None, "0" * 24])
def test_to_begin_a_draft_one_must_have_seen_the_file(base: str | None) -> None:
    """Else what somebody published meanwhile would be undone by the first save."""
    made = house()
    answer = save(made, LATER, base=base, if_none_match="*")
    assert (answer.status_code, answer.json()["now"]["text"]) == (412, WELCOME)
    assert save(made, LATER, base=etag(made), if_none_match="*").status_code == 200
    assert save(made, LATER, base=etag(made), if_none_match="*").status_code == 412


def test_of_many_who_save_at_once_one_is_first() -> None:
    """Sixteen threads, each over the same draft: one is kept, the others are told of it."""
    made = house()
    seen = draft(made)["etag"]
    barrier, answers = Barrier(16), []

    def work(n: int) -> None:
        barrier.wait()
        try:
            answers.append(made.authors.drafts.save(FILE, Draft(text=f"# {n}"), match=seen, who=str(n)))
        except Exception as error:
            answers.append(error)

    threads = [Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [answer for answer in answers if not isinstance(answer, Exception)]
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(kept) == 1
    assert {getattr(error, "code", repr(error)) for error in refused} == {"not-what-you-saw"}
    assert made.ask(f"/api/v1/files/{FILE}").json()["draft"]["text"] == kept[0].text


def test_a_draft_is_dropped_by_whoever_saw_it_and_the_file_stays() -> None:
    """One that has changed since stays, too."""
    made = house()
    kept = draft(made)
    stale = made.ask(f"/api/v1/drafts/{FILE}", method="DELETE", headers={"if-match": '"old"'})
    assert stale.status_code == 412
    assert (
        made.ask(f"/api/v1/drafts/{FILE}", method="DELETE", headers={"if-match": kept["etag"]}).status_code
        == 200
    )
    assert made.ask(f"/api/v1/drafts/{FILE}", method="DELETE").status_code in (404, 422)
    assert made.ask(f"/api/v1/files/{FILE}").json()["draft"] is None
    assert disk(made) == WELCOME


# Publishing


def test_a_dry_run_shows_the_plan_and_touches_nothing() -> None:
    """Neither file, draft nor what is in force."""
    made = house()
    made.take()
    kept = draft(made)
    view = publish(made, etag=kept["etag"], dry_run=True).json()
    assert [(one["journey"], one["change"]) for one in view["journeys"]] == [("welcome", "changed")]
    assert view["revision"] is None
    assert disk(made) == WELCOME
    assert made.ask(f"/api/v1/files/{FILE}").json()["draft"] == kept


def test_a_published_draft_is_in_its_file_and_in_force_and_no_draft_any_more() -> None:
    """A start would publish the file, and finds it in force."""
    made = house()
    kept = draft(made)
    view = publish(made, etag=kept["etag"]).json()
    assert view["revision"] == 1
    assert disk(made) == LATER
    assert made.driver.catalogue.journeys["welcome"].text == LATER
    assert made.ask(f"/api/v1/files/{FILE}").json()["draft"] is None
    assert [path.name for path in (made.authors.folder / "journeys").iterdir()] == ["welcome.yaml"]


def test_a_draft_is_published_as_it_was_looked_at_or_not() -> None:
    """Somebody else's save in between is not published unseen."""
    made = house()
    first = draft(made)
    save(made, LATER + "# more", if_match=first["etag"])
    assert publish(made, etag=first["etag"]).status_code == 412
    assert disk(made) == WELCOME


def test_a_file_that_changed_on_disk_is_not_overwritten() -> None:
    """Git is used beside the studio; the draft can be laid over the file as it is now."""
    made = house()
    kept = draft(made)
    theirs = WELCOME + "# by hand\n"
    (made.authors.folder / FILE).write_text(theirs)
    answer = publish(made, etag=kept["etag"])
    assert (answer.status_code, answer.json()["code"]) == (409, "file-changed")
    assert answer.json()["now"]["text"] == theirs
    assert disk(made) == theirs
    again = save(made, LATER, base=answer.json()["now"]["etag"], if_match=kept["etag"]).json()
    assert publish(made, etag=again["etag"]).json()["revision"] == 1
    assert disk(made) == LATER


def test_a_file_that_changes_while_the_plan_is_made_is_not_overwritten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is looked at again when it is written, and then nothing is in force either."""
    made = house()
    kept = draft(made)
    write = made.authors.drafts._write

    def late(file: str, draft: Any) -> None:
        (made.authors.folder / FILE).write_text("# by hand")
        write(file, draft)

    monkeypatch.setattr(made.authors.drafts, "_write", late)
    assert publish(made, etag=kept["etag"]).json()["code"] == "file-changed"
    assert disk(made) == "# by hand"
    assert made.driver.catalogue.journeys["welcome"].text == WELCOME


def test_what_is_wrong_is_not_published_and_says_where() -> None:
    """As `sojourn publish` says it, by the file's own name."""
    made = house()
    kept = draft(made, WELCOME.replace("1d: done", "1d: nowhere"))
    answer = publish(made, etag=kept["etag"])
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-definition")
    assert answer.json()["message"].startswith(f"{FILE}:4:")
    assert disk(made) == WELCOME


def test_a_plan_that_is_refused_changes_nothing() -> None:
    """People inside would have nowhere to go."""
    made = house()
    made.take(*people("ann"))
    kept = draft(made, WELCOME.replace("waiting", "resting"))
    view = publish(made, etag=kept["etag"], policy="follow").json()
    assert view["refused"]
    assert disk(made) == WELCOME
    moved = publish(made, etag=kept["etag"], policy="map", states={"waiting": "resting"}).json()
    assert (moved["refused"], moved["revision"]) == ([], 1)
    assert "resting" in disk(made)


def test_a_journey_is_not_taken_away_by_renaming_it() -> None:
    """It would stay in force until the next start, and then be closed: nobody would expect either."""
    made = house()
    kept = draft(made, WELCOME.replace("journey: welcome", "journey: hello"))
    view = publish(made, etag=kept["etag"]).json()
    assert "welcome" in view["refused"][0]
    assert disk(made) == WELCOME


def test_a_journey_is_not_taken_away_by_metrics_in_its_file() -> None:
    """However the name goes."""
    made = house()
    kept = draft(made, METRICS)
    view = publish(made, etag=kept["etag"]).json()
    assert "welcome" in view["refused"][0]
    assert disk(made) == WELCOME


def test_comments_alone_are_written_and_nothing_comes_into_force() -> None:
    """A version is named after its meaning."""
    made = house()
    kept = draft(made, WELCOME + "# why\n")
    assert publish(made, etag=kept["etag"]).json()["revision"] is None
    assert disk(made) == WELCOME + "# why\n"
    assert made.ask(f"/api/v1/files/{FILE}").json()["draft"] is None


def test_a_new_file_is_made_and_its_journey_entered() -> None:
    """From an empty editor to people in it."""
    made = house()
    text = WELCOME.replace("welcome", "fresh")
    kept = save(made, text, file="journeys/fresh.yaml", if_none_match="*").json()
    assert publish(made, "journeys/fresh.yaml", etag=kept["etag"]).json()["revision"] == 1
    assert disk(made, "journeys/fresh.yaml") == text
    made.take(*people("ann"))
    assert made.driver.tallies.inside("fresh") != {}


def test_metrics_are_written_and_are_no_matter_of_the_engine() -> None:
    """Reports read them from their files."""
    made = house()
    (made.authors.folder / "metrics").mkdir()
    file = "metrics/orders.yaml"
    bad = save(made, "metrics: { orders: { kind: none } }", file=file, if_none_match="*").json()
    assert publish(made, file, etag=bad["etag"]).json()["code"] == "bad-definition"
    good = save(made, METRICS, file=file, if_match=bad["etag"]).json()
    assert publish(made, file, etag=good["etag"]).json()["revision"] is None
    assert disk(made, file) == METRICS


def test_a_folder_that_cannot_be_written_says_so_and_nothing_is_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Files may be mounted to be read only: git is the way then."""
    made = house()
    kept = draft(made)

    def refuse(*_: Any, **__: Any) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("sojourn.adapters.mounted.secrets.token_hex", refuse)
        answer = publish(made, etag=kept["etag"])
    assert (answer.status_code, answer.json()["code"]) == (422, "not-writable")
    assert made.driver.catalogue.journeys["welcome"].text == WELCOME
    assert made.ask(f"/api/v1/files/{FILE}").json()["draft"] == kept


def people(*ids: str) -> list[Event]:
    """Make what lets people in."""
    return [event("Signed Up", user_id=each) for each in ids]
