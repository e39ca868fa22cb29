"""One system: what it does now, and how far its streams have been read."""

import sqlite3
from datetime import UTC, datetime

from ingest.core.planner import Work, complete_until
from ingest.core.point import decode_fields
from ingest.report.gaps import gaps, ratio
from ingest.report.model import Difference, StreamReport, SystemReport
from ingest.roster import Roster, zone
from ingest.store import archive, totals
from ingest.store.progress import Pair

SHOWN_GAPS = 20
PRODUCTION = ("production_rgm", "production_micro")


def system_report(roster: Roster, db: sqlite3.Connection, system: str, works: list[Work], now: int) -> SystemReport:
    """What there is to say of a system whose interval streams are `works`."""
    row = roster.systems.get(system)
    log = roster.logs.get(system, ())
    newest = {work.stream.name: _newest(db, work) for work in works}
    made = [at for work in works if work.stream.name != "consumption" and (at := newest[work.stream.name])]
    timezone = row.timezone if row else ""
    today = archive.numbers(db, "energy", system, "produced_wh", midnight(now, timezone), now)
    return SystemReport(
        system=system,
        name=(row.name if row else "") or f"System {system}",
        account=works[0].account,
        timezone=timezone,
        reported_at=log[-1].reported_at if log else None,
        power_w=_power(db, system),
        today_wh=sum(today.values()) if today else None,
        age_s=max(0, now - max(made)) if made else None,
        streams=[_stream(roster, work, newest[work.stream.name], now) for work in works],
        differences=[Difference(at.day, at.series, at.vendor_wh, at.held_wh) for at in totals.differences(db, system)],
    )


def midnight(now: int, timezone: str) -> int:
    """When the local day of a system began."""
    local = datetime.fromtimestamp(now, UTC).astimezone(zone(timezone))
    return int(datetime(local.year, local.month, local.day, tzinfo=local.tzinfo).timestamp())


def _newest(db: sqlite3.Connection, work: Work) -> int | None:
    """The end of the newest interval of a stream."""
    extent = archive.extent(db, next(iter(work.stream.fields)), work.system)
    return extent[1] + work.stream.grain if extent else None


def _power(db: sqlite3.Connection, system: str) -> float | None:
    for measurement in PRODUCTION:
        found = archive.extent(db, measurement, system)
        if found:
            _, fields = next(archive.values(db, measurement, system, found[1], found[1] + 1))
            value = decode_fields(fields).get("power_w")
            return value if isinstance(value, float) else None
    return None


def _stream(roster: Roster, work: Work, newest: int | None, now: int) -> StreamReport:
    pair = roster.pairs.get(work.pair) or Pair(*work.pair)
    settle = roster.settings.settle
    asked = bool(roster.coverage.get(work.pair))
    return StreamReport(
        stream=work.stream.name,
        complete_until=complete_until(work, settle, now) if asked else None,
        ratio=round(ratio(work, settle, now), 6) if asked or pair.state else 0.0,
        gaps=gaps(work, pair, settle, now)[-SHOWN_GAPS:],
        revised=pair.revised,
        lag_s=None if newest is None else max(0, now - newest),
        state=pair.state,
        reason=pair.reason,
        fails=pair.fails,
    )
