"""`deploy/` by the schemas of those who read it: compose, Kubernetes, operators, Grafana, Prometheus.

`make deploy-test` runs this where they are installed; none of them is a dependency of ours.
"""

from __future__ import annotations

import copy
import functools
import importlib.resources
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.asked import DASHBOARDS, DEPLOY, RULES, expressions

WHERE = "`make deploy-test` makes an environment that has it"
yaml = pytest.importorskip("yaml", reason=WHERE)
jsonschema = pytest.importorskip("jsonschema", reason=WHERE)
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason=WHERE)
dashboards = pytest.importorskip("grafana_foundation_sdk.models.dashboard", reason=WHERE)
operator = pytest.importorskip("cloudcoil.models.prometheus_operator.v1", reason=WHERE)

KUBERNETES = "1.35"
CRDS = Path(__file__).parents[2] / ".peers" / "crds"
COMPOSES = [DEPLOY / "compose" / "cluster.yaml", DEPLOY / "compose" / "embedded.yaml"]
FOLDERS = ["base", "embedded", "kafka"]
UNCHECKED = {"Kafka", "KafkaNodePool", "KafkaUser"}
"""Strimzi publishes its schemas on GitHub alone."""


def faults(schema: dict[str, Any], document: dict[str, Any]) -> list[str]:
    """Say what is wrong with a document, and where."""
    checker = jsonschema.Draft202012Validator(schema)
    return [f"{each.json_path}: {each.message[:200]}" for each in checker.iter_errors(document)]


# -- Compose.


