"""The files that are shipped: the annotated one, the examples, the schema."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import config
from ingest.core.errors import ConfigError

ROOT = Path(config.__file__).parents[2]
SHIPPED = ROOT / "config/ingest.yaml"
SCHEMA = ROOT / "config/ingest.schema.json"
EXAMPLES = sorted((ROOT / "config/examples").glob("*.yaml"))
REGENERATE = "python -m ingest.config > config/ingest.schema.json"
DEFAULT = re.compile(r"^( *)# ([a-z_]+: .+|[a-z_]+:)$")


def environment(file: Path) -> dict[str, str]:
    return {name: f"{name}-value" for name in re.findall(r"\$\{([A-Z0-9_]+)\}", file.read_text())}


def as_json(text: str) -> Any:
    """Read YAML as editors do: dates are text, `on` and `off` are words or booleans alike."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


VALIDATOR = jsonschema.Draft202012Validator(config.json_schema())


def test_the_shipped_file_runs_with_the_simulator_alone() -> None:
    settings = config.load(SHIPPED, {})
    assert settings.is_simulated
    assert settings.sinks == {}
    assert settings.missing_credentials() == []
    assert settings.api.plan.per_month >= 100_000
    assert settings.state_dir == ROOT / "state/demo"


def commented() -> list[tuple[int, str]]:
    lines = SHIPPED.read_text().splitlines()
    return [(number, line) for number, line in enumerate(lines) if DEFAULT.match(line) and "yaml-language" not in line]


@pytest.mark.parametrize(("number", "line"), commented(), ids=[line.strip() for _, line in commented()])
def test_a_commented_value_is_the_default(tmp_path: Path, number: int, line: str) -> None:
    lines = SHIPPED.read_text().splitlines()
    lines[number] = DEFAULT.sub(r"\1\2", line)
    folder = tmp_path / "config"
    folder.mkdir()
    for name, text in (("plain.yaml", SHIPPED.read_text()), ("with.yaml", "\n".join(lines))):
        (folder / name).write_text(text)
    plain, written = (config.load(folder / name, {}) for name in ("plain.yaml", "with.yaml"))
    assert vars(written) | {"config_path": None} == vars(plain) | {"config_path": None}


def test_every_key_is_in_the_shipped_file() -> None:
    text = SHIPPED.read_text()
    models = [config.json_schema(), *config.json_schema()["$defs"].values()]
    missing = {
        key for model in models for key in model["properties"] if not re.search(rf"\b{key}: |\b{key}:$", text, re.M)
    }
    assert missing <= {"per_minute", "per_month"}


def test_there_are_examples() -> None:
    assert {file.stem for file in EXAMPLES} >= {"home", "partner", "legacy-v2", "own-influx"}


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_loads_with_the_environment_it_names(file: Path) -> None:
    settings = config.load(file, environment(file))
    assert settings.missing_credentials() == []
    assert settings.sinks
    assert not settings.is_simulated


@pytest.mark.parametrize("file", [SHIPPED, *EXAMPLES], ids=lambda file: file.stem)
def test_editors_find_the_schema_and_accept_the_file(file: Path) -> None:
    name = file.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (file.parent / name).resolve() == SCHEMA
    text = re.sub(r"(?<=: )(\$\{.*?\})", r"'\1'", file.read_text())
    VALIDATOR.validate(as_json(text))


def test_the_schema_is_up_to_date() -> None:
    made = subprocess.run([sys.executable, "-m", "ingest.config"], capture_output=True, text=True, check=True).stdout
    assert SCHEMA.read_text() == made, f"run: {REGENERATE}"
    jsonschema.Draft202012Validator.check_schema(json.loads(made))


SCALARS = st.sampled_from(["15m", "10%", "0.1", "42", "all", "off", "2025-01-31", "7d", "stats", "v2", "watt", "${X}"])
VALUES: st.SearchStrategy[object] = (
    SCALARS | st.integers(0, 400) | st.booleans() | st.none() | st.floats(0, 50) | st.just("http://x:1") | st.just([])
)
PLACES = [
    ("version: ", "api: {{version: {}}}"),
    ("api", "api: {{reserve: {}, backfill_share: {}, key: {}, base_url: {}, redirect_uri: {}}}"),
    ("plan", "api: {{plan: {}}}"),
    ("plan", "api: {{plan: {{per_minute: {}, per_month: {}}}}}"),
    ("accounts", "accounts: {{home: {}}}"),
    ("accounts", "accounts: {{home: {{username: {}, password: {}}}}}"),
    ("systems", "systems: {}"),
    ("systems", "systems: [{{id: {}, since: {}}}]"),
    ("systems", "systems: [{{id: 1, account: {}, streams: [{}], until: {}, latitude: {}}}]"),
    ("streams", "streams: {{stats: {{every: {}}}}}"),
    ("sinks", "sinks: {}"),
    ("sinks", "sinks: {{a: {{type: influxdb, url: {}, token: {}, org: {}, bucket: {}}}}}"),
    ("sinks", "sinks: {{a: {{type: influxdb_v1, url: {}, database: {}, username: {}, password: {}}}}}"),
    ("more", "settle: {}\nlook_again: {}\nstate_dir: {}\nweb: {}"),
    ("web", "web: {{listen: {}, hosts: [{}]}}"),
]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), st.lists(VALUES, min_size=5, max_size=5), st.sampled_from(["5m", "v4", "off", "10%"]))
def test_the_schema_accepts_what_the_loader_accepts(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str, str], values: list[object], x: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "accepted.yaml"
    text = place[1].format(*map(json.dumps, values))
    file.write_text(text)
    try:
        config.load(file, {"X": x})
    except ConfigError:
        return
    VALIDATOR.validate(as_json(text))


@pytest.mark.parametrize(
    "text",
    ["apii: {}", "api: {verson: v4}", "api: {version: v3}", "api: {plan: kilo}", "sinks: {a: {type: influx}}",
     "streams: {stat: {every: 1h}}", "systems: [{}]", "web: on", "settle: soon", "settle: 6"],
)  # fmt: skip
def test_the_schema_refuses_what_is_wrong(text: str) -> None:
    assert not VALIDATOR.is_valid(as_json(text))
