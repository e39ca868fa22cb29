"""A real InfluxDB 2, whose binary the variable INFLUXD2 names, in a folder of its own.

It starts empty and not set up: `ingest setup-database` makes it usable, as in the stack.
"""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

BINARY = os.environ.get("INFLUXD2")
MISSING = "a real InfluxDB 2 is missing: name the binary `influxd` of one with INFLUXD2=/path/to/influxd"
PATIENCE = 60.0


class Influxd2:
    """A server: its data survives `stop`, `kill` and `start`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def launch(self) -> None:
        """Start and do not wait."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root.parent / f"{self.root.name}.log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log)

    def command(self) -> list[str]:
        """What is started."""
        if BINARY is None:
            raise FileNotFoundError(MISSING)
        options = {
            "bolt-path": self.root / "influxd.bolt",
            "sqlite-path": self.root / "influxd.sqlite",
            "engine-path": self.root / "engine",
            "http-bind-address": f"127.0.0.1:{self.port}",
        }
        return [BINARY, "run", "--reporting-disabled", *(f"--{name}={value}" for name, value in options.items())]

    @property
    def log(self) -> str:
        """What it has said, beside its folder, which may be lost."""
        return (self.root.parent / f"{self.root.name}.log").read_text()

    def start(self) -> None:
        """Start and wait until it answers."""
        self.launch()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.url}/health", timeout=1).status_code == 200:
                    return
            except requests.ConnectionError:
                pass
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(self.log[-2000:])

    def kill(self) -> None:
        """Kill it (-9), as a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def series(self, token: str, database: str, influxql: str) -> list[dict[str, Any]]:
        """The series of an answer as the server gives them."""
        reply = requests.post(
            f"{self.url}/query",
            params={"db": database, "epoch": "s"},
            data={"q": influxql},
            headers={"Authorization": f"Token {token}"},
            timeout=30,
        )
        results = reply.json().get("results", [])
        errors = [result["error"] for result in results if "error" in result]
        if errors or reply.status_code != 200:
            raise RuntimeError(f"{influxql}: {errors or reply.text}")
        return [series for result in results for series in result.get("series", [])]

    def query(self, token: str, database: str, influxql: str) -> list[dict[str, Any]]:
        """The rows of a query; the tags of a `GROUP BY` are columns too, what is null is left out."""
        return [
            series.get("tags", {})
            | {name: value for name, value in zip(series["columns"], row, strict=True) if value is not None}
            for series in self.series(token, database, influxql)
            for row in series.get("values", [])
        ]


class ReadyInfluxd2(Influxd2):
    """One that is set up and understands what the tests say to a 1.x: a database is a bucket."""

    token = "a-token-that-may-do-everything"

    def __enter__(self) -> Self:
        super().__enter__()
        body = {"username": "admin", "password": "a long password", "org": "home", "bucket": "first"}
        self._post("setup", **body, token=self.token)
        return self

    def stop(self) -> None:
        """Ask it to end, as an operator does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None

    def make(self, database: str, days: int | None = None) -> None:
        """Make a bucket that keeps points for so many days."""
        rules = [{"type": "expire", "everySeconds": days * 86400}] if days else []
        self._post("buckets", orgID=self._get("orgs", org="home")["orgs"][0]["id"], name=database, retentionRules=rules)

    def execute(self, statement: str, database: str = "") -> list[dict[str, Any]]:
        """Run InfluxQL; buckets are made and dropped, too."""
        if made := re.fullmatch(r'CREATE DATABASE "(.+)"(?: WITH DURATION (\d+)d)?', statement):
            self.make(made[1], int(made[2]) if made[2] else None)
            return []
        if gone := re.fullmatch(r'DROP DATABASE "(.+)"', statement):
            for bucket in self._get("buckets", name=gone[1]).get("buckets", ()):
                requests.delete(f"{self.url}/api/v2/buckets/{bucket['id']}", headers=self._headers, timeout=30)
            return []
        return self.series(self.token, database, statement)

    def sink(self, database: str) -> dict[str, Any]:
        """The entry of a configuration that writes to a bucket, which is there or made."""
        if not self._get("buckets", name=database).get("buckets"):
            self.make(database)
        return {"type": "influxdb", "url": self.url, "token": self.token, "org": "home", "bucket": database}

    def put(self, database: str, line: str) -> None:
        """Write a line as somebody else."""
        params = {"db": database, "precision": "s"}
        made = requests.post(f"{self.url}/write", params=params, data=line, headers=self._headers, timeout=10)
        assert made.status_code == 204, made.text

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.token}"}

    def _get(self, path: str, **params: str) -> Any:
        return requests.get(f"{self.url}/api/v2/{path}", params=params, headers=self._headers, timeout=30).json()

    def _post(self, path: str, **body: Any) -> None:
        made = requests.post(f"{self.url}/api/v2/{path}", json=body, headers=self._headers, timeout=30)
        assert made.status_code == 201, made.text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
