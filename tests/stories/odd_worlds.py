"""What may be odd about a random world: drawn by chance, edited into the cloud's replies, and into the sun's."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from ingest.core.http import Reply, Request
from ingest.core.span import Span
from ingest.simulator import Site
from ingest.store import odd_rows
from tests.world import DAY, START, Database, World, sun

PATHS = {
    "stats": ("/production_micro", "/stats"),
    "rgm_stats": ("/rgm_stats",),
    "consumption": ("/consumption_meter", "/consumption_stats"),
}
KEYS = {"stats": "enwh", "rgm_stats": "wh_del", "consumption": "enwh"}
MEASURED = {"stats": "production_micro", "rgm_stats": "production_rgm", "consumption": "consumption"}
GRAINS = {"stats": 300, "rgm_stats": 900, "consumption": 900}
LENGTHS = {"day": DAY, "week": 7 * DAY}
ZONES = ("US/Pacific", "Europe/Berlin", "Australia/Sydney", "Mars/Phobos", "")
WORDS: tuple[object, ...] = (None, "n/a", {}, True)
"""What stands in the place of a row, or of its energy."""
HONEST = object()
"""Nothing odd stands there."""
Key = tuple[str, tuple[tuple[str, str], ...], int]
Rows = dict[Key, dict[str, float]]


def stream_of(request: Request) -> str:
    return next((name for name, paths in PATHS.items() if request.url.endswith(paths)), "")


def asked(request: Request, now: float) -> Span:
    """What a reply to a request holds."""
    start = int(request.params["start_at"])
    if "granularity" in request.params:
        return Span(start, min(start + LENGTHS[request.params["granularity"]], int(now)))
    return Span(start, int(request.params["end_at"]))


class OddSite:
    """What is odd about one system until the cloud mends it: `rows` before they are looked at a second time, `for_ever`
    never.
    """

    def __init__(self, site: Site, dice: random.Random, mended_at: int) -> None:
        def some(share: float = 0.3) -> bool:
            return dice.random() < share

        self.site, self.mended_at = site, mended_at
        first, last = max(START - 3 * DAY, site.operational_at), mended_at - DAY
        day = first + dice.randrange(max(1, (last - first) // DAY)) * DAY
        reports: tuple[object, ...] = (None, 0, -1, "yesterday", START - 30 * DAY, START + 900 * DAY, 2**45)
        self.report = dice.choice(reports) if some() else HONEST
        self.reports_in_lists_only = some(0.5)
        self.bad_days = {dice.choice([*PATHS]): Span(day, day + DAY)} if some() else {}
        self.zone = dice.choice(ZONES) if some() else site.timezone
        self.zone_until = START + dice.randrange(DAY, 4 * DAY)
        self.gone_at = self._midnight_after(day) if site.meter and some() else None
        is_new = site.meter and self.gone_at is None and some()
        self.came_at = START + dice.randrange(900, mended_at - START, 900) if is_new else None
        self.site = replace(site, meter_since=self.came_at)
        self.is_negative = some() and site.meter
        self.future = {name for name in PATHS if some(0.15)}
        self.astray = {name for name in PATHS if some(0.1)}
        self.rows: dict[tuple[str, int], object] = {}
        self.for_ever: dict[tuple[str, int], object] = {}
        for _ in range(dice.randrange(1, 6) if some(0.4) else 0):
            name = dice.choice([*PATHS])
            end = first - first % 900 + dice.randrange(1, (last - first) // 900) * 900
            (self.for_ever if some() else self.rows)[name, end] = dice.choice(WORDS)

    def __repr__(self) -> str:
        return f"OddSite({ {name: value for name, value in vars(self).items() if name != 'site'} })"

    def _midnight_after(self, at: int) -> int:
        return self.site.midnight(self.site.local_date(at + DAY))

    def edit(self, request: Request, body: dict[str, Any], now: int) -> None:
        """What becomes of a reply about the system."""
        name = stream_of(request)
        if name and isinstance(body.get("intervals"), list):
            if name == "rgm_stats":
                self._meter(body)
            self._rows(name, body, now)
        if request.url.endswith("/energy_lifetime") and self.gone_at is not None and body.get("start_date"):
            self._totals(body)
        meta = body.get("meta")
        if self.report is not HONEST and isinstance(meta, dict) and not self.reports_in_lists_only:
            meta["last_report_at"] = self.report

    def _meter(self, body: dict[str, Any]) -> None:
        gone = self.gone_at
        for row in body["intervals"]:
            row.update(self._metered(row))
        for meter in body.get("meter_intervals", ()) if gone is not None else ():
            meter["intervals"] = [row for row in meter["intervals"] if row["end_at"] <= gone]

    def _metered(self, row: dict[str, Any]) -> dict[str, Any]:
        if self.gone_at is not None and row["end_at"] > self.gone_at:
            return {"wh_del": 0, "devices_reporting": 0}
        if self.is_negative and not row["wh_del"] and row["end_at"] // 900 % 4 == 0:
            return {"wh_del": -1 - row["end_at"] // 3600 % 2}
        return {}

    def _rows(self, name: str, body: dict[str, Any], now: int) -> None:
        bad = {key: word for key, word in self.rows.items() if now < key[1] + 2 * DAY} | self.for_ever
        whole = list(body["intervals"])
        for index, row in enumerate(whole):
            word = bad.get((name, row["end_at"]), HONEST)
            if word is not HONEST:
                body["intervals"][index] = None if word is None else row | {KEYS[name]: word}
        if whole and name in self.future:
            body["intervals"].append(whole[-1] | {"end_at": now - now % 900 + 40 * DAY})
        if whole and name in self.astray and now < self.mended_at:
            body["intervals"].append(whole[-1] | {"end_at": 900})

    def _totals(self, body: dict[str, Any]) -> None:
        start, since = date.fromisoformat(body["start_date"]), self.site.local_date(self.gone_at or 0)
        for index in range(max(0, (since - start).days), len(body["production"])):
            body["production"][index] = body["micro_production"][index]
            if "meter_production" in body:
                body["meter_production"][index] = 0

    def refuses(self, request: Request, now: float) -> bool:
        """Whether a call fails because its window holds a day that the cloud cannot give."""
        bad = self.bad_days.get(stream_of(request))
        if bad is None or now >= self.mended_at:
            return False
        window = asked(request, now)
        return window.start < bad.end and window.end > bad.start

    def listed(self, row: dict[str, Any], now: int) -> None:
        """What becomes of its row in a list of systems."""
        if now < self.zone_until:
            row["timezone"] = self.zone or None
        if self.report is not HONEST:
            (row["meta"] if isinstance(row.get("meta"), dict) else row)["last_report_at"] = self.report

    def sun(self, rows: Rows) -> Rows:
        """The same rows as the cloud shows them."""
        found: Rows = {}
        for (name, tags, time), fields in rows.items():
            stream = next((stream for stream, measurement in MEASURED.items() if measurement == name), "")
            end = time + GRAINS.get(stream, 900)
            if name == "production_rgm_channel" and self.gone_at is not None and end > self.gone_at:
                continue
            if (stream, end) in self.for_ever:
                continue
            found[name, tags, time] = dict(fields)
            if stream == "rgm_stats":
                shown = self._metered({"wh_del": fields["energy_wh"], "end_at": end})
                if shown:
                    wh = float(shown["wh_del"])
                    reporting = float(shown.get("devices_reporting", fields["devices_reporting"]))
                    found[name, tags, time] |= {"energy_wh": wh, "power_w": wh * 4, "devices_reporting": reporting}
        return found

    def is_doubtful(self, day: str) -> bool:
        """Whether a total cannot be held against its intervals, because some of them can never be read."""
        return any(self.site.local_date(end - 1).isoformat() == day for _, end in self.for_ever)


class OddCloud:
    """All systems of a world, and what was drawn of each."""

    def __init__(self, world: World, sites: Sequence[Site], dice: random.Random, mended_at: int) -> None:
        self.world = world
        self.sites = {site.system_id: OddSite(site, dice, mended_at) for site in sites}
        self._honest: Callable[[Request], Reply] = world.wire.send
        world.wire.send = self.send  # type: ignore[method-assign]
        for at in self.sites.values():
            if at.came_at is not None:
                world.cloud.put(replace(at.site, meter=False))

    def _come(self) -> None:
        """Meters are there from their time on."""
        for at in self.sites.values():
            if at.came_at is not None and at.came_at <= self.world.time.true and at.site not in self.world.cloud.sites:
                self.world.cloud.put(at.site)

    def of(self, request: Request) -> OddSite | None:
        part = request.url.partition("/systems/")[2].partition("/")[0]
        return self.sites.get(int(part)) if part.isdigit() else None

    def send(self, request: Request) -> Reply:
        self._come()
        reply, at = self._honest(request), self.of(request)
        if reply.status != 200 or "/oauth/" in request.url:
            return reply
        if at is not None and at.refuses(request, self.world.time.true):
            return replace(reply, status=500, body=b'{"message": "please try again later"}')
        try:
            body = json.loads(reply.body)
        except ValueError:
            return reply
        if isinstance(body, dict):
            now = int(self.world.time.true)
            if at is not None:
                at.edit(request, body, now)
            for row in body.get("systems", ()) if request.url.endswith("/systems") else ():
                self.sites[row["system_id"]].listed(row, now)
        return replace(reply, body=json.dumps(body).encode())

    def sun(self, site: Site, since: int, until: int) -> Rows:
        """Everything that must be in the archive, as the cloud shows it."""
        return self.sites[site.system_id].sun(sun(self.world.cloud, site, since, until))

    def check_accounted(self) -> None:
        """Every row that can never be read is remembered, no other is, and what is odd in each reply is named."""
        held = odd_rows.load(self.world.store.db)
        for system, at in self.sites.items():
            for stream in PATHS:
                rows = held.get((str(system), stream), {})
                there = self._shown(at.site, stream)
                lost = {end - GRAINS[stream] for name, end in at.for_ever if name == stream and end in there}
                assert {time for time, _ in rows if time} == lost, (at, stream, rows)
                ahead = {reason for time, reason in rows if not time}
                due = (
                    {"it ends after the cloud's own time"}
                    if stream in at.future and self._is_there(at, stream)
                    else set()
                )
                assert ahead == due, (at, stream, rows)

    def _shown(self, site: Site, stream: str) -> set[int]:
        """The ends of the intervals that the cloud has; some systems send nothing while it is dark."""
        now = int(self.world.time.true)
        return {row["end_at"] for row in self.world.cloud.truth(site.system_id, stream, START - 4 * DAY, now)}

    def _is_there(self, at: OddSite, stream: str) -> bool:
        return {"rgm_stats": at.site.meter, "consumption": at.site.consumption_meter}.get(stream, True)


def lose(database: Database, dice: random.Random) -> None:
    """The database is emptied behind the program's back, or loses a part of what it acknowledged."""
    share = dice.choice([0.0, 0.5, 0.99])
    database.rows = {key: row for key, row in database.rows.items() if dice.random() < share}
