"""The report of one system: present power and energy, and how far its streams have been read."""

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime

from ingest.core import derive
from ingest.core.days import zone
from ingest.core.point import decode_fields
from ingest.core.units import HOUR
from ingest.enphase.catalogue import PRODUCTION
from ingest.plan.inventory import Inventory
from ingest.plan.state import NO_METER, OddRow, OddRows
from ingest.plan.windows import complete_until
from ingest.plan.work import Work
from ingest.report.gaps import gaps, owing, ratio, refusals, shares
from ingest.report.model import DifferenceReport, OddReport, StreamReport, SystemReport
from ingest.store import archive, daily_totals, meta

SHOWN_GAPS = 20
METER_GRAIN = 900
METERED = next(iter(PRODUCTION))
"""The measurement of the meter, which comes first."""
METERS = {"production": ("production_rgm", "production_meter"), "consumption": ("consumption", "grid")}
"""What the meters of a home measure."""


def system_report(
    inventory: Inventory, db: sqlite3.Connection, works: list[Work], calls: Mapping[tuple[str, str], int], now: int
) -> SystemReport:
    """What there is to say of a system whose interval streams are `works`; `calls` are those of this month, by pair."""
    system = works[0].system
    row = inventory.systems.get(system)
    log = inventory.state.logs.get(system, ())
    size = row.info.get("size_w") if row else None
    power = _power(db, system, size)
    found = [shares(work, inventory.settings.settle, now) for work in works]
    timezone = row.timezone if row else ""
    today = archive.numbers(db, "energy", system, "produced_wh", local_midnight(now, timezone), now)
    return SystemReport(
        system=system,
        name=(row.name if row else "") or f"System {system}",
        account=works[0].account,
        timezone=timezone,
        reported_at=log[-1].reported_at if log else None,
        looked_at=row.profile.rhythm.looked_at or None if row else None,
        power_w=power[0] if power else None,
        today_wh=sum(today.values()) if today else None,
        age_s=max(0, now - power[1]) if power else None,
        streams=[_stream(inventory, work, _newest(db, work), calls.get(work.key, 0), now) for work in works],
        differences=[
            DifferenceReport(at.day, at.series, at.vendor_wh, at.held_wh) for at in daily_totals.differences(db, system)
        ],
        behind=str(json.loads(meta.read(db, f"behind.{system}") or '{"sentence": ""}')["sentence"]),
        size_w=float(size) if isinstance(size, int | float) and size > 0 else None,
        owed_s=sum(owed for owed, _ in found),
        read_s=sum(read for _, read in found),
        no_meters=_no_meters(inventory, db, system),
    )


def _no_meters(inventory: Inventory, db: sqlite3.Connection, system: str) -> tuple[str, ...]:
    """The kinds of meter that a system has not: none, as long as its devices are not known."""
    row = inventory.systems.get(system)
    listed = row.profile.meters if row else None
    return tuple(
        kind
        for kind, measurements in METERS.items()
        if listed is not None and kind not in listed
        if all(archive.extent(db, name, system) is None for name in measurements)
    )


def odd_reports(rows: OddRows) -> list[OddReport]:
    """What could not be read of a pair, by reason."""
    found: dict[str, list[OddRow]] = {}
    for row in rows.values():
        found.setdefault(row.reason, []).append(row)
    return [
        OddReport(reason, len(alike), alike[-1].sample, min(row.first_at for row in alike))
        for reason, alike in found.items()
    ]


def local_midnight(now: int, timezone: str) -> int:
    """When the local day of a system began."""
    local = datetime.fromtimestamp(now, UTC).astimezone(zone(timezone))
    return int(datetime(local.year, local.month, local.day, tzinfo=local.tzinfo).timestamp())


def _newest(db: sqlite3.Connection, work: Work) -> int | None:
    """The end of the newest interval of a stream."""
    extent = archive.extent(db, next(iter(work.stream.fields)), work.system)
    return extent[1] + work.stream.grain if extent else None


def _power(db: sqlite3.Connection, system: str, size_w: object) -> tuple[float, int] | None:
    """The newest mean power (W) of production, and the end of its interval.

    That of the meter where it reported, unless the microinverters have gone on for longer than one of its intervals.
    What a system of that size cannot make is no power of it.
    """
    newest: tuple[float, int] | None = None
    unsure: tuple[float, int] | None = None
    for measurement, grain in PRODUCTION.items():
        found = archive.extent(db, measurement, system)
        if found is None or (newest and found[1] + grain <= newest[1] + METER_GRAIN):
            continue
        fields = decode_fields(next(archive.values(db, measurement, system, found[1], found[1] + 1))[1])
        value, reporting = fields.get("power_w"), fields.get("devices_reporting", 1.0)
        is_silent = measurement == METERED and reporting == 0.0
        if isinstance(value, float) and abs(value) <= derive.most_wh(size_w, HOUR):
            if is_silent:
                unsure = value, found[1] + grain
            else:
                newest = value, found[1] + grain
    return newest or unsure


def _stream(inventory: Inventory, work: Work, newest: int | None, calls: int, now: int) -> StreamReport:
    pair = work.pair
    settle = inventory.settings.settle
    asked = bool(inventory.state.coverage.get(work.key)) and pair.state != NO_METER
    return StreamReport(
        stream=work.stream.name,
        complete_until=complete_until(work, settle, now) if asked else None,
        ratio=round(ratio(work, settle, now), 6) if asked or pair.state else 0.0,
        gaps=gaps(work, settle, now)[-SHOWN_GAPS:],
        revised=pair.revised,
        revised_wh=pair.revised_wh,
        lag_s=None if newest is None else max(0, now - newest),
        state=pair.state,
        reason=pair.reason,
        fails=pair.fails,
        calls_month=calls,
        odd=odd_reports(inventory.state.odd.get(work.key, {})),
        refused=refusals(work, owing(work, settle, now), now),
    )
