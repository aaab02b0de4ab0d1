"""Commands: what is asked on a command line is done, answered, and refused with what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sojourn import __version__
from tests.cli.commands import answer, run

MAP = "event=event,user_id=user_id,timestamp=timestamp"

EVENTS = [
    {"type": "identify", "userId": "ada", "traits": {"plan": "pro"}, "timestamp": "2026-03-01T09:00:00Z"},
    {"event": "Signed Up", "userId": "ada", "timestamp": "2026-03-01T09:01:00Z"},
    {"event": "Order Completed", "userId": "grace", "timestamp": "2026-03-01T09:02:00Z"},
]

DEAD_END = """\
journey: dead
entry: { on: A }
states:
  a: { after: { 1d: b } }
  b: { do: [ { console: c, body: { say: hello } } ] }
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `sojourn init` made, and we are in it."""
    monkeypatch.chdir(tmp_path)
    for variable in ("SOJOURN_CONFIG", "SOJOURN_DATA", "SOJOURN_ADMIN_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    assert run("init").exit_code == 0
    return tmp_path


def events_file(folder: Path, *, more: str = "") -> Path:
    """Write the events, a line each."""
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in EVENTS) + more)
    return path


# The command line itself


def test_a_command_loads_no_library_before_it_is_known_what_it_is_for() -> None:
    """A framework of servers took half the time of every command."""
    heavy = "{'asyncio', 'duckdb', 'httpx', 'litestar', 'numpy', 'rich', 'uvicorn', 'yaml'}"
    code = f"import sys; import sojourn.cli.app; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_help_names_every_command() -> None:
    """It is where people begin."""
    said = run("--help").stdout

    for command in ("init", "serve", "import", "check", "profile", "journeys", "failed", "dead", "version"):
        assert command in said


@pytest.mark.parametrize(
    "command",
    [
        ["init"],
        ["serve"],
        ["import"],
        ["check"],
        ["profile"],
        ["journeys"],
        ["failed", "list"],
        ["dead", "list"],
        ["lake", "status"],
        ["lake", "compact"],
        ["lake", "export"],
        ["lake", "query"],
    ],
)
def test_every_command_s_help_has_an_example(command: list[str]) -> None:
    """An example teaches more than a list of options."""
    assert f"sojourn {' '.join(command)}" in run(*command, "--help").stdout


def test_the_release_is_told() -> None:
    """For people, for programs, and as an option."""
    assert run("version").stdout == run("--version").stdout == f"sojourn {__version__}\n"
    assert answer("version") == {"version": __version__}


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["import"], ["profile"], ["failed", "list", "--limit", "0"]]
)
def test_a_question_that_is_wrong_ends_with_2(arguments: list[str]) -> None:
    """As every program of this kind has it."""
    assert run(*arguments).exit_code == 2


# init


def test_init_writes_what_check_and_serve_need(shop: Path) -> None:
    """Its own journey is good."""
    assert (shop / "sojourn.yaml").exists()
    assert answer("check") == {"problems": [], "warnings": []}


def test_init_overwrites_nothing(shop: Path) -> None:
    """The keys of SDKs are in there."""
    result = run("init")

    assert result.exit_code == 2
    assert (
        result.stderr == "error: sojourn.yaml: is there already; delete it first, or choose another folder\n"
    )


# A wrong configuration


def test_a_wrong_configuration_ends_with_2_and_its_place(shop: Path) -> None:
    """A line for each mistake, and no traceback."""
    (shop / "sojourn.yaml").write_text("http: { port: x }\nkeep_full_ip: 1\n")

    result = run("check")

    assert result.exit_code == 2
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == ["error", "error"]
    assert "sojourn.yaml:1:15: http.port: expected" in result.stderr


# check


def test_check_says_where_a_journey_is_wrong(shop: Path) -> None:
    """`file:line:column: message [code]`, as editors read it."""
    (shop / "dead.yaml").write_text(DEAD_END)

    result = run("check", "dead.yaml")

    assert result.exit_code == 1
    assert result.stdout.startswith("dead.yaml:5:")
    assert "[dead-end]" in result.stdout
    assert result.stdout.endswith("1 problem\n")


def test_check_tells_programs_the_same(shop: Path) -> None:
    """One object, with every problem's place apart."""
    (shop / "dead.yaml").write_text(DEAD_END)

    result = run("check", "dead.yaml", "--json")

    [problem] = json.loads(result.stdout)["problems"]
    assert (result.exit_code, problem["file"], problem["line"], problem["code"]) == (
        1,
        "dead.yaml",
        5,
        "dead-end",
    )


def test_check_of_a_folder_checks_the_journeys_in_it(shop: Path) -> None:
    """A name that two of them share is a problem of the folder."""
    text = (shop / "journeys" / "welcome.yaml").read_text()
    (shop / "journeys" / "again.yaml").write_text(text)

    result = run("check", "journeys")

    assert result.exit_code == 1
    assert "[duplicate-journey]" in result.stdout


