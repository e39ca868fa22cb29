"""A cause hides its symptoms, and only those."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.report.causes import EXPLAINS, ORDER, without_symptoms
from ingest.report.model import Problem
from ingest.store import runner
from ingest.store.database import Store
from tests.world import DAY, HOUR, START

ACCOUNTS = {"1001": "home", "1002": "home", "2001": "barn"}


def problem(kind: str, subject: str = "") -> Problem:
    return Problem(kind, subject, f"{kind} {subject}", "")


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path, own=True)) as store:
        yield store


def test_every_kind_stands_before_what_it_explains() -> None:
    for cause, symptoms in EXPLAINS.items():
        assert all(ORDER.index(cause) < ORDER.index(symptom) for symptom in symptoms), cause


def test_without_a_runner_nothing_is_said_of_the_outside_world() -> None:
    found = [problem("gateway", "1001"), problem("sink", "db"), problem("disk"), problem("runner")]
    (cause, disk) = without_symptoms(found, ACCOUNTS)
    assert (cause.kind, disk.kind) == ("runner", "disk")
    assert cause.explains == ("sink.db", "gateway.1001")


def test_an_account_without_a_token_explains_its_own_systems_only() -> None:
    found = [problem("gateway", "1001"), problem("gateway", "2001"), problem("renewal", "home"), problem("cloud")]
    assert [each.key for each in without_symptoms(found, ACCOUNTS)] == ["renewal.home", "cloud"]
    found = [problem("gateway", "1001"), problem("gateway", "2001"), problem("renewal", "home")]
    assert [each.key for each in without_symptoms(found, ACCOUNTS)] == ["renewal.home", "gateway.2001"]
    found = [problem("stream", "@home.systems"), problem("auth", "home")]
    assert [each.key for each in without_symptoms(found, ACCOUNTS)] == ["auth.home"]


def test_what_nothing_explains_stays() -> None:
    found = [problem("refused", "db"), problem("denied", "1001.consumption"), problem("clock")]
    assert [each.kind for each in without_symptoms(found, ACCOUNTS)] == ["clock", "denied", "refused"]


def due_at(store: Store) -> int:
    return runner.due_at(store.db, store.folder) or 0


def test_a_service_is_missed_after_a_quarter_of_an_hour(store: Store) -> None:
    assert not due_at(store)
    runner.begin(store, START, runner.SERVICE)
    store.touch(START + HOUR)
    assert due_at(store) == START + HOUR + HOUR // 4


def test_once_is_missed_when_its_crontab_skipped_it(store: Store) -> None:
    runner.begin(store, START, runner.ONCE)
    assert due_at(store) > START + DAY
    runner.begin(store, START + HOUR, runner.ONCE)
    assert due_at(store) == START + HOUR + 2 * HOUR + HOUR // 4
    runner.begin(store, START + 2 * HOUR, runner.SERVICE)
    runner.begin(store, START + 3 * HOUR, runner.ONCE)
    assert due_at(store) > START + 3 * HOUR + DAY
