"""What a site measured: intervals, daily totals and the odometer, which all come from the same numbers."""

from array import array
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ingest.simulator import flows, sun
from ingest.simulator.gateway import Gateway
from ingest.simulator.noise import mix
from ingest.simulator.site import Site

STATS, RGM, CONSUMPTION = "stats", "rgm_stats", "consumption"
IMPORT, EXPORT, CHARGE, DISCHARGE = "import", "export", "charge", "discharge"
STEP = dict.fromkeys((RGM, CONSUMPTION, IMPORT, EXPORT, CHARGE, DISCHARGE), sun.METER_STEP) | {STATS: sun.MICRO_STEP}
"""Length of an interval of each stream, seconds (6)."""
_UNSETTLED = 2 * 3600  # seconds of intervals that are looked at one by one
_PERCENT = "percent"
_SALT = {STATS: 1, RGM: 2, CONSUMPTION: 3, IMPORT: 4, EXPORT: 5, CHARGE: 6, DISCHARGE: 6}


class Reading(NamedTuple):
    """Energy of one interval as shown at a moment; `share` below 1 says that it will still grow."""

    end_at: int
    wh: int
    share: float


@lru_cache(maxsize=8192)  # one site in many clouds, as tests have it, is computed once
def _measured(
    salt: int, latitude: float, longitude: float, zone: ZoneInfo, size_w: int, day: int
) -> dict[str, Sequence[int]]:
    """What roof and appliances of a house do in a day (UTC), Wh."""
    micro = sun.yields(salt, latitude, longitude, size_w, day)
    return {
        STATS: array("I", micro),
        RGM: array("I", sun.metered(salt, day, micro)),
        CONSUMPTION: array("I", sun.draws(salt, latitude, zone, size_w, day)),
    }


