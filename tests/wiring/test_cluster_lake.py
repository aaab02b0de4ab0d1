"""What is asked of a cluster's lake is answered as of a folder's: by the same commands, to the last digit."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sojourn.adapters.lake.iceberg.linking import write_link
from tests.adapters.lake.test_iceberg import lived
from tests.adapters.lake.topics import Topics, Writer, place_in
from tests.cli.commands import run

QUESTIONS = {
    "graph": ["graph", "--goal", "Order Completed"],
    "paths": ["paths"],
    "funnel": ["funnel", "Viewed", "Checkout Started", "Order Completed [revenue>=40]", "--within", "1d"],
    "retention": ["retention"],
    "attribution": ["attribution", "--conversion", "Order Completed"],
    "query": ["lake", "query", "SELECT * EXCLUDE (fact_group, fact_n) FROM steps ORDER BY ALL"],
    "sessions": ["lake", "query", "FROM sessions ORDER BY ALL"],
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same history in a folder, and in a folder that stands for a cluster's lake."""
    path, random = tmp_path_factory.mktemp("lakes"), Random(3)
    folder = lived(path / "one", random, n_events=60)
    topics, place = Topics(random), place_in(path / "cluster")
    topics.add(folder.entries(), folder.facts())
    Writer(place, topics, random).run()
    folder.close()
    write_link(path / "stands" / "lake", place)
    return path / "one", path / "stands"


def answer(question: list[str], data: Path) -> Any:
    """Ask by the command line; the answer's JSON."""
    result = run(*question, "--json", "--data", str(data))
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_has_the_same_answer(folders: tuple[Path, Path], name: str) -> None:
    """Of people as they are by now: named late, merged by aliases, with visits that late events moved."""
    alone, cluster = (answer(QUESTIONS[name], data) for data in folders)
    assert cluster == alone
    assert alone


def test_a_folder_that_has_data_does_not_stand_for_another(folders: tuple[Path, Path]) -> None:
    """It would hide them."""
    with pytest.raises(Exception, match="has data of its own"):
        write_link(folders[0] / "lake", place_in(folders[1] / "elsewhere"))


def test_what_only_a_folder_of_its_own_can_do_says_so(folders: tuple[Path, Path]) -> None:
    """Its log is Kafka."""
    result = run("lake", "status", "--data", str(folders[1]))
    assert result.exit_code == 2
    assert "stands for a cluster's lake" in result.output
