"""What goes wrong at the vendor: rates of chance, and switches."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from random import Random

from ingest.simulator.answers import Answer, Json, as_html, as_json, no_answer, overloaded, unavailable, unfetched


@dataclass
class Faults:
    """Rates are shares of calls, 0 to 1. All may be changed while the cloud runs."""

    error_5xx: float = 0.0
    html: float = 0.0
    timeout: float = 0.0
    slow: float = 0.0
    cut_off: float = 0.0
    not_json: float = 0.0
    wrong_shape: float = 0.0
    throttle: float = 0.0
    token_5xx: float = 0.0
    token_html: float = 0.0
    token_timeout: float = 0.0
    """The token endpoint does not answer, and did nothing."""
    token_lost: float = 0.0
    """The token endpoint made new tokens, and the answer is lost on its way."""
    token_short: float = 0.0
    """New tokens live a second."""
    token_no_refresh: float = 0.0
    """A renewal hands out no new refresh token: the old one stays valid (RFC 6749, section 6)."""
    token_unauthorized: float = 0.0
    """The token endpoint says what frameworks say of a wrong client, although nothing is wrong with the grant."""
    quotes_key: float = 0.0
    """A refusal that quotes the whole request, key and token included."""
    wrong_date: float = 0.0
    """The `Date` header is of the year 9999."""
    drip: float = 0.0
    """The body comes byte by byte, each `slow_by` seconds after the one before."""
    drip_headers: float = 0.0
    """So do the headers."""
    huge: float = 0.0
    """A body of hundreds of megabytes."""
    many_systems: float = 0.0
    """The list of systems has 300,000 rows, whatever page is asked for."""
    endless_systems: float = 0.0
    """Every page of the list of systems is full, with systems that were on none before."""
    denied_groups: set[str] = field(default_factory=set)
    wrong_key: bool = False
    token_down: str | None = None
    clock_skew: int = 0
    """Seconds by which the `Date` header is wrong."""
    slow_by: float = 5.0
    """Seconds that a slow answer takes."""


HUGE = 300 * 2**20
"""Bytes."""

RATES = tuple(sorted(f.name for f in fields(Faults) if isinstance(f.default, float) and f.name != "slow_by"))
"""Names of the faults that are rates."""


def faults_from(rates: Mapping[str, float]) -> Faults:
    """Faults with these rates; ValueError names the valid names, or the rate that is none."""
    for name, rate in rates.items():
        if name not in RATES:
            raise ValueError(f"no fault is called {name!r}; there are: {', '.join(RATES)}")
        if not 0 <= rate <= 1:
            raise ValueError(f"the rate of {name} must be from 0 to 1, not {rate}")
    return replace(Faults(), **rates)  # type: ignore[arg-type] # rates are floats, checked above


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
        count = 300_000 if self.happens("many_systems") else document["size"] if self.happens("endless_systems") else 0
        if not count:
            return document
        first = 10_000_000 + page * count
        rows = [document["systems"][0] | {"system_id": first + number} for number in range(count)]
        return document | {"systems": rows, "total": 10**9, "current_page": page, "count": count}

    def at_token(self) -> Answer | None:
        """What strikes the token endpoint before it looks at the request."""
        down = self.faults.token_down
        if down == "500" or self.happens("token_5xx"):
            return as_json({"error": "server_error", "error_description": "Internal Server Error"}, 500)
        if down == "html" or self.happens("token_html"):
            return self.overload()
        if down == "timeout" or self.happens("token_timeout"):
            return no_answer()
        if self.happens("token_unauthorized"):
            return as_json({"error": "unauthorized", "error_description": "Bad credentials"}, 401)
        return None

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
