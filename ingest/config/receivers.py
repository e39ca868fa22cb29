"""Who is told: sections of the configuration for messages, the heartbeat and MQTT."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema

from ingest.config import values
from ingest.config.models import Section
from ingest.config.values import one_of, words_schema
from ingest.core.quiet import Quiet

SUMMARIES = ("off", "daily", "monthly")
MQTT_PORT, MQTTS_PORT = 1883, 8883


def _address(secret: SecretStr) -> SecretStr:
    scheme, found, rest = secret.get_secret_value().strip().partition("://")
    if not found or not rest or not scheme.replace("+", "").isalnum():
        raise ValueError("is not an address of a receiver; write it like ntfy://topic or mailto://user:password@host")
    return SecretStr(secret.get_secret_value().strip())


def _web(secret: SecretStr) -> SecretStr:
    return SecretStr(values.web_address(secret.get_secret_value().strip()))


def _some(found: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not found:
        raise ValueError("is an empty list; write an address, or leave notify out")
    return found


_TEXT = WithJsonSchema({"type": "string"})

Address = Annotated[SecretStr, AfterValidator(_address), _TEXT]
Summary = Annotated[
    str,
    BeforeValidator(lambda value: "off" if value in ("false", "no") else value),
    AfterValidator(one_of(SUMMARIES)),
    WithJsonSchema({"anyOf": [words_schema(SUMMARIES), {"const": False}]}),
]
QuietHours = Annotated[Quiet | None, BeforeValidator(Quiet.parse), _TEXT]
HeartbeatUrl = Annotated[SecretStr, AfterValidator(_web), _TEXT]


class Notify(Section):
    """Messages to people."""

    to: Annotated[tuple[Address, ...], AfterValidator(_some)]
    """Addresses as apprise knows them, such as ntfy://topic."""
    problems: Annotated[bool, values.SWITCH] = True
    """Tell when something is wrong for long, and when it is over."""
    summary: Summary = "off"
    """daily or monthly: what was produced and used; off."""
    quiet: QuietHours = None
    """Local hours without messages, such as 22:00-07:00; what still holds is told afterwards."""


class Mqtt(Section):
    """The broker of Home Assistant, where every system appears as a device."""

    host: values.Host
    """Name or address of the broker."""
    port: Annotated[values.Count, Field(le=65535)] | None = None
    """Port of the broker; 1883, or 8883 with tls."""
    username: values.Text | None = Field(default=None, repr=False)
    """User, where the broker asks for one."""
    password: values.Secret | None = None
    """Password of the user."""
    tls: Annotated[bool, values.SWITCH] = False
    """Encrypt, and check the broker's certificate."""
    ca_file: values.Text | None = None
    """Certificate of your own authority, where the broker's was not issued by a public one."""
    discovery_prefix: values.Text = "homeassistant"
    """Topic below which Home Assistant looks for devices."""

    @property
    def target(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (MQTTS_PORT if self.tls else MQTT_PORT)
