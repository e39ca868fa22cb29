"""What each panel of a system makes, the weakest first: one far behind its peers is shaded, dirty or broken."""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, tzinfo
from statistics import median
from typing import NamedTuple

from ingest.core.days import date_at
from ingest.core.point import decode_fields, parse_series
from ingest.core.units import DAY
from ingest.store import archive
from ingest.store.archive import Filter

DAYS = 30
SHOWN = 50
"""How many of the weakest are shown; a plant has thousands."""


class Panel(NamedTuple):
    """A panel by its microinverter: the energy of its newest days (Wh), that of the last of them where it is the
    system's, and a mean day's share of that of the median panel.
    """

    inverter: str
    made_wh: float
    last_wh: float | None
    share: float | None


@dataclass(frozen=True)
class Panels:
    """The weakest panels first, of how many there are, over how many days, and the last of these."""

    weakest: list[Panel]
    count: int
    days: int
    last_day: date


def panels(db: sqlite3.Connection, system: str, local: tzinfo, now: int) -> Panels | None:
    """The panels of a system in the newest days; None where none was read on two nights in a row."""
    days: dict[str, dict[int, float]] = defaultdict(dict)
    for key, at, fields in archive.select(db, Filter(("inverter_daily",), system, now - (DAYS + 1) * DAY)):
        produced_wh = decode_fields(fields).get("produced_wh")
        if isinstance(produced_wh, float):
            days[dict(parse_series(key)[1])["inverter"]][at] = produced_wh
    if not days:
        return None
    known = {at for by_day in days.values() for at in by_day}
    last = max(known)
    usual = median(sum(by_day.values()) / len(by_day) for by_day in days.values())
    found = [
        Panel(
            name, sum(by_day.values()), by_day.get(last), sum(by_day.values()) / len(by_day) / usual if usual else None
        )
        for name, by_day in days.items()
    ]
    found.sort(key=lambda panel: (panel.share or 0.0, panel.inverter))
    return Panels(found[:SHOWN], len(found), len(known), date_at(last, local))
