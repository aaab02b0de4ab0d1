"""`deploy/` fits the code: versions, paths, settings, commands and metrics are those that there are."""

from __future__ import annotations

import importlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from sojourn import __version__
from sojourn.cli.app import app
from sojourn.config import load_config
from sojourn.config.settings import Config
from sojourn.definitions.planning import load_texts
from sojourn.server.metrics import Metrics
from sojourn.wiring.cluster import job_settings
from sojourn.wiring.inforce import configured_texts
from tests.deploy.asked import DASHBOARDS, DEPLOY, ROOT, names, panels_of
from tests.wiring.houses import serving, settle_in

IMAGES = sorted((DEPLOY / "images").glob("*.Dockerfile"))
COMPOSES = [DEPLOY / "compose" / "cluster.yaml", DEPLOY / "compose" / "embedded.yaml"]
MANIFESTS = [
    file for file in sorted((DEPLOY / "kubernetes").rglob("*.yaml")) if "\nkind:" in file.read_text()
]
CONFIGS = [
    DEPLOY / "compose" / "sojourn.yaml",
    DEPLOY / "compose" / "cluster" / "sojourn.yaml",
    DEPLOY / "kubernetes" / "base" / "sojourn.yaml",
    DEPLOY / "kubernetes" / "embedded" / "sojourn.yaml",
]
SECRETS = {
    "WEB_WRITE_KEY": "k" * 16,
    "HOOK_SECRET": "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQ=",
    "ADMIN_TOKEN": "t" * 24,
    "VALKEY_PASSWORD": "p" * 24,
}
PASSWORD = {"KAFKA_PASSWORD": "a-password"}


def name_of(path: Path) -> str:
    """Name a file in a test's id."""
    return path.relative_to(DEPLOY).as_posix()


def documents(path: Path) -> list[dict[str, Any]]:
    """Return what a file of YAML holds."""
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


def flink() -> dict[str, Any]:
    """Return the job of the Kubernetes."""
    return next(
        each for each in documents(DEPLOY / "kubernetes/base/job.yaml") if each["kind"] == "FlinkDeployment"
    )


# -- Images.


@pytest.mark.parametrize("image", IMAGES, ids=name_of)
def test_an_image_copies_what_is_there_and_what_is_sent_to_the_builder(image: Path) -> None:
    """What .dockerignore leaves out is not there for COPY."""
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", image.read_text(), re.M)
    sources = [source for line in copied for source in line.split()]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(Path(source).is_relative_to(each) for each in sent), source


@pytest.mark.parametrize("image", IMAGES, ids=name_of)
def test_an_image_runs_as_nobody_of_importance(image: Path) -> None:
    """By number, for a cluster that checks it."""
    last = image.read_text().rpartition("\nFROM ")[2]
    (user,) = re.findall(r"^USER (\d+):(\d+)$", last, re.M)
    assert "0" not in user
    assert not re.search(r"FROM \S+:latest|FROM [^:\s$]+( AS|$)", image.read_text(), re.M)


def test_the_jobs_image_has_the_versions_that_are_tested() -> None:
    """Of Flink, of Python, and of what builds the other image."""
    requirements = (DEPLOY / "flink" / "requirements.txt").read_text()
    (version,) = re.findall(r"^apache-flink==(\S+)$", requirements, re.M)
    image = (DEPLOY / "images" / "flink.Dockerfile").read_text()
    assert set(re.findall(r"flink-python-([\d.]+)\.jar", image)) == {version}
    assert re.search(r"^ARG PYTHON=3\.1[12]-", image, re.M), "Sojourn needs 3.11, PyFlink at most 3.12"
    family = "v" + "_".join(version.split(".")[:2])
    assert flink()["spec"]["flinkVersion"] == family
    connector = (DEPLOY / "flink" / "pom.xml").read_text()
    assert f"-{family[1:].replace('_', '.')}</version>" in connector
    plugin = re.findall(
        r"flink-s3-fs-presto</artifactId>\s*<version>([\d.]+)<",
        (DEPLOY / "images/plugins.pom.xml").read_text(),
    )
    assert plugin[0].rpartition(".")[0] == version.rpartition(".")[0]
    (uv,) = re.findall(r"^UV_VERSION=(\S+)", (ROOT / ".ci" / "environment").read_text(), re.M)
    assert f"ARG UV_VERSION={uv}\n" in (DEPLOY / "images" / "sojourn.Dockerfile").read_text()


def test_the_brokers_image_has_the_version_that_is_tested() -> None:
    """`make cluster-test` starts it from its jars."""
    (version,) = re.findall(
        r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", (DEPLOY / "kafka" / "pom.xml").read_text()
    )
    kafka = yaml.safe_load((DEPLOY / "compose" / "cluster.yaml").read_text())["services"]["kafka"]
    assert kafka["image"] == f"apache/kafka:{version}"


