"""The real Prometheus of Debian (package `prometheus`), started for tests in a folder of its own."""

import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
import yaml

from tests.influxd import free_port

BINARY = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
PATIENCE = 30.0


class Prometheus:
    """A server that scrapes `target` every second, with the settings and rules that are shipped."""

    def __init__(self, root: Path, shipped: Path, target: str) -> None:
        self.root, self.shipped, self.target = root, shipped, target
        self.url = f"http://127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if BINARY is None:
            raise FileNotFoundError("prometheus is missing: apt-get install prometheus")
        self.root.mkdir(parents=True, exist_ok=True)
        config = yaml.safe_load((self.shipped / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"][0]["static_configs"] = [{"targets": [self.target]}]
        config["rule_files"] = [str(self.shipped / name) for name in config["rule_files"]]
        (self.root / "prometheus.yml").write_text(yaml.safe_dump(config))
        listen = self.url.removeprefix("http://")
        words = [f"--config.file={self.root}/prometheus.yml", f"--storage.tsdb.path={self.root}/data"]
        with (self.root / "prometheus.log").open("ab") as log:
            self._process = subprocess.Popen([BINARY, *words, f"--web.listen-address={listen}"], stdout=log, stderr=log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an expression, waited for until there are some."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := self.now(expression):
                return found
            time.sleep(0.1)
        raise RuntimeError(f"{expression}: no samples\n{(self.root / 'prometheus.log').read_text()[-2000:]}")

    def now(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an expression as they are; none while it does not answer."""
        try:
            reply = requests.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=5)
        except requests.ConnectionError:
            return []
        found: list[dict[str, Any]] = reply.json().get("data", {}).get("result", []) if reply.ok else []
        return found
