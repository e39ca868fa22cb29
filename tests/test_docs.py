"""The documentation is true: generated where it can be, no dead link, nothing loaded from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.cli import COMMAND_MODULES

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/**/*.md")])
FRAGMENTS = [path for path in (ROOT / "changelog.d").glob("*") if path.name not in ("README.md", "template.md")]
FOREIGN = re.compile(
    r"""<(?:script|img|iframe|source|link(?![^>]*rel="(?:canonical|license)"))\b[^>]*(?:src|href)=["'](?:https?:)?//"""
    r"""|url\(\s*["']?(?:https?:)?//|@import\s+["'](?:https?:)?//|\bfetch\(\s*["'`]https?:""",
    re.IGNORECASE,
)


def run(*words: str) -> str:
    """What a command prints; its complaints where it fails."""
    result = subprocess.run(words, cwd=ROOT, text=True, capture_output=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_command_reference_is_that_of_the_commands() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    assert run(sys.executable, "scripts/commands.py") == page, "run `make commands`"
    assert {name for name in COMMAND_MODULES if f"\n## `ingest {name}`" in page} == set(COMMAND_MODULES)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a page that no index names, or a dead link between pages, is an error."""
    folder = tmp_path_factory.mktemp("site")
    run(
        str(BIN / "sphinx-build"), "-q", "-W", "--keep-going", "-d", str(folder / "trees"), "docs", str(folder / "site")
    )
    return folder / "site"


def test_the_site_has_every_page_and_loads_nothing_from_elsewhere(site: Path) -> None:
    assert {path.stem for path in site.glob("*.html")} >= {path.stem for path in (ROOT / "docs").glob("*.md")}
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".css", ".js")]
    found = {path.name: match[0] for path in files if (match := FOREIGN.search(path.read_text()))}
    assert not found


def test_what_is_loaded_from_elsewhere_would_be_found() -> None:
    for planted in (
        '<script async src="https://cdn.example/x.js">',
        '<link rel="stylesheet" href="//fonts.example/a.css">',
        "src: url(https://fonts.example/a.woff2)",
        '@import "https://fonts.example/a.css"',
    ):
        assert FOREIGN.search(planted), planted
    assert not FOREIGN.search('<a href="https://example.org">a link</a>')


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_links_and_commands_exist(page: Path) -> None:
    text = page.read_text()
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / link).exists(), link
    for command in re.findall(r"`ingest (?!:)([a-z][\w-]*)", text):
        assert command in COMMAND_MODULES, command
    for file in re.findall(r"`((?:ingest|tests|scripts|docs|influxdb|grafana)/[\w./-]+\.\w+)`", text):
        assert (ROOT / file).exists(), file


def test_what_contributing_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rooms = {path.name for path in (ROOT / "ingest").iterdir() if (path / "__init__.py").exists()}
    assert set(re.findall(r"`(\w+)/`", text)) >= rooms
    for place in re.findall(r"`((?:\w+/)+\w+\.py)`", text):
        assert (ROOT / place).exists() or (ROOT / "ingest" / place).exists(), place
    for place, names in re.findall(r"`((?:\w+/)+\w+\.py)`, `(\w+)\(\)`", text):
        assert f"def {names}(" in (ROOT / "ingest" / place).read_text()
    for name, place in re.findall(r"`(\w+)` in `((?:\w+/)+\w+\.py)`", text):
        assert re.search(rf"^(?:def |class )?{name}\b", (ROOT / "ingest" / place).read_text(), re.MULTILINE), name
    for target in re.findall(r"`make ([\w-]+)", text):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(), target


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda path: path.name)
def test_a_changelog_fragment_says_what_kind_it_is(fragment: Path) -> None:
    assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed)\.md", fragment.name), (
        "NAME.added.md, .changed.md or .fixed.md"
    )
    assert fragment.read_text().strip()


def test_the_next_section_of_the_changelog_can_be_made() -> None:
    draft = run(str(BIN / "towncrier"), "build", "--draft", "--version", "unreleased", "--name", "enphase-ingest")
    for fragment in FRAGMENTS:
        assert fragment.read_text().split()[0] in draft


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (".github/workflows/test.yml", "vendor.github-workflows"),
        (".github/workflows/release.yml", "vendor.github-workflows"),
        (".github/dependabot.yml", "vendor.dependabot"),
        (".github/ISSUE_TEMPLATE/bug.yml", "vendor.github-issue-forms"),
        (".github/ISSUE_TEMPLATE/wish.yml", "vendor.github-issue-forms"),
        (".github/ISSUE_TEMPLATE/config.yml", "vendor.github-issue-config"),
    ],
)
def test_the_forge_understands_its_files(file: str, schema: str) -> None:
    run(str(BIN / "check-jsonschema"), "--builtin-schema", schema, file)


def test_what_history_is_guaranteed_is_said_alike_everywhere() -> None:
    """A share of what is left of the month: of the whole month it could stop live polling near its end."""
    schema = (ROOT / "config/ingest.schema.json").read_text()
    texts = [*(page.read_text() for page in PAGES), schema, (ROOT / "ingest/cli/plan.py").read_text()]
    said = [sentence for text in texts for sentence in re.split(r"[.!?][\s\"]", text)
            if "guaranteed" in sentence and "istory" in sentence]  # fmt: skip
    assert len(said) >= 3
    assert [sentence for sentence in said if not re.search(r"left\s+of\s+th(e|is)\s+month", sentence)] == []
