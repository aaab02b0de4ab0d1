"""The job as it is deployed: the compose file's own commands, at this machine's addresses."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.cluster.machines import PEERS, ROOT, Machine, free_port, until

START_S = 300.0
"""Three JVMs, and a plan that Python makes: seconds where nothing else runs."""
COMPOSE = ROOT / "deploy" / "compose" / "cluster.yaml"


class Deployed:
    """ZooKeeper, a JobManager that is the application, and TaskManagers, as `deploy/compose` begins them."""

    def __init__(self, folder: Path, settings: Path) -> None:
        (home,) = (PEERS / "flink" / "lib").glob("python3*/site-packages/pyflink")
        for part in ("conf", "lib", "log", "flink"):
            (folder / part).mkdir(parents=True)
        jars = [
            *home.glob("lib/*.jar"),
            *home.glob("opt/flink-python-*.jar"),
            *PEERS.glob("flink-jars/*.jar"),
        ]
        for jar in jars:
            (folder / "lib" / jar.name).symlink_to(jar)
        for config in [*home.glob("conf/log4j*"), ROOT / "deploy" / "flink" / "config.yaml"]:
            shutil.copy(config, folder / "conf")
        self._folder, self._home, self._settings = folder, home, settings
        self._env = dict(os.environ) | {
            "FLINK_HOME": str(home), "FLINK_LIB_DIR": str(folder / "lib"),
            "FLINK_OPT_DIR": str(home / "opt"), "FLINK_PLUGINS_DIR": str(home / "plugins"),
            "FLINK_CONF_DIR": str(folder / "conf"), "FLINK_LOG_DIR": str(folder / "log"),
            "FLINK_PID_DIR": str(folder), "PYTHONPATH": str(ROOT / "src"),
            "PATH": f"{PEERS / 'flink' / 'bin'}:{os.environ['PATH']}",
        }  # fmt: skip
        self._keeper = free_port()
        self.rest = free_port()
        self.reporters: list[int] = []
        self._services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
        dist = f"{home / 'lib'}/*"
        server = "org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.ZooKeeperServerMain"
        command = ["java", "-Xmx128m", "-cp", dist, server, str(self._keeper), str(folder / "keeper")]
        self._zookeeper = Machine("zookeeper", command, folder, self._env)
        self.jobmanager = self._machine(
            "jobmanager", f"-Drest.port={self.rest}", f"-Drest.bind-port={self.rest}"
        )
        self.taskmanagers = [self._machine("taskmanager") for _ in range(2)]

    def _machine(self, service: str, *more: str) -> Machine:
        """Begin a service's command, with what is elsewhere here."""
        port = free_port()
        self.reporters.append(port)
        here = {
            "/opt/flink-python/bin/python": str(PEERS / "flink" / "bin" / "python"),
            "/opt/sojourn/": f"{ROOT / 'src'}/",
            "/srv/sojourn/job/job.json": str(self._settings),
            "/var/flink": str(self._folder / "flink"),
            "=jobmanager": "=127.0.0.1",
            "zookeeper:2181": f"127.0.0.1:{self._keeper}",
            "port=9249": f"port={port}",
            "=0.0.0.0": "=127.0.0.1",
        }
        command = list(self._services[service]["command"])
        for at, argument in enumerate(command):
            for there, found in here.items():
                command[at] = command[at].replace(there, found) if there in argument else command[at]
        # Names of the compose file's network resolve nowhere here.
        own = command.index("-pyclientexec") if service == "jobmanager" else len(command)
        host = "-Djobmanager.bind-host" if service == "jobmanager" else "-Dtaskmanager.host"
        command[own:own] = [*more, f"{host}=127.0.0.1"]
        command[0] = str(self._home / "bin" / command[0])
        return Machine(f"{service}-{len(self.reporters)}", ["bash", *command], self._folder, self._env)

    def start(self) -> None:
        """Start all, and wait until the job runs."""
        self._zookeeper.start()
        for machine in (self.jobmanager, *self.taskmanagers):
            machine.start()
        self.until_running()

    def until_running(self) -> None:
        """Wait until every task of the job runs."""
        until("the job", self._is_running, patience_s=START_S)

    def _is_running(self) -> bool:
        try:
            jobs = httpx.get(f"http://127.0.0.1:{self.rest}/jobs", timeout=5).json()["jobs"]
            found = httpx.get(f"http://127.0.0.1:{self.rest}/jobs/{jobs[0]['id']}", timeout=5).json()
        except (httpx.HTTPError, KeyError, IndexError, ValueError):
            return False
        return all(each["status"] == "RUNNING" for each in found.get("vertices", [{"status": "?"}]))

    def n_checkpoints(self) -> int:
        """Return how many checkpoints are complete."""
        jobs = httpx.get(f"http://127.0.0.1:{self.rest}/jobs", timeout=5).json()["jobs"]
        found = httpx.get(f"http://127.0.0.1:{self.rest}/jobs/{jobs[0]['id']}/checkpoints", timeout=5).json()
        return int(found["counts"]["completed"])

    def metrics(self) -> set[str]:
        """Name everything that Prometheus would be told."""
        text = "".join(
            httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=20).text for port in self.reporters
        )
        return {line.partition("{")[0].split()[0] for line in text.splitlines() if line and line[0] != "#"}

    def end(self) -> None:
        """End all of it."""
        for machine in (*self.taskmanagers, self.jobmanager, self._zookeeper):
            machine.kill()
