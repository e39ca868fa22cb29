"""What a configuration means: defaults, values, variables, places."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ingest import config
from ingest.config import Settings, When
from ingest.core.errors import ConfigError
from ingest.enphase import catalogue
from ingest.plan.stream_choice import AUTO

Load = Callable[..., Settings]

LEAST = """
api: {key: ${KEY}, client_id: ${ID}, client_secret: ${SECRET}}
sinks:
  influx: {type: influxdb, url: http://influxdb:8086, token: ${INFLUXDB_TOKEN}, org: home, bucket: enphase}
"""
ENVIRON = {"KEY": "k-123", "ID": "c-123", "SECRET": "s-123", "INFLUXDB_TOKEN": "t-123"}


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str, environ: dict[str, str] | None = None, **more: str) -> Settings:
        file = tmp_path / "ingest.yaml"
        file.write_text(text, encoding="utf-8")
        return config.load(file, environ or {}, **more)

    return load


def refused(load: Load, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text, environ)
    return str(caught.value)


def test_the_least_file_for_a_home(load: Load) -> None:
    settings = load(LEAST, ENVIRON)
    sink = settings.sinks["influx"]
    assert isinstance(sink, config.Influx)
    assert sink.token.get_secret_value() == "t-123"
    assert settings.api.key is not None
    assert settings.api.key.get_secret_value() == "k-123"
    assert settings.missing_credentials() == []
    assert sorted(settings.secrets()) == ["k-123", "s-123", "t-123"]
    assert not any(secret in repr(settings) + str(settings.api) for secret in ENVIRON.values())


def test_an_empty_file_is_the_defaults(load: Load, tmp_path: Path) -> None:
    settings = load("# nothing yet\n")
    assert settings.api.version == "v4"
    assert settings.api.base_url == "https://api.enphaseenergy.com"
    assert (settings.api.plan.name, settings.api.plan.per_minute, settings.api.plan.per_month) == (
        "watt",
        10,
        1000,
    )
    assert (settings.api.reserve, settings.api.backfill_share) == (0.1, 0.2)
    assert [account.kind for account in settings.accounts.values()] == ["consent"]
    assert (settings.systems, settings.sinks) == (None, {})
    assert (settings.settle, settings.look_again) == (6 * 3600, 4 * 86400)
    assert {name: settings.every(name) for name in settings.streams} == catalogue.CADENCES
    assert settings.web is not None
    assert (settings.web.host, settings.web.port, settings.web.hosts) == ("127.0.0.1", 8080, ())
    assert settings.state_dir == tmp_path / "state"
    assert settings.config_path == tmp_path / "ingest.yaml"
    assert settings.missing_credentials() == ["api.key", "api.client_id", "api.client_secret"]


def test_keys_without_a_value_count_as_not_written(load: Load) -> None:
    empty = "api:\n  plan:\n  reserve: ~\naccounts:\nsystems:\nstreams:\nsinks:\nsettle:\nstate_dir:\nweb:\n"
    assert load(empty) == load("")
    assert load("accounts:\n  mine:\n  yours: {}\n").accounts.keys() == {"mine", "yours"}


@pytest.mark.parametrize(
    ("written", "name", "limits", "price"),
    [
        ("watt", "watt", (10, 1_000), 0.0),
        ("kilowatt", "kilowatt", (50, 50_000), 0.0),
        ("megawatt", "megawatt", (100, 300_000), 0.0),
        ("partner", "partner", (300, 10_000), 0.005),
        ("{per_minute: 10, per_month: 1234}", "custom", (10, 1_234), 0.0),
    ],
)
def test_plans(load: Load, written: str, name: str, limits: tuple[int, int], price: float) -> None:
    plan = load(f"api: {{plan: {written}}}").api.plan
    assert (plan.name, (plan.per_minute, plan.per_month), plan.price_per_further_call) == (
        name,
        limits,
        price,
    )


@pytest.mark.parametrize(
    ("written", "meant"), [("90s", 90), ("15m", 900), ("6h", 21600), ("4d", 345600), ("0", 0), ("'0'", 0)]
)
def test_durations(load: Load, written: str, meant: int) -> None:
    assert load(f"settle: {written}\nlook_again: 30d").settle == meant


@pytest.mark.parametrize(("written", "meant"), [("10%", 0.1), ("0.1", 0.1), ("12.5 %", 0.125), ("0", 0.0)])
def test_shares(load: Load, written: str, meant: float) -> None:
    assert load(f"api: {{reserve: {written}}}").api.reserve == meant


def test_streams_are_chosen_by_the_program_unless_they_are_named(load: Load) -> None:
    text = "default_streams: [stats, battery]\nsystems: [{id: 1}, {id: 2, streams: auto}, {id: 3, streams: [latest]}]"
    systems = load(text).systems
    assert systems is not None
    assert [system.streams for system in systems] == [("stats", "battery"), AUTO, ("latest",)]
    assert load("").default_streams == AUTO


def test_systems(load: Load) -> None:
    systems = load(
        "systems:\n- {id: 1}\n"
        "- {id: 2, since: 2025-01-01, until: 2025-06-30, streams: [stats], latitude: -1.5}\n"
        "- {id: 3, since: 2y}\n- {id: 4, since: all}"
    ).systems
    assert systems is not None
    assert [system.account for system in systems] == ["home"] * 4
    assert [system.since for system in systems] == [
        When(age=7 * 86400),
        When(day=date(2025, 1, 1)),
        When(age=730 * 86400),
        When(),
    ]
    assert systems[0].streams == AUTO
    assert (systems[1].streams, systems[1].until, systems[1].latitude) == (
        ("stats",),
        date(2025, 6, 30),
        -1.5,
    )
    assert load("systems: all").systems is None


def test_when() -> None:
    now = 1_750_000_000
    assert When.parse("2025-03-30").at(now, "Europe/Berlin") == 1_743_289_200
    assert When.parse("7d").at(now, "UTC") == now - 7 * 86400
    assert When.parse("all").at(now, "UTC") == 0
    assert [str(When.parse(text)) for text in ("2025-03-30", "7d", "all", "5h")] == [
        "2025-03-30",
        "7d",
        "all",
        "5h",
    ]
    for wrong in ("", "7", "d", "-7d", "2025-02-30", "1024-01-01", "yesterday", "9" * 30 + "d"):
        with pytest.raises(ValueError, match=r"all|system"):
            When.parse(wrong)


def test_accounts_of_v2(load: Load) -> None:
    text = "api: {version: v2, key: some-key}\naccounts: {a: {user_id: 012345}, b: {enlighten_id: 247}}"
    settings = load(text)
    user = settings.accounts["a"].user_id
    assert user is not None
    assert user.get_secret_value() == "012345"
    assert settings.accounts["b"].enlighten_id == 247
    assert settings.missing_credentials() == []


@pytest.mark.parametrize("written", ["off", "false", "no", "OFF", "'off'", "${WEB}"])
def test_the_page_can_be_off(load: Load, written: str) -> None:
    assert load(f"web: {written}", {"WEB": "off"}).web is None


@pytest.mark.parametrize(
    "word", ["1234", "0123", "true", "null", "a: b", "1e55", "12:30", "2025-01-01", "#xyz", "${KEY}", " xy "]
)
def test_what_a_variable_holds_stays_text(load: Load, word: str) -> None:
    account = load("accounts: {fleet: {username: u, password: ${P}}}", {"P": word}).accounts["fleet"]
    assert account.password is not None
    assert account.password.get_secret_value() == word


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0123", "0123"),
        ("true", "true"),
        ("1e55", "1e55"),
        ("12:30", "12:30"),
        ("$${KEY}", "${KEY}"),
        ("a${KEY}b${KEY}", "ak-123bk-123"),
        ("'${NONE:-x: y}'", "x: y"),
        ("${EMPTY:-xyzw}", "xyzw"),
        ("${KEY:-x}", "k-123"),
        ("${NONE:-}yyyy", "yyyy"),
        ("'${file:one.txt}'", "from file"),
        ("${SECRET}", "from SECRET_FILE"),
        ("cost$5", "cost$5"),
    ],
)
def test_interpolation(load: Load, tmp_path: Path, written: str, meant: str) -> None:
    (tmp_path / "one.txt").write_text("from file\n")
    (tmp_path / "two.txt").write_text("from SECRET_FILE\n")
    environ = {"KEY": "k-123", "EMPTY": "", "SECRET": "", "SECRET_FILE": str(tmp_path / "two.txt")}
    flow = f"accounts: {{f: {{username: u, password: {written}}}}}"
    block = f"accounts:\n  f:\n    username: u\n    password: {written}"
    for text in (flow, block):
        password = load(text, environ).accounts["f"].password
        assert password is not None
        assert password.get_secret_value() == meant


def test_numbers_may_come_from_variables(load: Load) -> None:
    settings = load("api: {plan: {per_minute: ${N}, per_month: '${N}0'}}\nsettle: ${S}", {"N": "7", "S": "5m"})
    assert (settings.api.plan.per_minute, settings.api.plan.per_month, settings.settle) == (7, 70, 300)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_unset_credentials_are_none(load: Load, value: str | None) -> None:
    environ = {} if value is None else {"KEY": value, "ID": value, "SECRET": value}
    text = LEAST.replace("${INFLUXDB_TOKEN}", "a-token")
    assert load(text, environ).missing_credentials() == ["api.key", "api.client_id", "api.client_secret"]
    simulated = text.replace("{key", "{base_url: simulator, key")
    assert load(simulated, environ).missing_credentials() == []


def test_missing_credentials_are_filled_in_by_init(load: Load) -> None:
    settings = load("")
    assert "`ingest init`" in settings.fill_in()
    assert str(settings.config_path) in settings.fill_in()


def test_other_unset_variables_are_errors(load: Load) -> None:
    said = refused(load, LEAST)
    assert "ingest.yaml:4: sinks.influx.token: the environment variable INFLUXDB_TOKEN is not set" in said
    assert said.count("\n") == 0


@pytest.mark.parametrize("file", ["", "missing", "folder", "latin1", "a\0b"])
def test_a_variable_file_that_cannot_be_read(load: Load, tmp_path: Path, file: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin1").write_bytes(b"\xe9")
    said = refused(load, "api: {key: ${KEY}}\nsettle: ${S}", {"KEY_FILE": str(tmp_path / file) if file else "\0"})
    assert "ingest.yaml:1: api.key: the file that KEY_FILE names" in said
    assert "ingest.yaml:2: settle: the environment variable S is not set" in said


def test_state_dir(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert load("api: {base_url: simulator}").state_dir == tmp_path / "state/demo"
    assert load("state_dir: ../data").state_dir == tmp_path.parent / "data"
    assert load("state_dir: /var/lib/x").state_dir == Path("/var/lib/x")
    assert load("state_dir: a", {"INGEST_STATE_DIR": "b"}).state_dir == Path("/b")
    assert load("state_dir: a", {"INGEST_STATE_DIR": "b"}, state_dir="c").state_dir == Path("/c")
    (tmp_path / "config").mkdir()
    (tmp_path / "config/x.yaml").write_text("state_dir: data")
    assert config.load(tmp_path / "config/x.yaml", {}).state_dir == tmp_path / "data"


def test_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = Path(config.__file__).parents[2] / "config"
    assert config.find(None, {}).parent == shipped
    (tmp_path / "config").mkdir()
    for name in ("ingest.yaml", "local.yaml"):
        (tmp_path / "config" / name).touch()
        assert config.find(None, {"INGEST_CONFIG": ""}) == Path("config") / name
    (tmp_path / "other.yaml").touch()
    assert config.find(None, {"INGEST_CONFIG": "other.yaml"}) == Path("other.yaml")
    assert config.find("other.yaml", {"INGEST_CONFIG": "nope"}) == Path("other.yaml")


@pytest.mark.parametrize(
    ("path", "environ", "by"),
    [("no.yaml", {}, "--config"), (None, {"INGEST_CONFIG": "no.yaml"}, "$INGEST_CONFIG")],
)
def test_a_file_that_is_not_there(path: str | None, environ: dict[str, str], by: str) -> None:
    with pytest.raises(ConfigError, match=r"no\.yaml: .* there is no such file") as caught:
        config.find(path, environ)
    assert by in str(caught.value)


def test_what_is_written_and_not_read_is_said(load: Load) -> None:
    assert load("systems: [{id: 1}, {id: 2, latitude: 40.7, longitude: 0}]").unused() == [
        "systems[1].latitude",
        "systems[1].longitude",
    ]


def test_settings_cannot_be_changed(load: Load) -> None:
    settings = load("")
    with pytest.raises(Exception, match="frozen"):
        settings.api.version = "v2"
    with pytest.raises(Exception, match="settle"):
        settings.settle = 1


@pytest.mark.parametrize("text", ["[]", "{}", "[a]"])
def test_a_state_dir_is_text(load: Load, text: str) -> None:
    with pytest.raises(ConfigError, match=r"state_dir: must be text"):
        load(f"state_dir: {text}")
