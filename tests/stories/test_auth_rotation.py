"""A rotation that is cut off anywhere: lenient vendors never need a person, strict ones only for a pair on its way."""

import contextlib
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.auth.authorizer import Authorizer
from ingest.auth.token_files import TokenFiles
from ingest.core.errors import AuthNeeded, StateError
from ingest.core.http import Reply, Request
from ingest.enphase.oauth import App
from ingest.simulator import CLIENT_ID, CLIENT_SECRET, Cloud, SimulatedServer, demo_sites
from tests.world import DAY, START, Time, Wire

KILLS = 200
LONG = 2000


class Killed(BaseException):
    """The program ends here: nothing after this runs but what the system does for a dead process."""


class Line(Wire):
    """A wire that is cut before the question or before the answer, when told so."""

    def __init__(self, cloud: Cloud, time: Time, step: Callable[[str], None]) -> None:
        super().__init__(cloud, time)
        self._step = step

    def send(self, request: Request) -> Reply:
        self._step("asking")
        reply = super().send(request)
        self._step("answered")
        return reply


class Death:
    """Counts the steps of a rotation and kills at one of them: before it is done, or after."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> None:
        self.steps: list[str] = []
        self._at, self._after = at, after
        for owner, name in ((os, "open"), (os, "write"), (os, "fsync"), (os, "close"), (Path, "replace")):
            monkeypatch.setattr(owner, name, self._dangerous(name, getattr(owner, name)))

    def step(self, name: str) -> None:
        if len(self.steps) >= self._at:
            return
        self.steps.append(name)
        if len(self.steps) == self._at:
            raise Killed

    def _dangerous(self, name: str, really: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **kwargs: Any) -> Any:
            late = self._after or name == "close"  # the system closes the files of the dead
            if not late:
                self.step(name)
            result = really(*args, **kwargs)
            if late:
                self.step(name)
            return result

        return act


def authorizer(folder: Path, cloud: Cloud, time: Time, step: Callable[[str], None] = lambda _: None) -> Authorizer:
    app = App("https://cloud.example", CLIENT_ID, CLIENT_SECRET)
    now = lambda: int(time.true)  # noqa: E731
    return Authorizer(app, TokenFiles(folder), Line(cloud, time, step), now, {})


def rotate_and_die(folder: Path, seed: int, strict: str) -> tuple[list[str], bool, str]:
    """One life: consent, some renewals, death inside one of them, a new start. Steps taken, recovered, last words."""
    rng = random.Random(seed)
    time = Time()
    cloud = Cloud(demo_sites(START, 1, 2), clock=lambda: time.true, seed=seed, strict_tokens=strict == "strict")
    token = authorizer(folder, cloud, time).by_code("home", cloud.consent())
    for _ in range(rng.randrange(3)):
        time.true += DAY
        token = authorizer(folder, cloud, time).renew("home", token.access)
    time.true += DAY
    with pytest.MonkeyPatch.context() as patch:
        death = Death(patch, rng.randrange(1, 13), after=rng.random() < 0.5)
        with contextlib.suppress(Killed):
            authorizer(folder, cloud, time, death.step).renew("home", token.access)
    try:
        found = authorizer(folder, cloud, time).renew("home", token.access)
    except AuthNeeded as needed:
        return death.steps, False, str(needed)
    bearer = cloud.oauth.bearer(f"Bearer {found.access}", time.true)
    return death.steps, bearer is not None, ""


@pytest.mark.parametrize("strict", ["lenient", "strict"])
def test_a_rotation_killed_at_any_step_recovers(tmp_path: Path, strict: str) -> None:
    kills = LONG if os.environ.get("INGEST_LONG") else KILLS
    lost, last_steps = 0, set()
    for seed in range(kills):
        steps, recovered, words = rotate_and_die(tmp_path / str(seed), seed, strict)
        last_steps.add(steps[-1])
        if recovered:
            continue
        lost += 1
        assert strict == "strict", (seed, steps, words)
        assert "answered" in steps, (seed, steps, "the vendor had not even answered")
        assert "replace" not in steps[:-1], (seed, steps, "the new pair was in its place")
        assert "the authorization is no longer valid" in words
        assert "`ingest auth login home`" in words
        assert "Data already read is kept" in words
    assert {"asking", "answered", "open", "write", "fsync", "replace"} <= last_steps
    assert 0 < lost < kills if strict == "strict" else lost == 0


def test_a_pair_that_was_whole_but_not_in_its_place_is_not_lost(tmp_path: Path) -> None:
    time = Time()
    cloud = Cloud(demo_sites(START, 1, 2), clock=lambda: time.true, strict_tokens=True)
    clerk = authorizer(tmp_path, cloud, time)
    token = clerk.by_code("home", cloud.consent())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", _die)
        with pytest.raises(Killed):
            clerk.renew("home", token.access)
    found = authorizer(tmp_path, cloud, time).renew("home", token.access)
    assert cloud.oauth.bearer(f"Bearer {found.access}", time.true)
    assert len(cloud.token_calls) == 2


def _die(*_: object) -> None:
    raise Killed


def test_a_pair_that_a_full_disk_refused_is_written_when_there_is_room(tmp_path: Path) -> None:
    time = Time()
    cloud = Cloud(demo_sites(START, 1, 2), clock=lambda: time.true, strict_tokens=True)
    clerk = authorizer(tmp_path, cloud, time)
    token = clerk.by_code("home", cloud.consent())

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", full)
        for _ in range(3):
            with pytest.raises(StateError, match="No space left"):
                clerk.renew("home", token.access)
    found = clerk.renew("home", token.access)
    assert found.access != token.access
    assert len(cloud.token_calls) == 2
    assert authorizer(tmp_path, cloud, time).renew("home", token.access) == found


# ── processes ─────────────────────────────────────────────────────────────────────────────────────────

RENEW = """
import os, sys
from pathlib import Path
from ingest.auth.authorizer import Authorizer
from ingest.auth.token_files import TokenFiles
from ingest.core.errors import IngestError
from ingest.enphase.oauth import App
from ingest.fetch.transport import HttpTransport
url, folder, stale, death = sys.argv[1:]
def deadly(really):
    def act(*args, **kwargs):
        result = really(*args, **kwargs)
        counted.append(1)
        if len(counted) == int(death):
            os._exit(9)
        return result
    return act
