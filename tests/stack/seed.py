"""A database as the boards find it: four systems in three zones, read by the real pipeline into the real InfluxDB.

The six weeks hold a day of 23 hours (Sydney, 4 October) and two of 25 (Berlin, 25 October; New Mexico, 1 November).
Days and months of two years come with it. A house with a battery, of which the grid is read too, has a database of its
own. Added by hand is only what an afternoon cannot show: more readings of the odometers, a battery that is only known
by name, and what a pipeline in trouble says of itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

from ingest.core.point import Point, encode
from ingest.deliver.influx_v1 import InfluxV1Sink
from ingest.deliver.sink import Sink, Target
from ingest.enphase.streams import BY_NAME
from ingest.report.missing_days import REFUSED
from ingest.report.model import Problem
from ingest.report.own_points import REVISED, in_plain_words
from ingest.simulator import Site, panels
from ingest.simulator.devices import micro_serials
from ingest.simulator.history import History
from tests.influxd import Influxd
from tests.world import DAY, HOUR, Database, Time, World, sun

DATABASE = "enphase"
NOW = int(datetime(2026, 11, 5, 20, 0, tzinfo=UTC).timestamp())
SINCE = date(2026, 9, 28)
AFTERNOON = 2 * HOUR
QUARTER = 900
EVERY = 300
"""How often the pipeline speaks here."""


def _site(
    number: int,
    name: str,
    zone: str,
    latitude: float,
    longitude: float,
    *,
    meter: bool,
    consumption: bool = True,
    battery: int = 0,
) -> Site:
    return Site(
        system_id=1_234_560 + number,
        name=name,
        timezone=zone,
        latitude=latitude,
        longitude=longitude,
        size_w=6000 + 1000 * number,
        modules=16 + number,
        operational_at=int(datetime(2024, 10, 3, tzinfo=UTC).timestamp()),
        meter=meter,
        consumption_meter=consumption,
        battery_wh=battery,
    )


SITES = (
    _site(1, "Mesa (old roof)", "US/Mountain", 35.1, -106.6, meter=True),
    _site(2, "Lake House", "Europe/Berlin", 47.7, 9.2, meter=False),
    _site(3, "Bay Terrace", "Australia/Sydney", -33.9, 151.2, meter=True),
)
MILL = _site(4, "Old Mill", "Europe/Berlin", 51.0, 7.0, meter=False, consumption=False)
ALL = (*SITES, MILL)
"""With a fourth, that has no consumption meter."""
CABIN = replace(_site(5, "Hill Cabin", "US/Pacific", 40.0, -121.0, meter=True, battery=10_000), weak_panels=(7,))
CABIN_DATABASE = "cabin"
CABIN_SINCE = date(2026, 10, 22)
CABIN_STREAMS = ("stats", "rgm_stats", "consumption", "grid_import", "grid_export", "battery")
USUAL = ("stats", "rgm_stats", "consumption")
LOST = {MILL.system_id: (date(2026, 10, 31), date(2026, 11, 1))}
"""Days whose intervals could not be read, by system."""
TARIFF = {"from": "2025-01-01", "currency": "USD", "import": 0.31, "export": 0.08, "standing": 0.96}


class InfluxWorld(World):
    """A world whose sink is a real server."""

    def __init__(
        self,
        folder: Path,
        server: Influxd,
        sites: tuple[Site, ...] = ALL,
        database: str = DATABASE,
        tariffs: Sequence[Mapping[str, object]] = (),
        **system: object,
    ) -> None:
        self.server, self._into = server, database
        systems = [{"id": site.system_id, "since": SINCE.isoformat(), **system} for site in sites]
        plan = {"per_minute": 300, "per_month": 300_000}
        more = {"tariffs": [*tariffs]} if tariffs else {}
        super().__init__(folder, sites, time=Time(NOW - AFTERNOON), api={"plan": plan}, systems=systems, **more)

    def _open(self, _: Target) -> Database:
        return cast("Database", InfluxV1Sink(self.server.url, self._into))


@dataclass(frozen=True)
class Seeded:
    """The server with its data, and the truth they come from."""

    server: Influxd
    world: World
    cabin: World

    def query(self, influxql: str) -> list[dict[str, object]]:
        """The rows that a query answers."""
        return self.server.query(DATABASE, influxql)

    def quarters(self, site: Site, start: int, end: int) -> dict[int, dict[str, float]]:
        """The true energies (Wh) of the quarters of an hour that begin in [start, end)."""
        truth = sun(self.world.cloud, site, start - HOUR, end + HOUR)
        tags = (("system", str(site.system_id)),)
        found = {}
        for time in range(start, end, QUARTER):
            if site.meter:
                made = truth["production_rgm", tags, time]["energy_wh"]
            else:
                made = sum(truth["production_micro", tags, time + step]["energy_wh"] for step in (0, 300, 600))
            used = truth["consumption", tags, time]["energy_wh"]
            found[time] = {"produced_wh": made, "consumed_wh": used, "self_consumed_wh": min(made, used)}
        return found

    def sums(self, site: Site, start: int, end: int) -> dict[str, float]:
        """The true sums (Wh) of a span of time."""
        rows = self.quarters(site, start, end).values()
        return {name: sum(row[name] for row in rows) for name in ("produced_wh", "consumed_wh", "self_consumed_wh")}

    def day(self, site: Site, day: date) -> dict[str, float]:
        """The true sums of a local day, however many hours it has."""
        return self.sums(site, site.midnight(day), site.midnight(day + timedelta(days=1)))

    def daily(self, site: Site) -> dict[date, dict[str, float]]:
        """Every ended local day of the life of a system, as the vendor's totals have it."""
        production, use = (self.world.cloud.daily(site.system_id, kind) for kind in ("production", "consumption"))
        last = site.local_date(NOW) - timedelta(days=1)
        return {
            day: {"produced_wh": float(wh), "consumed_wh": float(use[day])}
            for day, wh in production.items()
            if day <= last
        }

    def monthly(self, site: Site) -> dict[date, dict[str, float]]:
        """The same by month."""
        months: dict[date, dict[str, float]] = {}
        for day, fields in self.daily(site).items():
            month = months.setdefault(day.replace(day=1), dict.fromkeys(fields, 0.0))
            for name, value in fields.items():
                month[name] += value
        return months


