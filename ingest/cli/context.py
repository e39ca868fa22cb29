"""What every command needs: the settings, the state, and the way this program is called here."""

import json
import os
import shlex
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest import config, logs
from ingest.config import Settings
from ingest.core.errors import StateError
from ingest.core.words import Command, localized
from ingest.service import identity
from ingest.service.clock import Clock
from ingest.store.database import Store, has_state

if TYPE_CHECKING:
    from ingest.web import Server


@dataclass
class Context:
    """The options before the command, and what follows from them."""

    config: str | None = None
    state_dir: str | None = None
    verbose: bool = False
    clock: Clock = field(default_factory=Clock)

    @cached_property
    def settings(self) -> Settings:
        """The configuration. Raises `ConfigError`."""
        return self.reload()

    def reload(self) -> Settings:
        """The configuration as it is now. Raises `ConfigError`."""
        settings = config.load(config.find(self.config, os.environ), os.environ, self.state_dir)
        for secret in settings.secrets():
            logs.register_secret(secret)
        return settings

    @property
    def command(self) -> Command:
        """The program as it is called here, with the options that the next call needs too."""
        started = Path(sys.argv[0])
        module = started.name == "__main__.py"
        here = f"{shlex.quote(sys.executable)} -m ingest" if module else shlex.quote(str(started))
        named = os.environ.get("INGEST_COMMAND") or ""
        parts = [named or here]
        for option, value in (("--config", self.config), ("--state-dir", self.state_dir)):
            if value:
                parts += [option, shlex.quote(value)]
        inside = named.removesuffix("ingest") if named.endswith(" ingest") else ""
        start, connect = (os.environ.get(name, "") for name in ("INGEST_START", "INGEST_CONNECT"))
        return Command(" ".join(parts), start, connect, inside)

    def address(self, page: "Server | None") -> str:
        """Where the page is opened from: in a container it is another address than inside. Empty without a page."""
        return (os.environ.get("INGEST_PAGE") or page.url) if page else ""

    def localized(self, text: str) -> str:
        """A sentence in which commands begin as they are called here."""
        return localized(text, self.command)

    def show(self, text: str) -> None:
        """Print a result, on stdout."""
        click.echo(self.localized(text))

    def say(self, text: str) -> None:
        """Print progress and advice, on stderr."""
        click.echo(self.localized(text), err=True)

    def show_json(self, document: object) -> None:
        """Print a result as one JSON document."""
        command = self.command.quoted(lambda text: json.dumps(text, ensure_ascii=False)[1:-1])
        click.echo(localized(json.dumps(document, ensure_ascii=False), command))

    def state(self) -> Store:
        """The state, to read it and to ask for history; a runner may be at work. Raises `StateError` without one."""
        if not has_state(self.settings.state_dir):
            raise StateError(f"{self.settings.state_dir}: there is no data yet; start with `ingest run`")
        known = not self.settings.missing_credentials()
        return identity.open_store(self.settings, self.cloud if known else None)

    @property
    def cloud(self) -> identity.CloudIdentity:
        """The cloud of the settings. Raises `ConfigError` when credentials are missing."""
        return identity.simulated_cloud("") if self.settings.is_simulated else identity.cloud_of(self.settings)
