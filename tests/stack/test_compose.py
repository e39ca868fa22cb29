"""The compose files against the specification, against what old compose accepts, and against what we promise."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from ingest import config
from ingest.cli.database import setup_database
from tests.stack.boards import ROOT

COMPOSE = ("docker-compose.yml", "docker-compose.demo.yml", "docker-compose.ingest.yml")
COMBINED = (("docker-compose.yml",), ("docker-compose.yml", "docker-compose.demo.yml"), ("docker-compose.ingest.yml",))
OLD = json.loads((Path(__file__).parent / "vendor/compose-1.29.json").read_text())
ENVIRONMENT = {
    "ENPHASE_API_KEY": "",
    "ENPHASE_CLIENT_ID": "",
    "ENPHASE_CLIENT_SECRET": "",
    "INFLUXDB_BUCKET": "enphase",
    "INFLUXDB_TOKEN": "a-token",
    "INFLUXDB_SECRET": "a-secret",
    "INFLUXDB_URL": "http://influx.example:8086",
}


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return document


def merged(names: tuple[str, ...]) -> dict[str, Any]:
    """Files put on top of each other as compose does: mappings are merged, a volume is known by where it is mounted."""
    document: dict[str, Any] = {}
    for name in names:
        document = _merge(document, load(name), "")
    return document


def _merge(below: Any, above: Any, key: str) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {name: _merge(below.get(name), value, name) for name, value in above.items()}
    if key == "volumes" and isinstance(below, list):
        places = {volume.split(":")[1]: volume for volume in [*below, *above]}
        return list(places.values())
    return above


each_stack = pytest.mark.parametrize("names", COMBINED, ids="+".join)


@pytest.mark.parametrize("names", [*((name,) for name in COMPOSE), *COMBINED[1:2]], ids="+".join)
def test_valid_by_the_compose_specification(names: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text(yaml.safe_dump(merged(names)))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("names", [*((name,) for name in COMPOSE), *COMBINED[1:2]], ids="+".join)
def test_valid_by_what_old_compose_accepts(names: tuple[str, ...]) -> None:
    errors = jsonschema.Draft7Validator(OLD).iter_errors(merged(names))
    assert [error.message for error in errors] == []


@pytest.mark.parametrize(
    "broken",
    [
        {"name": "x"},
        {"include": ["other.yml"]},
        {"services": {"a": {"image": "b", "healthcheck": {"start_interval": "1s"}}}},
        {"services": {"a": {"image": "b", "env_file": [{"path": "x"}]}}},
        {"secrets": {"a": {"environment": "X"}}},
        {"configs": {"a": {"content": "X"}}},
    ],
    ids=str,
)
def test_the_old_schema_does_refuse_what_is_newer(broken: dict[str, Any]) -> None:
    assert list(jsonschema.Draft7Validator(OLD).iter_errors(broken))


@each_stack
def test_every_service_is_confined(names: tuple[str, ...]) -> None:
    for name, service in merged(names)["services"].items():
        assert service["restart"] == ("no" if name == "setup" else "unless-stopped"), name
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
        assert re.search(r":[\w.-]*\d|:local$", service["image"]), "pinned"
        assert not service["image"].endswith(":latest")
        assert "privileged" not in service
        for port in service.get("ports", ()):
            assert port.startswith("${BIND_ADDRESS:-127.0.0.1}:")


@each_stack
def test_memory_fits_a_small_computer(names: tuple[str, ...]) -> None:
    limits = [int(service["mem_limit"].removesuffix("m")) for service in merged(names)["services"].values()]
    assert sum(limits) <= 1500


def test_the_database_has_no_port_and_is_set_up_before_anybody_uses_it() -> None:
    services = load("docker-compose.yml")["services"]
    assert "ports" not in services["influxdb"]
    assert services["setup"]["depends_on"] == {"influxdb": {"condition": "service_healthy"}}
    for name in ("ingest", "grafana"):
        assert services[name]["depends_on"] == {
            "influxdb": {"condition": "service_healthy"},
            "setup": {"condition": "service_completed_successfully"},
        }


def test_health_is_asked_by_http_and_not_by_a_stored_configuration() -> None:
    service = load("docker-compose.yml")["services"]["influxdb"]
    assert service["healthcheck"]["test"] == ["CMD", "curl", "-fsS", "http://localhost:8086/health"]


@pytest.mark.parametrize("names", COMBINED[:2], ids="+".join)
def test_who_sees_which_secret(names: tuple[str, ...]) -> None:
    """The administrator's reach the one-shot service alone; the pipeline's token, that service and the pipeline."""
    document = merged(names)
    seen = {name: set(service.get("secrets", ())) for name, service in document["services"].items()}
    assert seen == {
        "influxdb": set(),
        "setup": {"influxdb_admin_password", "influxdb_admin_token", "influxdb_grafana_password"},
        "ingest": {"enphase_api_key", "enphase_client_id", "enphase_client_secret"},
        "grafana": {"grafana_admin_password", "influxdb_grafana_password"},
    }
    mounted = {
        name: mode
        for name, service in document["services"].items()
        for source, place, *mode in (volume.split(":") for volume in service["volumes"])
        if place == "/var/lib/influxdb-token"
    }
    assert mounted == {"setup": [], "ingest": ["ro"]}
    for name, service in document["services"].items():
        binds = [volume.split(":")[0] for volume in service["volumes"] if volume.startswith(("./", "/"))]
        assert not [bind for bind in binds if "secret" in bind or bind in ("./", ".", "/")], name


def test_the_one_shot_service_gives_the_command_what_it_needs() -> None:
    """Every variable it is given is one that `setup-database` reads."""
    given = load("docker-compose.yml")["services"]["setup"]
    assert given["command"] == "setup-database"
    known = {parameter.envvar for parameter in setup_database.params if isinstance(parameter, click.Option)}
    assert set(given["environment"]) <= known | {"INGEST_COMMAND"}


def test_the_demonstration_touches_nothing_of_the_real_stack() -> None:
    real, demo = merged(COMBINED[0]), merged(COMBINED[1])
    own = {volume["name"] for volume in real["volumes"].values()}
    for name, service in demo["services"].items():
        sources = [volume.split(":")[0] for volume in service["volumes"]]
        used = {demo["volumes"][source]["name"] for source in sources if not source.startswith(".")}
        assert not used & own, name
        places = [volume.split(":")[1] for volume in service["volumes"]]
        assert len(places) == len(real["services"][name]["volumes"])
    buckets = {
        demo["services"]["setup"]["environment"]["INFLUXDB_BUCKET"],
        demo["services"]["ingest"]["environment"]["INFLUXDB_BUCKET"],
        demo["services"]["grafana"]["environment"]["INFLUXDB_BUCKET"],
    }
    assert buckets == {"enphase_demo"}
    assert demo["services"]["grafana"]["environment"]["DATASOURCE_NAME"] == "SIMULATED DATA"


@each_stack
def test_what_is_mounted_exists(names: tuple[str, ...]) -> None:
    for service in merged(names)["services"].values():
        for volume in service["volumes"]:
            source = volume.replace("${INFLUXDB_VERSION:-2}", "2").split(":")[0]
            assert not source.startswith(".") or (ROOT / source).exists(), source


@each_stack
def test_every_variable_has_a_default_or_a_sentence(names: tuple[str, ...]) -> None:
    for name in names:
        for variable in re.findall(r"\$\{([^}]*)\}", (ROOT / name).read_text()):
            assert ":-" in variable or re.search(r":\?.{20,}", variable), variable


def test_settings_and_example_agree() -> None:
    example = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    used = {
        variable
        for name in COMPOSE
        for variable in re.findall(r"\$\{([A-Z_]+)", (ROOT / name).read_text())
        if variable != "SECRETS_DIR"
    }
    assert used == example


@each_stack
def test_secrets_come_from_files_only(names: tuple[str, ...]) -> None:
    document = merged(names)
    declared = document["secrets"]
    assert all(list(secret) == ["file"] for secret in declared.values())
    used: set[str] = set()
    for service in document["services"].values():
        given = set(service.get("secrets", ()))
        used |= given
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET|API_KEY|CLIENT_ID", variable):
                assert variable.endswith("_FILE")
                held = value.removeprefix("/run/secrets/") in given
                assert held or value == "/var/lib/influxdb-token/token", variable
    assert used == set(declared)


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("compose*.yaml")), ids=lambda file: file.name)
def test_the_configurations_of_the_containers_load(file: Path) -> None:
    """Empty Enphase values mean later: the service starts and waits."""
    settings = config.load(file, ENVIRONMENT)
    assert settings.web is not None
    assert settings.web.listen == "0.0.0.0:8080"
    assert settings.is_simulated == (file.name in ("compose.demo.yaml", "compose.image.yaml"))
    assert settings.missing_credentials() == (
        [] if settings.is_simulated else ["api.key", "api.client_id", "api.client_secret"]
    )


@each_stack
def test_the_configuration_asks_for_nothing_that_compose_does_not_give(names: tuple[str, ...]) -> None:
    service = merged(names)["services"]["ingest"]
    given = {name.removesuffix("_FILE") for name in service["environment"]}
    for version in ("1", "2"):
        volumes = [volume.replace("${INFLUXDB_VERSION:-2}", version) for volume in service["volumes"]]
        (mounted,) = [volume.split(":")[0] for volume in volumes if "/etc/ingest" in volume]
        assert set(re.findall(r"\$\{([A-Z_]+)", (ROOT / mounted).read_text())) <= given


def test_only_what_the_image_needs_goes_to_the_builder() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    assert {source for line in copied for source in line.split()} <= allowed
    assert all((ROOT / name).exists() for name in allowed)


def test_the_image_is_what_we_promise() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert len(re.findall(r"^FROM \$\{PYTHON_IMAGE\}", text, re.M)) == 2
    assert "\nUSER 1000:1000\n" in text
    assert "HEALTHCHECK" in text
    assert not re.search(r"^RUN .*--mount|^# syntax=|\bcurl\b.*healthz|\bwget\b.*healthz", text, re.M)
