"""The whole configuration: the file as it may be written, and the settings that follow from it."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from ingest.config import values
from ingest.config.models import (
    Account,
    ApiSettings,
    Cadence,
    CadenceName,
    Influx,
    InfluxV1,
    Section,
    System,
    Web,
)
from ingest.config.receivers import HeartbeatUrl, Mqtt, Notify
from ingest.config.values import SIMULATOR, word_error
from ingest.core.units import DAY, HOUR
from ingest.enphase.catalogue import CADENCES
from ingest.plan.quota import Plan
from ingest.plan.work import Classes

LEAST_TOKEN = 8
"""Shorter parts of an address are words, which cannot be hidden wherever they stand."""
OFF = ("off", "false", "no")
Sink = Annotated[Influx | InfluxV1, Field(discriminator="type")]


def fingerprint(secret: str) -> str:
    """A name for a secret that does not tell it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def scheme(address: SecretStr) -> str:
    """The kind of a receiver, such as ntfy: the only part of an address that is surely no secret."""
    return address.get_secret_value().partition("://")[0].lower()


def secret_parts(address: str) -> list[str]:
    """An address and those of its parts that are long enough to be a token."""
    parts = re.split(r"[/?&=@:#,]+", address.partition("://")[2])
    return [address, *(part for part in parts if len(part) >= LEAST_TOKEN)]


def _all_or_list(value: Any) -> Any:
    if isinstance(value, str):
        if value.strip() != "all":
            raise word_error(["all"])
        return None
    if value == []:
        raise ValueError("is an empty list; name a system, or write all")
    return value


