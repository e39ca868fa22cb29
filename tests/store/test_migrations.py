"""A state of an older version is brought to the newest form."""

import contextlib
import sqlite3

from ingest.core.point import decode_fields
from ingest.store import journal, migrations

OLD = 3
"""The version before days and months were named."""


def test_days_and_months_of_an_older_state_are_named_and_delivered_again() -> None:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for step in migrations.MIGRATIONS[:OLD]:
            assert isinstance(step, str)
            db.executescript(step)
        db.execute(f"PRAGMA user_version = {OLD}")
        db.execute("INSERT INTO systems VALUES ('1', 'home', 'Home', 'US/Mountain', NULL, '{}', 0, NULL, '{}')")
        for number, kind in enumerate(("energy_daily", "energy_monthly", "energy"), 1):
            db.execute("INSERT INTO series VALUES (?, ?, ?, '1')", (number, f"{kind},system=1", kind))
            db.execute("INSERT INTO points VALUES (?, 1793512800, 'produced_wh=5.0', ?)", (number, number))
        db.execute("INSERT INTO meta VALUES ('seq', '4')")
        db.execute("INSERT INTO sinks (name, fingerprint) VALUES ('db', '')")
        migrations.migrate(db)
        assert migrations.version(db) == migrations.VERSION
        found = {series: decode_fields(fields) for series, _, fields, _ in journal.changes(db, 0, 9)}
        words = {"produced_wh": 5.0, "month": "2026-11", "year": "2026"}
        assert found[1] == words | {"date": "2026-11-01", "day": "01", "weekday": "Sun", "week": "2026-10-26"}
        assert found[2] == words | {"month_of_year": "11"}
        assert found[3] == {"produced_wh": 5.0}
        assert {row[0] for row in journal.changes(db, 3, 9)} == {1, 2}
        assert journal.next_seq(db) == 6


def test_days_that_lack_only_their_week_get_it_and_months_are_left_alone() -> None:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrations.migrate(db)
        db.execute("INSERT INTO systems VALUES ('1', 'home', 'Home', 'US/Mountain', NULL, '{}', 0, NULL, '{}')")
        for number, kind in enumerate(("energy_daily", "energy_monthly", "energy"), 1):
            db.execute("INSERT INTO series VALUES (?, ?, ?, '1')", (number, f"{kind},system=1", kind))
            db.execute(
                "INSERT INTO points VALUES (?, 1793512800, 'produced_wh=5.0,year=\"2026\"', ?)", (number, number)
            )
        db.execute("INSERT OR REPLACE INTO meta VALUES ('seq', '4')")
        migrations.name_weeks(db)
        changed = db.execute("SELECT series, fields FROM points WHERE seq > 3").fetchall()
        found = {series: decode_fields(fields) for series, fields in changed}
        assert found.keys() == {1}
        assert (found[1]["weekday"], found[1]["week"]) == ("Sun", "2026-10-26")
