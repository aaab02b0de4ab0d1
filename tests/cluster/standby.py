"""Standby: a Flink of two JobManagers, and the ZooKeeper that says which one leads."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import httpx

from tests.cluster.machines import PEERS, ROOT, Flink, Machine, free_port, until


class ZooKeeper:
    """One server."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.port = free_port()
        self.at = f"127.0.0.1:{self.port}"
        config = folder / "zoo.cfg"
        config.write_text(
            f"tickTime=500\ndataDir={folder / 'data'}\nclientPort={self.port}\nclientPortAddress=127.0.0.1\n"
            "admin.enableServer=false\n"
        )
        main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
        command = ["java", "-Xmx128m", "-cp", f"{PEERS / 'zookeeper'}/*", main, str(config)]
        self.machine = Machine("zookeeper", command, folder, dict(os.environ))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.machine.start()

        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        until("ZooKeeper", answers)


class StandbyFlink(Flink):
    """Two JobManagers: the one started first leads."""

    def __init__(self, folder: Path, zookeeper: ZooKeeper) -> None:
        more = (ROOT / "deploy" / "flink" / "high-availability.yaml").read_text()
        more += (
            f"high-availability.zookeeper.quorum: {zookeeper.at}\n"
            f"high-availability.storageDir: file://{folder / 'leaders'}\n"
            "high-availability.cluster-id: /tested\n"
        )
        super().__init__(folder, more=more)
        port = free_port()
        own = ["-D", f"rest.port={port}", "-D", f"rest.bind-port={port}"]
        self.standby = self._machine("standby", ["jobmanager.sh", "start-foreground", *own])
        self._standbys = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)

    def start(self, *, n_tasks: int) -> None:
        """Start all of it; the standby once the other leads."""
        super().start(n_tasks=n_tasks)
        self.standby.start()

    def kill_leader(self) -> None:
        """Kill the JobManager that leads; from now on ask the other."""
        self.jobmanager.kill()
        self._rest = self._standbys

    def end(self) -> None:
        """End all of it."""
        super().end()
        self.standby.kill()
