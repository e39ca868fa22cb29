"""Every command that is printed works as it is printed: in a clone, under systemd, and with each compose file."""

import ast
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingest.cli import cli
from ingest.core.words import Command, localized
from ingest.simulator import CLIENT_ID, CLIENT_SECRET
from tests.stack.test_compose import load
from tests.stories.program import ROOT, Program, Vendor
from tests.stories.test_faults_agree import commands_in, source_texts
from tests.worlds import HOME

INNER = f"""#!/bin/sh
[ -z "$RECORD" ] || {{ printf '%s\\n' "$@" >"$RECORD"; exit 0; }}
exec {shlex.quote(sys.executable)} -c 'from ingest.cli import main; main()' "$@"
"""
DOCKER = """#!/bin/sh
# docker compose [-f FILE]... exec|up -d: only with the files of this stack, and what is inside is carried out.
[ "$1" = compose ] || exit 90; shift
files=
while [ "$1" = -f ]; do [ -f "$2" ] || exit 91; files="$files $2"; shift 2; done
[ "$files" = "$FILES" ] || { echo "not the files of this stack:$files" >&2; exit 92; }
case "$1 $2" in
    "up -d") echo up >>"$DONE"; exit 0;;
    "exec ingest") shift 2; exec "$@";;
esac
exit 93
"""
SYSTEMCTL = """#!/bin/sh
case "$1 $2" in
    "start enphase-ingest"|"restart enphase-ingest") echo up >>"$DONE"; exit 0;;
esac
exit 94
"""
TYPED = (
    "scripts/secrets.sh",
    "docker compose up -d",
    "timedatectl set-ntp true",
    "chmod go= {}",
    "influx auth list",
    "dmesg",
)
"""What a person is told to type that is no command of the program."""
FOREIGN = ("timedatectl", "influx", "dmesg")
"""Programs of the system, which are not run here but take these words."""
LONG = bool(os.environ.get("INGEST_LONG"))
NOTHING = "#!/bin/sh\nexit 0\n"
OK = (0, 1, 3, 4)
"""Done; something failed; a person is needed; a runner is at work. Not 2: the command itself was wrong."""


def called_with(*words: str) -> str:
    """A program that takes these words alone."""
    return f'#!/bin/sh\n[ "$*" = "{" ".join(words)}" ]\n'


@dataclass(frozen=True)
class Place:
    """Where the program is used: the variables that it has there, and the compose files in use."""

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def of_compose(*files: str, named: tuple[str, ...] = ()) -> Place:
    found: dict[str, Any] = {}
    for file in files:
        found |= load(file)["services"]["ingest"]["environment"]
    return Place(" ".join(files), {name: found[name] for name in sorted(found) if name.startswith("INGEST_")}, named)


def of_systemd() -> Place:
    script = "set -a; . contrib/systemd/environment; env"
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT, env={}).stdout
    lines = (line.partition("=") for line in said.splitlines())
    return Place("systemd", {name: value for name, _, value in lines if name in WAYS})


WAYS = ("INGEST_COMMAND", "INGEST_START", "INGEST_CONNECT")
DEMO, OWN = "docker-compose.demo.yml", "docker-compose.ingest.yml"
PLACES = [
    Place("clone"),
    of_systemd(),
    of_compose("docker-compose.yml"),
    of_compose("docker-compose.yml", DEMO, named=("docker-compose.yml", DEMO)),
    of_compose(OWN, named=(OWN,)),
]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor([HOME], int(time.time())) as started:
        yield started


