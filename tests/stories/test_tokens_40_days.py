"""Forty days of tokens: renewed each day, rotated each time, and a crash at any statement of a rotation."""

import contextlib
import itertools
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from ingest.enphase.oauth import TokenPair
from tests.world import DAY, HOUR, World
from tests.worlds import HOME

DAYS = 40 if os.environ.get("INGEST_LONG") else 10

ROTATION = ("auth/authorizer.py", "auth/token_files.py", "auth/accounts.py", "enphase/oauth.py")
FROM, TO = {"_start_renewal"}, {"finish"}
SITE = replace(HOME, system_id=4711)
STRIDE = 1 if os.environ.get("INGEST_LONG") else 4
"""A crash at each statement of a rotation, or at each fourth of them."""


class Crash(BaseException):
    """The process is gone."""


class CrashAt:
    """Ends the process before statement number `at` of a rotation; counts all of them."""

    def __init__(self, at: int) -> None:
        self.at, self.count = at, 0

    def __enter__(self) -> "CrashAt":
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
        return self._line if frame.f_code.co_filename.endswith(ROTATION) else None

    def _line(self, frame: FrameType, event: str, _: Any) -> Callable[..., Any]:
        if event == "line" and self._is_renewing(frame):
            self.count += 1
            if self.count == self.at:
                sys.settrace(None)
                raise Crash
        return self._line

    def _is_renewing(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if frame.f_code.co_name in FROM | TO:
                return True
            frame = frame.f_back
        return False


def token(world: World) -> TokenPair:
    kept = world.authorizer().files.read("home")
    assert kept is not None
    found: TokenPair = kept.current
    return found


def small_world(folder: Path, *, strict: bool) -> World:
    """A day after its consent: the next tick renews."""
    systems = [{"id": SITE.system_id, "streams": ["rgm_stats"], "since": "1d"}]
    world = World(folder, [SITE], systems=systems, cloud={"strict_tokens": strict})
    world.run(HOUR)
    world.time.true = float(token(world).renew_at())
    return world


def crash(world: World, at: int) -> bool:
    """Whether the process ended at statement `at` of the rotation; if not, the rotation has fewer."""
    try:
        with CrashAt(at):
            world.pipeline.tick()
            world.pipeline.record()
    except Crash:
        close_files(world.settings.state_dir / "tokens")
        world.crash()
        return True
    return False


def close_files(folder: Path) -> None:
    """What the death of a process does for it: its files are closed, which frees their locks."""
    for handle in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if handle.readlink().parent == folder:
                os.close(int(handle.name))


def points(world: World) -> int:
    return int(world.store.db.execute("SELECT count(*) FROM points").fetchone()[0])


def test_the_access_token_is_renewed_each_day_and_the_refresh_token_rotated_each_time(tmp_path: Path) -> None:
    world = World(tmp_path, [SITE], systems=[{"id": SITE.system_id, "streams": ["rgm_stats"]}])
    seen: dict[str, int] = {}
    for _ in range(DAYS):
        seen[token(world).refresh] = seen.get(token(world).refresh, 0) + 1
        world.run(DAY)
    renewals = [call for call in world.cloud.token_calls if call.params["grant_type"] == "refresh_token"]
    assert len(seen) == DAYS, "a refresh token was in use on two days"
    assert {call.status for call in renewals} == {200}
    assert DAYS <= len(renewals) <= DAYS * 1.5
    gaps = [second.at - first.at for first, second in itertools.pairwise(renewals)]
    assert min(gaps) > 12 * HOUR
    assert max(gaps) < 24 * HOUR
    assert [call for call in world.cloud.calls if call.status == 401] == []
    world.end()


@pytest.mark.parametrize("spoilt_on", [1, 7])
def test_a_token_that_is_refused_ahead_of_its_time_is_renewed_once(tmp_path: Path, spoilt_on: int) -> None:
    world = World(tmp_path, [SITE])
    world.run(spoilt_on * DAY)
    before = len(world.cloud.token_calls)
    refused = sum(call.status == 401 for call in world.cloud.calls)
    world.spoil_token()
    world.run(2 * HOUR)
    assert len(world.cloud.token_calls) == before + 1
    assert sum(call.status == 401 for call in world.cloud.calls) == refused + 1
    world.end()


def test_with_a_lenient_vendor_a_crash_at_any_statement_recovers_by_itself(tmp_path: Path) -> None:
    for at in itertools.count(1, STRIDE):
        folder = tmp_path / str(at)
        folder.mkdir()
        world = small_world(folder, strict=False)
        crashed = crash(world, at)
        check_well(world, f"statement {at}")
        world.end()
        if not crashed:
            assert at > 60, "a rotation has more statements than that"
            return


def test_with_a_strict_vendor_a_pair_is_lost_only_between_the_answer_and_our_rename(tmp_path: Path) -> None:
    lost = []
    for at in itertools.count(1, STRIDE):
        folder = tmp_path / str(at)
        folder.mkdir()
        world = small_world(folder, strict=True)
        old, answers, held = token(world).refresh, len(world.cloud.token_calls), points(world)
        crashed = crash(world, at)
        in_between = len(world.cloud.token_calls) > answers and token(world).refresh == old
        world.run(HOUR)
        if in_between and world.pipeline.accounts.needed():
            lost.append(at)
            check_needed(world)
        check_well(world, f"statement {at}")
        assert points(world) >= held
        world.end()
        if not crashed:
            break
    assert lost, "no crash fell between the answer and the rename: the test misses its point"
    assert lost == list(range(lost[0], lost[-1] + 1, STRIDE)), "the moment is one"


def check_well(world: World, when: str) -> None:
    """It goes on by itself: now, and through the next renewal."""
    for _ in range(2):
        world.run(HOUR)
        assert world.pipeline.accounts.needed() == {}, when
        assert world.cloud.calls[-1].at > world.time.true - 2 * HOUR, f"{when}: nothing is asked any more"
        world.time.true = max(world.time.true, float(token(world).renew_at())) + 5 * HOUR
    assert [call.at for call in world.cloud.calls if call.status == 401] == [], when


def check_needed(world: World) -> None:
    """Nothing is asked, one sentence says what to do, and doing that is enough: no restart, nothing lost."""
    world.run(HOUR)
    (sentence,) = world.pipeline.accounts.needed().values()
    assert "account home" in sentence
    assert "`ingest auth login home`" in sentence
    assert "Data already read is kept" in sentence
    world.time.true = float(token(world).expires_at)
    calls, asked = len(world.cloud.calls), len(world.cloud.token_calls)
    world.run(3 * DAY)
    assert len(world.cloud.calls) == calls, "calls without a token"
    assert len(world.cloud.token_calls) == asked, "the token endpoint is asked again and again"
    world.authorizer().by_code("home", world.cloud.consent())
    world.run(HOUR)


def test_a_consent_that_is_withdrawn_stops_one_account_and_not_the_other(tmp_path: Path) -> None:
    theirs = replace(SITE, system_id=4712, owner="anna")
    systems = [{"id": 4711, "account": "home"}, {"id": 4712, "account": "anna"}]
    world = World(tmp_path, [SITE, theirs], accounts={"home": {}, "anna": {}}, systems=systems)
    world.run(DAY)
    world.cloud.revoke("anna")
    world.run(2 * DAY)
    assert list(world.pipeline.accounts.needed()) == ["anna"]
    since = world.time.true
    world.run(DAY)
    assert any("/4711/" in call.path for call in world.cloud.calls if call.at > since)
    assert not any("/4712/" in call.path for call in world.cloud.calls if call.at > since)
    world.end()
