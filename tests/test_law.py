"""The law of the house: what may import what, held by import-linter, and the habits that no linter knows."""

import ast
import shutil
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

from ingest.cli import COMMAND_MODULES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ingest"
LAYERS = "rooms are floors"
PURE = "what decides is pure"

SHARED_NAMES = {
    "answers": "what a simulated cloud answers and what a database answers",
    "context": "what a command is given, and what a commit is given",
    "daily_totals": "the table, and what a commit does to it",
    "errors": "the exceptions of the program, and the wording of those of the configuration",
    "homes": "the section of the configuration, and a home as if it were one system",
    "lifetime": "the streams, and the simulated cloud's",
    "oauth": "the client's side, and the simulated cloud's",
    "quota": "the plan's limits, and the simulated cloud's count",
    "server": "the page's, and the simulated cloud's",
    "site": "the streams, and a simulated site",
    "tokens": "the report of tokens, and those that the simulated cloud issues",
}
"""Modules that share their name with one of another room, and why. docs/architecture.md says the same."""


@cache
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# ── the contracts ─────────────────────────────────────────────────────────────────────────────────────────


def lint_imports(folder: Path) -> "subprocess.CompletedProcess[str]":
    linter = ROOT / ".venv/bin/lint-imports"
    program = str(linter) if linter.exists() else "lint-imports"
    return subprocess.run([program, "--no-cache"], cwd=folder, text=True, capture_output=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package, to plant something in."""
    shutil.copytree(PACKAGE, tmp_path / "ingest", ignore=shutil.ignore_patterns("__pycache__", "static", "templates"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_package_keeps_the_law(house: Path) -> None:
    result = lint_imports(house)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract", "culprit"),
    [
        (
            "plan/quota.py",
            "from ingest.store import ledger",
            LAYERS,
            "ingest.plan is not allowed to import",
        ),
        ("simulator/sun.py", "from ingest.core import span", LAYERS, "ingest.core"),
        ("commit/record.py", "from ingest.deliver import sink", LAYERS, "ingest.deliver"),
        ("fetch/worker.py", "from ingest.config import settings", LAYERS, "ingest.config"),
        ("stray.py", "", LAYERS, "stray"),
        ("core/span.py", "import sqlite3", PURE, "ingest.core is not allowed to import sqlite3"),
        ("enphase/call.py", "import requests", PURE, "requests"),
        ("plan/quota.py", "import time", PURE, "time"),
    ],
    ids=lambda value: value if "/" in value or value.endswith(".py") else "",
)
def test_what_breaks_the_law_is_refused(house: Path, path: str, line: str, contract: str, culprit: str) -> None:
    with (house / "ingest" / path).open("a") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(house)
    assert result.returncode != 0
    (broken,) = [words for words in result.stdout.splitlines() if words.endswith("BROKEN")]
    assert broken.startswith(contract)
    assert culprit in result.stdout


def test_the_law_is_short() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    law = text[text.index("[tool.importlinter]") :]
    assert law.count("\n") < 30
    assert "[tool." not in law.replace("[tool.importlinter", "")
    assert len(tomllib.loads(law)["tool"]["importlinter"]["contracts"]) == 2


# ── the tree ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_root_holds_rooms_and_three_modules() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "__main__", "logs"}


def test_no_imports_go_in_a_circle() -> None:
    graph = grimp.build_graph("ingest", cache_dir=None)
    inside = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    while leaves := {module for module, imported in inside.items() if not imported & inside.keys()}:
        inside = {module: imported for module, imported in inside.items() if module not in leaves}
    assert not inside


def test_no_two_classes_share_a_name() -> None:
    places = defaultdict(list)
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(name_of(path))
    assert not {name: where for name, where in places.items() if len(where) > 1}


def of_modules() -> Iterator[tuple[str, str]]:
    """The constants and aliases of each module: (module, name). The simulator has the vendor's words."""
    for path, tree in trees().items():
        if "simulator" not in path.parts:
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for node in tree.body:
                targets = node.targets if isinstance(node, ast.Assign) else []
                targets += [node.target] if isinstance(node, ast.AnnAssign) else []
                names = (part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name))
                yield from ((module, name) for name in names)


def test_no_two_aliases_share_a_name_nor_two_constants_that_others_import() -> None:
    imported = {
        (node.module, alias.name)
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    places = defaultdict(set)
    for module, name in of_modules():
        is_alias = name[0].isupper() and not name.isupper() and len(name) > 1
        if is_alias or (module, name) in imported:
            places[name].add(module)
    assert len(places) > 100
    assert not {name: where for name, where in places.items() if len(where) > 1}


def test_modules_share_a_name_only_where_it_is_listed() -> None:
    places = defaultdict(list)
    for path in trees():
        if path.stem not in ("__init__", "__main__"):
            places[path.stem].append(path.parent.name)
    shared = {name for name, rooms in places.items() if len(rooms) > 1}
    commands = {name for name in shared if "cli" in places[name] and name in COMMAND_MODULES.values()}
    assert shared - commands == SHARED_NAMES.keys()


# ── sizes ─────────────────────────────────────────────────────────────────────────────────────────────────


def functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every function and the lines of its body, the docstring aside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize(
    ("folder", "most"), [("ingest", 300), ("bench", 300), ("boards", 300), ("scripts", 300), ("tests", 400)]
)
def test_files_are_short(folder: str, most: int) -> None:
    files = [path for path in (ROOT / folder).rglob("*.py") if "vendor" not in path.parts]
    lengths = {name_of(path): path.read_text().count("\n") for path in files}
    assert not {name: length for name, length in lengths.items() if length > most}


def test_functions_are_short() -> None:
    long = {f"{name_of(path)} {name}": size for path, tree in trees().items() for name, size in functions(tree)}
    assert not {name: size for name, size in long.items() if size > 40}
