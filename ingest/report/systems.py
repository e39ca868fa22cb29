"""The report of one system: present power and energy, and how far its streams have been read.

What the state holds of many systems is read at once (`holding`): a statement for each of thousands takes seconds.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ingest.core import derive
from ingest.core.days import local_midnight
from ingest.core.point import decode_fields
from ingest.core.units import HOUR
from ingest.enphase.catalogue import PRODUCTION
from ingest.enphase.streams import STREAMS
from ingest.plan.inventory import Inventory
from ingest.plan.state import NO_METER, OddRow, OddRows
from ingest.plan.work import Work
from ingest.report.gaps import PairStanding, gaps, refused_spans
from ingest.report.model import DifferenceReport, OddReport, StreamReport, SystemReport
from ingest.store import daily_totals, meta, overview

SHOWN_GAPS = 20
METER_GRAIN = 900
METERED = next(iter(PRODUCTION))
"""The measurement of the meter, which comes first."""
METERS = {"production": ("production_rgm", "production_meter"), "consumption": ("consumption", "grid")}
"""What the meters of a home measure."""
LOOKED_AT = (
    *PRODUCTION,
    *(name for names in METERS.values() for name in names),
    *(next(iter(stream.fields)) for stream in STREAMS if stream.grain),
)
"""The measurements of which a report tells how old they are."""


class Holding(NamedTuple):
    """What the state holds of the systems of a report: the calls of this month by pair, the start (epoch s) of the
    newest interval by measurement and system, the newest rows of production likewise, and by system what it made today
    (Wh), the days that do not add up, and that it makes too little.
    """

    calls: Mapping[tuple[str, str], int]
    newest: Mapping[tuple[str, str], int]
    production: Mapping[tuple[str, str], tuple[int, str]]
    today_wh: Mapping[str, float]
    differences: Mapping[str, Sequence[DifferenceReport]]
    behind: Mapping[str, str]


def holding(
    db: sqlite3.Connection, calls: Mapping[tuple[str, str], int], timezones: Mapping[str, str], now: int
) -> Holding:
    """What is held of some systems, of which the time zones are given."""
    systems = timezones.keys()
    midnights = {timezone: local_midnight(now, timezone) for timezone in set(timezones.values())}
    begins = {system: midnights[timezone] for system, timezone in timezones.items()}
    differences: defaultdict[str, list[DifferenceReport]] = defaultdict(list)
    for difference in daily_totals.differences(db, systems):
        differences[difference.system].append(
            DifferenceReport(difference.day, difference.series, difference.vendor_wh, difference.held_wh)
        )
    behind = {system: str(json.loads(kept)["sentence"]) for system, kept in meta.read_all(db, "behind.").items()}
    return Holding(
        calls,
        overview.newest_times(db, LOOKED_AT, systems),
        overview.newest_rows(db, PRODUCTION, systems),
        overview.sums_since(db, "energy", "produced_wh", begins, now),
        differences,
        behind,
    )


def system_report(
    inventory: Inventory, works: Sequence[tuple[Work, PairStanding]], held: Holding, now: int
) -> SystemReport:
    """What there is to say of a system whose interval streams are `works`, and how each stands."""
    wanted = works[0][0].wanted
    system = wanted.system
    row = inventory.systems.get(system)
    size = row.info.get("size_w") if row and row.size_w else None
    power = _power(system, held, row.size_w if row else None)
    return SystemReport(
        system=system,
        name=(row.name if row else "") or f"System {system}",
        account=wanted.account,
        timezone=row.timezone if row else "",
        reported_at=works[0][0].reported_at,
        looked_at=row.profile.rhythm.looked_at or None if row else None,
        power_w=power[0] if power else None,
        today_wh=held.today_wh.get(system),
        age_s=max(0, now - power[1]) if power else None,
        streams=[_stream(inventory, work, stands, held, now) for work, stands in works],
        differences=held.differences.get(system, ()),
        behind=held.behind.get(system, ""),
        size_w=float(size) if isinstance(size, int | float) and size > 0 else None,
        owed_s=sum([stands.owed_s for _, stands in works]),
        read_s=sum([stands.read_s for _, stands in works]),
        no_meters=_no_meters(inventory, held, system),
    )


def _no_meters(inventory: Inventory, held: Holding, system: str) -> tuple[str, ...]:
    """The kinds of meter that a system has not: none, as long as its devices are not known."""
    row = inventory.systems.get(system)
    listed = row.profile.meters if row else None
    return tuple(
        kind
        for kind, measurements in METERS.items()
        if listed is not None and kind not in listed
        if not any((name, system) in held.newest for name in measurements)
    )


def odd_reports(rows: OddRows | None) -> Sequence[OddReport]:
    """What could not be read of a pair, by reason."""
    if not rows:
        return ()
    found: dict[str, list[OddRow]] = {}
    for row in rows.values():
        found.setdefault(row.reason, []).append(row)
    return [
        OddReport(reason, len(alike), alike[-1].sample, min(row.first_at for row in alike))
        for reason, alike in found.items()
    ]


def _power(system: str, held: Holding, size_w: object) -> tuple[float, int] | None:
    """The newest mean power (W) of production, and the end of its interval.

    That of the meter where it reported, unless the microinverters have gone on for longer than one of its intervals.
    What a system of that size cannot make is no power of it.
    """
    newest: tuple[float, int] | None = None
    unsure: tuple[float, int] | None = None
    for measurement, grain in PRODUCTION.items():
        found, row = held.production.get((measurement, system), (0, ""))
        if not row or (newest and found + grain <= newest[1] + METER_GRAIN):
            continue
        fields = decode_fields(row)
        value, reporting = fields.get("power_w"), fields.get("devices_reporting", 1.0)
        is_silent = measurement == METERED and reporting == 0.0 and value == 0.0
        if isinstance(value, float) and abs(value) <= derive.most_wh(size_w, HOUR):
            if is_silent:
                unsure = value, found + grain
            else:
                newest = value, found + grain
    return newest or unsure


def _stream(inventory: Inventory, work: Work, stands: PairStanding, held: Holding, now: int) -> StreamReport:
    pair, key = work.pair, work.key
    newest = held.newest.get((next(iter(work.stream.fields)), work.system))
    asked = bool(inventory.state.coverage.get(key)) and pair.state != NO_METER
    return StreamReport(
        stream=work.stream.name,
        complete_until=stands.complete_until if asked else None,
        ratio=round(stands.ratio, 6) if asked or pair.state else 0.0,
        gaps=gaps(work, stands, now)[-SHOWN_GAPS:],
        revised=pair.revised,
        revised_wh=pair.revised_wh,
        lag_s=None if newest is None else max(0, now - newest - work.stream.grain),
        state=pair.state,
        reason=pair.reason,
        fails=pair.fails,
        calls_month=held.calls.get(key, 0),
        odd=odd_reports(inventory.state.odd.get(key)),
        refused=refused_spans(work, stands.owing, now),
        wanted_from=stands.wanted.start,
    )