def test_pythons_environment_comes_first_on_the_path_and_jars_lie_in_lib() -> None:
    """A TaskManager finds Python by PATH alone, and a second class loader cannot load it again."""
    image = (DEPLOY / "images" / "flink.Dockerfile").read_text()
    (first,) = re.findall(r"^ENV PATH=([^:]+):", image, re.M)
    assert first == "/opt/flink-python/bin"
    assert "/opt/flink/lib/" in image
    assert "COPY --from=jars /jars/lib /opt/flink/lib" in image
    assert "jarURI" not in flink()["spec"]["job"]


def test_the_rooms_in_the_jobs_image_are_enough_for_the_job() -> None:
    """What one of them imports is copied, too."""
    image = (DEPLOY / "images" / "flink.Dockerfile").read_text()
    rooms = {Path(source).name for source in re.findall(r"^COPY (src/sojourn/\S+) ", image, re.M)}
    imported: set[str] = set()
    for room in rooms - {"__init__.py"}:
        for file in (ROOT / "src" / "sojourn" / room).rglob("*.py"):
            imported |= set(re.findall(r"^ *from sojourn\.(\w+)", file.read_text(), re.M))
    assert imported <= rooms


# -- What Flink is told.


def test_flink_is_told_the_same_everywhere() -> None:
    """The operator is told what lies in the image for everybody else, and one core goes with one slot."""
    shared = yaml.safe_load((DEPLOY / "flink" / "config.yaml").read_text())
    told = flink()["spec"]["flinkConfiguration"]
    missing = {key for key, value in shared.items() if told.get(key) != _said(value)}
    assert missing == set()
    assert shared["taskmanager.numberOfTaskSlots"] == 1
    assert shared["python.execution-mode"] == "thread"
    assert flink()["spec"]["taskManager"]["resource"]["cpu"] == 1


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_job_is_begun_by_paths_of_its_image() -> None:
    """The same in the compose file and in the Kubernetes."""
    compose = yaml.safe_load((DEPLOY / "compose" / "cluster.yaml").read_text())["services"]
    command, image = compose["jobmanager"]["command"], (DEPLOY / "images" / "flink.Dockerfile").read_text()
    own = command[command.index("-pyclientexec") :]
    assert own == flink()["spec"]["job"]["args"]
    assert flink()["spec"]["job"]["entryClass"] == command[command.index("--job-classname") + 1]
    script = own[own.index("-py") + 1].removeprefix("/opt/sojourn/")
    assert (ROOT / "src" / script).exists()
    assert own[1].startswith("/opt/flink-python/bin/")
    assert "PYTHONPATH=/opt/sojourn " in image
    assert compose["settings"]["command"][-1] == own[-1]
    slots = int(re.findall(r"-Dparallelism\.default=(\d+)", " ".join(command))[0])
    assert compose["taskmanager"]["deploy"]["replicas"] == slots


def test_a_savepoint_is_taken_before_a_change_and_state_outlives_a_jobmanager() -> None:
    """What must never be lost by an edit."""
    spec = flink()["spec"]
    assert spec["job"]["upgradeMode"] == "savepoint"
    assert spec["flinkConfiguration"]["high-availability.type"] == "kubernetes"
    assert spec["flinkConfiguration"]["execution.checkpointing.savepoint-dir"].startswith("s3://")


# -- Configurations.


def loaded(file: Path, folder: Path) -> Config:
    """Read one as its process does, its journeys where they are mounted."""
    text = file.read_text().replace("/etc/sojourn/journeys", "journeys")
    (folder / "sojourn.yaml").write_text(text)
    shutil.copytree(file.with_name("journeys"), folder / "journeys")
    environment = SECRETS | (PASSWORD if "KAFKA_PASSWORD" in text else {})
    return load_config(folder / "sojourn.yaml", data=None, environment=environment)


