"""The start of the add-on: its options become a configuration, root becomes 1000, and `ingest` takes over."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

USER = 1000
BROKER = "http://supervisor/services/mqtt"
API = {"api_key": "key", "client_id": "client_id", "client_secret": "client_secret", "redirect_uri": "redirect_uri"}
SINK = ("url", "org", "bucket", "token")
Options = dict[str, Any]


def configuration(options: Options, broker: Callable[[], Options | None]) -> Options:
    """The configuration that the options mean; `broker` gives the one that the Supervisor knows, or None."""
    given = {name: value for name, value in options.items() if value not in (None, "", [])}
    if given.get("simulated"):
        api: Options = {"base_url": "simulator", "plan": {"per_minute": 300, "per_month": 300_000}}
    else:
        api = {key: given.get(name, "") for name, key in API.items() if name in given or name != "redirect_uri"}
        api["plan"] = given.get("plan", "watt")
    found: Options = {"api": api, "web": {"listen": "0.0.0.0:8080", "hosts": given.get("hosts", [])}}
    if systems := [{name: value for name, value in row.items() if value} for row in given.get("systems", ())]:
        found["systems"] = systems
    if "influxdb_url" in given:
        sink = {name: given[f"influxdb_{name}"] for name in SINK if f"influxdb_{name}" in given}
        found["sinks"] = {"influx": {"type": "influxdb", **sink}}
    if given.get("mqtt") and (line := broker()):
        found["mqtt"] = {name: line[name] for name in ("host", "port", "username", "password") if line.get(name)}
        found["mqtt"]["tls"] = bool(line.get("ssl"))
    if addresses := [address for address in given.get("notify", ()) if address]:
        found["notify"] = {"to": addresses}
    if "heartbeat" in given:
        found["heartbeat"] = given["heartbeat"]
    return literal(found)  # type: ignore[no-any-return]


def literal(value: Any) -> Any:
    """A value in which no `${` is taken for a variable."""
    if isinstance(value, dict):
        return {key: literal(held) for key, held in value.items()}
    if isinstance(value, list):
        return [literal(held) for held in value]
    return value.replace("${", "$${") if isinstance(value, str) else value


def supervisor() -> Options | None:
    """The broker that the Supervisor knows, with a user for this add-on."""
    request = Request(BROKER, headers={"Authorization": f"Bearer {os.environ.get('SUPERVISOR_TOKEN', '')}"})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=10) as reply:
            found: Options = json.load(reply)["data"]
    except (URLError, OSError, ValueError, KeyError):
        sys.stdout.write("The Supervisor names no MQTT broker: no devices. Install one, and start the add-on again.\n")
        return None
    return found


def write(data: Path, own: Path, broker: Callable[[], Options | None] = supervisor) -> Path:
    """Write the configuration, or name the one that lies in the add-on's own folder."""
    if own.exists():
        return own
    path = data / "ingest.yaml"  # made anew at each start: nothing is to be written into it by hand
    found = configuration(json.loads((data / "options.json").read_text()), broker)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(found, file, indent=1)  # JSON is YAML
    return path


def main(words: list[str]) -> None:
    """Prepare, and become `ingest`."""
    data = Path("/data")
    path = write(data, Path("/config/ingest.yaml"))
    (data / "state").mkdir(mode=0o700, exist_ok=True)
    if os.getuid() == 0:
        for mine in {path, data / "state", *(data / "state").rglob("*")} - {Path("/config/ingest.yaml")}:
            os.chown(mine, USER, USER)
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)
    os.environ["INGEST_CONFIG"] = str(path)
    container = "addon_" + os.environ.get("HOSTNAME", "").replace("-", "_")
    os.environ.setdefault("INGEST_COMMAND", f"docker exec --user {USER} {container} ingest")
    os.execvp("ingest", ["ingest", *words])


if __name__ == "__main__":
    main(sys.argv[1:])
