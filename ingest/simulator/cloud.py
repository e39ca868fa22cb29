"""The simulated vendor, complete but for the sockets: an HTTP request goes in, an HTTP answer comes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from email.utils import formatdate
from threading import RLock
from urllib.parse import parse_qsl

from ingest.simulator import lifetime, pages, rows
from ingest.simulator.answers import Answer, Json, as_html, error, no_answer
from ingest.simulator.api import VendorApi
from ingest.simulator.faults import FaultPlan, Faults
from ingest.simulator.history import CHARGE, CONSUMPTION, EXPORT, IMPORT, RGM, STATS, History
from ingest.simulator.oauth import OAuth
from ingest.simulator.quota import Quota
from ingest.simulator.request import Options
from ingest.simulator.site import Site
from ingest.simulator.tokens import TokenBook
from ingest.simulator.users import Application

_MEMORY_DAYS = 3000
"""Days of intervals kept in memory for all sites together, about 2.5 kB each."""


_SHAPES = {
    STATS: rows.stats,
    CONSUMPTION: rows.consumption,
    IMPORT: rows.imported,
    EXPORT: rows.exported,
    CHARGE: rows.battery,
}


@dataclass(frozen=True)
class Call:
    """One call in the vendor's call_ledger; status 0 was never answered, `params` are without the key."""

    at: float
    path: str
    params: dict[str, str]
    status: int
    counted: bool