class History:
    """All data of one site. Days are computed when asked for; at most `days` of them are kept in memory."""

    def __init__(self, site: Site, seed: int, days: int = 1000) -> None:
        self.site = site
        self.salt = mix(seed, site.system_id)
        self.gateway = Gateway(site, self.salt)
        self._day = lru_cache(maxsize=days)(self._compute)
        self._split = lru_cache(maxsize=max(days // 10, 10))(self._compute_split)
        self._flows = lru_cache(maxsize=days)(self._compute_flows)
        self._levels = [site.battery_wh / 2]
        self._totals: dict[tuple[str, date], tuple[int | None, int]] = {}
        self._odometer: dict[str, list[int]] = {}

    def _compute(self, day: int) -> dict[str, Sequence[int]]:
        site = self.site
        return _measured(self.salt, site.latitude, site.longitude, site.zone, site.size_w, day)

    def _compute_flows(self, day: int) -> tuple[dict[str, Sequence[int]], float]:
        """Everything beyond roof and appliances, the charge of the battery (%), and its level (Wh) as the day ends."""
        site, known = self.site, self._day(day)
        micro, begin, step = known[STATS], day * sun.DAY, sun.METER_STEP
        produced = [
            known[RGM][i] if site.meter and begin + i * step >= self.since(RGM) else sum(micro[3 * i : 3 * i + 3])
            for i in range(sun.DAY // step)
        ]
        found, level = flows.flows(produced, known[CONSUMPTION], site.battery_wh, self._level(day))
        rest = zip(known[CONSUMPTION], found.charged, found.discharged, strict=True)
        return {
            IMPORT: found.imported,
            EXPORT: found.exported,
            CHARGE: found.charged,
            DISCHARGE: found.discharged,
            CONSUMPTION: [used + charged - discharged for used, charged, discharged in rest],
            _PERCENT: found.percent,
        }, level

    def _level(self, day: int) -> float:
        """What is in the battery as a day begins; days follow each other from the first."""
        first = self.site.operational_at // sun.DAY
        if not self.site.battery_wh or day < first:
            return self._levels[0]
        while len(self._levels) <= day - first:
            self._levels.append(self._flows(first + len(self._levels) - 1)[1])
        return self._levels[day - first]

    def _energies(self, stream: str, day: int) -> Sequence[int]:
        """The intervals of a day. With a battery, consumption is what the meter at the grid and that of the roof make
        of it: battery included (7.9).
        """
        if stream in (STATS, RGM) or (stream == CONSUMPTION and not self.site.battery_wh):
            return self._day(day)[stream]
        return self._flows(day)[0][stream]

    def percent(self, end_at: int) -> int:
        """How full the battery is at the end of a quarter hour."""
        day, slot = divmod(end_at // sun.METER_STEP - 1, sun.DAY // sun.METER_STEP)
        return self._flows(day)[0][_PERCENT][slot]

    def used(self, start: int, end: int) -> int:
        """Wh that the house drew in (start, end], battery left out: what its owner calls consumption."""
        step, per_day = sun.METER_STEP, sun.DAY // sun.METER_STEP
        return sum(
            self._day(number // per_day)[CONSUMPTION][number % per_day] for number in range(start // step, end // step)
        )

    def _compute_split(self, day: int) -> tuple[Sequence[float], Sequence[int], Sequence[int]]:
        first, one, two = sun.phases(self.salt, day, self._day(day)[RGM])
        return array("d", first), array("I", one), array("I", two)

    def split(self, end_at: int) -> tuple[float, int, int]:
        """Wh on the first channel of the meter in a quarter hour, and `curr_w` of its two channels."""
        day, slot = divmod(end_at // sun.METER_STEP - 1, sun.DAY // sun.METER_STEP)
        first, one, two = self._split(day)
        return first[slot], one[slot], two[slot]

    def has(self, stream: str) -> bool:
        """Whether the site has the device which measures the stream."""
        site = self.site
        if stream in (CHARGE, DISCHARGE):
            return bool(site.battery_wh)
        return {STATS: site.micros, RGM: site.meter}.get(stream, site.consumption_meter)

    def since(self, stream: str) -> int:
        """Start of the very first interval."""
        begin = self.site.operational_at
        if stream == RGM:
            begin = max(begin, self.site.meter_since or 0)
        return -(-begin // STEP[stream]) * STEP[stream]

    def _clip(self, stream: str, start: int, end: int) -> tuple[int, int]:
        step, ended = STEP[stream], self.site.ended_at
        end = end if ended is None else min(end, ended)
        first = max(start // step, self.since(stream) // step)
        return first, max(end // step, first) if self.has(stream) else first

    def _parts(self, stream: str, start: int, end: int) -> Iterator[tuple[int, Sequence[int]]]:
        """Runs of consecutive intervals in (start, end]: end of the first one, and the energies."""
        step = STEP[stream]
        number, last = self._clip(stream, start, end)
        per_day = sun.DAY // step
        while number < last:
            day, offset = divmod(number, per_day)
            upto = min(last - day * per_day, per_day)
            yield (number + 1) * step, self._energies(stream, day)[offset:upto]
            number = day * per_day + upto

    def readings(self, stream: str, start: int, end: int, now: int | None = None) -> list[Reading]:
        """Intervals with start < end_at <= end as shown at `now`; None: as they will be in the end."""
        end = end if now is None else min(end, now)
        if now is None or self.gateway.settled_at(start, end) <= now:
            return self._final(stream, start, end)
        if end - start <= _UNSETTLED:
            return list(self._shown(stream, self._final(stream, start, end), now))
        middle = (start + end) // 2
        return self.readings(stream, start, middle, now) + self.readings(stream, middle, end, now)

    def _final(self, stream: str, start: int, end: int) -> list[Reading]:
        step = STEP[stream]
        found = [
            Reading(end_at, wh, 1.0)
            for first, energies in self._parts(stream, start, end)
            for end_at, wh in zip(range(first, first + step * len(energies), step), energies, strict=True)
        ]
        if stream == STATS and not self.site.night_rows:
            return [row for row in found if row.wh]
        return found

    def _shown(self, stream: str, rows: list[Reading], now: int) -> Iterator[Reading]:
        for row in rows:
            share = self.gateway.share(row.end_at, _SALT[stream], now)
            if share >= 1:
                yield row
            elif share:
                yield Reading(row.end_at, int(row.wh * share), share)

    def total(self, stream: str, start: int, end: int, now: int | None = None) -> int:
        """Wh of the intervals with start < end_at <= end as shown at `now`."""
        if now is None or self.gateway.settled_at(start, end) <= now:
            return sum(sum(energies) for _, energies in self._parts(stream, start, end))
        return sum(row.wh for row in self.readings(stream, start, end, now))

    def daily(self, stream: str, day: date, now: int | None = None) -> int:
        """Wh of a local day, 23 to 25 hours long, as shown at `now`."""
        settled, total = self._totals.get((stream, day), (None, 0))
        if settled is not None and (now is None or settled <= now):
            return total
        start, end = self.site.midnight(day), self.site.midnight(day + timedelta(days=1))
        settled = self.gateway.settled_at(start, end)
        if now is not None and settled > now:
            return self.total(stream, start, end, now)
        total = self.total(stream, start, end)
        self._totals[stream, day] = settled, total
        return total

    def odometer(self, at: int, stream: str = RGM) -> tuple[int, int] | None:
        """(read_at, Wh) of the meter of a stream at its last reading at or before `at`, None before the first.

        The meter counts what it measured, whether or not the cloud has the intervals yet.
        """
        report = self.gateway.last_report(at)
        since = self.since(stream)
        if report is None or not self.has(stream) or report < since:
            return None
        read_at = report // sun.METER_STEP * sun.METER_STEP
        first, day = since // sun.DAY, read_at // sun.DAY
        counted = self._odometer.setdefault(stream, [0])
        while len(counted) <= day - first:
            begin = (first + len(counted) - 1) * sun.DAY
            counted.append(counted[-1] + self.total(stream, begin, begin + sun.DAY))
        return read_at, counted[day - first] + self.total(stream, day * sun.DAY, read_at)

    def last_energy(self, now: int) -> int | None:
        """End of the newest interval shown at `now`, whatever its energy (7, `last_energy_at`)."""
        stream = STATS if self.site.micros else RGM
        report = self.gateway.last_report(now)
        if report is None:
            return None
        step = STEP[stream]
        for end in range(report // step * step, max(report - 2 * sun.DAY, self.since(stream)), -step):
            if self.gateway.share(end, _SALT[stream], now):
                return end
        return None
