"""Token endpoints in trouble for days, a month switched off, and accounts that do not wait for one another."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.auth.token_files import TokenFiles
from ingest.simulator import Faults, SimulatedServer, demo_sites
from tests.consenting import configured, consent, ingest, serving
from tests.world import DAY, HOUR, START, World

TWO: dict[str, Any] = {"home": {}, "cabin": {}}


def sites() -> list[Any]:
    first, second = demo_sites(START, 2, 3)
    return [first, replace(second, owner="cabin")]


@pytest.mark.parametrize("down", ["500", pytest.param("html", marks=pytest.mark.long), "timeout"])
def test_three_days_of_trouble_lose_nothing_and_the_first_good_answer_resumes(tmp_path: Path, down: str) -> None:
    world = World(tmp_path, sites()[:1])
    world.run(DAY)
    before = TokenFiles(world.settings.state_dir / "tokens").read("home")
    world.cloud.faults = Faults(token_down=down)
    asked = len(world.cloud.token_calls)
    world.run(3 * DAY)
    asked = len(world.cloud.token_calls) - asked
    assert 20 < asked < 100, "asked about hourly"
    assert TokenFiles(world.settings.state_dir / "tokens").read("home") == before
    assert world.pipeline.accounts.needed() == {}
    polled = len(world.cloud.calls)
    world.cloud.faults = Faults()
    world.run(2 * HOUR)
    assert len(world.cloud.calls) > polled
    assert world.pipeline.accounts.needed() == {}
    world.end()


def test_tokens_are_renewed_even_if_nothing_may_be_polled(tmp_path: Path) -> None:
    world = World(tmp_path, sites()[:1], api={"plan": {"per_minute": 10, "per_month": 40}})
    world.run(20 * DAY)
    spent = [call for call in world.cloud.calls if call.counted]
    assert len(spent) <= 40
    assert world.pipeline.accounts.days_left(int(world.time.true))["home"] > 28
    world.end()


def test_after_a_month_switched_off_one_account_waits_for_a_person_and_the_other_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, sites(), accounts=TWO, systems=[
        {"id": 700001, "account": "home"}, {"id": 700002, "account": "cabin"}])  # fmt: skip
    world.run(HOUR)
    world.end()
    world.time.true += 31 * DAY
    world.authorizer().by_code("cabin", world.cloud.consent("cabin"))
    world.begin()
    world.cloud.calls.clear()
    world.run(2 * HOUR)
    needed = world.pipeline.accounts.needed()
    assert list(needed) == ["home"]
    assert "run `ingest auth login home`" in needed["home"]
    polled = {part for call in world.cloud.calls for part in re.findall(r"70000\d", call.path)}
    assert polled == {"700002"}
    refused = [call for call in world.cloud.token_calls if call.status == 400]
    assert len(refused) == 1, "a dead token is not asked about again"
    world.authorizer().by_code("home", world.cloud.consent("owner"))
    world.run(HOUR)
    assert world.pipeline.accounts.needed() == {}
    assert any("700001" in call.path for call in world.cloud.calls)
    world.end()


# ── the commands ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(name="server")
def _server() -> Iterator[SimulatedServer]:
    with serving() as server:
        yield server


def test_once_ends_with_3_and_a_sentence_after_the_other_account_was_polled(
    server: SimulatedServer, tmp_path: Path
) -> None:
    config = configured(tmp_path, server, accounts=TWO)
    for account, owner in (("home", "owner"), ("cabin", "cabin")):
        consent(server, tmp_path, account, owner)
    files = TokenFiles(tmp_path / "state" / "tokens")
    kept = files.read("home")
    assert kept is not None
    month_ago = replace(kept.current, issued_at=kept.current.issued_at - 31 * DAY, expires_at=START)
    files.write("home", replace(kept, current=month_ago))
    server.cloud.revoke("owner")
    done = ingest(config, "once", "--max-calls", "6")
    assert done.returncode == 3, done.stderr
    assert "run `ingest --config" in done.stderr
    assert "auth login home`" in done.stderr
    assert any("700002" in call.path for call in server.cloud.calls)
    stood = ingest(config, "auth", "status")
    assert stood.returncode == 3
    assert "home: account home: the authorization is no longer valid" in stood.stdout
    assert "cabin: authorized, 30.0 days left" in stood.stdout


def test_once_without_consent_ends_with_3_and_spends_nothing(server: SimulatedServer, tmp_path: Path) -> None:
    done = ingest(configured(tmp_path, server), "once")
    assert done.returncode == 3
    assert "account home is not authorized yet; run `ingest --config" in done.stderr
    assert (server.cloud.calls, server.cloud.token_calls) == ([], [])


def test_once_without_credentials_ends_with_2_and_names_the_command(tmp_path: Path) -> None:
    path = tmp_path / "local.yaml"
    path.write_text("api: {plan: watt}\n")
    done = ingest(path, "once")
    assert done.returncode == 2
    assert "api.key, api.client_id, api.client_secret not filled in yet" in done.stderr
    assert "Fill in with `ingest --config" in done.stderr