def seed(server: Influxd, folder: Path) -> Seeded:
    """Fill the database."""
    own = {"since": CABIN_SINCE.isoformat(), "streams": [*CABIN_STREAMS]}
    (folder / CABIN_DATABASE).mkdir()
    world = InfluxWorld(folder, server)
    cabin = InfluxWorld(folder / CABIN_DATABASE, server, (CABIN,), CABIN_DATABASE, [TARIFF], **own)
    for made, sites, database in ((world, ALL, DATABASE), (cabin, (CABIN,), CABIN_DATABASE)):
        made.run(AFTERNOON)
        sink: Sink = InfluxV1Sink(server.url, database)
        for site in sites:
            sink.write(list(map(encode, _of_system(site, made))))
        sink.write(list(map(encode, _of_itself(sites))))
        for site in sites:
            forget(server, database, site, LOST.get(site.system_id, ()))
        if sites == (CABIN,):
            sink.write(list(map(encode, _of_panels(CABIN, made.cloud.history(CABIN.system_id)))))
        sink.close()
    return Seeded(server, world, cabin)


def forget(server: Influxd, database: str, site: Site, days: Sequence[date]) -> None:
    """Lose what was read of the intervals of some days; totals of days come from elsewhere."""
    for day in days:
        span = f"time >= {site.midnight(day)}s AND time < {site.midnight(day + timedelta(days=1))}s"
        for measurement in ("production_micro", "energy"):
            server.execute(f'DELETE FROM "{measurement}" WHERE "system" = \'{site.system_id}\' AND {span}', database)  # noqa: S608


def gap_words(days: Sequence[date]) -> str:
    """Days in a row as the pipeline names them."""
    return f"{days[0]} to {days[-1]}" if days else ""


def _of_system(site: Site, world: World) -> Iterator[Point]:
    """Snapshots over some days, and what the pipeline says of a system every hour."""
    system = ("system", str(site.system_id))
    app = ("app", "a1b2c3")
    lost = LOST.get(site.system_id, ())
    for at in range(NOW - 2 * DAY, NOW, HOUR):
        revised = 3.0 * (at - NOW + 2 * DAY) / HOUR
        words: Mapping[str, float | str] = {"last_error": _trouble(site)}
        if revised:
            words = {**words, "change": "3 points revised", "changed_points": 3.0, "changed_gaps": 0.0}
            words = {**words, "changed_wh": 40.0 if site.meter else -5.0, "change_why": REVISED}
        if lost and at == NOW - 5 * HOUR:
            why = f"{REVISED}; never delivered: asked 4 times in vain (500), again in 3 h"
            words = {**words, "change": "3 points revised, 1 new gap", "changed_gaps": 1.0, "change_why": why}
        yield Point("ingest", (app, ("stream", "stats"), system), at, {**_said(site, "stats", revised, lost), **words})
    for age, revised, gap, words in LONE if site.meter else ():
        said = {**_said(site, "rgm_stats", revised, gap), **words}
        yield Point("ingest", (app, ("stream", "rgm_stats"), system), NOW - age, said)
    for name in streams_of(site):
        if name not in ("stats", "rgm_stats"):
            said = {**_said(site, name, 0.0), "last_error": ""}
            yield Point("ingest", (app, ("stream", name), system), NOW - 20 * HOUR, said)
    happened = ("device", site.gateway_serial), ("source", "event"), system, ("type", "28")
    yield Point("event", happened, NOW - DAY, {"text": "Gateway not reporting", "state": "closed"})
    if site.meter:
        for days in range(10, 1, -1):
            read_at, counted = cast("tuple[int, int]", world.cloud.odometer(site.system_id, NOW - days * DAY))
            tags = (("meter", site.production_meter_serial), system)
            yield Point("production_meter_reading", tags, read_at, {"reading_wh": float(counted)})
    else:
        yield Point("system_info", (system,), NOW - HOUR, {"battery_capacity_wh": 5000.0})


