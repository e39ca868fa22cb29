"""The questions of `init`. An answer goes into the tree of the configuration; Enter keeps what is there."""

import getpass
import os
import re
import sys

import click

from ingest.config import PLANS, SIMULATOR
from ingest.config.document import Tree
from ingest.enphase.endpoints import has_tokens

Section = dict[str, Tree]
SINKS = ("none", "influxdb", "influxdb_v1")
KEEP = "keep"
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class Questions:
    """Asks for what a first configuration needs, and changes the tree in place."""

    def __init__(self, tree: Section) -> None:
        self._tree = tree

    def ask(self, base_url: str | None, redirect_uri: str | None) -> None:
        """All questions, in the order of the portal's page."""
        api = _section(self._tree, "api")
        self._cloud(api, base_url, redirect_uri)
        plan = self._plan(api)
        _hidden(api, "key", "API Key", "ENPHASE_API_KEY")
        if has_tokens(str(api.get("version", "v4"))):
            _open(api, "client_id", "Client ID", "ENPHASE_CLIENT_ID")
            _hidden(api, "client_secret", "Client Secret", "ENPHASE_CLIENT_SECRET")
        if plan == "partner":
            self._partner()
        self._sink()

    def _cloud(self, api: Section, base_url: str | None, redirect_uri: str | None) -> None:
        if api.get("base_url") == SIMULATOR:
            for demo in ("base_url", "plan"):
                api.pop(demo, None)
            self._tree.pop("systems", None)
        if base_url is not None:
            api["base_url"] = base_url.rstrip("/")
            api.setdefault("redirect_uri", f"{base_url.rstrip('/')}/oauth/redirect_uri")
        if redirect_uri is not None:
            api["redirect_uri"] = redirect_uri

    def _plan(self, api: Section) -> str:
        held = api.get("plan", "watt")
        if isinstance(held, dict):
            say("Plan: kept as written, with limits of its own.")
            return "custom"
        chosen = _choose("Plan", tuple(PLANS), str(held))
        api["plan"] = chosen
        return chosen

    def _partner(self) -> None:
        accounts = _section(self._tree, "accounts")
        name = next((name for name, one in accounts.items() if isinstance(one, dict) and "username" in one), "")
        held = accounts.get(name) if name else {}
        login: Section = held if isinstance(held, dict) else {}
        _open(login, "username", "E-mail of the partner's Enlighten login (- for an owner's consent instead)")
        if login.get("username") in (None, "-"):
            accounts.pop(name, None)
            if not accounts:
                self._tree.pop("accounts", None)
            return
        _hidden(login, "password", "Its password")
        accounts[name or "fleet"] = login

    def _sink(self) -> None:
        sinks = self._tree.get("sinks")
        held = sinks if isinstance(sinks, dict) else {}
        if held:
            say(f"Databases: {', '.join(held)}")
        words = (KEEP, *SINKS) if held else SINKS
        chosen = _choose("Database", words, words[0])
        if chosen == KEEP:
            return
        if chosen == "none":
            self._tree.pop("sinks", None)
            return
        old = next((one for one in held.values() if isinstance(one, dict) and one.get("type") == chosen), {})
        sink: Section = {"type": chosen, **{key: value for key, value in old.items() if key != "type"}}
        (_influxdb if chosen == "influxdb" else _influxdb_v1)(sink)
        name = next((name for name, one in held.items() if one is old), "influx")
        self._tree["sinks"] = {**held, name: sink}


def _influxdb(sink: Section) -> None:
    for key, words, usual in (
        ("url", "Address", "http://localhost:8086"),
        ("org", "Organization", "home"),
        ("bucket", "Bucket", "enphase"),
    ):
        _open(sink, key, words, usual=usual)
    _hidden(sink, "token", "Token that may write and read the bucket", "INFLUXDB_TOKEN")


def _influxdb_v1(sink: Section) -> None:
    _open(sink, "url", "Address", usual="http://localhost:8086")
    _open(sink, "database", "Database", usual="enphase")
    _open(sink, "username", "User (- for none)", usual="-")
    if sink.get("username") == "-":
        sink.pop("username", None)
        sink.pop("password", None)
        return
    _hidden(sink, "password", "Password")


def say(text: str) -> None:
    """To the person, on stderr."""
    click.echo(text, err=True)


def _section(tree: Section, key: str) -> Section:
    found = tree.get(key)
    if not isinstance(found, dict):
        found = tree[key] = {}
    return found


def _choose(words: str, choices: tuple[str, ...], usual: str) -> str:
    while True:
        answer = _line(f"{words} ({', '.join(choices)}) [{usual}]: ").strip().lower() or usual
        if answer in choices:
            return answer
        say(f"That is none of: {', '.join(choices)}")


def _open(section: Section, key: str, words: str, variable: str = "", usual: str = "") -> None:
    """Ask for a value that may be seen."""
    held = _held(section, key, variable) or usual
    while not (answer := _line(f"{words}{f' [{held}]' if held else ''}: ").strip() or held):
        say("This one is needed.")
    section[key] = _literal(answer) if answer != held else held


def _hidden(section: Section, key: str, words: str, variable: str = "") -> None:
    """Ask for a secret; neither what is typed nor what is there is ever shown."""
    held = _held(section, key, variable)
    shown = f" [kept, from {held}]" if held.startswith("${") else " [kept]" if held else ""
    while not (answer := _line(f"{words}{shown}: ", secret=True).strip() or held):
        say("This one is needed.")
    section[key] = _literal(answer) if answer != held else held


def _held(section: Section, key: str, variable: str) -> str:
    """What Enter keeps: the value in the file, unless it is a variable that is not set; or a variable that is."""
    value = section.get(key)
    reference = f"${{{variable}}}" if variable else ""
    is_set = bool(variable) and bool(os.environ.get(variable) or os.environ.get(f"{variable}_FILE"))
    if isinstance(value, str) and (value != reference or is_set):
        return value
    return reference if is_set else ""


def _literal(answer: str) -> str:
    """A typed value that happens to hold `${` means these characters, unless it is the name of a variable."""
    return answer if _VARIABLE.fullmatch(answer) else answer.replace("${", "$${")


def _line(prompt: str, *, secret: bool = False) -> str:
    """One line from the terminal, or from what is piped in. Raises `Abort` at its end."""
    if secret and sys.stdin.isatty():
        return getpass.getpass(prompt, sys.stderr)
    click.echo(prompt, nl=False, err=True)
    line = sys.stdin.readline()
    if not line:
        say("")
        raise click.Abort
    if not sys.stdin.isatty():
        say("")
    return line
