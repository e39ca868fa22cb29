"""Turns what pydantic says into sentences for the user, and checks what concerns several sections."""

import re
from collections.abc import Collection, Iterator

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ingest.config import homes
from ingest.config.document import Document
from ingest.config.errors import Path, dotted, hint, nearest, shown
from ingest.config.models import (
    Account,
    ApiSettings,
    Archive,
    Cadence,
    Influx,
    InfluxV1,
    Parquet,
    PlanChoice,
    System,
    Web,
)
from ingest.config.receivers import Mqtt, Notify
from ingest.config.settings import Settings
from ingest.config.tariffs import RateEntry, TariffEntry
from ingest.enphase.endpoints import has_tokens
from ingest.enphase.streams import BY_NAME

SECRET_KEYS = {"key", "client_id", "client_secret", "username", "password", "user_id", "token"}
HIDDEN_KEYS = SECRET_KEYS | {"url", "base_url", "redirect_uri", "to", "heartbeat"}
MAX_SHOWN = 40

_MODELS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Settings,
    ("api",): ApiSettings,
    ("api", "plan"): PlanChoice,
    ("accounts", "*"): Account,
    ("systems", "*"): System,
    ("streams", "*"): Cadence,
    ("sinks", "*"): Influx,
    ("web",): Web,
    ("notify",): Notify,
    ("notify", "*"): Notify,
    ("mqtt",): Mqtt,
    ("archive",): Archive,
    ("tariffs", "*"): TariffEntry,
    ("tariffs", "*", "import"): RateEntry,
    ("tariffs", "*", "import", "*"): RateEntry,
    ("tariffs", "*", "export"): RateEntry,
    ("tariffs", "*", "export", "*"): RateEntry,
}
_SENTENCES = {
    "missing": "is missing",
    "model_type": "must be a mapping of `key: value` lines",
    "model_attributes_type": "must be a mapping of `key: value` lines",
    "dict_type": "must be a mapping of `key: value` lines",
    "mapping_type": "must be a mapping of `key: value` lines",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
}


def explain(document: Document, error: ValidationError) -> None:
    """Note every error of pydantic as a problem of the document, but not what follows from an earlier one."""
    details = error.errors(include_url=False, include_input=False)
    strangers = {_path(document, detail) for detail in details if detail["type"] == "extra_forbidden"}
    intended = {(*path[:-1], nearest(str(path[-1]), _words(document, path[:-1]))) for path in strangers}
    known = [problem.path for problem in document.problems]
    for detail in details:
        path = _path(document, detail)
        follows = detail["loc"][-1:] != ("[key]",) and any(earlier[: len(path)] == path for earlier in known)
        if not follows and not (detail["type"] == "missing" and path in intended):
            document.complain(path, _sentence(document, path, detail))


def _path(document: Document, detail: ErrorDetails) -> Path:
    """Return where it is in the file; pydantic adds the kind of sink, a mark for keys, a number where one is alone."""
    path = tuple(step for step in detail["loc"] if step != "[key]")
    if path[:1] == ("sinks",) and len(path) > 2:
        path = (*path[:2], *path[3:])
    if path[:1] == ("notify",) and isinstance(document.at(("notify",)), dict):
        path = (*path[:1], *path[2:])
    if path[:1] == ("tariffs",) and path[3:4] and not isinstance(document.at(path[:3]), list):
        path = (*path[:3], *(path[4:] if isinstance(document.at(path[:3]), dict) else ()))
    return (*path, "type") if detail["type"] == "union_tag_invalid" else path


