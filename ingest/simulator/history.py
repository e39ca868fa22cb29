"""What a site measured: intervals, daily totals and the odometer, which all come from the same numbers."""

from array import array
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from ingest.simulator import sun
from ingest.simulator.gateway import Gateway
from ingest.simulator.noise import mix
from ingest.simulator.site import Site

STATS, RGM, CONSUMPTION = "stats", "rgm_stats", "consumption"
STREAMS = (STATS, RGM, CONSUMPTION)
STEP = {STATS: sun.MICRO_STEP, RGM: sun.METER_STEP, CONSUMPTION: sun.METER_STEP}
"""Length of an interval of each stream, seconds (6)."""
_UNSETTLED = 2 * 3600  # seconds of intervals that are looked at one by one
_SALT = {STATS: 1, RGM: 2, CONSUMPTION: 3}


class Reading(NamedTuple):
    """Energy of one interval as shown at a moment; `share` below 1 says that it will still grow."""

    end_at: int
    wh: int
    share: float


class History:
    """All data of one site. Days are computed when asked for; at most `days` of them are kept in memory."""

    def __init__(self, site: Site, seed: int, days: int = 1000) -> None:
        self.site = site
        self.salt = mix(seed, site.system_id)
        self.gateway = Gateway(site, self.salt)
        self._day = lru_cache(maxsize=days)(self._compute)
        self._split = lru_cache(maxsize=max(days // 10, 10))(self._compute_split)
        self._totals: dict[tuple[str, date], tuple[int | None, int]] = {}
        self._odometer = [0]

    def _compute(self, day: int) -> dict[str, Sequence[int]]:
        site = self.site
        micro = sun.yields(self.salt, site.latitude, site.longitude, site.size_w, day)
        used = sun.draws(self.salt, site.latitude, site.zone, site.size_w, day)
        return {
            STATS: array("I", micro),
            RGM: array("I", sun.metered(self.salt, day, micro)),
            CONSUMPTION: array("I", used),
        }

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
        return {STATS: site.micros, RGM: site.meter, CONSUMPTION: site.consumption_meter}[stream]

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
            yield (number + 1) * step, self._day(day)[stream][offset:upto]
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

    def odometer(self, at: int) -> tuple[int, int] | None:
        """(read_at, Wh) of the production meter at its last reading at or before `at`, None before the first.

        The meter counts what it measured, whether or not the cloud has the intervals yet.
        """
        report = self.gateway.last_report(at)
        since = self.since(RGM)
        if report is None or not self.site.meter or report < since:
            return None
        read_at = report // sun.METER_STEP * sun.METER_STEP
        first, day = since // sun.DAY, read_at // sun.DAY
        while len(self._odometer) <= day - first:
            begin = (first + len(self._odometer) - 1) * sun.DAY
            self._odometer.append(self._odometer[-1] + self.total(RGM, begin, begin + sun.DAY))
        return read_at, self._odometer[day - first] + self.total(RGM, day * sun.DAY, read_at)

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
