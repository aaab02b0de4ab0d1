"""A broker, a JobManager and TaskManagers on this machine, each a process that a test may kill."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".peers"
PATIENCE_S = 300.0  # of machines that have little time: whoever waits less long loses nothing


def require() -> None:
    """Skip the test, with what to do, where the machines are not installed."""
    if not shutil.which("java"):
        pytest.skip("Kafka and Flink need Java 17, and none is installed")
    for part in ("kafka", "flink", "flink-jars"):
        if not (PEERS / part).is_dir():
            pytest.skip(f".peers/{part} is not there: make cluster-test gets it")


def until(what: str, holds: Callable[[], Any], *, patience_s: float = PATIENCE_S) -> Any:
    """Return what `holds` returns once it is true; fail with what was waited for."""
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends:
        if found := holds():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {patience_s:.0f} s for {what}")


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Machine:
    """One process, with its log."""

    def __init__(self, name: str, command: list[str], folder: Path, env: dict[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command, self._env = command, env
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; what it says is added to its log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._env,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process, and the group of whatever it started."""
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, and whatever it started, by a signal."""
        if self._process is None:
            return
        os.killpg(self._process.pid, how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
        self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        self.end(signal.SIGKILL)

    def cpu_s(self) -> float:
        """Return the processor time of its processes so far, s."""
        assert self._process is not None
        found = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            except OSError:  # It has ended meanwhile.
                continue
            if int(fields[2]) == self._process.pid:  # its group: what it started is in it
                found += int(fields[11]) + int(fields[12])
        return found / os.sysconf("SC_CLK_TCK")

    def said(self, text: str) -> bool:
        """Tell whether its log has a text."""
        return self.log.exists() and text in self.log.read_text(errors="replace")


class Kafka:
    """One broker that is its own controller."""

    def __init__(self, folder: Path, *, doors: Sequence[str] = (), inside: Sequence[str] = ()) -> None:
        """Prepare one; `doors` are its addresses, with ports; `inside` begins its command."""
        folder.mkdir()
        self.data = folder / "data"
        controller = free_port()
        self.doors = list(doors) or [f"127.0.0.1:{free_port()}"]
        self.brokers = self.doors[0]
        names = [f"DOOR{number}" for number in range(len(self.doors))]
        listeners = ",".join(f"{name}://{at}" for name, at in zip(names, self.doors, strict=True))
        protocols = ",".join(f"{name}:PLAINTEXT" for name in (*names, "CONTROLLER"))
        config = folder / "server.properties"
        config.write_text(
            f"process.roles=broker,controller\nnode.id=1\n"
            f"listeners={listeners},CONTROLLER://127.0.0.1:{controller}\n"
            f"listener.security.protocol.map={protocols}\ninter.broker.listener.name={names[-1]}\n"
            f"controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n"
            f"log.dirs={self.data}\nauto.create.topics.enable=false\n"
            "offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n"
            "transaction.state.log.min.isr=1\nshare.coordinator.state.topic.replication.factor=1\n"
            "share.coordinator.state.topic.min.isr=1\ngroup.initial.rebalance.delay.ms=0\n"
            # What is too old, or compacted, goes at once where a topic asks for it.
            "log.retention.check.interval.ms=500\nlog.cleaner.backoff.ms=500\nlog.initial.task.delay.ms=500\n"
        )
        java = ["java", "-Xmx512m", "-cp", f"{PEERS / 'kafka'}/*"]
        identity = "c29qb3Vybi1jbHVzdGVyMQ"  # 16 bytes, as Kafka writes them
        subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", "-t", identity, "-c", str(config)],
            check=True, capture_output=True,
        )  # fmt: skip
        command = [*inside, *java, "kafka.Kafka", str(config)]
        self.machine = Machine("kafka", command, folder, dict(os.environ))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.machine.start()
        until("the broker", self._answers)

    def _answers(self) -> bool:
        host, _, port = self.brokers.partition(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0


def _read(config: str) -> dict[str, Any]:
    """Read a configuration of Flink, a key to a line."""
    lines = [line for line in config.splitlines() if line and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


class Flink:
    """A standalone cluster."""

    def __init__(self, folder: Path, *, more: str = "") -> None:
        """Prepare one; `more` is said beside deploy/'s configuration, or instead of what it says."""
        self._folder, self._more = folder, more
        for part in ("conf", "lib", "log", "checkpoints", "savepoints"):
            (folder / part).mkdir(parents=True)
        python = PEERS / "flink" / "bin"
        (home,) = (PEERS / "flink" / "lib").glob("python3*/site-packages/pyflink")
        jars = [
            *home.glob("lib/*.jar"),
            *home.glob("opt/flink-python-*.jar"),
            *PEERS.glob("flink-jars/*.jar"),
        ]
        for jar in jars:
            # In lib/, that one class loader has them: a second one cannot load Python again.
            (folder / "lib" / jar.name).symlink_to(jar)
        for config in home.glob("conf/log4j*"):
            shutil.copy(config, folder / "conf")
        self.port = free_port()
        self._configure(rpc=free_port())
        self._env = dict(os.environ) | {
            "FLINK_HOME": str(home), "FLINK_LIB_DIR": str(folder / "lib"),
            "FLINK_CONF_DIR": str(folder / "conf"), "FLINK_LOG_DIR": str(folder / "log"),
            "FLINK_PID_DIR": str(folder), "PATH": f"{python}:{os.environ['PATH']}",
        }  # fmt: skip
        self.use(ROOT / "src")
        self._bin = home / "bin"
        self._rest = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20)
        self.jobmanager = self._machine("jobmanager", ["jobmanager.sh", "start-foreground"])
        self.taskmanagers: list[Machine] = []
        self._n_started = 0

    def use(self, source: Path) -> None:
        """Let whatever is started from now on run a copy of the code."""
        self._source = source
        self._env["PYTHONPATH"] = str(source)

    def _configure(self, *, rpc: int) -> None:
        python = PEERS / "flink" / "bin" / "python"
        names = (
            "jobmanager.rpc.address", "jobmanager.bind-host", "taskmanager.bind-host", "taskmanager.host",
            "rest.address",
        )  # fmt: skip
        here = dict.fromkeys(names, "localhost") | {
            "jobmanager.rpc.port": rpc, "rest.port": self.port, "rest.bind-port": self.port,
            "jobmanager.memory.process.size": "900m", "taskmanager.memory.process.size": "1200m",
            "taskmanager.memory.managed.size": "128m", "taskmanager.memory.network.max": "64m",
            "python.executable": python, "python.client.executable": python,
            "execution.checkpointing.dir": f"file://{self._folder / 'checkpoints'}",
            "execution.checkpointing.savepoint-dir": f"file://{self._folder / 'savepoints'}",
        }  # fmt: skip
        shared = _read((ROOT / "deploy" / "flink" / "config.yaml").read_text())
        self._said = shared | here | _read(self._more)
        lines = [f"{key}: {value}" for key, value in self._said.items()]
        (self._folder / "conf" / "config.yaml").write_text("\n".join([*lines, ""]))

    @property
    def checkpoint_every_ms(self) -> float:
        """How often a job writes a checkpoint by itself."""
        value, unit = str(self._said["execution.checkpointing.interval"]).split()
        return float(value) * {"ms": 1, "s": 1_000}[unit]

    def _machine(self, name: str, command: list[str]) -> Machine:
        return Machine(name, ["bash", str(self._bin / command[0]), *command[1:]], self._folder, self._env)

    def start(self, *, n_tasks: int) -> None:
        """Start a JobManager and so many TaskManagers of one slot each."""
        self.jobmanager.start()
        self.grow(n_tasks)

    def grow(self, n_tasks: int) -> None:
        """Have so many TaskManagers: start what is missing."""
        while len(self.taskmanagers) < n_tasks:
            self.add_taskmanager()
        until("the TaskManagers", lambda: self._n_slots() == n_tasks)

    def add_taskmanager(self) -> Machine:
        """Start one more TaskManager."""
        self._n_started += 1
        name = f"taskmanager-{self._n_started}"
        machine = self._machine(name, ["taskmanager.sh", "start-foreground"])
        machine.start()
        self.taskmanagers.append(machine)
        return machine

    def replace_taskmanagers(self) -> None:
        """Kill every TaskManager, and start as many others."""
        killed, self.taskmanagers = self.taskmanagers, []
        for machine in killed:
            machine.kill()
        for _ in killed:
            self.add_taskmanager()

    def replace_jobmanager(self) -> None:
        """Kill the JobManager, start another, and wait until the TaskManagers have found it."""
        n_slots = len(self.taskmanagers)
        self.jobmanager.kill()
        self.jobmanager.start()
        until("the TaskManagers", lambda: self._n_slots() == n_slots)

    def last_checkpoint(self, job_id: str) -> str:
        """Return the newest checkpoint of a job that is gone."""
        found = (self._folder / "checkpoints" / job_id).glob("chk-*/_metadata")
        return str(max(found, key=lambda path: int(path.parent.name[4:])).parent)

    def end(self) -> None:
        """End all of it."""
        for machine in (*self.taskmanagers, self.jobmanager):
            machine.kill()

    def _n_slots(self) -> int:
        found = self._ask("/overview")
        return 0 if found is None else int(found["slots-total"])

    def _ask(self, path: str) -> Any:
        try:
            answer = self._rest.get(path)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.is_success else None

    def run(self, settings: Path, *, parallelism: int, savepoint: str | None = None) -> str:
        """Submit the job; return its id once all of it runs."""
        job = self._source / "sojourn" / "runtime" / "flink" / "job.py"
        resumed = ["-s", savepoint] if savepoint else []
        done = subprocess.run(
            ["bash", str(self._bin / "flink"), "run", "-d", "-p", str(parallelism), *resumed,
             "-py", str(job), str(settings)],
            env=self._env, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-6_000:]
        job_id = done.stdout.split("JobID")[1].split()[0]
        self.until_running(job_id)
        return job_id

    def ask_python(self, script: Path) -> str:
        """Return what a script says that Flink's own Python runs, with nothing of the cluster."""
        python = str(PEERS / "flink" / "bin" / "python")
        done = subprocess.run(
            [python, str(script)], env=self._env, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr[-6_000:]
        return done.stdout

    def until_running(self, job_id: str) -> None:
        """Wait until every task of a job runs."""
        until("the job", lambda: self._is_running(job_id))

    def _is_running(self, job_id: str) -> bool:
        found = self._ask(f"/jobs/{job_id}")
        return found is not None and all(each["status"] == "RUNNING" for each in found["vertices"])

    def restarts(self, job_id: str) -> int:
        """Return how often a job began again."""
        found = self._ask(f"/jobs/{job_id}/metrics?get=numRestarts")
        return int(found[0]["value"]) if found else 0

    def stop(self, job_id: str) -> str:
        """Stop a job with a savepoint; return where that is."""
        begun = self._rest.post(f"/jobs/{job_id}/stop", json={"drain": False})
        begun.raise_for_status()
        trigger = begun.json()["request-id"]

        def done() -> Any:
            found = self._ask(f"/jobs/{job_id}/savepoints/{trigger}")
            return found and found["status"]["id"] == "COMPLETED" and found["operation"]

        operation = until("the savepoint", done)
        assert "location" in operation, operation
        return str(operation["location"])

    def checkpoint(self, job_id: str, kind: str, *, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Take a checkpoint now, `FULL` or as `CONFIGURED` (incremental); return what Flink says."""
        begun = self._rest.post(f"/jobs/{job_id}/checkpoints", json={"checkpointType": kind})
        begun.raise_for_status()
        trigger = begun.json()["request-id"]

        def done() -> Any:
            found = self._ask(f"/jobs/{job_id}/checkpoints/{trigger}")
            return found and found["status"]["id"] == "COMPLETED" and found["operation"]

        operation = until("the checkpoint", done, patience_s=patience_s)
        assert "checkpointId" in operation, operation
        details = f"/jobs/{job_id}/checkpoints/details/{operation['checkpointId']}"
        told: dict[str, Any] = until("its figures", lambda: self._ask(details))  # it looks every few seconds
        return told

    def cancel(self, job_id: str) -> None:
        """End a job, and wait until its slots are free."""
        self._rest.patch(f"/jobs/{job_id}", params={"mode": "cancel"})
        until("the job's end", lambda: (self._ask(f"/jobs/{job_id}") or {}).get("state") == "CANCELED")

    def cancel_all(self) -> None:
        """End whatever jobs there still are: those of a test that failed before it ended its own."""
        found = self._ask("/jobs") or {"jobs": []}
        for job in found["jobs"]:
            if job["status"] not in ("CANCELED", "FINISHED", "FAILED"):
                self.cancel(job["id"])

    def complaints(self) -> str:
        """Return what TaskManagers said of Python's errors."""
        said = [machine.log.read_text(errors="replace") for machine in self.taskmanagers]
        lines = [line for text in said for line in text.splitlines()]
        marks = [n for n, line in enumerate(lines) if "PythonException" in line or "Caused by" in line]
        return "\n".join(line for n in marks[-3:] for line in lines[n : n + 10])