counted = []
for name in ("write", "fsync", "replace", "rename"):
    setattr(os, name, deadly(getattr(os, name)))
app = App(url, "simulated-client-id", "simulated-client-secret")
clerk = Authorizer(app, TokenFiles(Path(folder)), HttpTransport(lambda _: None, "test"), lambda: NOW, {})
sys.stdin.readline()
try:
    print(clerk.renew("home", stale).access[-12:])
except IngestError as error:
    print(type(error).__name__, error)
"""


def start(server: SimulatedServer, folder: Path, stale: str, death: int = 0) -> "subprocess.Popen[str]":
    code = RENEW.replace("NOW", str(START + 2 * DAY))
    command = [sys.executable, "-c", code, server.url, str(folder), stale, str(death)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(name="server")
def _server() -> Any:
    cloud = Cloud(demo_sites(START, 1, 2), clock=lambda: START + 2 * DAY, strict_tokens=True)
    with SimulatedServer(cloud) as server:
        yield server


def consented(server: SimulatedServer, folder: Path) -> str:
    clerk = authorizer(folder, server.cloud, Time(START + 2 * DAY))
    access: str = clerk.by_code("home", server.cloud.consent()).access
    server.cloud.token_calls.clear()
    return access


def test_programs_that_start_together_spend_a_refresh_token_once(server: SimulatedServer, tmp_path: Path) -> None:
    stale = consented(server, tmp_path)
    racers = [start(server, tmp_path, stale) for _ in range(5)]
    said = {racer.communicate("go\n", timeout=60)[0] for racer in _let_go(racers)}
    assert len(said) == 1, said
    assert len(server.cloud.token_calls) == 1
    assert server.cloud.token_calls[0].status == 200


def _let_go(racers: "list[subprocess.Popen[str]]") -> "list[subprocess.Popen[str]]":
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return racers


@pytest.mark.parametrize("death", range(1, 5))
def test_a_process_killed_in_a_rotation_leaves_what_the_next_one_needs(
    server: SimulatedServer, tmp_path: Path, death: int
) -> None:
    server.cloud.tokens.strict = False
    stale = consented(server, tmp_path)
    victim = start(server, tmp_path, stale, death)
    victim.communicate("go\n", timeout=60)
    assert victim.returncode == (9 if death < 5 else 0)
    heir = start(server, tmp_path, stale)
    said = heir.communicate("go\n", timeout=60)[0]
    assert "AuthNeeded" not in said
    kept = TokenFiles(tmp_path).read("home")
    assert kept is not None
    assert kept.current.access.endswith(said.strip())
    assert server.cloud.oauth.bearer(f"Bearer {kept.current.access}", START + 2 * DAY)