def test_check_counts_the_flags_of_a_folder_and_says_where_one_is_wrong(shop: Path) -> None:
    """They stand beside the journeys, and are judged with them."""
    file = shop / "journeys" / "button.yaml"
    file.write_text(
        "flag: button\nvariants: { on: true, off: false }\ndefault: off\nrules: [ { serve: on } ]\n"
    )

    good = run("check", "journeys")
    file.write_text(file.read_text().replace("serve: on", "serve: onn"))
    bad = run("check", "journeys")

    assert good.stdout == "1 journey and 1 flag: nothing is wrong\n"
    assert "button.yaml:4:19: no variant is named 'onn'; did you mean 'on'? [unknown-name]" in bad.stdout


def test_check_warns_of_a_sink_that_is_not_configured(shop: Path) -> None:
    """Also in files that are named: it is this folder's configuration that they will meet."""
    file = shop / "journeys" / "welcome.yaml"
    file.write_text(file.read_text().replace("sink: console", "webhook: support"))

    for said in (run("check"), run("check", "journeys/welcome.yaml")):
        assert said.exit_code == 0
        assert "welcome.yaml:12:18: what goes to 'support' is given up" in said.stdout
        assert said.stdout.endswith("1 journey: nothing is wrong\n")


def test_check_of_named_files_needs_no_configuration(shop: Path) -> None:
    """A repository of journeys has none, and its secrets are elsewhere."""
    (shop / "sojourn.yaml").write_text("admin_token_env: NOT_SET\n")

    assert run("check", "journeys/welcome.yaml").exit_code == 0
    assert run("check", "journeys/welcome.yaml", "--config", "sojourn.yaml").exit_code == 2
    assert run("check").exit_code == 2


