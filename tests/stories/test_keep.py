"""What has left the archive stays as it was computed: days, months and money of systems and homes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.store import meta, retention
from ingest.web import Source, create_app
from tests.stories.test_homes import BARN, HOUSE, NOW, RANCH
from tests.world import HOUR, Time, World, settings

LEFT = int(datetime(2026, 10, 31, tzinfo=UTC).timestamp())
"""The end of all that there is."""
DAYS = ("energy_daily", "energy_monthly", "money_daily")
PLACES = ("ranch", str(HOUSE.system_id), str(BARN.system_id))


def ended(made: World) -> dict[tuple[str, str], dict[int, dict[str, Any]]]:
    return {
        (name, place): {at: row for at, row in made.rows(name, place).items() if row.get("date") != "2026-10-27"}
        for name in DAYS
        for place in PLACES
    }


@pytest.fixture
def made(tmp_path: Path) -> World:
    """A home whose intervals have left, all of them."""
    made = World(tmp_path, [HOUSE, BARN], time=Time(NOW - 6 * HOUR), **RANCH)
    made.run(5 * HOUR)
    with made.store.transaction() as db:
        meta.write(db, retention.LEFT, json.dumps([0, LEFT, 10**9, 1]))
    return made


def test_what_has_left_is_not_computed_anew(made: World, tmp_path: Path) -> None:
    before = ended(made)
    assert all(before["energy_daily", place] for place in PLACES)
    assert before["money_daily", "ranch"]
    retention.leave(made.store, [], None, NOW)
    assert not made.rows("energy", "ranch")
    assert not made.rows("production_rgm", HOUSE.system_id)
    with made.store.transaction() as db:
        former = {**json.loads(meta.read(db, "home.ranch") or "{}"), "formula": 0}
        meta.write(db, "home.ranch", json.dumps(former))
    made.end()
    dearer = [{**RANCH["tariffs"][0], "import": 0.9, "standing": 2}]
    made.settings = settings(tmp_path, **{**RANCH, "tariffs": dearer})
    made.begin()
    made.run(600)
    assert ended(made) == before
    now = int(made.time.true)
    client = create_app(Source(made.settings, made.store, lambda: now, lambda: now)).test_client()
    for path in ("/", "/?system=ranch&range=day&day=2026-10-25", f"/?system={HOUSE.system_id}&day=2026-10-25"):
        assert client.get(path).status_code == 200
    made.end()
