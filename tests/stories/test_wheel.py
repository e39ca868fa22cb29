"""A wheel, installed into an empty environment without the checkout: runs the demonstration, writes the stack."""

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import distribution
from pathlib import Path

import pytest
import requests
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def call(*words: str | Path, cwd: Path, code: int = 0, **env: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("INGEST_", "PYTHON"))}
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env={**clean, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def put_locked(site: Path) -> None:
    """What requirements.lock names, and nothing else, into a folder of packages: as they are installed here."""
    for line in filter(None, (ROOT / "requirements.lock").read_text().split("\n")):
        locked = Requirement(line.partition("#")[0]) if not line.lstrip().startswith("#") else None
        if locked and (not locked.marker or locked.marker.evaluate()):
            found = distribution(locked.name)
            assert found.version in locked.specifier, f"{found.version} of {line} is installed: run make"
            for name in {path.parts[0] for path in found.files or ()} - {"..", "__pycache__"}:
                (site / name).symlink_to(Path(str(found.locate_file(name))))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an environment `env`, made from the locked dependencies and the wheel alone."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    tracked = call("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\n")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
            (source / name).chmod((ROOT / name).stat().st_mode)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    try:
        call(*pip, "wheel", "--no-deps", "-w", folder, source, cwd=folder)
        call(sys.executable, "-m", "venv", "--without-pip", "env", cwd=folder)
        (wheel,) = folder.glob("*.whl")
        (site,) = folder.glob("env/lib/python*/site-packages")
        put_locked(site)
        call(*pip, "--python", "env/bin/python", "install", "--no-deps", wheel, cwd=folder)
    except AssertionError as error:
        if os.environ.get("INGEST_REQUIRE_SERVERS") == "1" or "onnection" not in str(error):
            raise
        pytest.skip("packages cannot be installed here: there is no network")
    return folder


def test_the_demonstration_runs(home: Path, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "XDG_STATE_HOME": "", "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        [home / "env/bin/ingest", "run"], cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        said: list[str] = []
        url = ""
        for line in process.stderr:
            said.append(line)
            if line.startswith("Open "):
                url = line.split()[1]
            if "event=tick" in line:
                break
        assert url, said
        deadline = time.monotonic() + 60
        points = 0
        while not points and time.monotonic() < deadline:
            points = requests.get(f"{url.rstrip('/')}/api/status", timeout=30).json()["points"]
        assert points > 0
        assert "<html" in requests.get(url, timeout=30).text
        process.send_signal(signal.SIGTERM)
        process.stderr.read()
    assert process.returncode == 0
    assert (tmp_path / ".local/state/enphase-ingest/demo/state.db").exists()
    assert not list(tmp_path.glob("state*"))


def test_the_stack_is_written_and_the_doctor_is_content(home: Path, tmp_path: Path) -> None:
    stack = tmp_path / "stack"
    ingest = home / "env/bin/ingest"
    call(ingest, "init", "--stack", stack, cwd=tmp_path, HOME=str(tmp_path))
    assert len(list((stack / "grafana/dashboards").rglob("*.json"))) >= 5
    assert (stack / "config/ingest.schema.json").exists()
    assert os.access(stack / "scripts/secrets.sh", os.X_OK)
    call(ingest, "once", "--max-calls", "3", cwd=stack, HOME=str(tmp_path))
    said = call(ingest, "doctor", "--offline", cwd=stack, HOME=str(tmp_path))
    assert "is valid" in said
    assert (stack / "state/demo/state.db").exists()


def test_its_manual_and_completion_are_there(home: Path, tmp_path: Path) -> None:
    assert ".SH COMMANDS" in call(home / "env/bin/ingest", "man", cwd=tmp_path)
    assert "_INGEST_COMPLETE" in call(home / "env/bin/ingest", "completion", "bash", cwd=tmp_path)