def test_check_without_journeys_asks_for_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence would look like success."""
    monkeypatch.chdir(tmp_path)

    assert run("check").exit_code == 2


# import


def test_import_ends_with_one_line_of_counts(shop: Path) -> None:
    """What a program reads; a bad row is counted and stops nothing."""
    path = events_file(shop, more="{nonsense}\n")

    assert answer("import", str(path)) == {"accepted": 3, "duplicate": 0, "failed": 1}


def test_a_second_import_adds_nothing(shop: Path) -> None:
    """Through the real log: it is exact, not likely."""
    path = events_file(shop)
    answer("import", str(path))

    assert answer("import", str(path)) == {"accepted": 0, "duplicate": 3, "failed": 0}


def test_a_row_that_fails_twice_is_kept_once(shop: Path) -> None:
    """The second import counts it, and its reason stands there already."""
    path = events_file(shop, more="{nonsense}\n")
    answer("import", str(path))

    assert answer("import", str(path)) == {"accepted": 0, "duplicate": 3, "failed": 1}
    assert len(answer("failed", "list")) == 1


def test_no_whole_address_gets_into_the_folder(shop: Path) -> None:
    """An export of years knows addresses that the door would never have kept."""
    path = shop / "events.jsonl"
    path.write_text(json.dumps({**EVENTS[1], "context": {"ip": "203.0.113.77"}}) + "\n")

    answer("import", str(path))

    kept = b"".join(file.read_bytes() for file in (shop / "data").rglob("*") if file.is_file())
    assert b"203.0.113.0" in kept
    assert b"203.0.113.77" not in kept


def test_import_sums_up_for_people(shop: Path) -> None:
    """And says where the reasons are."""
    path = events_file(shop, more="{nonsense}\n")

    said = run("import", str(path)).stdout

    assert said.startswith("3 accepted, 0 there before, 1 failed\n4 rows in ")
    assert said.endswith("Why they failed: sojourn failed list\n")


def test_a_file_of_which_nothing_is_good_ends_with_1(shop: Path) -> None:
    """Most likely the map is wrong; a script should stop."""
    (shop / "x.csv").write_text("event,user_id,timestamp\n,u,2026-01-01\n")

    assert run("import", "x.csv").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["none.csv"], "none.csv: there is no such file"),
        (["sojourn.yaml"], "add --format"),
        (["x.csv", "--map", "evnt=a"], "did you mean 'event'"),
        (["x.csv", "--map", "event=a"], "has no column 'a'"),
        (["x.csv", "--source", "sojourn"], "is the engine's own name"),
        (["x.csv", "--timezone", "Mars"], "unknown zone 'Mars'"),
    ],
)
def test_a_wrong_import_says_what_to_do(shop: Path, arguments: list[str], expected: str) -> None:
    """In one line, and with 2."""
    (shop / "x.csv").write_text("event,user_id,timestamp\n")

    result = run("import", *arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert expected in result.stderr


def test_import_needs_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To look at a file of events, a folder is enough; a map says which column says what."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text("e,u,t\nA,ada,2026-01-01\n")

    counts = answer("import", "x.csv", "--data", "there", "--map", "event=e,user_id=u,timestamp=t")

    assert counts == {"accepted": 1, "duplicate": 0, "failed": 0}
    assert (tmp_path / "there").is_dir()


# What was imported


def test_profile_tells_programs_everything(shop: Path) -> None:
    """Ids, traits, session, enrolments and timeline."""
    answer("import", str(events_file(shop)))

    view = answer("profile", "ada")

    assert (view["id"], view["traits"]) == ("u:ada", {"plan": "pro"})
    assert [each["journey"] for each in view["enrolments"]] == ["welcome"]
    assert {"step", "entered"} <= {fact["type"] for fact in view["timeline"]}


def test_profile_shows_people_a_story(shop: Path) -> None:
    """Newest last."""
    answer("import", str(events_file(shop)))

    said = run("profile", "ada").stdout

    assert "plan" in said
    assert said.index("did Signed Up") < said.index("welcome: entered")


def test_an_id_nobody_has_ends_with_1(shop: Path) -> None:
    """The question was right; the answer is no."""
    answer("import", str(events_file(shop)))

    result = run("profile", "nobody")

    assert result.exit_code == 1
    assert result.stderr.startswith("error: nobody: nobody has this id")


def test_failed_events_are_listed_with_their_line(shop: Path) -> None:
    """So that the file can be mended."""
    answer("import", str(events_file(shop, more="{nonsense}\n")))

    [failed] = answer("failed", "list")

    assert (failed["path"], failed["code"]) == ("events.jsonl:line 4", "bad-json")
    assert "events.jsonl:line 4" in run("failed", "list").stdout


def test_journeys_are_listed_with_who_is_in_them(shop: Path) -> None:
    """Ada signed up, and waits."""
    answer("import", str(events_file(shop)))

    [journey] = answer("journeys")

    assert (journey["name"], journey["entered"], journey["states"]) == ("welcome", 1, {"waiting": 1})
    assert "welcome" in run("journeys").stdout


def test_status_says_how_far_everything_is(shop: Path) -> None:
    """Nothing lags behind an import."""
    answer("import", str(events_file(shop)))

    status = answer("status")

    assert (status["position"], status["log_end"]) == (5, 5)  # the publishing, the play, and three events


def test_a_folder_without_events_has_no_clock_yet(shop: Path) -> None:
    """1970 is no answer."""
    (shop / "empty.jsonl").write_text("")
    run("import", "empty.jsonl")

    shown = run("status").stdout

    assert "no event yet" in shown
    assert "1970" not in shown


def test_dead_letters_are_none_at_first(shop: Path) -> None:
    """An empty list, and a sentence for people."""
    answer("import", str(events_file(shop)))

    assert answer("dead", "list") == []
    assert run("dead", "list").stdout == "No action was given up.\n"
    assert answer("dead", "retry", "--all") == {"revived": 0}


@pytest.mark.parametrize("arguments", [[], ["some-id", "--all"]])
def test_a_retry_wants_to_know_which(shop: Path, arguments: list[str]) -> None:
    """All of them is a choice, not a default."""
    assert run("dead", "retry", *arguments).exit_code == 2


def test_a_retry_of_an_unknown_action_ends_with_1(shop: Path) -> None:
    """A mistyped id is not a success of none."""
    answer("import", str(events_file(shop)))

    result = run("dead", "retry", "no-such-id")

    assert result.exit_code == 1
    assert "1 of 1 are no dead letters" in result.stderr


def test_a_list_that_is_cut_says_so(shop: Path) -> None:
    """Or the operator counts a hundred and thinks that is all."""
    run("import", str(events_file(shop, more='{"type": "track"}\n{"type": "track", "event": "x"}\n')))

    assert "the newest 1; --limit shows more" in run("failed", "list", "--limit", "1").stdout
    assert "--limit" not in run("failed", "list").stdout


@pytest.mark.parametrize(
    "arguments", [["profile", "ada"], ["failed", "list"], ["dead", "list"], ["journeys"], ["status"]]
)
def test_reading_works_beside_a_process_that_writes(shop: Path, arguments: list[str]) -> None:
    """Operators ask while the server runs."""
    from sojourn.config import load_config
    from sojourn.wiring import open_house

    answer("import", str(events_file(shop)))
    with open_house(load_config(environment={})):
        result = run(*arguments)

    assert result.exit_code == 0


def test_reading_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in `--data` is said, not obeyed."""
    monkeypatch.chdir(tmp_path)

    assert run("profile", "ada", "--data", "nowhere").exit_code == 2
    assert not (tmp_path / "nowhere").exists()