class Cloud:
    """The vendor: sites, users, tokens, quota and faults. Thread-safe; never sleeps.

    clock: epoch seconds. plan: a name of `PLANS` or (per minute, per month). strict_tokens: a refresh token
    dies when its successor is made. quota_form: "with_period" or "without_period", the two published
    forms of a refusal (4.4). other_tools: calls that somebody else made with the key this month.
    """

    def __init__(  # noqa: PLR0913 - every knob of the simulation is one
        self,
        sites: Sequence[Site],
        *,
        clock: Callable[[], float],
        seed: int = 1,
        plan: str | tuple[int, int] = "watt",
        strict_tokens: bool = False,
        faults: Faults | None = None,
        quota_form: str = "with_period",
        token_calls_count: bool = False,
        other_tools: Callable[[float], int] | None = None,
        redirect_uris: Sequence[str] | None = None,
        application: Application | None = None,
        micro_week: bool = False,
        micro_week_echo: bool = False,
        retention_days: int = 730,
    ) -> None:
        allowed = None if redirect_uris is None else tuple(redirect_uris)
        application = replace(application or Application(), redirect_uris=allowed)
        self.clock = clock
        self.seed = seed
        self.quota = Quota(plan, other_tools)
        self.tokens = TokenBook(seed, strict=strict_tokens)
        self.oauth = OAuth(application, self.tokens, seed)
        self.calls: list[Call] = []
        self.token_calls: list[Call] = []
        self._token_calls_count = token_calls_count
        self._trouble = FaultPlan(faults if faults is not None else Faults(), seed)
        self._lock = RLock()
        self._histories: dict[int, History] = {}
        self._keep_days = max(_MEMORY_DAYS // max(len(sites), 1), 20)
        for site in sites:
            self.put(site)
        options = Options(micro_week, micro_week_echo, retention_days)
        self._api = VendorApi(self._histories, self.oauth, self.quota, self._trouble, options, quota_form)

    @property
    def faults(self) -> Faults:
        """What goes wrong from now on; may be changed or replaced at any time."""
        return self._trouble.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._trouble.faults = faults

    @property
    def sites(self) -> list[Site]:
        """All systems, whoever owns them."""
        return [history.site for history in self._histories.values()]

    def put(self, site: Site) -> None:
        """Add a system, or change one: sold, no longer shared, offline for another week."""
        with self._lock:
            self._histories[site.system_id] = History(site, self.seed, self._keep_days)

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Answer one HTTP request; `target` is path and query as on the wire."""
        with self._lock:
            now = self.clock()
            path, _, query = target.partition("?")
            low = {name.lower(): value for name, value in headers.items()}
            form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
            answer = self._route(method, path, query, low, form, now)
            stamp = formatdate(now + self.faults.clock_skew, usegmt=True)
            if self._trouble.happens("wrong_date"):
                stamp = "Fri, 31 Dec 9999 23:59:59 GMT"
            return replace(answer, headers={**answer.headers, "Date": stamp})

    def _route(
        self, method: str, path: str, query: str, headers: Mapping[str, str], form: dict[str, str], now: float
    ) -> Answer:
        pairs = parse_qsl(query, keep_blank_values=True)
        lists = {name: ",".join(value for key, value in pairs if key == name) for name, _ in pairs if name[-2:] == "[]"}
        params = dict(pairs) | lists
        if path == "/oauth/token":
            return self._token(method, headers, params | form, now)
        if path == "/oauth/authorize":
            return self.oauth.authorize(method, query, form, now)
        if path == "/oauth/redirect_uri":
            return as_html(pages.show_code(params.get("code", "")))
        if path == "/app_user_auth/new":
            return self.oauth.enlighten(method, query, form)
        if not path.startswith("/api/"):
            return self._page(path)
        answer, counted = self._api.call(method, path, params, headers, now)
        shown = {name: value for name, value in params.items() if name not in ("key", "user_id")}
        self.calls.append(Call(now, path, shown, answer.status, counted))
        return answer

    def _page(self, path: str) -> Answer:
        if path != "/":
            return error(404, f"No page {path}")
        return as_html(pages.welcome([site.name for site in self.sites], self.oauth.application))

    def _token(self, method: str, headers: Mapping[str, str], given: dict[str, str], now: float) -> Answer:
        answer, counted = self._trouble.at_token(), False
        if answer is None and self._token_calls_count:
            counted = self.quota.take(now) is None
            if not counted:
                answer = error(429, f"Usage limit exceeded for plan {self.quota.name.capitalize()}")
        if answer is None:
            answer = self._trouble.at_tokens(self.oauth.token(method, headers, given, now))
            if self._trouble.happens("token_lost"):
                answer = no_answer()
        grant = {"grant_type": given.get("grant_type", "")}
        self.token_calls.append(Call(now, "/oauth/token", grant, answer.status, counted))
        return answer

    def consent(self, owner: str = "owner", redirect_uri: str | None = None) -> str:
        """The code that an owner's approval in the browser gives; None fits any redirect_uri."""
        with self._lock:
            return self.oauth.consent(owner, self.clock(), redirect_uri)

    def revoke(self, owner: str = "owner") -> None:
        """The owner withdraws his consent: his tokens are dead at once."""
        with self._lock:
            self.tokens.revoke(owner, self.clock())

    def history(self, system_id: int) -> History:
        """Everything a site measured."""
        return self._histories[system_id]

    def truth(self, system_id: int, stream: str, start: int, end: int) -> list[Json]:
        """The vendor's final rows with start < end_at <= end of "stats", "rgm_stats", "consumption", "import", "export"
        or "charge" (which holds all of the battery).

        Rows of rgm_stats have a key "channels" more: the rows of the meter's channels.
        """
        with self._lock:
            return self.visible(system_id, stream, start, end, None)

    def visible(self, system_id: int, stream: str, start: int, end: int, now: int | None) -> list[Json]:
        """The same as shown at `now`, whatever the age; None: final."""
        history = self._histories[system_id]
        if stream != RGM:
            shape = _SHAPES[stream]
            return shape(history, start, end, now)
        by_end: dict[int, list[Json]] = {}
        for row in rows.channels(history, start, end, now):
            serial = {"meter_serial_number": history.site.production_meter_serial}
            by_end.setdefault(row["end_at"], []).append({**serial, **row})
        return [{**row, "channels": by_end[row["end_at"]]} for row in rows.meter(history, start, end, now)]

    def odometer(self, system_id: int, at: int) -> tuple[int, int] | None:
        """(read_at, Wh) of the production meter at or before `at`, None before its first report."""
        with self._lock:
            return self._histories[system_id].odometer(at)

    def daily(self, system_id: int, kind: str = "production", until: date | None = None) -> dict[date, int]:
        """Final Wh of every local day from the first to `until` (default: yesterday).

        kind: a stream, or "production", which is merged from "stats" and "rgm_stats". These two may also be
        called by their names in a reply, "micro_production" and "meter_production" (7.6).
        """
        kind = {"micro_production": STATS, "meter_production": RGM}.get(kind, kind)
        with self._lock:
            history = self._histories[system_id]
            site = history.site
            last = until or site.local_date(int(self.clock()) - 86400)
            days = lifetime.days_between(site.local_date(site.operational_at), last)
            return {day: lifetime.daily(history, kind, day) for day in days}

    def last_report_at(self, system_id: int, now: int) -> int | None:
        """Time of the gateway's last upload at or before `now`."""
        return self._histories[system_id].gateway.last_report(now)
