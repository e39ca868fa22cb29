"""The whole configuration: what a file may hold, and the settings that follow from it."""

import hashlib
import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple, cast

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, ValidationInfo

from ingest.config import values
from ingest.config.homes import Homes
from ingest.config.models import (
    Account,
    ApiSettings,
    Archive,
    Cadence,
    CadenceName,
    Section,
    SinkEntry,
    StreamNames,
    System,
    Web,
)
from ingest.config.receivers import HeartbeatUrl, Mqtt, Notify
from ingest.config.tariffs import Invested, TariffEntry, contract
from ingest.core.tariff import Contract
from ingest.core.units import DAY, HOUR
from ingest.enphase.catalogue import CADENCES
from ingest.enphase.endpoints import has_tokens
from ingest.plan.budget import Rules, renewals
from ingest.plan.quota import Plan
from ingest.plan.stream_choice import AUTO
from ingest.plan.work import Classes

MIN_TOKEN = 8
"""Shorter parts of an address are words, which cannot be hidden wherever they stand."""
OFF = ("off", "false", "no")
Sink = Annotated[SinkEntry, Field(discriminator="type")]


def fingerprint(secret: str) -> str:
    """A name for a secret that does not tell it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def message_name(address: str) -> str:
    """The name under which it is remembered what an address was told: the same wherever it stands in the list."""
    return f"message.{fingerprint(address)}"


def scheme(address: SecretStr) -> str:
    """The kind of a receiver, such as ntfy: the only part of an address that is surely no secret."""
    return address.get_secret_value().partition("://")[0].lower()


def secret_parts(address: str) -> list[str]:
    """An address and those of its parts that are long enough to be a token."""
    parts = re.split(r"[/?&=@:#,]+", address.partition("://")[2])
    return [address, *(part for part in parts if len(part) >= MIN_TOKEN)]


def _all_or_list(value: Any) -> Any:
    if isinstance(value, str):
        if value.strip() != "all":
            raise values.word_error(["all"])
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


class ConfigLocation(NamedTuple):
    """Where a configuration is read from, and the state folder that was named beside it (None: none was)."""

    config_path: Path
    state_dir: str | None = None


def _one_or_many(value: Any) -> Any:
    """One mapping, or a list of them."""
    return [value] if isinstance(value, dict) else value


def _completed(systems: tuple[System, ...] | None, info: ValidationInfo) -> tuple[System, ...] | None:
    """A system without an account is reached through the only one there is; one without streams has the default."""
    accounts = info.data.get("accounts", ())
    defaults = {"account": next(iter(accounts)) if len(accounts) == 1 else ""}
    defaults["streams"] = info.data.get("default_streams", AUTO)
    return systems and tuple(
        system.model_copy(update={name: value for name, value in defaults.items() if not getattr(system, name)})
        for system in systems
    )


def _every_cadence(written: Mapping[str, Cadence]) -> Mapping[str, Cadence]:
    return {name: Cadence(every=every) for name, every in CADENCES.items()} | dict(written)


def _folder(written: Any, info: ValidationInfo) -> Path:
    """The state folder: relative to the current one where it was named beside the file, else to that of the file, or to
    the folder above it where that is named `config`.
    """
    if isinstance(written, list | dict):
        raise ValueError("must be text")  # noqa: TRY004 - what pydantic hears
    location = cast(ConfigLocation, info.context)
    api = info.data.get("api")
    default = "state/demo" if api is not None and api.base_url == values.SIMULATOR else "state"
    folder = location.config_path.parent
    base = Path() if location.state_dir else folder.parent if folder.name == "config" else folder
    text = location.state_dir or values.clean(default if written is None else str(written))
    try:
        return Path(os.path.normpath(base.absolute() / Path(text).expanduser()))
    except RuntimeError:
        raise ValueError("the home folder of ~ is not known; write the whole path") from None


class Settings(Section):
    """What a configuration file may hold; complete once it is read, its paths absolute. Its repr shows no secret."""

    api: ApiSettings = ApiSettings()
    """The cloud and the application registered there."""
    accounts: Annotated[Mapping[values.Name, Account], BeforeValidator(_open), AfterValidator(_some)] = Field(
        default={"home": Account()}
    )
    """Who consented: a name of your choice, and how."""
    default_streams: StreamNames = AUTO
    """What to read of systems that name no streams: auto (what the devices have and the plan carries), or a list."""
    systems: Annotated[tuple[System, ...] | None, BeforeValidator(_all_or_list), AfterValidator(_completed)] = None
    """all (every system the accounts can see), or a list."""
    homes: Homes = Field(default={})
    """Systems that are one house, by a name of your choice."""
    streams: Annotated[Mapping[CadenceName, Cadence], AfterValidator(_every_cadence)] = Field(
        default={}, validate_default=True
    )
    """How often each stream is asked."""
    sinks: Mapping[values.Name, Sink] = Field(default={})
    """The databases; without any, the data stays in the embedded archive."""
    archive: Archive = Archive()
    """What stays on this machine."""
    settle: values.Seconds = 6 * HOUR
    """What is younger is read again with the next call."""
    look_again: values.Seconds = 4 * DAY
    """What was read younger than this is read once more at this age."""
    state_dir: Annotated[Path, BeforeValidator(_folder), values.ANY] = Field(default=None, validate_default=True)
    """Folder of tokens and archive; relative to the project (the folder above `config/`)."""
    web: Annotated[Web | None, BeforeValidator(_off_or_mapping)] = Web()
    """The status page, or off."""
    tariffs: tuple[TariffEntry, ...] = ()
    """What electricity costs, each from a day on; the last one holds."""
    invested: Invested = Field(default={})
    """What the plant has cost, in the currency of the tariffs: a number, or one for each system."""
    notify: Annotated[tuple[Notify, ...], BeforeValidator(_one_or_many)] = ()
    """Who gets messages."""
    heartbeat: HeartbeatUrl | None = None
    """Address that is asked while all is well, and with /fail behind it when reading has stopped."""
    mqtt: Mqtt | None = None
    """Home Assistant's broker."""
    _config_path: Path = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Remember the file."""
        self._config_path = context.config_path

    @property
    def config_path(self) -> Path:
        """The file that these settings were read from."""
        return self._config_path

    def unused(self) -> list[str]:
        """Return the keys that are written and that nothing reads, such as `systems[0].latitude`."""
        return [
            f"systems[{index}].{name}"
            for index, system in enumerate(self.systems or ())
            for name in ("latitude", "longitude")
            if getattr(system, name) is not None
        ]

    @property
    def is_simulated(self) -> bool:
        """Whether the built-in simulator stands for the cloud."""
        return self.api.base_url == values.SIMULATOR

    @property
    def plan(self) -> Plan:
        """The limits of the plan."""
        return Plan(self.api.plan.per_minute, self.api.plan.per_month)

    @property
    def rules(self) -> Rules:
        """How the month is divided; calls of the simulator cost nothing."""
        tokens = renewals(len(self.accounts)) if has_tokens(self.version) else 0.0
        api = self.api
        return Rules(self.plan, api.reserve, api.backfill_share, tokens, self.price, api.plan.free_calls)

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
        """The version of the API: "v4", "v2" or "v1"."""
        return self.api.version

    def every(self, stream: str) -> int:
        """Return the cadence of a stream, in seconds."""
        return self.streams[stream].every

    @cached_property
    def home_members(self) -> dict[str, tuple[str, ...]]:
        """The systems of each home, as they are called everywhere else."""
        return {home: tuple(map(str, members)) for home, members in self.homes.items()}

    def contract(self, system: str) -> Contract:
        """Return the tariffs of a system or home, the oldest first; none where none are given."""
        return contract(self.tariffs, system, is_part=any(system in members for members in self.home_members.values()))

    def missing_credentials(self) -> list[str]:
        """Return which keys must be filled in before the cloud can be asked, such as `api.key`."""
        if self.is_simulated:
            return []
        needed = ("key", "client_id", "client_secret") if has_tokens(self.api.version) else ("key",)
        return [f"api.{name}" for name in needed if getattr(self.api, name) is None]

    @property
    def price(self) -> float:
        """US dollars for a call beyond the free ones; 0 where there are none, and of the simulator."""
        return 0.0 if self.is_simulated else self.api.plan.price_per_further_call

    @property
    def is_of_addon(self) -> bool:
        """Whether the file was made from the options of Home Assistant's add-on, which lie beside it."""
        return self.config_path.with_name("options.json").is_file()

    def connect(self) -> str:
        """Return what connects a system: a command, in whose place others stand where it cannot write the file."""
        return "the options of the add-on" if self.is_of_addon else "`ingest init`"

    def fill_in(self) -> str:
        """Return what to do about missing credentials."""
        if self.is_of_addon:
            return "Fill in the options of the add-on, and start it again"
        return f"Fill in with {self.connect()}, or in {self.config_path}"

    def secrets(self) -> list[str]:
        """Return every secret in it, for the redaction of logs."""
        sections: list[Section] = [self.api, *self.accounts.values(), *self.sinks.values()]
        sections += [self.mqtt] if self.mqtt else []
        found = [value for section in sections for _, value in section]
        plain = [value.get_secret_value() for value in found if isinstance(value, SecretStr)]
        told = [address for entry in self.notify for address in entry.to]
        addresses = [*told, *([self.heartbeat] if self.heartbeat else ())]
        return [*plain, *(part for address in addresses for part in secret_parts(address.get_secret_value()))]

    def _placed(self) -> list[tuple[str, Notify]]:
        """Every entry of notify, and where it stands in the file."""
        many = len(self.notify) > 1
        return [(f"notify[{index}]" if many else "notify", entry) for index, entry in enumerate(self.notify)]

    def receivers(self) -> dict[str, str]:
        """Who is told, by the name under which that is remembered: a label that tells no secret."""
        found = {
            message_name(address.get_secret_value()): f"{scheme(address)} ({place}.to[{index}])"
            for place, entry in self._placed()
            for index, address in enumerate(entry.to)
        }
        return {
            **({"heartbeat": "heartbeat"} if self.heartbeat else {}),
            **({"mqtt": "mqtt"} if self.mqtt else {}),
            **found,
        }
