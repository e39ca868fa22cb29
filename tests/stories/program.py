"""The program as its user has it: a configuration, a folder, commands in processes of their own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ingest.config import load
from ingest.service import build, identity
from ingest.simulator import API_KEY, CLIENT_ID, CLIENT_SECRET, Cloud, SimulatedServer, Site
from tests.forkserver import ForkServer
from tests.world import FOUR, Time, Wire


def command(hurry: str = "") -> list[str]:
    """The program; `hurry` is a statement about its `scheduler`, for tests that would wait for its usual pauses."""
    first = f"from ingest.service import scheduler; {hurry}; " if hurry else ""
    return [sys.executable, "-c", f"import sys; sys.argv[0] = 'ingest'; {first}from ingest.cli import main; main()"]


INGEST = command()
ROOT = Path(__file__).parents[2]
FORKING = ForkServer()
LONGEST_S = 240


def _environment(more: dict[str, str]) -> dict[str, str]:
    """The machine's variables without the program's own, and `more`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INGEST_")}
    return {**clean, "PYTHONPATH": str(ROOT), **more}


class Vendor:
    """A simulated cloud behind real HTTP whose time stands still until it is moved, so that its answers do too."""

    def __init__(self, sites: list[Site], at: float, **options: Any) -> None:
        self.at = at
        self.cloud = Cloud(sites, clock=lambda: self.at, plan=(100_000, 1_000_000), **options)
        self.web = SimulatedServer(self.cloud)

    def __enter__(self) -> "Vendor":
        self.web.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.web.stop()

    @property
    def api(self) -> dict[str, Any]:
        """The section `api` of a configuration for it."""
        credentials = {"key": API_KEY, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return {
            "base_url": self.web.url,
            **credentials,
            "plan": {"per_minute": 100_000, "per_month": 1_000_000},
        }

    @property
    def counted(self) -> int:
        """Calls in the vendor's books."""
        return sum(call.counted for call in self.cloud.calls)


class Program:
    """One installation in a folder. `document` is its configuration, which may be changed between two commands."""

    def __init__(self, folder: Path, **document: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = folder / "ingest.yaml"
        self.state = folder / "state"
        self.document: dict[str, Any] = {
            "state_dir": str(self.state),
            "web": "off",
            "default_streams": FOUR,
            **document,
        }

    def write(self) -> None:
        """Put the configuration on the disk."""
        self.config.write_text(json.dumps(self.document))

    def start(self, *words: str, wrap: tuple[str, ...] = (), hurry: str = "", **env: str) -> "subprocess.Popen[str]":
        """A command that is running."""
        self.write()
        return subprocess.Popen(
            [*wrap, *command(hurry), "--config", str(self.config), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=_environment(env),
        )

    def run(self, *words: str, code: int = 0, wrap: tuple[str, ...] = (), **env: str) -> "Ended":
        """A command and its end; no command ever shows a traceback."""
        self.write()
        command = ["--config", str(self.config), *words]
        ended = None if wrap else FORKING.run(command, _environment(env), ROOT, LONGEST_S)
        if ended is None:
            with self.start(*words, wrap=wrap, **env) as process:
                said = process.communicate(timeout=LONGEST_S)
            ended = subprocess.CompletedProcess(command, process.returncode, *said)
        out, err = ended.stdout, ended.stderr
        assert "Traceback" not in err, err
        assert ended.returncode == code, f"{words}: exit {ended.returncode}\n{err}\n{out[-2000:]}"
        return Ended(out, err)

    def json(self, *words: str) -> Any:
        """The one document that a command prints."""
        return json.loads(self.run(*words, "--json").out)

    def copy(self, folder: Path, **changes: Any) -> "Program":
        """The same installation with a state of its own, and other keys in its configuration."""
        shutil.copytree(self.state, folder / "state")
        return Program(folder, **{**self.document, "state_dir": str(folder / "state"), **changes})

    def consent(self, vendor: Vendor, account: str = "home") -> None:
        """The owner's consent, given once before the first run."""
        self.write()
        settings, time = load(self.config, {}), Time(int(vendor.at))
        auth = build.authorizer(settings, identity.cloud_of(settings), time.clock(), Wire(vendor.cloud, time, 0))
        auth.by_code(account, vendor.cloud.consent())


def read_some(vendor: Vendor, folder: Path, calls: int) -> Program:
    """An installation that has read something, and has ended."""
    program = Program(folder, api=vendor.api)
    program.consent(vendor)
    program.run("once", "--max-calls", str(calls))
    return program


class Ended:
    """What a command said."""

    def __init__(self, out: str, err: str) -> None:
        self.out, self.err = out, err

    @property
    def sentence(self) -> str:
        """The one sentence with which a command failed."""
        (line,) = [line for line in self.err.splitlines() if line.startswith("ingest: ")]
        return line.removeprefix("ingest: ")
