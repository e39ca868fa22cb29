"""The add-on of Home Assistant: its description by the Supervisor's rules, and what its options become."""

import json
import re
import stat
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import ingest
from ingest import config
from ingest.config import Settings
from tests.notify import addon_rules as rules

ROOT = Path(__file__).parents[2]
ADDON = ROOT / "contrib/home-assistant/enphase_ingest"
DESCRIPTION: dict[str, Any] = yaml.safe_load((ADDON / "config.yaml").read_text())
BROKER = {
    "host": "core-mosquitto",
    "port": 1883,
    "ssl": False,
    "username": "addons",
    "password": "broker-password",
    "protocol": "3.1.1",
}
FULL = {
    "simulated": False,
    "api_key": "a-key",
    "client_id": "an-id",
    "client_secret": "with ${braces} and $signs",
    "redirect_uri": "http://homeassistant.local:8080/oauth/callback",
    "plan": "kilowatt",
    "systems": [{"id": 1234567, "since": "2y"}, {"id": 7654321}],
    "mqtt": True,
    "influxdb_url": "http://influx.local:8086",
    "influxdb_org": "home",
    "influxdb_bucket": "solar",
    "influxdb_token": "a-token",
    "notify": ["ntfy://my-topic"],
    "heartbeat": "https://hc-ping.com/6ea46a6e",
    "hosts": ["solar.example"],
}


def _program() -> ModuleType:
    """Without the bytecode that an import would leave in the folder, which is shipped."""
    module, path = ModuleType("addon_run"), ADDON / "run.py"
    exec(compile(path.read_text(), str(path), "exec"), module.__dict__)  # noqa: S102
    return module


run = _program()


def settings(folder: Path, options: dict[str, Any], broker: dict[str, Any] | None = None) -> Settings:
    (folder / "options.json").write_text(json.dumps(options))
    path = run.write(folder, folder / "own/ingest.yaml", lambda: broker)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return config.load(path, {"INGEST_STATE_DIR": str(folder)})


def test_the_description_keeps_the_rules_of_the_supervisor() -> None:
    assert rules.faults(DESCRIPTION) == []
    assert rules.refused(DESCRIPTION["schema"], DESCRIPTION["options"]) == []
    assert DESCRIPTION["options"].keys() <= DESCRIPTION["schema"].keys()
    assert DESCRIPTION["ports"].keys() == DESCRIPTION["ports_description"].keys()


@pytest.mark.parametrize(
    ("key", "value"),
    [("startup", "early"), ("arch", ["armv7"]), ("webui", "http://here/"), ("schema", {"a": "string"}),
     ("color", "red"), ("tmpfs", "yes"), ("services", ["mqtt:must"]), ("ports", {"web": 1}),
     ("schema", {"a": [["str"]]})],
)  # fmt: skip
def test_the_rules_notice_what_is_wrong(key: str, value: Any) -> None:
    assert rules.faults(DESCRIPTION | {key: value})


def test_it_is_of_this_version_and_for_the_machines_that_the_image_is_built_for() -> None:
    assert DESCRIPTION["version"] == ingest.__version__
    release = (ROOT / ".github/workflows/release.yml").read_text()
    platforms = re.search(r"platforms: (\S+)", release)
    assert platforms
    names = {"linux/amd64": "amd64", "linux/arm64": "aarch64"}
    assert sorted(names[each] for each in platforms[1].split(",")) == sorted(DESCRIPTION["arch"])


def test_every_option_is_explained_and_used(tmp_path: Path) -> None:
    words = yaml.safe_load((ADDON / "translations/en.yaml").read_text())
    assert words["configuration"].keys() == DESCRIPTION["schema"].keys() == FULL.keys()
    assert words["network"].keys() == DESCRIPTION["ports"].keys()
    assert rules.refused(DESCRIPTION["schema"], FULL) == []
    whole = run.configuration(FULL, lambda: BROKER)
    for name in FULL.keys() - {"simulated"}:
        less = {key: value for key, value in FULL.items() if key != name}
        assert run.configuration(less, lambda: BROKER) != whole, name


def test_the_options_become_a_configuration(tmp_path: Path) -> None:
    made = settings(tmp_path, FULL, BROKER)
    assert made.missing_credentials() == []
    assert made.api.client_secret
    assert made.api.client_secret.get_secret_value() == FULL["client_secret"]
    assert made.api.plan.per_month == 50_000
    assert [system.id for system in made.systems or ()] == [1234567, 7654321]
    assert made.mqtt
    assert made.mqtt.target == ("core-mosquitto", 1883)
    assert list(made.sinks) == ["influx"]
    assert len(made.receivers()) == 3
    assert made.web
    assert made.web.listen == "0.0.0.0:8080"
    assert made.web.hosts == ("solar.example",)


def test_as_it_is_installed_it_starts_and_says_what_is_missing(tmp_path: Path) -> None:
    made = settings(tmp_path, DESCRIPTION["options"])
    assert made.missing_credentials() == ["api.key", "api.client_id", "api.client_secret"]
    assert made.fill_in() == "Fill in the options of the add-on, and start it again"
    assert made.mqtt is None
    assert made.systems is None
    assert not made.is_simulated
    assert settings(tmp_path, DESCRIPTION["options"] | {"simulated": True}).is_simulated


def test_a_broker_with_tls_and_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    made = settings(tmp_path, {"mqtt": True}, BROKER | {"port": 8883, "ssl": True})
    assert made.mqtt
    assert made.mqtt.tls
    assert settings(tmp_path, {"mqtt": False}, BROKER).mqtt is None
    monkeypatch.setattr(run, "BROKER", "http://127.0.0.1:1/services/mqtt")
    assert run.supervisor() is None
    assert "names no MQTT broker" in capsys.readouterr().out


def test_a_configuration_of_ones_own_wins(tmp_path: Path) -> None:
    own = tmp_path / "own/ingest.yaml"
    own.parent.mkdir()
    own.write_text("api: {base_url: simulator}\n")
    assert run.write(tmp_path, own, lambda: None) == own


def test_its_image_is_that_of_the_project() -> None:
    text = (ADDON / "Dockerfile").read_text()
    assert re.findall(r"^(?:ARG|FROM) .*", text, re.M) == ["ARG IMAGE=enphase-ingest:local", "FROM ${IMAGE}"]
    assert 'ENTRYPOINT ["python3", "/opt/addon/run.py"]' in text
    assert 'INGEST_CONNECT="the options of the add-on"' in text, "what stands in the place of `ingest init`"
    assert not (ADDON / "build.yaml").exists(), "deprecated"
