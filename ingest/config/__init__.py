"""YAML to typed, validated settings; errors name file, line, key and what to do.

`find` says which file, `load` reads it. Everything wrong is one ConfigError, never a traceback or a secret.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from ingest.config.document import read
from ingest.config.errors import config_error, hint, nearest
from ingest.config.interpolate import interpolate, secret_files
from ingest.config.models import (
    PLANS,
    SUBSCRIPTIONS,
    Account,
    ApiSettings,
    Cadence,
    Influx,
    InfluxV1,
    Parquet,
    PlanChoice,
    SinkEntry,
    System,
    Web,
)
from ingest.config.receivers import Mqtt, Notify
from ingest.config.schema import json_schema
from ingest.config.settings import ConfigLocation, Settings, fingerprint, message_name
from ingest.config.validation import cross_checks, explain
from ingest.config.values import SIMULATOR, seconds, share
from ingest.core.errors import ConfigError
from ingest.core.when import When

__all__ = [
    "PLANS",
    "SIMULATOR",
    "SUBSCRIPTIONS",
    "Account",
    "ApiSettings",
    "Cadence",
    "Influx",
    "InfluxV1",
    "Mqtt",
    "Notify",
    "Parquet",
    "PlanChoice",
    "Settings",
    "SinkEntry",
    "System",
    "Web",
    "When",
    "find",
    "fingerprint",
    "hint",
    "json_schema",
    "load",
    "message_name",
    "nearest",
    "seconds",
    "secret_files",
    "share",
]

NAMES = (Path("config/local.yaml"), Path("config/ingest.yaml"))


SHIPPED = Path(__file__).parents[1] / "shipped"
"""Where an installed program carries the files of the stack; there is no such folder in a checkout."""


def find(path: str | None, environ: Mapping[str, str]) -> Path:
    """Return the file that --config (`path`) or $INGEST_CONFIG names, else config/local.yaml or ingest.yaml.

    The last two are looked for in the current directory, then in the checkout that holds the program; at last the
    demonstration that an installed program carries is taken.
    """
    for named, by in ((path, "--config"), (environ.get("INGEST_CONFIG"), "$INGEST_CONFIG")):
        if named:
            return _existing(Path(named), by)
    looked = [folder / name for folder in (Path(), Path(__file__).parents[2]) for name in NAMES]
    looked += [SHIPPED / NAMES[1]]
    found = next((file for file in looked if file.exists()), None)
    if found is None:
        places = ", ".join(str(file) for file in looked)
        raise ConfigError(f"no configuration found; looked for {places}; name one by --config or $INGEST_CONFIG")
    return found


def _existing(path: Path, by: str) -> Path:
    try:
        path.stat()
    except (OSError, ValueError) as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else "it cannot be reached"
        raise ConfigError(f"{path}: {by} names this file, but {why}; check the path") from error
    return path


def _of_demonstration(path: Path | str, environ: Mapping[str, str]) -> str | None:
    """Where the data of the demonstration go that an installed program carries: beside itself is no place for them."""
    if not Path(path).absolute().is_relative_to(SHIPPED):
        return None
    return f"{environ.get('XDG_STATE_HOME') or '~/.local/state'}/enphase-ingest/demo"


def load(path: Path | str, environ: Mapping[str, str] = os.environ, state_dir: str | None = None) -> Settings:
    """Read and check a file. `state_dir` (--state-dir), then $INGEST_STATE_DIR, win over what the file says.

    These two are relative to the current directory. `state_dir` in the file is relative to the file's own
    folder, or to the folder above it where that is named `config`.
    """
    named = state_dir or environ.get("INGEST_STATE_DIR") or _of_demonstration(path, environ)
    location = ConfigLocation(Path(path).absolute(), named)
    document = read(Path(path))
    tree = interpolate(document, environ)
    found = None
    try:
        found = Settings.model_validate(tree or {}, context=location)
        for where, text in cross_checks(found):
            document.complain(where, text)
    except ValidationError as error:
        explain(document, error)
    if found is None or document.problems:
        raise config_error(document.file, document.problems) from None
    return found
