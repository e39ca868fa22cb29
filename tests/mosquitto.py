"""The real mosquitto of Debian (package `mosquitto`), started for tests in a folder of its own, and what it shows."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.influxd import free_port

BINARY = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
PASSWD = shutil.which("mosquitto_passwd")
PATIENCE = 20.0
USER, PASSWORD = "solar", "a-password-that-is-secret"


class Mosquitto:
    """A broker that wants a user and a password; with `tls`, a certificate of an authority of its own (`ca`)."""

    def __init__(self, root: Path, *, tls: bool = False) -> None:
        self.root, self.tls, self.port = root, tls, free_port()
        self.ca = root / "ca.pem"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it listens."""
        if BINARY is None or PASSWD is None:
            raise FileNotFoundError("mosquitto is missing: apt-get install mosquitto")
        self.root.mkdir(parents=True, exist_ok=True)
        passwords, config = self.root / "passwords", self.root / "mosquitto.conf"
        subprocess.run([PASSWD, "-b", "-c", str(passwords), USER, PASSWORD], check=True, capture_output=True)
        lines = [f"listener {self.port} 127.0.0.1", f"password_file {passwords}", "allow_anonymous false", "user root"]
        if self.tls:
            self._certify()
            lines += [f"certfile {self.root}/server.pem", f"keyfile {self.root}/server.key"]
        config.write_text("\n".join(lines) + "\n")
        with (self.root / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([BINARY, "-c", str(config)], stdout=log, stderr=log)
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; what was retained is gone, as it is kept in memory."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if _listens(self.port):
                return
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError((self.root / "mosquitto.log").read_text()[-2000:])

    def _certify(self) -> None:
        if self.ca.exists():
            return
        key, request = self.root / "server.key", self.root / "server.csr"
        openssl = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subprocess.run(
            [*openssl, "-x509", "-days", "2", "-subj", "/CN=test authority", "-keyout", f"{self.root}/ca.key",
             "-out", str(self.ca)], check=True, capture_output=True)  # fmt: skip
        subprocess.run(
            [*openssl, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", str(key), "-out", str(request)], check=True, capture_output=True)  # fmt: skip
        subprocess.run(
            ["openssl", "x509", "-req", "-in", str(request), "-CA", str(self.ca), "-CAkey", f"{self.root}/ca.key",
             "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", f"{self.root}/server.pem"],
            check=True, capture_output=True)  # fmt: skip


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Eye:
    """Sees every topic of a broker, as Home Assistant does; `log` has each document in order."""

    def __init__(self, broker: Mosquitto) -> None:
        self.seen: dict[str, str] = {}
        self.log: list[tuple[str, str]] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(USER, PASSWORD)
        if broker.tls:
            self._client.tls_set(ca_certs=str(broker.ca))
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_message = self._message
        self._client.connect("localhost" if broker.tls else "127.0.0.1", broker.port)
        self._client.loop_start()

    def _message(self, _: Client, __: object, message: MQTTMessage) -> None:
        text = message.payload.decode()
        self.log.append((message.topic, text))
        self.seen[message.topic] = text

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
