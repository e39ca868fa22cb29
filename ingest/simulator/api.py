"""The way of an API call: edge, credentials, quota, access, route (reference 2 to 4)."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from ingest.simulator import answers, extras, v1, v2, v4
from ingest.simulator.answers import Answer, Json, RefusedError, as_json
from ingest.simulator.faults import FaultPlan
from ingest.simulator.history import History
from ingest.simulator.oauth import OAuth
from ingest.simulator.quota import Exceeded, Quota
from ingest.simulator.request import ApiRequest, Options
from ingest.simulator.users import enlighten_id, v2_code

KNOWN_METHODS = {"POST", "PUT", "GET", "DELETE", "HEAD", "OPTIONS", "PATCH"}
"""Others get 501 (section 1)."""


class Viewer(NamedTuple):
    """Who calls: an owner of systems, or an installer, who sees everybody's."""

    owner: str
    app_type: str

    def sees(self, history: History) -> bool:
        """Whether the system is shared with the caller."""
        return history.site.shared and (self.app_type == "partner" or history.site.owner == self.owner)


class VendorApi:
    """All versions of the API of one application."""

    def __init__(
        self,
        histories: Mapping[int, History],
        oauth: OAuth,
        quota: Quota,
        trouble: FaultPlan,
        options: Options,
        quota_form: str,
    ) -> None:
        self._histories = histories
        self._oauth = oauth
        self._quota = quota
        self._trouble = trouble
        self._options = options
        self._quota_form = quota_form

    def call(
        self, method: str, path: str, params: dict[str, str], headers: Mapping[str, str], now: float
    ) -> tuple[Answer, bool]:
        """The answer, and whether the call counts: not if the edge, the credentials or the quota stop it."""
        if struck := self._trouble.at_edge(params):
            return struck, False
        old = not path.startswith("/api/v4/")
        try:
            viewer = self._v2_viewer(params) if old else self._viewer(params, headers, now)
            self._charge(now, old=old)
        except RefusedError as refused:
            return extras.reshaped(path, refused.answer, int(now)), False
        if self._trouble.happens("quotes_key"):
            quoted = f"No route matches {method} {path}?{urlencode(params)} ({headers.get('authorization', '')})"
            return answers.error(500, quoted), True
        if self._trouble.happens("error_5xx"):
            return (v2.unavailable() if old else self._trouble.server_error(path)), True
        try:
            shown = params | {"page": "1"} if self._trouble.crowded else params  # others are made of its rows
            document = self._serve(method, path, shown, viewer, int(now), old=old)
        except RefusedError as refused:
            return refused.answer, True
        if "systems" in document:
            page = params.get("next", "").removeprefix("more") if old else params.get("page", "1")
            document = self._trouble.crowd(document, int(page) + old if page.isdecimal() else 1)
        return self._trouble.spoil(as_json(document)), True

    def _viewer(self, params: Mapping[str, str], headers: Mapping[str, str], now: float) -> Viewer:
        token = self._oauth.bearer(headers.get("authorization", ""), now)
        key = params.get("key") or headers.get("key")
        if token is None or key is None:
            raise RefusedError(answers.unauthorized())
        if key != self._oauth.application.api_key or self._trouble.happens("wrong_key"):
            raise RefusedError(answers.wrong_key())
        return Viewer(token.owner, token.app_type)

    def _v2_viewer(self, params: Mapping[str, str]) -> Viewer:
        owners = {history.site.owner for history in self._histories.values()}
        found = {v2_code(enlighten_id(owner)): owner for owner in owners}.get(params.get("user_id", ""))
        known = params.get("key") == self._oauth.application.api_key and not self._trouble.happens("wrong_key")
        if found is None or not known:
            raise RefusedError(v2.unauthorized())
        return Viewer(found, "system")

    def _charge(self, now: float, *, old: bool) -> None:
        exceeded = self._quota.take(now) if not self._trouble.happens("throttle") else self._quota.minute(now)
        if exceeded is None:
            return
        text = f"Usage limit exceeded for plan {self._quota.name.capitalize()}"
        period = self._period(exceeded)
        raise RefusedError(answers.array_error(409, text, **period) if old else answers.error(429, text, **period))

    def _period(self, exceeded: Exceeded) -> dict[str, Json]:
        if self._quota_form != "with_period":
            return {}
        period, start, end, limit = exceeded
        return {"period": period, "period_start": start, "period_end": end, "limit": limit}

    def _serve(self, method: str, path: str, params: dict[str, str], viewer: Viewer, now: int, *, old: bool) -> Json:
        if method not in KNOWN_METHODS:
            raise RefusedError(answers.not_implemented())
        if method not in ("GET", "HEAD"):
            raise RefusedError(answers.method_not_allowed())
        mine = [history for history in self._histories.values() if viewer.sees(history)]
        head, _, rest = path.partition("/systems")
        request = ApiRequest(now, v1.asked(params) if head == "/api" else params, mine, self._options)
        if head not in ("/api", "/api/v2", "/api/v4") or (rest and not rest.startswith("/")):
            raise RefusedError(_nowhere(path, old=old))
        if not rest.strip("/"):
            self._admit("system", old=old)
            return (v2 if old else v4).listing(request)
        if found := (v2.COMMON if old else extras.COMMON).get(rest.strip("/")):
            self._admit("system", old=old)
            return found(request)
        system_id, _, suffix = rest.strip("/").partition("/")
        document = self._serve_system(request, viewer, system_id, suffix, old=old)
        return v1.told(document, self._histories[int(system_id)].site.zone) if head == "/api" else document

    def _serve_system(self, request: ApiRequest, viewer: Viewer, system_id: str, suffix: str, *, old: bool) -> Json:
        found = v2.ROUTES.get(suffix) if old else v4.ROUTES.get(suffix) or extras.find(suffix)
        if found is None:
            raise RefusedError(_nowhere(suffix, old=old))
        group, route = found
        self._admit(group, old=old)
        if not old and (refused := self._trouble.refuses()):
            raise RefusedError(refused)
        history = self._histories.get(int(system_id)) if system_id.isdecimal() else None
        if history is None:
            if suffix.startswith("ev_charger/") and not system_id.isdecimal():
                raise RefusedError(extras.bad_system_id())
            message = "Not Authorized" if suffix.endswith("_meter_readings") else "Not Found"
            raise RefusedError(v2.unauthorized() if old else answers.unknown_system(system_id, message))
        if not viewer.sees(history):
            raise RefusedError(v2.unauthorized() if old else answers.forbidden())
        chosen = ApiRequest(request.now, request.params, request.mine, request.options, history)
        return route(chosen)

    def _admit(self, group: str, *, old: bool) -> None:
        lacking = extras.PLAN_LACKS.get(self._quota.name, set())
        if group in self._trouble.faults.denied_groups | lacking:
            raise RefusedError(v2.unauthorized() if old else answers.group_denied())


def _nowhere(path: str, *, old: bool) -> Answer:
    text = f"No route matches {path}"
    return answers.array_error(404, text) if old else answers.error(404, text)
