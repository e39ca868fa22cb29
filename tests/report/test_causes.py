"""A cause hides its symptoms, and only those."""

import sqlite3
from collections.abc import Iterator

import pytest

from ingest.report import runner
from ingest.report.causes import EXPLAINS, ORDER, without_symptoms
from ingest.report.model import Problem
from ingest.store.database import in_memory
from tests.world import DAY, HOUR, START

ACCOUNTS = {"1001": "home", "1002": "home", "2001": "barn"}


def problem(kind: str, subject: str = "") -> Problem:
    return Problem(kind, subject, f"{kind} {subject}", "")


@pytest.fixture(name="db")
def _db() -> Iterator[sqlite3.Connection]:
    db = in_memory()
    yield db
    db.close()


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
    assert [each.kind for each in without_symptoms(found, ACCOUNTS)] == ["clock", "refused", "denied"]


def test_a_service_is_missed_after_a_quarter_of_an_hour(db: sqlite3.Connection) -> None:
    assert runner.due_at(db) is None
    runner.note(db, START, runner.SERVICE)
    assert runner.due_at(db) == START + HOUR // 4


def test_once_is_missed_when_its_crontab_skipped_it(db: sqlite3.Connection) -> None:
    runner.note(db, START, runner.ONCE)
    assert (runner.due_at(db) or 0) > START + DAY
    runner.note(db, START + HOUR, runner.ONCE)
    assert runner.due_at(db) == START + HOUR + 2 * HOUR + HOUR // 4
    runner.note(db, START + 2 * HOUR, runner.SERVICE)
    runner.note(db, START + 3 * HOUR, runner.ONCE)
    assert (runner.due_at(db) or 0) > START + 3 * HOUR + DAY
