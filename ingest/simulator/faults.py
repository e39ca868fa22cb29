"""What goes wrong at the vendor: rates of chance, and switches."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from random import Random

from ingest.simulator.answers import Answer, as_html, as_json, no_answer, overloaded, unavailable, unfetched


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
    denied_groups: set[str] = field(default_factory=set)
    wrong_key: bool = False
    token_down: str | None = None
    clock_skew: int = 0
    """Seconds by which the `Date` header is wrong."""
    slow_by: float = 5.0
    """Seconds that a slow answer takes."""


RATES = tuple(sorted(f.name for f in fields(Faults) if f.default == 0.0 and f.name != "clock_skew"))
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
        if self.happens("timeout"):
            return no_answer()
        if self.happens("cut_off"):
            return replace(answer, cut=True)
        if self.happens("not_json"):
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        if self.happens("wrong_shape"):
            return as_json({"status": "ok", "data": []})
        if self.happens("slow"):
            return replace(answer, delay=self.faults.slow_by)
        return answer

    def at_token(self) -> Answer | None:
        """What strikes the token endpoint before it looks at the request."""
        down = self.faults.token_down
        if down == "500" or self.happens("token_5xx"):
            return as_json({"error": "server_error", "error_description": "Internal Server Error"}, 500)
        if down == "html" or self.happens("token_html"):
            return self.overload()
        if down == "timeout" or self.happens("token_timeout"):
            return no_answer()
        return None