@pytest.fixture(scope="module")
def program(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An installation with data, a database that is down, and a backup."""
    made = Program(
        tmp_path_factory.mktemp("sick"),
        api=vendor.api,
        sinks={"db": {"type": "influxdb_v1", "url": "http://127.0.0.1:9", "database": "d"}},
        notify={"to": ["json://127.0.0.1:9/told"]},
    )
    made.consent(vendor)
    made.run("once", "--max-calls", "3", code=1)
    made.run("backup", "-o", str(made.folder / "backup.db"))
    return made


class Shell:
    """A shell of a place, with what is on its path there."""

    def __init__(self, place: Place, program: Program, folder: Path) -> None:
        self.place, self.program = place, program
        self.done = folder / "done"
        tools = {"ingest": INNER, "docker": DOCKER, "systemctl": SYSTEMCTL}
        tools |= {name: called_with(*words) for name, *words in (text.split() for text in TYPED) if name in FOREIGN}
        tools["nano"] = NOTHING
        wrapper = (ROOT / "contrib/systemd/enphase-ingest").read_text()
        wrapper = wrapper.replace("/etc/enphase-ingest/environment", str(folder / "environment"))
        tools["enphase-ingest"] = wrapper.replace("/opt/enphase-ingest/venv/bin/ingest", str(folder / "ingest"))
        tools["sudo"] = '#!/bin/sh\n[ "$1 $2" = "-u enphase-ingest" ] || exit 95; shift 2; exec "$@"\n'
        for name, text in tools.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        (folder / "scripts").mkdir()
        (folder / "scripts/secrets.sh").write_text(NOTHING)
        (folder / "scripts/secrets.sh").chmod(0o755)
        for file in ("docker-compose.yml", DEMO, OWN):
            (folder / file).touch()
        here = f"INGEST_CONFIG={program.config}\nINGEST_STATE_DIR={program.state}\n"
        shipped = (ROOT / "contrib/systemd/environment").read_text().splitlines()
        kept = [line for line in shipped if line.startswith(WAYS)]
        (folder / "environment").write_text(here + "\n".join(kept) + "\n")
        self.environment = {
            "PATH": f"{folder}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "FILES": "".join(f" {file}" for file in place.files),
            "DONE": str(self.done),
            "INGEST_CONFIG": str(program.config),
            "INGEST_STATE_DIR": str(program.state),
            **place.environment,
        }
        self.folder = folder

    def printed(self, text: str) -> str:
        """A sentence as the program prints it there."""
        named = self.place.environment.get("INGEST_COMMAND") or "ingest"
        start, connect = (self.place.environment.get(name, "") for name in WAYS[1:])
        return localized(text, Command(named, start, connect, named.removesuffix("ingest") if " " in named else ""))

    def run(self, line: str, seconds: float = 60) -> tuple[int, str]:
        """A line typed in, with nothing more to say; one that goes on is interrupted after a while."""
        with subprocess.Popen(["sh", "-c", line], cwd=self.folder, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              start_new_session=True) as process:  # fmt: skip
            try:
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGTERM)
                said, _ = process.communicate(timeout=30)
        return process.returncode, said


def fill(words: str, program: Program) -> str:
    """What is in braces, and what is meant by FILE, as at run time."""
    filled = re.sub(r"\{(?:name|sink\.sink)\}", "db", words).replace("FILE", str(program.folder / "backup.db"))
    filled = filled.replace("--system ID", "--system 8000")
    return re.sub(r"\{[^}]*\}", "home", filled).replace("…", "status")


PRINTED = sorted(commands_in(source_texts()))


def test_the_program_prints_what_the_place_calls_for(program: Program) -> None:
    """What the test renders is what the program itself prints."""
    program.write()
    for place in PLACES[1:]:
        said = CliRunner().invoke(cli, ["--config", str(program.config), "status"], env=place.environment).output
        assert f"`{place.environment['INGEST_COMMAND']} --config {program.config} doctor`" in said, said


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name.replace(" ", "+"))
def test_every_printed_command_works_there(place: Place, program: Program, tmp_path: Path) -> None:
    """Each reaches the program with its own words in every place, and is carried out in one of them, or in all."""
    shell = Shell(place, program, tmp_path)
    assert len(PRINTED) > 15
    for number, words in enumerate(PRINTED):
        is_real = LONG or PLACES[number % len(PLACES)] is place
        if words.startswith("setup-database") and place.name == "systemd":
            continue  # the stack's own
        text = shell.printed(f"`ingest {fill(words, program)}`")
        leaves = words == "init" and DEMO in place.files  # one's own system is connected to the real stack
        shell.environment["RECORD"] = "" if is_real else str(tmp_path / "record")
        (tmp_path / "record").unlink(missing_ok=True)
        shell.environment["FILES"] = "" if leaves else "".join(f" {file}" for file in place.files)
        before = len(shell.done.read_text().split()) if shell.done.exists() else 0
        for line in re.findall(r"`([^`]+)`", text):
            goes_on = place.name == "clone" and words == "run"
            code, said = shell.run(line, 5 if goes_on else 240)
            assert "Traceback" not in said, (line, said)
            aborted = (130, 2) if words.startswith(("init", "setup-database")) else ()
            assert code in (*OK, *aborted, *((-signal.SIGTERM,) if goes_on else ())), (line, code, said)
            assert "No such command" not in said, (line, said)
        if not is_real and (tmp_path / "record").exists():
            assert (tmp_path / "record").read_text().splitlines() == shlex.split(fill(words, program))
        if words in ("run", "init") and place.name != "clone":
            assert len(shell.done.read_text().split()) > before, (words, text)


def test_no_secret_is_asked_for_where_it_is_not_kept() -> None:
    for place in PLACES:
        assert not [value for value in place.environment.values() if CLIENT_ID in value or CLIENT_SECRET in value]


@pytest.mark.parametrize("place", PLACES[2:], ids=lambda place: place.name.replace(" ", "+"))
def test_what_must_run_inside_does(place: Place, program: Program, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(mode=0o644)
    shell = Shell(place, program, tmp_path)
    (line,) = re.findall(r"`([^`]+)`", shell.printed(f"Close it: `chmod go= {secret}`"))
    assert line.startswith("docker compose ")
    assert shell.run(line) == (0, "")
    assert secret.stat().st_mode & 0o077 == 0


def test_what_else_is_to_be_typed_is_held_in_a_list_and_works(program: Program, tmp_path: Path) -> None:
    """Read out of the source: in backticks, several words of which the first can be a program, or a path to one."""
    texts = re.findall(r"`((?!ingest )[a-z][\w./-]*(?: [\w={}-]+)+|\w+/\w+\.sh|dmesg)`", said_by_the_program())
    assert sorted(set(texts)) == sorted(TYPED)
    shell = Shell(PLACES[2], program, tmp_path)
    (tmp_path / "file").touch(mode=0o644)
    for text in TYPED:
        line = text.replace("{}", str(tmp_path / "file"))
        assert shell.run(line) == (0, ""), line
    assert shell.done.read_text().split() == ["up"]
    assert (tmp_path / "file").stat().st_mode & 0o077 == 0


def said_by_the_program() -> str:
    """Every text of the source but its documentation."""
    found: list[str] = []
    for path in (ROOT / "ingest").rglob("*.py"):
        tree = ast.parse(path.read_text())
        silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
                found.append(node.value)
    return "\n".join(found)
