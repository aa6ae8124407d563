"""A real Milvus server for tests and benchmarks: started on free ports, killed and started again, ended by its pid."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

STARTED_WITHIN = 120.0  # seconds; it takes 5 to 10 on two idle cores
LEASE = "5"  # seconds after which a killed server is given up, and its collections load again; 30 by default
ETCD = """\
listen-client-urls: http://127.0.0.1:{client}
advertise-client-urls: http://127.0.0.1:{client}
listen-peer-urls: http://127.0.0.1:{peer}
initial-advertise-peer-urls: http://127.0.0.1:{peer}
initial-cluster: default=http://127.0.0.1:{peer}
"""


installed = importlib.util.find_spec("milvus") and importlib.util.find_spec("pymilvus")
NEEDED = [  # marks of tests that run it
    pytest.mark.slow,
    pytest.mark.skipif(not installed, reason="needs the wheels milvus and pymilvus: make milvus"),
]


@contextmanager
def running_in(folder: Path) -> Iterator[MilvusProcess]:
    """Give a server that asks for a password, as long as it is needed."""
    process = MilvusProcess(folder, authorized=True)
    try:
        process.start()
        yield process
    finally:
        process.kill()


def free_ports(count: int) -> list[int]:
    """Return so many ports that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class MilvusProcess:
    """The server of the `milvus` wheel in a folder of its own; only it knows its ports, so that several can run."""

    def __init__(self, data: Path, *, authorized: bool = False, certificate: Path | None = None) -> None:
        from milvus import MilvusServer, MilvusServerConfig, _initialize_data_files

        self.data = data
        config = MilvusServerConfig(data_dir=str(data))
        names = [name for name in config.configurable_items if name.endswith("_port")]
        *ports, etcd, self._health = free_ports(len(names) + 2)
        config.update(**dict(zip(names, ports, strict=True)))
        config.set("authorization_enabled", authorized)
        if certificate is not None:  # with its key, in one file
            config.set("tls_mode", 1)
            config.set("server_pem_path", str(certificate))
            config.set("server_key_path", str(certificate))
        config.resolve()
        self.port = config.get("proxy_port")
        self._program = MilvusServer(config).get_milvus_executable_path()
        self._etcd = data / "configs" / "etcd.yaml"  # the port between its peers stands in no other configuration
        self._etcd.write_text(ETCD.format(client=config.get("etcd_port"), peer=etcd) + f"data-dir: {data}/data/etcd\n")
        _initialize_data_files(str(data))
        self._process: subprocess.Popen | None = None

    @property
    def pid(self) -> int:
        """The number of the process that runs."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def start(self, *, wait: bool = True) -> None:
        """Start it, the first time or again on the same data; waits until it says that it is well."""
        environment = os.environ | {
            "COMMON_SESSION_TTL": LEASE,
            "DEPLOY_MODE": "STANDALONE",
            "ETCD_CONFIG_PATH": str(self._etcd),
            "LD_LIBRARY_PATH": str(Path(self._program).parent),
            "METRICS_PORT": str(self._health),
            "MILVUS_RUN_DIR": str(self.data / "run"),
        }
        with (self.data / "logs" / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "run", "standalone"], cwd=self.data, env=environment, stdout=log, stderr=log
            )
        if wait:
            self.wait()

    def wait(self) -> None:
        """Wait until it says that it is well."""
        assert self._process is not None, "it was not started"
        deadline = time.monotonic() + STARTED_WITHIN
        while not self.is_well():
            assert self._process.poll() is None, f"the server ended; see {self.data}/logs"
            assert time.monotonic() < deadline, f"the server does not come up; see {self.data}/logs"
            time.sleep(0.1)

    def is_well(self) -> bool:
        """Say whether every part of it answers."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self._health}/healthz", timeout=5) as answer:
                return b"OK" in answer.read()
        except OSError:  # urllib.error.URLError among them
            return False

    def kill(self) -> None:
        """Kill it as the power failing would: it hears nothing of it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it, kindly for a few seconds."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def memory(self) -> float:
        """Return the megabytes that it holds now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def disk(self) -> float:
        """Return the megabytes of its data, without those of the program."""
        return sum(path.stat().st_size for path in (self.data / "data").rglob("*") if path.is_file()) / 1e6
