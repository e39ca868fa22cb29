"""The real InfluxDB 1.6 of Debian (package `influxdb`), started for tests and benches in a folder of its own.

with Influxd(tmp_path) as server:
    server.execute('CREATE DATABASE "home"')
    server.query("home", 'SELECT * FROM "energy"')
"""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

BINARY = shutil.which("influxd")
PATIENCE = 20.0

_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{backup_port}"
[meta]
  dir = "{root}/meta"
[data]
  dir = "{root}/data"
  wal-dir = "{root}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {auth}
  log-enabled = false
"""


class Influxd:
    """A server: its data survives `stop`, `kill` and `start`. `admin` (name, password): it wants a login."""

    def __init__(self, root: Path, admin: tuple[str, str] | None = None) -> None:
        self.root, self.admin = root, admin
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> Self:
        self.start()
        if self.admin:
            name, password = self.admin
            self.execute(f"CREATE USER \"{name}\" WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it answers."""
        if BINARY is None:
            raise FileNotFoundError("influxd is missing: apt-get install influxdb")
        self.root.mkdir(parents=True, exist_ok=True)
        config = self.root / "influxdb.conf"
        auth = "true" if self.admin else "false"
        config.write_text(_CONFIG.format(root=self.root, port=self.port, backup_port=free_port(), auth=auth))
        with (self.root / "influxd.log").open("ab") as log:
            self._process = subprocess.Popen([BINARY, "run", "-config", str(config)], stdout=log, stderr=log)
        self._wait()

    def stop(self) -> None:
        """Ask it to end, as an operator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it (-9), as a power cut does."""
        self._end(signal.SIGKILL)

    def execute(self, statement: str, database: str = "", epoch: str = "s") -> list[dict[str, Any]]:
        """Run InfluxQL; returns the series of the answer as the server gives them."""
        reply = self._http.post(
            f"{self.url}/query",
            params={"db": database, "epoch": epoch},
            data={"q": statement},
            auth=self.admin,
            timeout=30,
        )
        document = reply.json()
        results = document.get("results", [document])
        errors = [result["error"] for result in results if "error" in result]
        if errors:
            raise RuntimeError(f"{statement}: {errors[0]}")
        return [series for result in results for series in result.get("series", [])]

    def query(self, database: str, influxql: str) -> list[dict[str, Any]]:
        """The rows of a query; the tags of a `GROUP BY` are columns too, what is null is left out."""
        return [
            series.get("tags", {})
            | {name: value for name, value in zip(series["columns"], row, strict=True) if value is not None}
            for series in self.execute(influxql, database)
            for row in series.get("values", [])
        ]

    def sink(self, database: str) -> dict[str, Any]:
        """The entry of a configuration that writes to a database, which the first write makes."""
        return {"type": "influxdb_v1", "url": self.url, "database": database}

    def put(self, database: str, line: str) -> None:
        """Write a line as somebody else."""
        params = {"db": database, "precision": "s"}
        assert requests.post(f"{self.url}/write", params=params, data=line, timeout=10).status_code == 204

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.url}/ping", timeout=1).status_code == 204:
                    return
            except requests.ConnectionError:
                pass
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError((self.root / "influxd.log").read_text()[-2000:])

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
