"""GrowthBook's public cases: hash, ranges of buckets, choice, namespaces, and variants that stick.

They stand in the file that SOJOURN_GROWTHBOOK_CASES names, or in `shared/conformance/growthbook_cases.json`
beside this repository. `tests/engine/test_experiments.py` covers the same with cases of our own.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sojourn.definitions.catalogue import build_catalogue, load_definitions
from sojourn.definitions.experiment import Flag, Namespace
from sojourn.definitions.journey import Catalogue
from sojourn.engine import exposures
from sojourn.engine.experiments import bucket_ranges, choose_variant, in_namespace, place
from sojourn.engine.flags import judge
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life, Trait
from sojourn.engine.view import View
from sojourn.model.ids import user_profile

PLACES = [folder / "shared/conformance/growthbook_cases.json" for folder in Path(__file__).resolve().parents]
KINDS = {"hash": 15, "getBucketRange": 13, "chooseVariation": 13, "inNamespace": 16, "stickyBucket": 13}
HASHES = {1: "v1", 2: "v2"}


@cache
def cases(kind: str) -> list[list[Any]]:
    """Return the cases of one kind, or skip the test where there are none."""
    given = os.environ.get("SOJOURN_GROWTHBOOK_CASES")
    path = next((one for one in ([Path(given)] if given else PLACES) if one.exists()), None)
    if path is None:
        pytest.skip("no shared/conformance/growthbook_cases.json here; name it in SOJOURN_GROWTHBOOK_CASES")
    found = json.loads(path.read_text("utf-8"))[kind]
    assert len(found) == KINDS[kind]
    return list(found)


def near(pairs: list[tuple[float, float]]) -> Any:
    """Compare edges as decimals: binary sums miss them by a hair."""
    return [pytest.approx(pair, abs=1e-12) for pair in pairs]


@pytest.mark.parametrize("n", range(KINDS["hash"]))
def test_hash(n: int) -> None:
    """Both versions; there is no third."""
    seed, unit, version, expected = cases("hash")[n]
    assert place(seed, unit, version) == expected


@pytest.mark.parametrize("n", range(KINDS["getBucketRange"]))
def test_bucket_range(n: int) -> None:
    """Also of a coverage and of weights that are none."""
    _, (n_variants, coverage, weights), expected = cases("getBucketRange")[n]
    assert bucket_ranges(n_variants, coverage, weights) == near(expected)


@pytest.mark.parametrize("n", range(KINDS["chooseVariation"]))
def test_choose_variation(n: int) -> None:
    """The first range that holds the place."""
    _, found, ranges, expected = cases("chooseVariation")[n]
    assert choose_variant(found, ranges) == expected


@pytest.mark.parametrize("n", range(KINDS["inNamespace"]))
def test_in_namespace(n: int) -> None:
    """Whoever takes part there takes part here."""
    _, unit, namespace, expected = cases("inNamespace")[n]
    assert in_namespace(unit, Namespace(*namespace)) is expected


# Sticky buckets. What is kept for an attribute's value is a life of ours; that of the fallback attribute (a
# device) is the unnamed life that moved into the named one. `KEY__VERSION` is our experiment's id, but for
# the first version, which is `KEY` alone.


def flag_of(name: str, feature: dict[str, Any]) -> Flag:
    """Write a feature with one rule as a definition of ours, and compile it."""
    (rule,) = feature["rules"]
    values = rule["variations"]
    names = [meta["key"] for meta in rule.get("meta", [])] or [str(n) for n in range(len(values))]
    variants = {"default": feature["defaultValue"], **dict(zip(names, values, strict=True))}
    weights = rule.get("weights") or [1] * len(values)
    experiment = {
        "id": rule.get("key", name),
        "seed": rule.get("seed", rule.get("key", name)),
        "variants": dict(zip(names, weights, strict=True)),
        "hash": HASHES[rule.get("hashVersion", 1)],
        "coverage": rule.get("coverage", 1),
        "version": rule.get("bucketVersion", 0),
        "min_version": rule.get("minBucketVersion", 0),
        "sticky": not rule.get("disableStickyBucketing", False),
    }
    guards = [f"trait.{key} == {value!r}" for key, value in rule.get("condition", {}).items()]
    when = {"when": guards[0]} if guards else {}
    written = {
        "flag": name,
        "variants": variants,
        "default": "default",
        "rules": [{**when, "experiment": experiment}],
    }
    return load_definitions([("flag.yaml", json.dumps(written))]).flags[0]


def life_of(docs: list[dict[str, Any]], attribute: str, attributes: dict[str, str]) -> Life:
    """Return what was kept for an attribute's value."""
    found: dict[str, str] = {}
    for doc in docs:
        if (doc["attributeName"], doc["attributeValue"]) == (attribute, attributes.get(attribute)):
            found |= {name.removesuffix("__0"): variant for name, variant in doc["assignments"].items()}
    traits = {name: Trait(0, "m", value) for name, value in attributes.items()}
    return Life(variants=found, traits=traits)


@pytest.mark.parametrize("n", range(KINDS["stickyBucket"]))
def test_sticky_bucket(n: int) -> None:
    """What is kept holds, moves with a person, ends with a version, and is kept where it was drawn."""
    _, context, docs, name, expected, docs_after = cases("stickyBucket")[n]
    attributes, feature = context["attributes"], context["features"][name]
    flag = flag_of(name, feature)
    rule = feature["rules"][0]
    used = rule["hashAttribute"] if rule["hashAttribute"] in attributes else rule["fallbackAttribute"]
    catalogue = build_catalogue([], flags=[flag])
    ledger = Ledger(catalogue, user_profile(attributes[used]))
    life = life_of(docs, used, attributes)
    exposures.merge_met(life, life_of(docs, rule.get("fallbackAttribute", ""), attributes), ledger)
    judged = judge(flag, view_of(life, catalogue, attributes[used]), life)
    if expected is None:
        assert (judged.choice, judged.variant) == (None, "default")
    else:
        choice = judged.choice
        assert choice is not None
        assert choice.is_kept is expected["stickyBucketUsed"]
        assert (choice.variant, judged.value) == (expected["key"], expected["value"])
        experiment = flag.experiments[0]
        assert place(experiment.seed, attributes[used], experiment.hash) == expected["bucket"]
        exposures.meet(life, choice, ledger)
    kept = {f"{name}{'' if '__' in name else '__0'}": variant for name, variant in life.variants.items()}
    assert kept == docs_after[f"{used}||{attributes[used]}"]["assignments"]


def view_of(life: Life, catalogue: Catalogue, unit: str) -> View:
    """Look at a life as somebody of that id."""
    return View(life, catalogue, at=0, unit=unit)
