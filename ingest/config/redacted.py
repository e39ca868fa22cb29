"""The settings as a bug report may show them."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from ingest.config.settings import Settings

HIDDEN = "(hidden)"


def redacted(settings: Settings) -> dict[str, Any]:
    """The settings in force as plain values, without secrets and without names of users."""
    return {name: _plain(value) for name, value in vars(settings).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {name: _plain(item) if fields[name].repr or item is None else HIDDEN for name, item in value}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