@pytest.mark.parametrize("file", CONFIGS, ids=name_of)
def test_a_configuration_and_its_journeys_are_what_sojourn_reads(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the secrets that the files around it hand in, and no other."""
    config = loaded(file, tmp_path)
    assert config.http.host == "0.0.0.0", "else nobody outside the container is heard"
    assert set(config.sinks) == {"shop"}
    assert [each.name for each in load_texts(configured_texts(config)).journeys] == ["welcome"]
    if config.cluster.brokers:
        for name, value in PASSWORD.items():
            monkeypatch.setenv(name, value)
        told = job_settings(config)
        assert PASSWORD["KAFKA_PASSWORD"] not in json.dumps(told.client)


def secret_names(text: str) -> set[str]:
    """Name the variables that a configuration reads."""
    return set(re.findall(r"_env: (\w+)", text)) | set(re.findall(r"sasl\.password: (\w+)", text))


def test_every_secret_a_configuration_reads_is_handed_in() -> None:
    """By the compose file's environment, or a Secret that a comment names."""
    for config, around in (
        (CONFIGS[0], [DEPLOY / "compose" / "embedded.yaml"]),
        (CONFIGS[1], [DEPLOY / "compose" / "cluster.yaml"]),
        (CONFIGS[2], [CONFIGS[2], *(DEPLOY / "kubernetes" / "base").glob("*s.yaml")]),
        (CONFIGS[3], [CONFIGS[3]]),
    ):
        text = "\n".join(each.read_text() for each in around)
        assert all(
            len(re.findall(name, text)) > (config in around) for name in secret_names(config.read_text())
        )


# -- Commands.


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield (where, arguments of `sojourn`) of every container that runs it."""
    for compose in COMPOSES:
        for name, service in yaml.safe_load(compose.read_text())["services"].items():
            if service["image"].startswith("sojourn:"):
                yield f"{compose.name}: {name}", service["command"]
    for manifest in MANIFESTS:
        for document in documents(manifest):
            for container in _containers(document):
                image = str(container.get("image", ""))
                if (
                    re.search(r"(^|/)sojourn(:|$)", image)
                    and "args" in container
                    and "command" not in container
                ):
                    yield f"{manifest.name}: {container['name']}", container["args"]


def _containers(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("containers", "initContainers"):
                yield from value
            else:
                yield from _containers(value)
    elif isinstance(node, list):
        for each in node:
            yield from _containers(each)


@pytest.mark.parametrize(("where", "arguments"), [*commands()])
def test_every_command_exists_with_its_options(where: str, arguments: list[str]) -> None:
    """As the command line reads it."""
    command: Any = get_command(app)
    rest = list(arguments)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    command.make_parser(command.make_context(where, [], resilient_parsing=True)).parse_args(rest)


def test_versions_of_images_are_this_release() -> None:
    """Whoever builds them names them so."""
    for file in [*COMPOSES, *MANIFESTS, *IMAGES]:
        for found in re.findall(r"sojourn(?:-flink)?:(\d[\w.]*)|newTag: (\S+)", file.read_text()):
            assert "".join(found).rstrip(".") == __version__, file


# -- Probes, and time to end.


def test_every_server_in_kubernetes_is_asked_and_has_time_to_end() -> None:
    """`/ready` before it gets requests; longer than the 30 s that a worker may take without Kafka."""
    asked = {}
    for manifest in MANIFESTS:
        for document in documents(manifest):
            if document["kind"] in ("Deployment", "StatefulSet"):
                pod = document["spec"]["template"]["spec"]
                server = pod["containers"][0]
                asked[document["metadata"]["name"]] = pod["terminationGracePeriodSeconds"]
                assert document["metadata"]["name"] == "valkey" or (
                    server["readinessProbe"]["httpGet"]["path"] == "/ready"
                    and server["livenessProbe"]["httpGet"]["path"] in ("/health", "/metrics")
                )
                for container in pod["containers"]:
                    assert container["securityContext"]["readOnlyRootFilesystem"] is True
                    assert "memory" in container["resources"]["limits"]
    assert asked == {"door": 45, "worker": 60, "feeder": 45, "sojourn": 45, "valkey": 30}


# -- Metrics.


def test_every_metric_that_is_asked_for_is_one_that_is_told(tmp_path: Path) -> None:
    """Of a server, as it runs; of a door and a worker, as their code names it. Flink's: tests/cluster."""
    with serving(settle_in(tmp_path)) as server:
        text = server.read("/metrics")
    told = set(re.findall(r"^# TYPE (sojourn_\w+) (?:counter|gauge)$", text, re.M))
    told |= {
        f"{name}{end}"
        for name in re.findall(r"^# TYPE (\w+) histogram$", text, re.M)
        for end in ("_bucket", "_count", "_sum")
    }
    assert {
        f"{metric.name}_total" for metric in Metrics().registry.collect() if metric.type == "counter"
    } <= told
    for file in ("serving", "work", "feeding", "answering"):
        code = (ROOT / "src" / "sojourn" / "wiring" / f"cluster_{file}.py").read_text()
        told |= set(re.findall(r'\.watch(?:_family)?\(\s*"(\w+)"', code))
        told |= {f"{name}_total" for name in re.findall(r'\.watch_total\(\s*"(\w+)"', code)}
        told |= {f"{name}_total" for name in re.findall(r'^ +\(\s*"(sojourn_\w+)",', code, re.M)}  # by a loop
    asked = {name: where for name, where in names().items() if name.startswith("sojourn_")}
    assert {name: where for name, where in asked.items() if name not in told} == {}
    assert len(asked) >= 30


def test_dashboards_are_as_they_were_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python deploy/grafana/write.py` writes them."""
    monkeypatch.syspath_prepend(str(DEPLOY / "grafana"))
    write = importlib.import_module("write")
    written = {name: write.text_of(name) for name in write.WRITTEN}
    assert {path.name: path.read_text() for path in DASHBOARDS} == written


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=name_of)
def test_panels_lie_beside_each_other_and_say_what_they_show(dashboard: Path) -> None:
    """Each with a title of its own, a unit, and a sentence; none over another."""
    panels = panels_of(dashboard)
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    ids = [panel["id"] for panel in json.loads(dashboard.read_text())["panels"]]
    assert len(ids) == len(set(ids))


def test_every_alert_says_what_to_do() -> None:
    """Somebody reads it at three in the morning."""
    for group in yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
            assert len(rule["annotations"]["runbook"]) > 40, rule["alert"]
            for page in re.findall(r"docs/\S+\.md", rule["annotations"]["runbook"]):
                assert (ROOT / page).exists(), page
