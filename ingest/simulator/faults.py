"""What goes wrong at the vendor: rates of chance, and switches."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from random import Random
from urllib.parse import urlencode

from ingest.simulator.answers import (
    Answer,
    Json,
    as_html,
    as_json,
    forbidden,
    group_denied,
    no_answer,
    not_implemented,
    overloaded,
    redirect,
    unavailable,
    unfetched,
    unknown_system,
)


def _rate(about: str) -> float:
    """A share of calls, 0 to 1, with what happens to them."""
    return field(default=0.0, metadata={"about": about})


@dataclass
class Faults:
    """Rates are shares of calls, 0 to 1. All may be changed while the cloud runs."""

    error_5xx: float = _rate("an error of the server, in one of its documented forms")
    html: float = _rate("the page of an overloaded edge in place of JSON, with 200 or 503")
    timeout: float = _rate("no answer")
    slow: float = _rate("the answer takes 5 s")
    cut_off: float = _rate("the connection breaks in the middle of the answer")
    not_json: float = _rate("half a document, sent as a whole one")
    wrong_shape: float = _rate("JSON of an unknown structure")
    throttle: float = _rate("too many calls, although there were not")
    token_5xx: float = _rate("the token endpoint answers 500")
    token_html: float = _rate("the token endpoint answers with a page")
    token_timeout: float = _rate("the token endpoint does not answer, and did nothing")
    token_lost: float = _rate("the token endpoint made new tokens, and the answer is lost on its way")
    token_short: float = _rate("new tokens live a second")
    token_no_refresh: float = _rate("a renewal hands out no new refresh token: the old one stays valid (RFC 6749)")
    token_unauthorized: float = _rate("the token endpoint says 401 unauthorized, as frameworks do of a wrong client")
    token_dead: float = _rate("the token endpoint says invalid_grant: the owner has withdrawn the consent")
    unknown_client: float = _rate("the token endpoint says invalid_client: client id or secret are wrong")
    wrong_key: float = _rate("the API key belongs to another application")
    denied: float = _rate("401: the access control of the stream is not ticked")
    not_shared: float = _rate("403: the owner has not given access to the system")
    unknown_system: float = _rate("404: there is no such system")
    quotes_key: float = _rate("an error that quotes the whole request, key and token included")
    redirect: float = _rate("302 to the login page of somebody else, which is told the whole query")
    teapot: float = _rate("a status that is not in the reference")
    not_implemented: float = _rate("501, as if no route existed any more")
    wrong_date: float = _rate("the `Date` header is of the year 9999")
    drip: float = _rate("the body comes byte by byte, 5 s apart")
    drip_headers: float = _rate("so do the headers")
    huge: float = _rate("a body of 300 MB")
    many_systems: float = _rate("the list of systems has 300,000 rows, whatever page is asked for")
    endless_systems: float = _rate("every page of the list of systems is full, with systems that were on none before")
    denied_groups: set[str] = field(default_factory=set)
    token_down: str | None = None
    clock_skew: int = 0
    """Seconds by which the `Date` header is wrong."""
    slow_by: float = 5.0
    """Seconds that a slow answer takes."""


HUGE = 300 * 2**20
"""Bytes."""

FAULTS = {each.name: str(each.metadata["about"]) for each in fields(Faults) if each.metadata}
"""What each fault that is a rate does."""
RATES = tuple(sorted(FAULTS))
"""Names of the faults that are rates."""


def faults_from(rates: Mapping[str, float]) -> Faults:
    """Faults with these rates; ValueError names the valid names, or the rate that is none."""
    for name, rate in rates.items():
        if name not in RATES:
            raise ValueError(f"no fault is called {name!r}; there are: {', '.join(RATES)}")
        if not 0 <= rate <= 1:
            raise ValueError(f"the rate of {name} must be from 0 to 1, not {rate}")
    return replace(Faults(), **rates)  # type: ignore[arg-type] # rates are floats, checked above


_AT_TOKEN = {
    "token_dead": (400, "invalid_grant", "Invalid refresh token"),
    "unknown_client": (401, "invalid_client", "Bad client credentials"),
    "token_unauthorized": (401, "unauthorized", "Bad credentials"),
}


class FaultPlan:
    """Draws faults, the same ones for the same seed and the same calls."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        self._chance = Random(seed)  # noqa: S311 - needs to repeat, not to be secret

    def happens(self, name: str) -> bool:
        """Whether the fault strikes this time."""
        rate: float = getattr(self.faults, name)
        return rate > 0 and self._chance.random() < rate

    def overload(self) -> Answer:
        """The HTML page, with 200 as often as with 503: which one is right is not known (11)."""
        return overloaded(self._chance.choice((200, 503)))

    def at_edge(self, params: Mapping[str, str]) -> Answer | None:
        """What strikes a call before anybody looks at it."""
        if self.happens("redirect"):
            return redirect(f"https://login.example/begin?{urlencode(params)}")
        if self.happens("html"):
            return self.overload()
        if self.happens("teapot"):
            return as_json({"message": "I'm a teapot"}, 418)
        return not_implemented() if self.happens("not_implemented") else None

    def refuses(self) -> Answer | None:
        """What is said of the stream or the system that is asked for."""
        if self.happens("denied"):
            return group_denied()
        if self.happens("not_shared"):
            return forbidden()
        return unknown_system("0") if self.happens("unknown_system") else None

    def server_error(self, path: str) -> Answer:
        """The 500 of the route if it has one of its own, else one of the forms of section 4.2."""
        if path.endswith("/rgm_stats"):
            return unavailable()
        if path.endswith("/devices"):
            return unfetched()
        gateway = as_html("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
        return self._chance.choice((unfetched(), gateway, overloaded(503), as_html("", 504)))

    def spoil(self, answer: Answer) -> Answer:
        """What becomes of a good answer on its way to the caller."""
        pause = self.faults.slow_by
        spoilt: dict[str, Callable[[], Answer]] = {
            "timeout": no_answer,
            "cut_off": lambda: replace(answer, cut=True),
            "not_json": lambda: replace(answer, body=answer.body[: len(answer.body) // 2]),
            "wrong_shape": lambda: as_json({"status": "ok", "data": []}),
            "slow": lambda: replace(answer, delay=pause),
            "drip": lambda: replace(answer, drip="body", delay=pause),
            "drip_headers": lambda: replace(answer, drip="headers", delay=pause),
            "huge": lambda: replace(answer, padding=HUGE),
        }
        fault = next(filter(self.happens, spoilt), None)
        return spoilt[fault]() if fault else answer

    @property
    def crowded(self) -> bool:
        """Whether lists of systems are longer than they should be."""
        return self.faults.many_systems > 0 or self.faults.endless_systems > 0

    def crowd(self, document: Json, page: int) -> Json:
        """What becomes of a list of systems."""
        if not document.get("systems"):
            return document
        count = 300_000 if self.happens("many_systems") else 100 if self.happens("endless_systems") else 0
        if not count:
            return document
        first = 10_000_000 + page * count
        rows = [document["systems"][0] | {"system_id": first + number} for number in range(count)]
        told: Json = {"total": 10**9, "current_page": page, "count": count}
        told = told if "total" in document else {"next": f"more{page}"}
        return document | {"systems": rows, **told}

    def at_token(self) -> Answer | None:
        """What strikes the token endpoint before it looks at the request."""
        down = self.faults.token_down
        if down == "500" or self.happens("token_5xx"):
            return as_json({"error": "server_error", "error_description": "Internal Server Error"}, 500)
        if down == "html" or self.happens("token_html"):
            return self.overload()
        if down == "timeout" or self.happens("token_timeout"):
            return no_answer()
        name = next(filter(self.happens, _AT_TOKEN), None)
        if name is None:
            return None
        status, error, about = _AT_TOKEN[name]
        return as_json({"error": error, "error_description": about}, status)

    def at_tokens(self, answer: Answer) -> Answer:
        """What becomes of a pair of tokens that was handed out."""
        if answer.status != 200:
            return answer
        document = json.loads(answer.body)
        if self.happens("token_short"):
            document["expires_in"] = 1
        if self.happens("token_no_refresh"):
            del document["refresh_token"]
        return as_json(document)
