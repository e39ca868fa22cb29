"""The file that `init` writes: what is read comes back, what is written can be read, and nothing is lost."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cli import init
from ingest.cli.config_file import Local, emit
from ingest.cli.questions import Questions
from ingest.config.document import Tree, read
from ingest.core.errors import ConfigError, IngestError

HEAD = "# a headline"
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Co"), exclude_characters="\u2028\u2029\ufeff"), max_size=20
)
WORDS = st.sampled_from(
    ["yes", "no", "null", "0123", "1e5", "12:30", "a: b", "# x", "- x", "${NAME}", "{", "[", "'", '"']
)
TREES = st.recursive(
    TEXT | WORDS,
    lambda inner: (
        st.dictionaries(st.sampled_from(["a", "b", "no", "x y"]), inner, min_size=1, max_size=3)
        | st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["api", "sinks", "web"]), TREES, max_size=3))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Tree]) -> None:
    path = tmp_path_factory.mktemp("yaml") / "local.yaml"
    path.write_text(emit(tree), "utf-8")
    assert (read(path).tree or {}) == tree


def local(folder: Path, text: str | None = None) -> Local:
    path = folder / "config" / "local.yaml"
    if text is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return Local.open(path)


def test_a_new_file_is_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    made = local(tmp_path)
    made.tree["api"] = {"key": "k"}
    assert made.write(HEAD) is None
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in made.path.parent.iterdir()] == ["local.yaml"]


def test_a_file_of_ours_is_changed_without_a_copy(tmp_path: Path) -> None:
    made = local(tmp_path)
    made.tree["api"] = {"key": "k", "plan": {"per_minute": "5", "per_month": "500"}}
    made.write(HEAD)
    again = Local.open(made.path)
    again.tree["sinks"] = {}
    assert again.write(HEAD) is None


@pytest.mark.parametrize(
    "text", ["# mine\napi: {key: k}\n", "api: {key: k}  # comment\n", f"{HEAD}\napi:\n   key: k\n"]
)
def test_every_file_written_by_hand_is_kept_however_often(tmp_path: Path, text: str) -> None:
    kept = []
    for number in range(3):
        made = local(tmp_path, text + f"# {number}\n")
        copy = made.write(HEAD)
        assert copy is not None
        kept.append(copy)
    assert [copy.name for copy in kept] == ["local.yaml.bak", "local.yaml.bak1", "local.yaml.bak2"]
    assert [copy.read_text() for copy in kept] == [text + f"# {number}\n" for number in range(3)]
    assert {copy.stat().st_mode & 0o777 for copy in kept} == {0o600}


def test_a_file_that_is_no_configuration_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"local\.yaml"):
        local(tmp_path, "api: [\n")


def test_what_the_program_could_not_use_is_told_by_the_name_of_the_file(tmp_path: Path) -> None:
    made = local(tmp_path)
    made.tree["sinks"] = {"influx": {"type": "influxdb", "url": "nowhere"}}
    with pytest.raises(ConfigError) as caught:
        made.check()
    assert str(made.path) in str(caught.value)
    assert "trial" not in str(caught.value)
    assert list(made.path.parent.iterdir()) == []


def test_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    made = Local(tmp_path / "config" / "local.yaml", {})
    with pytest.raises(IngestError, match=str(made.path.parent)):
        made.write(HEAD)


@pytest.mark.parametrize(
    ("named", "environ", "expected"),
    [
        ("mine.yaml", {}, "mine.yaml"),
        (None, {"INGEST_CONFIG": "other.yaml"}, "other.yaml"),
        ("mine.yaml", {"INGEST_CONFIG": "other.yaml"}, "mine.yaml"),
    ],
)
def test_the_file_that_is_named_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None, environ: dict[str, str], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert init.where(named, environ) == tmp_path / expected


def test_the_file_of_this_folder_is_written_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "ingest.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert init.where(None, {}) == tmp_path / "config" / "local.yaml"


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────


class Keyboard:
    """What is piped in."""

    def __init__(self, *lines: str) -> None:
        self.lines = [f"{line}\n" for line in lines]

    def isatty(self) -> bool:
        return False

    def readline(self) -> str:
        return self.lines.pop(0) if self.lines else ""


def answered(monkeypatch: pytest.MonkeyPatch, tree: dict[str, Tree], *lines: str) -> dict[str, Tree]:
    monkeypatch.setattr("sys.stdin", Keyboard(*lines))
    Questions(tree).ask(None, None)
    return tree


def test_a_partner_gives_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = answered(monkeypatch, {}, "partner", "k1234", "c", "s1234", "me@example.org", "p1234", "none")
    assert tree["accounts"] == {"fleet": {"username": "me@example.org", "password": "p1234"}}


def test_a_partner_may_ask_an_owner_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = answered(monkeypatch, {}, "partner", "k1234", "c", "s1234", "-", "none")
    assert "accounts" not in tree


def test_variables_of_the_environment_are_offered_and_stay_variables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ENPHASE_API_KEY", "ENPHASE_CLIENT_ID", "ENPHASE_CLIENT_SECRET"):
        monkeypatch.setenv(name, "from-outside")
    tree = answered(monkeypatch, {}, "", "", "", "", "none")
    assert tree["api"] == {
        "plan": "watt",
        "key": "${ENPHASE_API_KEY}",
        "client_id": "${ENPHASE_CLIENT_ID}",
        "client_secret": "${ENPHASE_CLIENT_SECRET}",
    }
    assert "from-outside" not in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "written"), [("a${b", "a$${b"), ("${MY_KEY}", "${MY_KEY}"), ("a$b", "a$b")])
def test_dollars_mean_what_was_typed(monkeypatch: pytest.MonkeyPatch, typed: str, written: str) -> None:
    tree = answered(monkeypatch, {}, "watt", typed, "c", "s1234", "none")
    assert isinstance(tree["api"], dict)
    assert tree["api"]["key"] == written


def test_wrong_and_empty_answers_are_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(monkeypatch, {}, "gold", "watt", "", "k1234", "c", "s1234", "mysql", "none")
    said = capsys.readouterr().err
    assert "none of: watt, kilowatt, megawatt, partner" in said
    assert "This one is needed." in said


def test_the_demonstration_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    tree: dict[str, Tree] = {
        "api": {"base_url": "simulator", "plan": {"per_minute": "1"}},
        "systems": [{"id": "7"}],
    }
    answered(monkeypatch, tree, "", "k1234", "c", "s1234", "none")
    assert tree == {"api": {"plan": "watt", "key": "k1234", "client_id": "c", "client_secret": "s1234"}}


def test_a_database_of_1_x_without_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = answered(monkeypatch, {}, "", "k1234", "c", "s1234", "influxdb_v1", "http://pi:8086", "", "")
    assert tree["sinks"] == {"influx": {"type": "influxdb_v1", "url": "http://pi:8086", "database": "enphase"}}
