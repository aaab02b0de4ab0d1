"""SVG: the picture says all, stands alone, and overlaps nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations

import pytest

from sojourn.definitions.drawing import picture_of, svg_of
from sojourn.definitions.drawing.placing import Placed, place
from sojourn.definitions.journey import Journey
from tests.definitions.drawing.journeys import NASTY, ROOT, gallery, nasty, nested

SHARED = {"house", "checkout-button"}
GALLERY = sorted({path.stem for path in (ROOT / "journeys").glob("*.yaml")} - SHARED)


def texts(svg: str) -> list[str]:
    """List the texts a reader sees, and those shown when a mouse rests."""
    return [
        "".join(node.itertext())
        for node in ElementTree.fromstring(svg).iter()
        if node.tag.endswith(("text", "title"))
    ]


def test_the_picture_in_the_docs_is_the_journey_of_the_gallery() -> None:
    """A picture that is older than its journey misleads; make it anew with
    `sojourn draw journeys/checkout-rescue.yaml --out docs/pictures/checkout-rescue.svg`."""
    shown = (ROOT / "docs/pictures/checkout-rescue.svg").read_text(encoding="utf-8")
    assert svg_of(picture_of(gallery("checkout-rescue"))) == shown


def test_every_state_rule_and_way_is_in_the_picture() -> None:
    """What is left out is what the next reader relies on."""
    seen = " ".join(texts(svg_of(picture_of(nested()))))
    states = [state.id.rpartition(".")[2] for state in nested().chart.states if state.id]
    labels = ["after 1h30m", "Jump", "Restart", "done", "if trait.plan == 'pro'", "otherwise", "Again: again"]
    rules = [
        "enter: Cart Filled if properties.total > 10, one per properties.cart_id, again after leaving",
        "goal: Bought within 3d",
        "exit: Left",
        "held out: 12.5%",
        "console: hello",
        "leaving: console: bye",
        "H* back",
    ]
    assert [text for text in (*states, *labels, *rules) if text not in seen] == []


def test_a_picture_is_the_same_bytes_every_time() -> None:
    """Pictures live in git: a difference must be the journey's."""
    assert svg_of(picture_of(nested())) == svg_of(picture_of(nested()))


def test_names_stay_text_in_a_picture() -> None:
    """A name may come from anybody, and a picture is opened by everybody."""
    svg = svg_of(picture_of(nasty()))
    tree = ElementTree.fromstring(svg)
    allowed = {
        "svg",
        "title",
        "desc",
        "defs",
        "marker",
        "path",
        "style",
        "rect",
        "text",
        "tspan",
        "g",
        "circle",
    }
    assert {node.tag.rpartition("}")[2] for node in tree.iter()} <= allowed
    assert not [
        name for node in tree.iter() for name in node.attrib if name.startswith("on") or "href" in name
    ]
    assert "\u202e" not in svg
    assert any(NASTY[:20] in text for text in texts(svg))


def test_a_picture_asks_for_nothing_outside() -> None:
    """It is shown offline, in mails and behind policies."""
    svg = svg_of(picture_of(nested()))
    assert set(re.findall(r"https?://[^\s\"']+", svg)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in svg.replace("url(#head)", "")


def test_people_are_counted_in_every_state_they_are_in() -> None:
    """A person in two regions is one person in the state around them."""
    people = {"outer.first": 2, "outer.inner.a": 3, "both.left.l1": 4, "both.right.r1": 1, "both.right.r2": 3}
    seen = texts(svg_of(picture_of(nested(), people=people)))
    assert [text for text in seen if re.fullmatch(r"\d+ (people|person)", text)][:4] == [
        "5 people", "2 people", "0 people", "3 people",
    ]  # fmt: skip
    boxes = {box.title: box.n_people for box in picture_of(nested(), people=people).root.inside}
    assert boxes == {"outer": 5, "away": 0, "both": 4, "choosing": 0, "done": 0}


def overlap(one: Placed, other: Placed) -> bool:
    """Tell whether two boxes or labels share more than a border."""
    return (
        one.x + 0.5 < other.x + other.width
        and other.x + 0.5 < one.x + one.width
        and one.y + 0.5 < other.y + other.height
        and other.y + 0.5 < one.y + one.height
    )


@pytest.mark.parametrize("journey", [nested(), *map(gallery, GALLERY)], ids=["nested", *GALLERY])
def test_nothing_lies_on_anything_else(journey: Journey) -> None:
    """A label on a box, or a box on its neighbour, cannot be read."""
    page = place(picture_of(journey))
    lines = {state.index: set(state.line) for state in journey.chart.states}

    def is_around(one: Placed, other: Placed) -> bool:
        return one.box is not None and other.box is not None and (
            one.box.index in lines[other.box.index] or other.box.index in lines[one.box.index]
        )  # fmt: skip

    leaves = [each for each in page.boxes if each.box is not None and not each.box.inside]
    boxes = [pair for pair in combinations(page.boxes, 2) if not is_around(*pair) and overlap(*pair)]
    labels = [pair for pair in combinations([*page.labels, *leaves], 2) if overlap(*pair)]
    assert (boxes, labels) == ([], [])
    assert all(round(box.x, 6) >= 0 and box.x + box.width <= page.width + 0.5 for box in page.boxes)


@pytest.mark.parametrize("journey", [nested(), *map(gallery, GALLERY)], ids=["nested", *GALLERY])
def test_every_line_ends_at_the_boxes_it_joins(journey: Journey) -> None:
    """A line that begins in the air says nothing."""
    picture = picture_of(journey)
    page = place(picture)
    placed = {each.box.index: each for each in page.boxes if each.box is not None}
    starts = len(page.lines) - len(picture.arrows)
    for arrow, line in zip(picture.arrows, page.lines[starts:], strict=True):
        for index, (x, y) in ((arrow.source, line[0]), (arrow.target, line[-1])):
            box = placed[index]
            assert box.x - 0.5 <= x <= box.x + box.width + 0.5
            assert min(abs(y - box.y), abs(y - box.y - box.height)) < 0.5