def _sentence(document: Document, path: Path, detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key; {hint(str(path[-1]), _words(document, path[:-1]))}"
    if kind == "union_tag_not_found":
        return _no_type(document, path)
    words = re.findall(r"'([^']+)'", str(context.get("expected") or context.get("expected_tags") or ""))
    if words:
        return _not_a_word(document, path, detail, words)
    sentence = context.get("error") or _SENTENCES.get(kind) or detail["msg"].removeprefix("Input ")
    return f"{sentence}{'' if kind.endswith('_type') else _value(document, path)}"


def _no_type(document: Document, path: Path) -> str:
    sink = document.at(path)
    close = nearest("type", sink) if isinstance(sink, dict) else None
    meant = f'; "{shown(close, MAX_SHOWN)}" is an unknown key, did you mean "type"?' if close else ""
    return f"type is missing; write influxdb, influxdb_v1 or parquet{meant}"


def _not_a_word(document: Document, path: Path, detail: ErrorDetails, words: list[str]) -> str:
    of = words[0] if len(words) == 1 else f"one of {', '.join(words)}"
    if detail["loc"][-1] == "[key]":
        return f"unknown key; {hint(str(path[-1]), words)}"
    value = document.at(path)
    close = nearest(value, words) if isinstance(value, str) else None
    return f"must be {of}{_value(document, path)}" + (f'; did you mean "{close}"?' if close else "")


def _value(document: Document, path: Path) -> str:
    """Return the value in question, if it is short and neither secret nor from outside the file."""
    value = document.at(path)
    secret = any(step in HIDDEN_KEYS for step in path)
    if secret or not isinstance(value, str) or "${" in value or not 0 < len(value) <= MAX_SHOWN:
        return ""
    return f' (it is "{shown(value)}")'


def _words(document: Document, path: Path) -> list[str]:
    """Return the keys that are known at a path."""
    if path[:1] == ("sinks",) and document.at((*path, "type")) == "influxdb_v1":
        return list(InfluxV1.model_fields)
    if path[:1] == ("sinks",) and document.at((*path, "type")) == "parquet":
        return list(Parquet.model_fields)
    pattern = tuple(
        "*" if isinstance(step, int) or (index == 1 and path[0] not in ("api", "tariffs")) else step
        for index, step in enumerate(path)
    )
    model = _MODELS.get(pattern)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def cross_checks(file: Settings) -> Iterator[tuple[Path, str]]:
    """Yield what is wrong between sections."""
    for name, account in file.accounts.items():
        yield from _account(file.api.version, name, account)
    first: dict[int, int] = {}
    for index, system in enumerate(file.systems or ()):
        yield from _system(file, index, system)
        if first.setdefault(system.id, index) < index:
            yield ("systems", index, "id"), f"is there twice; see {dotted(('systems', first[system.id]))}"
    if file.mqtt and file.mqtt.password is not None and file.mqtt.username is None:
        yield ("mqtt",), "has a password but no username; write both, or neither"
    yield from _addresses(file)
    yield from homes.strangers(file.homes, {system.id for system in file.systems or ()})
    yield from _tariffs(file)
    if file.archive.keep and not file.sinks:
        yield ("archive", "keep"), "needs a database among the sinks, which holds what leaves; or write all"
    if file.look_again < file.settle:
        yield ("look_again",), "must not be shorter than settle"
    if file.api.reserve >= 1:
        yield ("api", "reserve"), "leaves no call at all; write less than 100%"


def _addresses(file: Settings) -> Iterator[tuple[Path, str]]:
    """What an address is told must be said once."""
    seen: set[str] = set()
    for index, entry in enumerate(file.notify):
        for place, address in enumerate(entry.to):
            if address.get_secret_value() in seen:
                yield (
                    ("notify", *([index] if len(file.notify) > 1 else []), "to", place),
                    "is an address for the second time",
                )
            seen.add(address.get_secret_value())


def _tariffs(file: Settings) -> Iterator[tuple[Path, str]]:
    """Tariffs of one system must follow each other, in one currency."""
    listed = {str(system.id) for system in file.systems or ()}
    first: dict[tuple[str, ...], int] = {}
    begun: set[tuple[object, str]] = set()
    for index, entry in enumerate(file.tariffs):
        for name in entry.systems:
            if not _is_known(name, listed, file):
                yield ("tariffs", index, "systems"), f"{shown(name)} is none of the systems{_or_homes(file)}"
        for system in entry.systems or ("",):
            if (entry.begins, system) in begun:
                yield ("tariffs", index, "from"), "is there twice; one tariff begins at a time"
            begun.add((entry.begins, system))
        before = file.tariffs[first.setdefault(entry.systems, index)]
        if before.currency != entry.currency:
            yield ("tariffs", index, "currency"), f"must be {before.currency}, as before: sums need one currency"
    for name in file.invested:
        if name != "all" and not _is_known(name, listed, file):
            many = f"is none of the systems{_or_homes(file)}; write a number, or one for each system"
            yield ("invested", name), many


def _is_known(name: str, listed: Collection[str], file: Settings) -> bool:
    """Whether a system or home is called so; any number is where the systems are not listed."""
    return name in file.homes or name in listed or (not listed and name.isdigit())


def _or_homes(file: Settings) -> str:
    return " or homes" if file.homes else ""


def _account(version: str, name: str, account: Account) -> Iterator[tuple[Path, str]]:
    path = ("accounts", name)
    if not has_tokens(version) and account.kind != "user":
        yield path, f"needs user_id or enlighten_id with api.version {version}; or set api.version: v4"
    if has_tokens(version) and account.kind == "user":
        yield (
            path,
            "user_id and enlighten_id are for api.version v2; write {} for an owner's consent in a browser",
        )


def _system(file: Settings, index: int, system: System) -> Iterator[tuple[Path, str]]:
    path = ("systems", index)
    if system.account and system.account not in file.accounts:
        yield (
            (*path, "account"),
            f"is none of the accounts; {hint(system.account, file.accounts)}",
        )
    for number, name in enumerate(system.streams):
        if name in BY_NAME and not BY_NAME[name].is_served(file.api.version):
            yield (*path, "streams", number), f"API {file.api.version} has no {name}; leave it out"
    if not system.account and len(file.accounts) > 1:
        yield path, f"account is missing; one of {', '.join(file.accounts)}"
