"""A hostile cloud and a hostile browser at once: nothing breaks, hangs, tells a secret, or costs more than it may."""

import contextlib
import json
import os
import random
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from ingest.simulator import API_KEY, CLIENT_SECRET, enlighten_id, v2_code
from tests.stories.bad_replies import KINDS, MANNERS
from tests.stories.program import ROOT

LONG = bool(os.environ.get("INGEST_LONG"))
ALL = len(KINDS) * len(MANNERS)
COUNT = ALL if LONG else 60
RUNS = [(20261129, "v4"), *([(20261130, "v2"), (20261131, "v4"), (20261132, "v2")] if LONG else [])]
MOST_MB = 120
HEAVY = [
    (kind, "plain")
    for kind in (
        *("200 a crowd of systems", "200 a million rows", "200 rows of nothing", "200 deep", "bomb"),
        *("200 half a million words", "200 a quarter of a million words"),
    )
]
"""What takes the most memory when it is read: in every run, whatever its seed."""
PATHS = ("/", "/systems", "/metrics", "/api/status", "/api/curve", "/healthz", "/static/page.js", "/authorize/home",
         "/authorize/nobody", "/oauth/callback", "/static/../../state/tokens/home.json", "/nowhere")  # fmt: skip
METHODS = ("GET", "GET", "GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW")
BITS = (
    "%00",
    "%ff",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "../../..",
    "9" * 300,
    "-1",
    "",
    "state=forged",
    "\u202e",
)
BEGUN = (b"", b"GET", b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\na")
NAMES = ("system", "days", "weeks", "q", "page", "code", "state")


def test_there_are_a_hundred_kinds_of_reply_and_five_ways_in_which_they_come() -> None:
    assert len(KINDS) >= 100
    assert set(MANNERS) >= {"dripping", "endless", "huge", "repeated"}
    assert {kind for kind, _ in HEAVY} <= KINDS.keys()


class Hostile:
    """A server that answers each request in the way whose number is in its path, then closes the connection."""

    def __init__(self, plan: Sequence[tuple[str, str]]) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.plan, self._asked = plan, set[int]()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def asked(self) -> int:
        """How many of its replies were asked for."""
        return len(self._asked)

    def _serve(self) -> None:
        while True:
            line, _ = self._listening.accept()
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        kind = ""
        with line, contextlib.suppress(OSError):
            line.settimeout(5)
            if not (asked := line.recv(65536)):
                return  # who asked had no time left to say what for
            number = int(asked.split(b"/")[1])
            kind, manner = self.plan[number]
            self._asked.add(number)
            MANNERS[manner](line, KINDS[kind](asked))
            if kind == "reset":
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Browser:
    """Everything that reaches for the page, and what it was told."""

    def __init__(self, port: int, seed: int) -> None:
        self.port, self.url, self.rng = port, f"http://127.0.0.1:{port}", random.Random(seed)
        self.told: list[bytes] = []
        self.failed: list[str] = []
        self.slowest = 0.0
        self.over = threading.Event()
        self.lines: list[socket.socket] = []
        self.threads = [
            threading.Thread(target=at, daemon=True) for at in (self.watch, self.fuzz, self.forge, self.idle)
        ]
        for thread in self.threads:
            thread.start()

    def watch(self) -> None:
        """Ask for /healthz all the time."""
        while not self.over.wait(0.2):
            begin = time.monotonic()
            try:
                reply = requests.get(f"{self.url}/healthz", timeout=60)
            except requests.RequestException as error:
                self.failed.append(f"/healthz: {error}")
                continue
            self.slowest = max(self.slowest, time.monotonic() - begin)
            if reply.status_code != 200:
                self.failed.append(f"/healthz: {reply.status_code} {reply.text}")

    def send(self, raw: bytes) -> None:
        """One request as it is, and its answer."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=60) as line:
                line.sendall(raw)
                answer = b""
                while part := line.recv(65536):
                    answer += part
        except ConnectionError:
            return  # refused before all of it was sent
        except OSError as error:
            self.failed.append(f"{raw[:80]!r}: {error}")
            return
        self.told.append(answer)
        found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
        if answer and (found is None or found[1] == b"500"):
            self.failed.append(f"{raw[:120]!r}: {answer[:200]!r}")

    def fuzz(self) -> None:
        """Requests put together by chance, some of them no requests at all."""
        while not self.over.wait(0.02):
            rng = self.rng
            path = rng.choice(PATHS) + rng.choice(["", "", "/", quote(rng.choice(BITS))])
            query = "&".join(f"{rng.choice(NAMES)}={quote(rng.choice(BITS))}" for _ in range(rng.randrange(4)))
            body = rng.choice([b"", b"a=b", b"\x00" * 5000, b"answer=" + b"x" * 100_000])
            head = [f"{rng.choice(METHODS)} {path}?{query} HTTP/1.1",
                    f"Host: {rng.choice(['localhost', 'localhost', 'evil.example', '[::', ''])}",
                    f"Content-Length: {rng.choice([len(body), len(body), -1, 10**12])}" if rng.random() < 0.2
                    else f"Content-Length: {len(body)}", "Connection: close", ""]  # fmt: skip
            raw = "\r\n".join([*head, ""]).encode() + body
            self.send(raw if rng.random() < 0.9 else bytes(rng.randrange(256) for _ in range(200)) + b"\r\n\r\n")

    def forge(self) -> None:
        """Consents that nobody gave, with states of our own page and without."""
        while not self.over.wait(0.05):
            try:
                page = requests.get(f"{self.url}/authorize/home", timeout=60).text
                state = (re.findall(r'name="state" value="([^"]+)"', page) or ["none"])[0]
                form = {"state": self.rng.choice([state, state, state[::-1], ""]), "answer": f"code{self.rng.random()}"}
                reply = requests.post(f"{self.url}/authorize/home", data=form, timeout=60)
                self.told += [page.encode(), reply.content]
                back = requests.get(f"{self.url}/oauth/callback?code=1&state={quote(form['state'])}", timeout=60)
                self.told.append(back.content)
            except requests.RequestException as error:
                self.failed.append(f"forged: {error}")

    def idle(self) -> None:
        """Connections that say nothing more."""
        while not self.over.wait(0.02) and len(self.lines) < 900:
            try:
                self.lines.append(socket.create_connection(("127.0.0.1", self.port), timeout=60))
                self.lines[-1].sendall(self.rng.choice(BEGUN))
            except OSError:
                continue

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive(), "it waits for an answer"
        for line in self.lines:
            line.close()


def line_of(process: "subprocess.Popen[str]", seconds: float) -> str:
    """The next line that a process prints; it must come in time."""
    assert process.stdout
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    assert ready, "it hangs"
    return process.stdout.readline()


@pytest.mark.timeout(3600 if LONG else 300)
@pytest.mark.parametrize(("seed", "version"), RUNS)
def test_nothing_breaks_hangs_tells_a_secret_or_costs_more_than_it_may(tmp_path: Path, seed: int, version: str) -> None:
    plan = [(kind, manner) for kind in KINDS for manner in MANNERS]
    random.Random(seed).shuffle(plan)
    plan.sort(key=lambda entry: entry not in HEAVY)
    hostile = Hostile(plan[:COUNT])
    numbers = [str(number) for number in (seed, COUNT, hostile.port)]
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.stories.hostile", str(tmp_path), *numbers, version]
    with (
        (tmp_path / "stderr").open("w") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT
        ) as process,
    ):
        try:
            browser = Browser(int(line_of(process, 120)), seed)
            told = line_of(process, 3000 if LONG else 240)
            browser.end()
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdin.close()
            assert process.wait(60) == 0
        finally:
            process.kill()
    said = (tmp_path / "stderr").read_text()
    found = json.loads(told)
    print(seed, found, f"slowest /healthz {browser.slowest:.1f} s, {len(browser.told)} answers")
    assert "Traceback" not in said, said[said.index("Traceback") - 500 :][:4000]
    assert browser.failed == []
    assert len(browser.told) > 50
    assert found["busiest"] <= 10
    assert hostile.asked >= 0.98 * COUNT  # a busy machine may take all the time of a reply to connect
    assert found["memory_mb"] < MOST_MB
    assert not secrets_in(tmp_path, said, b"\n".join(browser.told), found)


def secrets_in(folder: Path, said: str, answers: bytes, found: Any) -> list[str]:
    """Where a key, a secret or a token stands that must not."""
    kept = folder / "state/tokens/home.json"
    tokens = kept.read_text() if kept.exists() else ""
    owner = [v2_code(enlighten_id("owner"))]
    secrets = [API_KEY, CLIENT_SECRET, *owner, *re.findall(r'"(?:access|refresh)": "([^"]{8,})"', tokens)]
    places = {"log": said.encode(), "page": answers, "report": json.dumps(found).encode()}
    places |= {path.name: path.read_bytes() for path in (folder / "state").glob("state.db*")}
    return [f"{name}: {secret[:6]}…" for name, text in places.items() for secret in secrets if secret.encode() in text]
