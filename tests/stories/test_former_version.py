"""A backup made by the version before, restored and polled on by this one: nothing is lost and nothing read twice.

`former/state-3.db.gz` is what `ingest backup --with-tokens` of the version with three migrations wrote of `SITE` after
a day and ten hours.
"""

import gzip
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.core.point import decode_fields
from ingest.store import archive, ledger, migrations, outbox
from ingest.store.archive import Filter
from ingest.store.backup import restore
from tests.stories.test_convergence import check_days, check_energy, differences
from tests.world import DAY, HOUR, START, Time, World
from tests.worlds import HOME

SITE = replace(HOME, operational_at=START - 5 * DAY)
MADE_AT = START + DAY + 10 * HOUR
BACKUP = Path(__file__).parent / "former" / "state-3.db.gz"
POINTS = "SELECT key, time, fields, seq FROM points JOIN series ON series.id = series ORDER BY key, time"


class Restored(World):
    """A world that goes on from the backup instead of beginning with a consent."""

    def consent(self) -> None:
        backup = Path(self.settings.state_dir).parent / "backup.db"
        backup.write_bytes(gzip.decompress(BACKUP.read_bytes()))
        for name, text in restore(backup, self.settings.state_dir).items():
            self.authorizer().files.put_text(name, text)
        with closing(sqlite3.connect(backup)) as db:
            self.former: dict[str, list[Any]] = {
                "version": db.execute("PRAGMA user_version").fetchone(),
                "points": db.execute(POINTS).fetchall(),
                "calls": db.execute("SELECT count(*), sum(purpose = 'history') FROM calls").fetchone(),
                "tokens": db.execute("SELECT account, text FROM tokens").fetchall(),
                "cursor": db.execute("SELECT cursor, sent FROM sinks WHERE name = 'db'").fetchone(),
            }


def test_a_backup_of_the_version_before_is_restored_and_polled_on(tmp_path: Path) -> None:
    world = Restored(tmp_path, [SITE], time=Time(MADE_AT))
    former = world.former
    db = world.store.db
    assert former["version"][0] < migrations.VERSION == migrations.version(db)

    counts = {"produced_days", "consumed_days", "self_consumed_days"}
    gained = _gained(_values(archive.select(db, Filter())), _values(former["points"]))
    assert gained == {"energy_daily": counts, "energy_monthly": {*counts, "self_consumed_wh"}}
    assert len(former["points"]) == archive.size(db) > 4000
    sink = outbox.sink(db, "db")
    assert sink is not None
    assert (sink.cursor, sink.sent) == tuple(former["cursor"])
    assert [("home", world.authorizer().files.text("home"))] == former["tokens"]
    usage = ledger.usage(db, world.pipeline.app, MADE_AT)
    assert 0 < usage.month <= former["calls"][0]
    assert usage.history == former["calls"][1]

    asked = len(world.cloud.calls)
    world.run(HOUR)
    assert {call.path for call in world.cloud.calls[asked:]}.isdisjoint({"/oauth/token"}), "the old token still works"
    assert len(world.cloud.calls) - asked < 20, "nothing is read twice"
    sent = {(name, at) for name, _, at in world.database.rows if not name.startswith("energy_")}
    assert all(at >= START for _, at in sent), "what was sent is not sent again"

    world.run(6 * DAY)
    until = int(world.time.true) - 5 * DAY
    world.database.rows = {}
    _replay(world)
    assert differences(world, SITE, SITE.operational_at, until) == []
    check_energy(world, SITE, SITE.operational_at, until)
    check_days(world, SITE, SITE.operational_at, until)
    assert len(world.database.rows) == archive.size(db)
    world.end()


def _values(rows: Iterable[Any]) -> dict[tuple[str, int], dict[str, float]]:
    """Numbers of rows by series and time."""
    return {
        (key, time): {name: value for name, value in decode_fields(fields).items() if isinstance(value, float)}
        for key, time, fields, *_ in rows
    }


def _gained(now: Mapping[Any, Mapping[str, float]], former: Mapping[Any, Mapping[str, float]]) -> dict[str, set[str]]:
    """The fields, by measurement, that rows have besides those they had; those are as they were."""
    found: dict[str, set[str]] = {}
    assert now.keys() == former.keys()
    for key, fields in now.items():
        assert {name: fields.get(name) for name in former[key]} == former[key], key
        if more := fields.keys() - former[key].keys():
            found.setdefault(key[0].partition(",")[0], set()).update(more)
    return found


def _replay(world: World) -> None:
    with world.store.transaction() as db:
        outbox.ask_replay(db, "db", archive.Filter())
    world.deliver()
