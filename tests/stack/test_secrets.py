"""scripts/secrets.sh, and that no secret is where it must not be."""

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stack.boards import ROOT

ENPHASE = ("enphase_api_key", "enphase_client_id", "enphase_client_secret")
RANDOM = (
    "influxdb_admin_password",
    "influxdb_admin_token",
    "influxdb_grafana_password",
    "grafana_admin_password",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/secrets.sh", tmp_path / "scripts")
    shutil.copy(ROOT / ".env.example", tmp_path)
    return tmp_path


def run(checkout: Path, *arguments: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ENPHASE", "OWN"))}
    done = subprocess.run(
        ["sh", str(checkout / "scripts/secrets.sh"), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=clean | environment,
        check=True,
    )
    return done.stdout


def held(checkout: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in (checkout / "secrets").iterdir()}


def test_everything_is_made_and_nothing_is_asked(checkout: Path) -> None:
    output = run(checkout, "--demo")
    secrets = held(checkout)
    assert set(secrets) == {*ENPHASE, *RANDOM}
    assert all(secrets[name] == "" for name in ENPHASE)
    assert all(re.fullmatch(r"[0-9a-f]{48}", secrets[name]) for name in RANDOM)
    assert len({secrets[name] for name in RANDOM}) == len(RANDOM)
    assert "http://localhost:3000" in output
    assert "http://localhost:8080" in output
    assert "SECRETS_DIR=./secrets" in (checkout / ".env").read_text()
    assert not any(value and value in output for value in secrets.values())


def test_nothing_is_overwritten_and_what_is_empty_is_filled(checkout: Path) -> None:
    run(checkout, "--demo")
    before, settings = held(checkout), (checkout / ".env").read_text() + "GRAFANA_PORT=3333\n"
    (checkout / ".env").write_text(settings)
    output = run(checkout, ENPHASE_API_KEY="my-key")
    assert held(checkout) == before | {"enphase_api_key": "my-key"}
    run(checkout, ENPHASE_API_KEY="another")
    assert held(checkout)["enphase_api_key"] == "my-key"
    assert (checkout / ".env").read_text() == settings
    assert "http://localhost:3333" in output


def test_only_the_owner_enters_the_folder_and_containers_can_read_the_files(checkout: Path) -> None:
    run(checkout, "--demo")
    assert (checkout / "secrets").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (checkout / "secrets").iterdir()} == {0o644}
    assert (checkout / ".env").stat().st_mode & 0o077 == 0


def test_with_ones_own_database_only_its_secret_is_wanted(checkout: Path) -> None:
    output = run(checkout, "--own-influxdb", OWN_INFLUXDB="its-token")
    secrets = held(checkout)
    assert re.fullmatch(r"[0-9a-f]{48}", secrets.pop("influxdb_grafana_password")), "for the reading user"
    assert secrets == dict.fromkeys(ENPHASE, "") | {"own_influxdb": "its-token"}
    assert "docker-compose.ingest.yml" in output


def test_three_questions_and_the_secret_is_not_shown(checkout: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ENPHASE", "OWN"))}
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve("/bin/sh", ["sh", str(checkout / "scripts/secrets.sh")], clean)  # noqa: S606
    shown = b""
    for question, typed in ((b"API key: ", b" my-key \n"), (b"Client id: ", b"\n"), (b"shown): ", b"s3cr$et\n")):
        while question not in shown:
            shown += os.read(terminal, 1024)
        os.write(terminal, typed)
    try:
        while chunk := os.read(terminal, 1024):
            shown += chunk
    except OSError:
        pass
    os.close(terminal)
    assert os.waitpid(pid, 0)[1] == 0
    secrets = held(checkout)
    assert [secrets[name] for name in ENPHASE] == ["my-key", "", "s3cr$et"]
    assert b"s3cr$et" not in shown
    assert b"Still empty: enphase_client_id." in shown


def test_an_unknown_word_is_refused(checkout: Path) -> None:
    done = subprocess.run(
        ["sh", str(checkout / "scripts/secrets.sh"), "--dmeo"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--demo" in done.stderr
    assert not (checkout / "secrets").exists()


def committed() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name]


def test_no_file_that_is_committed_holds_a_secret() -> None:
    names = [str(file.relative_to(ROOT)) for file in committed()]
    assert not [name for name in names if name == ".env" or name.startswith(("secrets/", "state/"))]
    stack = [
        file
        for file in committed()
        if re.search(r"compose|^grafana|influxdb/|\.env|Dockerfile", str(file.relative_to(ROOT)))
    ]
    for file in stack:
        if "tests" in file.relative_to(ROOT).parts:
            continue
        found = re.findall(r"\b[0-9a-f]{32,}\b|(?:password|token|secret)\s*[:=]\s*[\w-]{8,}", file.read_text(), re.I)
        assert found == [], file


@pytest.mark.parametrize("name", [".env", "secrets/enphase_api_key", "state/state.db", "config/local.yaml"])
def test_git_ignores_what_is_private(name: str) -> None:
    committed()
    assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False).returncode == 0
