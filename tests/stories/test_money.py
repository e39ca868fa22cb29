"""Money in the archive is what the simulator's sun is worth: odd days, holes, tariffs that change."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.report.worth import payback, worth
from ingest.store import archive, journal
from ingest.web import Source, create_app
from tests.world import DAY, World, settings
from tests.worlds import HOME, lived

OLD = {"from": "2025-01-01", "currency": "EUR", "import": 0.31, "export": 0.08, "standing": 0.96}
BIG = {"per_minute": 300, "per_month": 300_000}
FIELDS = ("cost", "earned", "saved")


def moment(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]


AUTUMN, SPRING = moment(2026, 10, 27, 12), moment(2026, 3, 31, 12)


def world(
    folder: Path, now: int, *tariffs: dict[str, Any], hidden: tuple[tuple[int, int], ...] = (), **more: Any
) -> World:
    """A house of which the last days were read, with some hours that its meters never saw."""
    site = replace(HOME, operational_at=now - 40 * DAY, hidden=tuple((*span, now + 30 * DAY) for span in hidden))
    systems = [{"id": HOME.system_id, "since": "9d"}]
    return lived(
        folder, [site], DAY, start=now - DAY, api={"plan": BIG}, systems=systems, tariffs=list(tariffs), **more
    )


def reconfigured(made: World, folder: Path, *tariffs: dict[str, Any]) -> None:
    """The program is stopped, its tariffs are changed, and it is started again."""
    made.end()
    systems = [{"id": HOME.system_id, "since": "9d"}]
    made.settings = settings(folder, api={"plan": BIG}, systems=systems, tariffs=list(tariffs))
    made.begin()
    made.run(60)


def expected(made: World, price: Any, standing: float, hours: Any) -> dict[int, dict[str, float]]:
    """What every quarter of an hour is worth by the truth of the simulator, written without the program."""
    until = max(made.rows("energy", HOME.system_id)) + 900
    begin = until - 12 * DAY
    produced, consumed = (
        {row["end_at"] - 900: row[key] / 1000 for row in made.cloud.truth(HOME.system_id, name, begin, until)}
        for name, key in (("rgm_stats", "wh_del"), ("consumption", "enwh"))
    )
    found = {}
    for at in made.rows("energy", HOME.system_id):
        if at in produced and at in consumed:
            bought, sold = max(0.0, consumed[at] - produced[at]), max(0.0, produced[at] - consumed[at])
            found[at] = {
                "cost": bought * price(at) + standing / (4 * hours(at)),
                "earned": sold * 0.08,
                "saved": (consumed[at] - bought) * price(at),
            }
    return found


def same(made: World, truth: dict[int, dict[str, float]]) -> None:
    rows = made.rows("money", HOME.system_id)
    assert len(truth) > 5 * 96
    assert rows.keys() == truth.keys()
    for at, fields in truth.items():
        assert rows[at] == pytest.approx(fields, abs=1e-9), at
    sent = {key[2]: row for key, row in made.database.rows.items() if key[0] == "money"}
    assert sent == rows, "the database has the same"


def sums(made: World) -> dict[str, dict[str, float]]:
    return {str(row["date"]): row for row in made.rows("money_daily", HOME.system_id).values()}


@pytest.mark.parametrize(("now", "day", "hours"), [(AUTUMN, "2026-10-25", 25), (SPRING, "2026-03-29", 23)])
def test_money_of_a_day_that_is_longer_or_shorter(tmp_path: Path, now: int, day: str, hours: int) -> None:
    made = world(tmp_path, now, OLD)
    odd = {row["date"] for row in made.rows("money_daily", HOME.system_id).values() if row["hours"] not in (24, hours)}
    begin = next(at for at, row in made.rows("money_daily", HOME.system_id).items() if row["date"] == day)
    truth = expected(made, lambda _: 0.31, 0.96, lambda at: hours if begin <= at < begin + hours * 3600 else 24)
    same(made, truth)
    total = sums(made)[day]
    assert total["hours"] == hours
    assert total["cost"] == pytest.approx(
        sum(fields["cost"] for at, fields in truth.items() if begin <= at < begin + hours * 3600)
    )
    assert len(odd) <= 2, "the first day read and the running one"
    made.end()


def test_a_tariff_that_changes_at_noon_and_then_is_changed(tmp_path: Path) -> None:
    noon = moment(2026, 10, 22, 10, 30)  # 12:30 in Berlin
    made = world(tmp_path, AUTUMN, {**OLD, "standing": 0})
    seq = made.database.writes
    later = {**OLD, "standing": 0, "from": "2026-10-22 12:30", "import": 0.5}
    reconfigured(made, tmp_path, {**OLD, "standing": 0}, later)
    truth = expected(made, lambda at: 0.5 if at >= noon else 0.31, 0.0, lambda _: 24)
    same(made, truth)
    assert made.database.writes > seq
    asked, before = made.wire.sent, journal.next_seq(made.store.db) - 1
    reconfigured(made, tmp_path, {**OLD, "standing": 0}, {**later, "import": 0.4})
    keys = archive.series_keys(made.store.db)
    again = [
        at for series, at, *_ in journal.changes(made.store.db, before, 10**6) if keys[series].startswith("money,")
    ]
    assert len(again) > 2 * 96
    assert min(again) >= noon, "what the change does not touch stays as it was"
    same(made, expected(made, lambda at: 0.4 if at >= noon else 0.31, 0.0, lambda _: 24))
    assert made.wire.sent <= asked + 8, "money is computed, not asked for"
    made.end()


def test_a_tariff_that_begins_later_leaves_nothing_behind(tmp_path: Path) -> None:
    made = world(tmp_path, AUTUMN, OLD)
    reconfigured(made, tmp_path, {**OLD, "from": "2026-10-24"})
    rows = made.rows("money", HOME.system_id)
    begin = moment(2026, 10, 23, 22)
    assert all(not any(row.values()) for at, row in rows.items() if at < begin)
    assert any(row["saved"] for at, row in rows.items() if at >= begin)
    assert sums(made)["2026-10-23"]["cost"] == 0.0
    made.end()


def test_a_month_with_a_hole_is_the_sum_of_what_is_there(tmp_path: Path) -> None:
    hole = (moment(2026, 10, 21, 8), moment(2026, 10, 21, 14))
    made = world(tmp_path, AUTUMN, {**OLD, "standing": 0}, hidden=(hole,))
    truth = expected(made, lambda _: 0.31, 0.0, lambda _: 24)
    same(made, truth)
    assert not any(hole[0] <= at < hole[1] for at in truth)
    assert sums(made)["2026-10-21"]["hours"] == 18
    month = worth(made.store.db, str(HOME.system_id), moment(2026, 9, 30, 22), AUTUMN)
    for name in FIELDS:
        assert getattr(month, name) == pytest.approx(sum(fields[name] for fields in truth.values()))
    made.end()


def test_the_same_however_it_came(tmp_path: Path) -> None:
    """Interval by interval as it is read, or all at once from an archive that had no tariff."""
    stepped = {**OLD, "import": [{"price": 0.2, "up_to": 60}, {"price": 0.4}], "tax": "19%"}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = world(tmp_path / "a", AUTUMN, stepped)
    second = world(tmp_path / "b", AUTUMN)
    assert not second.rows("money", HOME.system_id)
    reconfigured(second, tmp_path / "b", stepped)
    one, other = (made.rows("money", HOME.system_id) for made in (first, second))
    assert len(one) > 5 * 96
    for at in one.keys() & other.keys():
        assert one[at] == pytest.approx(other[at])
    assert len(one.keys() ^ other.keys()) <= 4
    first.end()
    second.end()


def test_payback_is_what_came_back(tmp_path: Path) -> None:
    made = world(tmp_path, AUTUMN, OLD)
    rows = made.rows("money", HOME.system_id).values()
    found = payback(made.store.db, str(HOME.system_id), 12_500.0, AUTUMN)
    assert found is not None
    assert found.returned == pytest.approx(sum(row["earned"] + row["saved"] for row in rows))
    assert found.years_left is None, "a week says nothing of years"
    made.end()


def test_the_page_has_the_money_of_the_archive_and_says_why_there_is_none(tmp_path: Path) -> None:
    made = world(tmp_path, AUTUMN, OLD)

    def page() -> str:
        source = Source(made.settings, made.store, lambda: AUTUMN, lambda: AUTUMN)
        return create_app(source).test_client().get("/").get_data(as_text=True)

    rows = sums(made).values()
    brought, cost = (sum(row[name] for row in rows) for name in ("saved", "cost"))
    brought += sum(row["earned"] for row in rows)
    text = page()
    assert f"{brought:,.2f} <small>EUR earned and saved" in text
    assert f"<dd>{cost:,.2f}</dd>" in text
    reconfigured(made, tmp_path, {**OLD, "from": "2027-01-01"})
    assert "Money this month" in page()
    reconfigured(made, tmp_path)
    assert "Money this month" not in page()
    made.end()