@functools.cache
def compose_schema() -> dict[str, Any]:
    """Return the compose specification's own."""
    vendored = (
        importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    )
    found: dict[str, Any] = json.loads(vendored.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("file", COMPOSES, ids=lambda path: path.name)
def test_a_compose_file_is_one_by_the_specification(file: Path) -> None:
    """And a misspelt word in it would not be."""
    document = yaml.safe_load(file.read_text())
    assert faults(compose_schema(), document) == []
    document["services"]["prometheus"]["restrat"] = "always"
    assert faults(compose_schema(), document) != []


@pytest.mark.parametrize("file", COMPOSES, ids=lambda path: path.name)
def test_a_compose_file_names_what_it_has(file: Path) -> None:
    """Volumes, secrets, services that others wait for, and files beside it."""
    document = yaml.safe_load(file.read_text())
    services = document["services"]
    for name, service in services.items():
        assert "mem_limit" in service, name
        assert set(service.get("depends_on", {})) <= set(services), name
        assert set(service.get("secrets", [])) <= set(document["secrets"]), name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (file.parent / source).exists(), source
            else:
                assert source in document["volumes"], source
        context = service.get("build")
        assert context is None or (file.parent / context["context"] / context["dockerfile"]).exists(), name


# -- Kubernetes.


@functools.cache
def built(folder: str) -> tuple[dict[str, Any], ...]:
    """Return what `kubectl apply --kustomize` would send; without kubectl, resources as they lie there."""
    place = DEPLOY / "kubernetes" / folder
    if shutil.which("kubectl"):
        made = subprocess.run(
            ["kubectl", "kustomize", str(place)], capture_output=True, text=True, check=True
        ).stdout
    else:
        resources = yaml.safe_load((place / "kustomization.yaml").read_text())["resources"]
        made = "\n---\n".join((place / name).read_text() for name in resources)
    return tuple(each for each in yaml.safe_load_all(made) if each)


def all_built() -> list[Any]:
    """Return every resource, each named."""
    return [
        pytest.param(each, id=f"{folder}-{each['kind']}-{each['metadata']['name']}")
        for folder in FOLDERS
        for each in built(folder)
    ]


@functools.cache
def flink_schema() -> dict[str, Any]:
    """Return the operator's, with this release's Flink, and no word that it does not know."""
    jars = sorted(CRDS.glob("flink-kubernetes-operator-api-*.jar"))
    if not jars:
        pytest.skip(".peers/crds is not there: make deploy-test gets it, with Maven")
    with zipfile.ZipFile(jars[0]) as jar:
        crd = yaml.safe_load(jar.read("META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"))
    (version,) = [each for each in crd["spec"]["versions"] if each["name"] == "v1beta1"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
    # That operator is older than Flink 2; the schemas differ in this list.
    schema["properties"]["spec"]["properties"]["flinkVersion"]["enum"].append("v2_2")
    close(schema)
    return schema


def close(schema: Any) -> None:
    """Refuse words that a schema does not know, as Kubernetes drops them without a word."""
    if isinstance(schema, dict):
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        if schema.get("x-kubernetes-int-or-string"):
            schema.pop("type", None)
        for each in list(schema.values()):
            close(each)
    elif isinstance(schema, list):
        for each in schema:
            close(each)


def check(resource: dict[str, Any]) -> list[str]:
    """Say what is wrong with a resource."""
    kind, group = resource["kind"], resource["apiVersion"].partition("/")[0]
    if kind == "FlinkDeployment":
        return faults(flink_schema(), resource)
    if group == "monitoring.coreos.com":
        return lost(
            resource, getattr(operator, kind).model_validate(resource).model_dump(mode="json", by_alias=True)
        )
    try:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [str(error)]
    return []


def lost(given: Any, kept: Any, at: str = "") -> list[str]:
    """Say what a reader let fall, because it does not know the word."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [
            fault
            for key, value in given.items()
            for fault in (lost(value, kept[key], f"{at}.{key}") if key in kept else [f"{at}.{key}: unknown"])
        ]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [
            fault
            for n, pair in enumerate(zip(given, kept, strict=True))
            for fault in lost(*pair, f"{at}[{n}]")
        ]
    return []


@pytest.mark.parametrize("resource", all_built())
def test_a_resource_is_one_by_its_schema(resource: dict[str, Any]) -> None:
    """And a misspelt word in it would not be."""
    if resource["kind"] in UNCHECKED:
        pytest.skip("NOT CHECKED: Strimzi's schemas are in no package registry")
    assert check(resource) == []
    wrong = copy.deepcopy(resource)
    part = wrong.get("spec", wrong)
    part["misspelt"] = {}
    assert check(wrong) != []


def test_what_a_pod_names_is_there() -> None:
    """Config maps with the hashes kustomize gave them; Secrets are whoever installs it's."""
    if not shutil.which("kubectl"):
        pytest.skip("NOT CHECKED: no kubectl, which has kustomize in it")
    for folder in ("base", "embedded"):
        resources = built(folder)
        maps = {each["metadata"]["name"] for each in resources if each["kind"] == "ConfigMap"}
        named = {each["name"] for resource in resources for each in _found(resource, "configMap")}
        assert named == maps
        secrets = {
            each.get("name") or each["secretName"]
            for resource in resources
            for key in ("secretRef", "secretKeyRef", "secret")
            for each in _found(resource, key)
        }
        assert secrets <= {"sojourn", "kafka", "kafka-ca", "checkpoints"}


def _found(node: Any, key: str) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        here = [node[key]] if isinstance(node.get(key), dict) else []
        return here + [found for each in node.values() for found in _found(each, key)]
    if isinstance(node, list):
        return [found for each in node for found in _found(each, key)]
    return []


# -- Grafana and Prometheus.


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_is_one_by_grafanas_own_models(file: Path) -> None:
    """Read by them and written again, nothing of it is missing; a misspelt word would be."""
    given = json.loads(file.read_text())
    assert lost(given, _read_again(given)) == []
    given["panels"][1]["fieldConfig"]["defaults"]["unti"] = given["templatign"] = "s"
    assert len(lost(given, _read_again(given))) == 2


def _read_again(given: dict[str, Any]) -> Any:
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder").JSONEncoder
    return json.loads(json.dumps(dashboards.Dashboard.from_json(copy.deepcopy(given)), cls=encoder))


def test_prometheus_reads_rules_and_what_dashboards_ask(tmp_path: Path) -> None:
    """By its own tool, where there is one."""
    if not shutil.which("promtool"):
        pytest.skip("NOT CHECKED: no promtool (Debian: apt install prometheus)")
    asked = tmp_path / "asked.yaml"
    rules = [
        {"record": f"asked:{n}", "expr": expression.replace("$__rate_interval", "5m")}
        for n, (_, expression) in enumerate(expressions())
    ]
    asked.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    for file in (RULES, asked):
        done = subprocess.run(
            ["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    for name in ("embedded", "cluster"):
        config = DEPLOY / "prometheus" / f"{name}.yaml"
        done = subprocess.run(
            ["promtool", "check", "config", str(config)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