def _off_or_mapping(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() in OFF else value


def _open(value: Any) -> Any:
    """Read `{name:}` as `{name: {}}`."""
    return {key: {} if item is None else item for key, item in value.items()} if isinstance(value, dict) else value


def _some(accounts: Mapping[str, Account]) -> Mapping[str, Account]:
    if not accounts:
        raise ValueError("is empty; write {home: {}}, or leave it out")
    return accounts


class ConfigFile(Section):
    """What a configuration file may hold."""

    api: ApiSettings = ApiSettings()
    """The cloud and the application registered there."""
    accounts: Annotated[Mapping[values.Name, Account], BeforeValidator(_open), AfterValidator(_some)] = Field(
        default={"home": Account()}
    )
    """Who consented: a name of your choice, and how."""
    systems: Annotated[tuple[System, ...] | None, BeforeValidator(_all_or_list)] = None
    """all (every system the accounts can see), or a list."""
    streams: Mapping[CadenceName, Cadence] = Field(default={})
    """How often each stream is asked."""
    sinks: Mapping[values.Name, Sink] = Field(default={})
    """The databases; without any, the data stays in the embedded archive."""
    settle: values.Seconds = 6 * HOUR
    """What is younger is read again with the next call."""
    look_again: values.Seconds = 4 * DAY
    """What was read younger than this is read once more at this age."""
    state_dir: values.Text | None = None
    """Folder of tokens and archive; relative to the project (the folder above `config/`)."""
    web: Annotated[Web | None, BeforeValidator(_off_or_mapping)] = Web()
    """The status page, or off."""
    notify: Notify | None = None
    """Who gets messages."""
    heartbeat: HeartbeatUrl | None = None
    """Address that is asked while all is well, and with /fail behind it when reading has stopped."""
    mqtt: Mqtt | None = None
    """Home Assistant's broker."""


@dataclass(frozen=True)
class Settings:
    """The configuration as the program uses it: complete, checked, paths absolute; repr shows no secret."""

    config_path: Path
    state_dir: Path
    api: ApiSettings
    accounts: Mapping[str, Account]
    systems: tuple[System, ...] | None
    streams: Mapping[str, Cadence]
    sinks: Mapping[str, Influx | InfluxV1]
    settle: int
    look_again: int
    web: Web | None
    notify: Notify | None = None
    heartbeat: SecretStr | None = None
    mqtt: Mqtt | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether the built-in simulator stands for the cloud."""
        return self.api.base_url == SIMULATOR

    @property
    def plan(self) -> Plan:
        """The limits of the plan."""
        return Plan(self.api.plan.per_minute, self.api.plan.per_month)

    @property
    def ages(self) -> Classes:
        """The age classes: when data are settled, and when they are looked at again."""
        return Classes(self.settle, self.look_again)

    @property
    def ledger_name(self) -> str:
        """The name under which the calls of the API key are counted: a new key starts a new ledger."""
        if self.is_simulated:
            from ingest.simulator import API_KEY  # noqa: PLC0415 - only the simulated run needs it

            return fingerprint(API_KEY)
        return fingerprint(self.api.key.get_secret_value() if self.api.key else "")

    @property
    def version(self) -> str:
        """The version of the API: "v2" or "v4"."""
        return self.api.version

    def every(self, stream: str) -> int:
        """Return the cadence of a stream, in seconds."""
        return self.streams[stream].every

    def missing_credentials(self) -> list[str]:
        """Return which keys must be filled in before the cloud can be asked, such as `api.key`."""
        if self.is_simulated:
            return []
        needed = ("key",) if self.api.version == "v2" else ("key", "client_id", "client_secret")
        return [f"api.{name}" for name in needed if getattr(self.api, name) is None]

    @property
    def price(self) -> float:
        """US dollars for a call beyond the free ones; 0 where there are none, and of the simulator."""
        return 0.0 if self.is_simulated else self.api.plan.price_per_further_call

    def connect(self) -> str:
        """Return the commands that connect a system. `init` cannot write the file of a container, or of a service."""
        writable = os.access(self.config_path, os.W_OK)
        return "`ingest init`" if writable else "`scripts/secrets.sh`, then `docker compose up -d`"

    def fill_in(self) -> str:
        """Return what to do about missing credentials."""
        return f"Fill in with {self.connect()}, or in {self.config_path}"

    def secrets(self) -> list[str]:
        """Return every secret in it, for the redaction of logs."""
        sections: list[Section] = [self.api, *self.accounts.values(), *self.sinks.values()]
        sections += [self.mqtt] if self.mqtt else []
        found = [value for section in sections for _, value in section]
        plain = [value.get_secret_value() for value in found if isinstance(value, SecretStr)]
        addresses = [*(self.notify.to if self.notify else ()), *([self.heartbeat] if self.heartbeat else ())]
        return [*plain, *(part for address in addresses for part in secret_parts(address.get_secret_value()))]

    def receivers(self) -> dict[str, str]:
        """Who is told, by the name under which that is remembered: a label that tells no secret."""
        found = {
            f"message.{fingerprint(address.get_secret_value())}": f"{scheme(address)} (notify.to[{index}])"
            for index, address in enumerate(self.notify.to if self.notify else ())
        }
        return {
            **({"heartbeat": "heartbeat"} if self.heartbeat else {}),
            **({"mqtt": "mqtt"} if self.mqtt else {}),
            **found,
        }


def settings(file: ConfigFile, config_path: Path, state_dir: Path) -> Settings:
    """Complete what a file says: every stream has a cadence, every system its account."""
    only = next(iter(file.accounts)) if len(file.accounts) == 1 else ""
    systems = file.systems and tuple(
        system if system.account else system.model_copy(update={"account": only}) for system in file.systems
    )
    cadences = {name: Cadence(every=every) for name, every in CADENCES.items()}
    return Settings(
        config_path=config_path,
        state_dir=state_dir,
        api=file.api,
        accounts=file.accounts,
        systems=systems,
        streams={**cadences, **file.streams},
        sinks=file.sinks,
        settle=file.settle,
        look_again=file.look_again,
        web=file.web,
        notify=file.notify,
        heartbeat=file.heartbeat,
        mqtt=file.mqtt,
    )
