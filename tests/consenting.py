"""Consent as people live it: the program as a process, a cloud behind a real port, and an owner with a browser."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import yaml

from ingest.auth.authorizer import Authorizer
from ingest.auth.token_files import TokenFiles
from ingest.enphase.oauth import App
from ingest.simulator import API_KEY, CLIENT_ID, CLIENT_SECRET, Cloud, SimulatedServer, demo_sites
from tests.forkserver import ForkServer
from tests.world import Time, Wire

PROGRAM = [sys.executable, "-c", "from ingest.cli import main; main()"]
HURRIED = [*PROGRAM[:2], f"from ingest.service import scheduler; scheduler.TICK_S = 1; {PROGRAM[2]}"]
"""With a tick every second."""
LONGEST_S = 60
FORKING = ForkServer()


def serving(**options: Any) -> SimulatedServer:
    """Two systems of two owners, "owner" and "cabin", in the real time."""
    first, second = demo_sites(int(time.time()), 2, 1)
    cloud = Cloud([first, replace(second, owner="cabin")], clock=time.time, plan=(300, 300_000), **options)
    return SimulatedServer(cloud)


def api(server: SimulatedServer) -> dict[str, Any]:
    """The section of a configuration; the browser ends at the cloud's own page that shows the code."""
    keys = {"key": API_KEY, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    plan = {"plan": {"per_minute": 300, "per_month": 300_000}}
    return {"base_url": server.url, **keys, **plan, "redirect_uri": f"{server.url}/oauth/redirect_uri"}


def configured(folder: Path, server: SimulatedServer, **more: Any) -> Path:
    """A configuration for this cloud, without a page unless `more` wants one."""
    path = folder / "config" / "local.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump({"api": api(server) | more.pop("api", {}), "web": "off", **more}, sort_keys=False))
    return path


def environment() -> dict[str, str]:
    """Without a screen or a configuration of the machine's own."""
    hidden = ("INGEST_CONFIG", "INGEST_STATE_DIR", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    kept = {name: value for name, value in os.environ.items() if name not in hidden and "ENPHASE" not in name}
    return {**kept, "INGEST_COMMAND": "ingest", "PYTHONPATH": str(Path(__file__).parents[1])}


def ingest(config: Path, *words: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
    """One command to its end."""
    if given is None:
        ended = FORKING.run(["--config", str(config), *words], environment(), Path.cwd(), LONGEST_S)
        if ended is not None:
            return ended
    return subprocess.run(
        [*PROGRAM, "--config", str(config), *words],
        input=given,
        stdin=None if given is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        env=environment(),
        check=False,
    )


def started(config: Path, *words: str, program: Sequence[str] = PROGRAM) -> "subprocess.Popen[str]":
    """A command that goes on; what it says on stderr can be read as it comes."""
    return subprocess.Popen(
        [*program, "--config", str(config), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def consent(server: SimulatedServer, folder: Path, account: str, owner: str) -> None:
    """Tokens for an account, without a browser."""
    app = App("https://cloud.example", CLIENT_ID, CLIENT_SECRET)
    now = Time(int(server.cloud.clock()))
    files = TokenFiles(folder / "state" / "tokens")
    clerk = Authorizer(app, files, Wire(server.cloud, now), lambda: int(now.true), {})
    clerk.by_code(account, server.cloud.consent(owner))


def decide(link: str, decision: str = "approve", owner: str = "owner") -> str:
    """The address to which the cloud sends the owner's browser."""
    reply = requests.post(link, data={"user": owner, "decision": decision}, allow_redirects=False, timeout=10)
    assert reply.status_code in (302, 303), reply.text
    return reply.headers["Location"]


def link_in(text: str) -> str:
    """The first link to a consent page in what a command said."""
    return next(word for word in text.split() if urlsplit(word).path.endswith("/authorize"))
