"""A world whose old intervals leave the archive, and what is said to it later."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.core.span import Span
from ingest.core.tally import MeasuredSystem
from ingest.enphase.call import Purpose, Task
from ingest.enphase.catalogue import INTERVALS
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import Stream
from ingest.fetch.worker import Outcome
from ingest.service.leaving import Leaving
from ingest.store import archive
from tests.stories.test_homes import BARN, HOUSE, RANCH
from tests.world import DAY, Database, World, settings

NOW = int(datetime(2026, 11, 6, 12, tzinfo=UTC).timestamp())
UNTIL = int(datetime(2026, 10, 29, 23, tzinfo=UTC).timestamp())
"""Midnight in Berlin, two days before the month."""
FIXED = int(datetime(2026, 10, 31, 23, tzinfo=UTC).timestamp())
"""When the month began."""
BY_DAY = ("energy_daily", "energy_monthly", "money_daily")
PLACES = (str(HOUSE.system_id), str(BARN.system_id), "ranch")
KEEP: dict[str, Any] = {
    **RANCH,
    "systems": [
        {"id": HOUSE.system_id, "since": "9d", "streams": ["rgm_stats", "consumption"]},
        {"id": BARN.system_id, "since": "9d", "streams": ["stats"]},
    ],
    "archive": {"keep": "2d"},
}


class Lasting(Database):
    """Keeps all for ever."""

    def forgets(self, now: int) -> str:
        return ""

    def __deepcopy__(self, _: object) -> "Lasting":
        made = Lasting()
        made.rows = {key: dict(row) for key, row in self.rows.items()}
        return made

    def delete(self, place: MeasuredSystem, start: int, end: int) -> None:
        """Of rows that are withdrawn one by one, thousands, there is one series a place."""
        if end - start > 1:
            super().delete(place, start, end)
        else:
            self.rows.pop((place.measurement, (("system", place.system),), start), None)


class Keeping(World):
    """A world whose database is asked, and whose days go by without a call."""

    def begin(self) -> None:
        if not isinstance(self.database, Lasting):
            self.database = Lasting()
        super().begin()
        for _ in range(2):
            self.pipeline.clock.observe(int(self.time.true))
        self.leaving = Leaving(self.pipeline)

    def leave(self) -> None:
        while self.leaving.next():
            pass

    def day(self) -> None:
        """What a day of the service does besides polling."""
        self.deliver()
        self.look()
        self.leave()
        self.time.true += DAY

    def intervals(self, system: str) -> dict[tuple[str, int], str]:
        wanted = archive.Filter(tuple(INTERVALS), system)
        return {(key, at): row for key, at, row in archive.select(self.store.db, wanted)}

    def derived(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """What is derived of days and months before the cut, by its name."""
        return {
            (name, place, word): row
            for name in BY_DAY
            for place in PLACES
            for row in self.rows(name, place).values()
            if (word := str(row.get("date", row["month"]))) < "2026-11"
        }

    def old_rows(self) -> dict[Any, dict[str, Any]]:
        """What the database has of intervals that have left."""
        return {key: dict(row) for key, row in self.database.rows.items() if key[0] in INTERVALS and key[2] < UNTIL}

    def sent(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        return {
            (name, dict(tags)["system"], word): row
            for (name, tags, _), row in self.database.rows.items()
            if name in BY_DAY and (word := str(row.get("date", row["month"]))) < "2026-11"
        }


def said(made: Keeping, stream: Stream, **what: Any) -> None:
    """A reply of the cloud about the house."""
    task = Task("home", str(HOUSE.system_id), stream, what.pop("window", Span(0, 0)), Purpose.HISTORY)
    made.pipeline.events.put(Outcome(task, 0, Verdict(Kind.OK, ""), **what))
    assert made.pipeline.record() == 1
    follow(made)


def follow(made: Keeping) -> None:
    """What a few ticks compute of what has changed."""
    while made.pipeline.derivation.next(
        made.store, made.pipeline.inventory.systems, made.pipeline.transitions, int(made.time.true)
    ):
        pass
    made.deliver()


def drawn(page: str) -> dict[str, int | None]:
    """What a page shows as produced, by day."""
    data = json.loads(page.split('id="data">')[1].split("</script>", maxsplit=1)[0])
    return {bar[0]: bar[1] for bar in data["bars"]}


def restarted(made: Keeping, folder: Path, **changes: Any) -> None:
    made.end()
    made.settings = settings(folder, **{**KEEP, **changes})
    made.begin()
    follow(made)
