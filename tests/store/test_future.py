"""What a clock that ran ahead has written is brought back once; what is of the past stays as it is."""

from ingest.core.units import DAY, HOUR
from ingest.plan.coverage import Advance
from ingest.plan.state import Pair, SystemRow
from ingest.store import future, ledger, meta, progress
from ingest.store.database import in_memory

NOW = 1_782_864_000 + 10 * DAY
CALL = ("1", "stats", "live")


def test_nothing_lies_ahead_afterwards_and_the_past_is_untouched() -> None:
    db = in_memory()
    past = Pair("1", "stats", floor=5, asked_at=NOW - HOUR, rest_until=NOW + 6 * DAY, history_from=NOW + DAY)
    ahead = Pair("1", "consumption", asked_at=NOW + 40 * DAY, rest_until=NOW + 40 * DAY, history_from=NOW + 41 * DAY)
    for pair in (past, ahead):
        progress.save_pair(db, pair)
    progress.save_system(db, SystemRow("1", "home", probes=2, probed_at=NOW + 40 * DAY))
    db.execute("INSERT INTO known (system, seen_at, reported_at) VALUES ('1', ?, ?)", (NOW + 40 * DAY, NOW - 600))
    for at in (NOW - DAY, NOW + 40 * DAY):
        ledger.end(db, ledger.reserve(db, "app", at, CALL), at, "ok")
    meta.write(db, "paused_until", str(NOW + 70 * DAY))
    future.clamp_future(db, "app", NOW)
    assert progress.pair(db, "1", "stats") == past
    back = progress.pair(db, "1", "consumption")
    assert (back.asked_at, back.rest_until, back.history_from) == (NOW, NOW, NOW)
    row = progress.system(db, "1")
    assert row is not None
    assert row.probed_at == NOW
    assert [*progress.log_of(db, "1")] == [Advance(NOW, NOW - 600)]
    assert ledger.usage(db, "app", NOW).month == 2, "no call is freed"
    assert meta.read(db, "paused_until") == str(NOW)