def _of_panels(site: Site, history: History) -> Iterator[Point]:
    """Every panel by day over two weeks, one of which gives half of what the others do."""
    for back in range(1, 15):
        day = site.local_date(NOW) - timedelta(days=back)
        made = panels.shares(history, history.daily("stats", day))
        for serial, wh in zip(micro_serials(site), made, strict=True):
            tags = (("inverter", serial), ("system", str(site.system_id)))
            yield Point("inverter_daily", tags, site.midnight(day), {"produced_wh": float(wh)})


CHANGED: dict[str, float | str] = {
    "change": "12 points revised, 3 gaps filled",
    "changed_points": 12.0,
    "changed_gaps": -3.0,
    "changed_wh": 640.0,
    "change_why": f"{REVISED}; read again after: the cloud had trouble (503)",
    "last_error": "",
}
LONE: tuple[tuple[int, float, Sequence[date], Mapping[str, float | str]], ...] = (
    (27 * HOUR, 10.0, (date(2026, 11, 1), date(2026, 11, 3)), {"last_error": "", "gaps": 3.0}),
    (3 * HOUR, 22.0, (), CHANGED),
)
"""A stream that speaks on change: once before yesterday's hour, once since (age, points revised, its gap, words)."""


STREAM_CALLS = {"stats": 17.0, "rgm_stats": 14.0}
"""Calls of this month by stream; of the others as many as OTHER_CALLS."""
OTHER_CALLS = 9.0
MONTH = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
"""When the calls of this month began to count."""
AUDITED = date(2026, 10, 21)
"""A day of each system that does not add up."""


def streams_of(site: Site) -> tuple[str, ...]:
    """What is read of a system."""
    streams = CABIN_STREAMS if site is CABIN else USUAL
    lacks = {"rgm_stats": not site.meter, "consumption": not site.consumption_meter}
    return tuple(name for name in streams if not lacks.get(name))


def calls(sites: Sequence[Site], at: int) -> dict[str, float | str]:
    """The calls that were made at a moment for some systems, and what the month comes to at that pace."""
    made = sum(STREAM_CALLS.get(name, OTHER_CALLS) for site in sites for name in streams_of(site))
    used = float(round(made * (at - MONTH) / (NOW - EVERY - MONTH)))
    return {"calls_month": used, "calls_month_forecast": float(round(used * 30 * DAY / (at - MONTH)))}


def _trouble(site: Site) -> str:
    """What is wrong with a stream, as boards say it."""
    system = str(site.system_id)
    problem = Problem("stream", f"{system}.stats", f"{site.name}: stats: the cloud has trouble (503)", "")
    return in_plain_words(problem, {system: site.name})


def _said(site: Site, stream: str, revised: float, lost: Sequence[date] = ()) -> dict[str, float | str]:
    """What the pipeline says of a stream of which some days in a row are lost."""
    spent = STREAM_CALLS.get(stream, OTHER_CALLS)
    always: dict[str, float | str] = {"lag_s": 1200.0, "calls_month": spent, "source": BY_NAME[stream].label}
    always |= {"audit_differences": 1.0, "audit_days": AUDITED.isoformat(), "lost_days": float(len(lost))}
    lacking = {kind: "" if there else f"no {kind} meter" for kind, there in _meters(site).items()}
    always |= {f"no_{kind}_meter": words for kind, words in lacking.items()}
    always |= {"no_meters": ", ".join(filter(None, lacking.values()))}
    known = (site.local_date(NOW) - SINCE).days
    ratio = 1.0 - len(lost) / known
    words: dict[str, float | str] = {"coverage_ratio": ratio, "gaps": float(bool(lost)), "gap_days": gap_words(lost)}
    since = CABIN_SINCE if site is CABIN else SINCE
    return {**words, **missing(len(lost), since=since), "points_revised": revised, **always}


def missing(days: int, why: str = REFUSED, since: date = SINCE) -> dict[str, float | str]:
    """What the pipeline says of days that are missing."""
    return {"missing_days": float(days), "gap_why": why if days else "", "wanted_from": since.isoformat()}


def _meters(site: Site) -> dict[str, bool]:
    return {"production": site.meter, "consumption": site.consumption_meter}


def _of_itself(sites: Sequence[Site]) -> Iterator[Point]:
    """What the pipeline says of its application, account and sink every five minutes."""
    app = ("app", "a1b2c3")
    for number, at in enumerate(range(NOW - 2 * DAY, NOW, EVERY)):
        sums = {"coverage_ratio": 0.5, "gaps": 9.0, "sink_backlog": 90_000.0 * (number % 2)}
        sums |= {"calls_month_limit": 1000.0, "audit_differences": float(len(sites))}
        yield Point("ingest", (app,), at, {**calls(sites, at), **sums})
        yield Point("ingest", (app, ("account", "home")), at, {"token_days_left": 21.0})
        backlog: Mapping[str, float | str] = {
            "sink_backlog": 40.0 + number,
            "sink_overdue": 40.0 + number,
            "last_error": "influx: refuses connections",
        }
        yield Point("ingest", (app, ("sink", "influx")), at, backlog)
