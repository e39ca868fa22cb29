#!/usr/bin/env python3
"""What stands for `docker` in a test: an engine whose containers are words in a file.

FAKE_DOCKER is its folder; the file `faults` in it names what is wrong with it, a word a line.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(os.environ["FAKE_DOCKER"])
SERVICES = ("influxdb", "setup", "ingest", "grafana")


def faults() -> list[str]:
    return (ROOT / "faults").read_text().split()


def containers() -> dict[str, str]:
    held = ROOT / "containers"
    found: dict[str, str] = json.loads(held.read_text()) if held.exists() else {}
    return found


def save(states: dict[str, str]) -> None:
    (ROOT / "containers").write_text(json.dumps(states))


def main(words: list[str]) -> int:
    with (ROOT / "calls").open("a") as log:
        log.write(" ".join(words) + "\n")
    command = {
        "compose": compose,
        "ps": ps,
        "inspect": inspect,
        "kill": kill,
        "exec": run,
        "image": image,
        "pull": pull,
    }
    if words[0] in command:
        return command[words[0]](words[1:])
    return 1 if words[0] == "info" and "engine" in faults() else 0


def compose(words: list[str]) -> int:
    if words == ["version"]:
        return 1 if "compose" in faults() else 0
    if "config" in words:
        files = [words[at + 1] for at, word in enumerate(words) if word == "-f"]
        shutil.copy(files[-1], ROOT / "override.yml")
        print(
            "volumes:\n  a:\n    name: " + ("enphase-influxdb-data" if "volume" in faults() else "enphase-stack-test-a")
        )
    elif "down" in words:
        save({})
    elif "up" in words:
        return up()
    return 0


def up() -> int:
    if not containers():
        save({"influxdb": "starting"})
        time.sleep(60)  # until it is killed
    if "dead" in faults():
        print("dependency failed to start: container influxdb is unhealthy")
        return 1
    save(dict.fromkeys(SERVICES, "healthy") | {"setup": "exited with 0"})
    if "unhealthy" in faults():
        save(containers() | {"grafana": "unhealthy"})
    return 0


def ps(words: list[str]) -> int:
    service = words[-1].rpartition("=")[2]
    if service in containers() and ("--all" in words or not containers()[service].startswith("exited")):
        print(service)
    return 0


def inspect(words: list[str]) -> int:
    if "StartedAt" in words[1]:
        print("2026-07-01T00:00:00.250000000Z 2026-07-01T00:00:01.500000000Z")
    elif words[-1] in containers():
        print(containers()[words[-1]])
    return 0 if words[-1] in containers() else 1


def kill(words: list[str]) -> int:
    save(containers() | {words[0]: "exited with 137"})
    return 0


def run(words: list[str]) -> int:
    if words[1] == "test":
        return 0 if "leak" in faults() and words[0] == "grafana" else 1
    print(json.dumps({"sinks": [{"sink": "influx", "sent": 0 if "silent" in faults() else 1234}]}, indent=1))
    return 0


def image(words: list[str]) -> int:
    return 1 if "image" in faults() or words[-1].startswith("grafana/") else 0


def pull(_: list[str]) -> int:
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
