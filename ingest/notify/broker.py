"""The line to an MQTT broker, through paho: the only module that imports it.

The line lives in a thread of paho's, connects again by itself, and holds nobody up: what is to be seen at the broker is
kept here, and what changes is published while the line stands, everything when it stands again.
"""

import contextlib
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ingest.config import Mqtt
from ingest.core.errors import ConfigError

if TYPE_CHECKING:
    from paho.mqtt.client import Client
    from paho.mqtt.reasoncodes import ReasonCode

ONLINE, OFFLINE = "online", "offline"
LONGEST_RETRY_S = 300
STOP_S = 3.0


class Broker:
    """Retained documents at a broker. Raises `ConfigError` when the file of the authority cannot be used."""

    def __init__(self, entry: Mqtt, name: str, availability: str) -> None:
        from paho.mqtt.client import Client, MQTTv311  # noqa: PLC0415 - only where there is a broker
        from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415

        self._availability, self._target = availability, entry.target
        self._guard = threading.Lock()
        self._wanted: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._stands = self._ends = False
        self._error = "it cannot be reached"
        self._client: Client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv311)
        self._client.will_set(availability, OFFLINE, qos=1, retain=True)
        self._client.reconnect_delay_set(1, LONGEST_RETRY_S)
        if entry.username is not None:
            self._client.username_pw_set(entry.username, entry.password.get_secret_value() if entry.password else None)
        if entry.tls:
            self._encrypt(entry)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_connect_fail = self._refused

    def _encrypt(self, entry: Mqtt) -> None:
        try:
            self._client.tls_set(ca_certs=entry.ca_file)
        except OSError as error:
            raise ConfigError(f"mqtt.ca_file: {entry.ca_file}: {error.strerror or 'is not a certificate'}") from None
        self._error = "it cannot be reached, or its certificate is not trusted"

    @property
    def error(self) -> str:
        """Why nothing reaches the broker now; empty while the line stands."""
        return "" if self._stands else self._error

    def start(self) -> None:
        """Connect, now and whenever the line breaks; returns at once."""
        self._client.connect_async(*self._target, keepalive=60)
        self._client.loop_start()

    def show(self, documents: Mapping[str, str]) -> None:
        """What is to be seen, by topic; an empty document takes a topic away."""
        with self._guard:
            self._wanted = dict(documents)
            self._publish()

    def stop(self) -> None:
        """Say that the service has ended, and hang up; a broker that does not answer is not waited for for long."""
        with self._guard:
            self._ends, stands = True, self._stands
        if stands:
            with contextlib.suppress(ValueError, RuntimeError):
                self._client.publish(self._availability, OFFLINE, qos=1, retain=True).wait_for_publish(STOP_S)
        self._client.disconnect()
        ending = threading.Thread(target=self._client.loop_stop, daemon=True)
        ending.start()
        ending.join(STOP_S)

    def _publish(self) -> None:
        """Send what differs from what was sent since the line stands. Nobody has to confirm it: all of it is sent again
        when the line stands again, and paho would then repeat what was not confirmed after what is newer.
        """
        if not self._stands:
            return
        for topic, text in self._wanted.items():
            if self._shown.get(topic) != text:
                self._client.publish(topic, text, retain=True)
                self._shown[topic] = text

    def _connected(self, client: "Client", _: Any, __: Any, reason: "ReasonCode", ___: Any) -> None:
        if reason.is_failure:
            self._error = f"the broker refuses: {str(reason).lower()}"
            return
        with self._guard:
            if self._ends:  # whoever hangs up in order leaves no last will: nothing may say that it is online
                return
            self._stands, self._shown = True, {}
            client.publish(self._availability, ONLINE, qos=1, retain=True)
            self._publish()

    def _disconnected(self, _: "Client", __: Any, ___: Any, reason: "ReasonCode", ____: Any) -> None:
        if self._stands:
            self._error = f"the line broke: {str(reason).lower()}"
        self._stands = False

    def _refused(self, _: "Client", __: Any) -> None:
        self._stands = False
