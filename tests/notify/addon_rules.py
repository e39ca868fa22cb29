"""What the Supervisor of Home Assistant accepts as the description of an add-on, as its documentation lists it.

https://developers.home-assistant.io/docs/apps/configuration. A key that it does not know is dropped without a word.
"""

import re
from typing import Any

REQUIRED = {"name", "version", "slug", "description", "arch"}
ARCH = {"aarch64", "amd64"}
"""The others are no longer supported."""
SWITCHES = {
    "init", "ingress", "ingress_stream", "panel_admin", "host_network", "host_pid", "host_ipc", "host_uts", "host_dbus",
    "udev", "tmpfs", "apparmor", "full_access", "audio", "video", "gpio", "usb", "uart", "devicetree",
    "kernel_modules", "realtime", "hassio_api", "homeassistant_api", "stdin", "legacy", "docker_api", "auth_api",
    "journald",
}  # fmt: skip
WORDS = {"panel_icon", "panel_title", "ingress_entry", "backup_pre", "backup_post", "homeassistant", "image"}
CHOICES = {
    "startup": {"initialize", "system", "services", "application", "once"},
    "boot": {"auto", "manual", "manual_only"},
    "stage": {"stable", "experimental", "deprecated"},
    "backup": {"hot", "cold"},
    "hassio_role": {"default", "homeassistant", "backup", "manager", "admin"},
}
PATTERNS = {
    "name": r".+",
    "version": r"\d+(\.\d+)*([-.+]?[a-z0-9]+)*",
    "slug": r"[-_.A-Za-z0-9]+",
    "description": r".+",
    "url": r"https?://.+",
    "watchdog": r"(?:https?|\[PROTO:\w+\]|tcp):\/\/\[HOST\]:(\[PORT:\d+\]|\d+).*",
    "webui": r"(?:https?|\[PROTO:\w+\]):\/\/\[HOST\]:\[PORT:\d+\].*",
}
LISTS = {
    "arch": "|".join(sorted(ARCH)),
    "services": r"(mqtt|mysql):(provide|want|need)",
    "map": r"(data|config|ssl|addons|backup|share|media|homeassistant_config|addon_config)(:(rw|ro))?",
    "discovery": r"\w+",
    "devices": r"/dev/.+",
    "privileged": r"[A-Z_]+",
    "backup_exclude": r".+",
    "machine": r"!?[\w-]+",
}
MAPPINGS = {"ports", "ports_description", "options", "schema", "environment", "ulimits"}
NUMBERS = {"timeout": range(10, 301), "ingress_port": range(65536)}
PORT = r"\d{1,5}(/(tcp|udp))?"
ELEMENT = (
    r"(?:|bool|email|url|port|device(?:\(subsystem=[a-z]+\))?|str(?:\(\d*,\d*\))?|password(?:\(\d*,\d*\))?"
    r"|int(?:\((-?\d+)?,(-?\d+)?\))?|float(?:\((-?\d*\.?\d+)?,(-?\d*\.?\d+)?\))?|match\(.*\)|list\(.+\))\??"
)
"""The type of an option."""


def faults(document: dict[str, Any]) -> list[str]:
    """Everything that the Supervisor would refuse or drop."""
    found = [f"{key} is missing" for key in sorted(REQUIRED - document.keys())]
    found += [f"{key}: {value!r}" for key, value in document.items() if not _accepted(key, value)]
    for key in ("ports", "ports_description"):
        found += [f"{key}: {port}" for port in document.get(key, {}) if not re.fullmatch(PORT, str(port))]
    return found + [f"schema.{name}: {kind!r}" for name, kind in document.get("schema", {}).items() if not _kind(kind)]


def _accepted(key: str, value: Any) -> bool:
    if key in PATTERNS:
        return isinstance(value, str) and re.fullmatch(PATTERNS[key], value) is not None
    if key in LISTS:
        return isinstance(value, list) and all(re.fullmatch(LISTS[key], str(item)) for item in value)
    if key in NUMBERS:
        return value in NUMBERS[key]
    if key in CHOICES:
        return value in CHOICES[key]
    if key in MAPPINGS:
        return isinstance(value, dict)
    return isinstance(value, bool) if key in SWITCHES else key in WORDS and isinstance(value, str)


def _kind(kind: Any, *, nested: bool = False) -> bool:
    """Whether it is a type of an option: a word, a list of one type, or a mapping, no list directly in a list."""
    if isinstance(kind, list):
        return not nested and len(kind) == 1 and _kind(kind[0], nested=True)
    if isinstance(kind, dict):
        return all(isinstance(name, str) and _kind(held) for name, held in kind.items())
    return isinstance(kind, str) and re.fullmatch(ELEMENT, kind) is not None


def refused(schema: dict[str, Any], options: dict[str, Any]) -> list[str]:
    """What the Supervisor would refuse of values for the options."""
    missing = [name for name, kind in schema.items() if name not in options and not _may_lack(kind)]
    wrong = [name for name, value in options.items() if name not in schema or not _fits(schema[name], value)]
    return [f"{name} is missing" for name in missing] + wrong


def _may_lack(kind: Any) -> bool:
    """Of a list, the type in it decides."""
    kind = kind[0] if isinstance(kind, list) else kind
    return isinstance(kind, str) and kind.endswith("?")


def _fits(kind: Any, value: Any) -> bool:
    if isinstance(kind, list):
        return isinstance(value, list) and all(_fits(kind[0], item) for item in value)
    if isinstance(kind, dict):
        return isinstance(value, dict) and not refused(kind, value)
    word = kind.removesuffix("?")
    if word == "bool":
        return isinstance(value, bool)
    if word.startswith("int"):
        return isinstance(value, int) and not isinstance(value, bool)
    if word.startswith("list("):
        return value in word[5:-1].split("|")
    return isinstance(value, str) and (word != "url" or value.startswith(("http://", "https://")))
