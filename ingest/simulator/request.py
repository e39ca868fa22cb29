"""What a route gets to see of a call, and the reading of its parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ingest.simulator.answers import RefusedError, in_future, out_of_range, unreadable_date
from ingest.simulator.history import STATS, STEP, History

DAY = 86400
WEEK = 7 * DAY
WINDOWS = {"5mins": 300, "15mins": 900, "day": DAY, "week": WEEK}
"""Seconds of each `granularity`, which is the length of the window (6)."""


@dataclass(frozen=True)
class Options:
    """Where the reference leaves the vendor a choice.

    micro_week: whether `week` is honoured on `production_micro`; if not, rows reach one day, and with
    `micro_week_echo` the echo claims the week nevertheless (11, question 6).
    """

    micro_week: bool = False
    micro_week_echo: bool = False
    retention_days: int = 730


@dataclass(frozen=True)
class ApiRequest:
    """One authorized call: `now` is the cloud's clock, `mine` are the systems that the caller may see."""

    now: int
    params: Mapping[str, str]
    mine: Sequence[History]
    options: Options
    chosen: History | None = None

    @property
    def history(self) -> History:
        """The data of the system in the path."""
        assert self.chosen is not None  # noqa: S101 - the router sets it for every path with an id
        return self.chosen

    def time(self, name: str) -> int | None:
        """A parameter in epoch seconds; 422 if it is something else (4.3)."""
        text = self.params.get(name)
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 12:
            raise RefusedError(unreadable_date(text))
        return int(text)

    def day(self, name: str) -> date | None:
        """A parameter as calendar day; 422 if it is something else (4.3)."""
        text = self.params.get(name)
        if text is None:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise RefusedError(unreadable_date(text)) from None

    def number(self, name: str, default: int, most: int) -> int:
        """A count such as `page` or `size`, at least 1; anything unreadable means the default."""
        text = self.params.get(name, "")
        return min(max(int(text), 1), most) if text.isascii() and text.isdigit() else default

    def today(self) -> int:
        """Midnight of the present day at the site."""
        site = self.history.site
        return site.midnight(site.local_date(self.now))


@dataclass(frozen=True)
class Window:
    """Intervals with start < end_at <= end, and how the reply repeats the question (6)."""

    start: int
    end: int
    echo: dict[str, int | str]


def oldest(request: ApiRequest, stream: str, days: int) -> int:
    """Start of the oldest interval still kept: the site's first one, or midnight `days` days ago."""
    return max(request.history.since(stream), _kept_from(request, days))


def _kept_from(request: ApiRequest, days: int) -> int:
    site = request.history.site
    return max(site.midnight(site.local_date(request.now - days * DAY)), site.history_from or 0)


def bounds(request: ApiRequest, stream: str, days: int, start: int, end: int) -> dict[str, int]:
    """What a 422 says about a range: the range, and the ends of the first and the last interval (4.3)."""
    history = request.history
    first = oldest(request, stream, days) + STEP[stream]
    last = max(history.last_energy(request.now) or first, first)
    return {"start_at": start, "end_at": end, "first_interval": first, "last_interval": last}


def telemetry_window(request: ApiRequest, stream: str) -> Window:
    """The window of `telemetry/*` (6). Starts before the first report move to midnight of the first day."""
    site, now = request.history.site, request.now
    granularity = request.params.get("granularity", "day")
    length = WINDOWS.get(granularity, DAY)
    begin = request.day("start_date")
    start = request.time("start_at") if begin is None else site.midnight(begin)
    start = request.today() if start is None else start
    if start > now:
        raise RefusedError(in_future())
    start = max(start, site.midnight(site.local_date(site.operational_at)))
    end = min(now, start + length)
    floor = _kept_from(request, request.options.retention_days)
    if start < site.midnight(site.local_date(floor)):
        found = bounds(request, stream, request.options.retention_days, start, end)
        raise RefusedError(out_of_range(found))
    shown = end
    if stream == STATS and not request.options.micro_week:
        end = min(end, start + DAY)
        shown = shown if request.options.micro_week_echo else end
    echo: dict[str, int | str] = {"start_at": start, "end_at": shown}
    if begin is not None:
        echo = {"start_date": str(site.local_date(start)), "end_date": str(site.local_date(shown))}
    return Window(max(start, floor), end, echo)
