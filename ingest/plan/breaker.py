"""What stops the whole application for a while: a used-up quota, an outage of the cloud, a wrong key."""

from dataclasses import dataclass, replace

from ingest.core.backoff import LONGEST_PAUSE, backoff
from ingest.core.errors import ConfigError
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.enphase import access
from ingest.enphase.replies import Kind, Verdict
from ingest.plan.quota import Plan, month_bounds

OUTAGE = 3
"""Busy answers in a row that are the cloud's trouble, not a pair's: everything waits together."""
LONGEST_MINUTE, LONGEST_UNNAMED = 10 * MINUTE, DAY
"""A date so far ahead (s) at which a used-up minute, or a period that is not named, ends is not believed."""
WARY = 2 * HOUR
"""Seconds for which fewer calls are made after a refusal for too many a minute."""


@dataclass
class Breaker:
    """Nothing is asked before `paused_until`, and until `wary_until` at most `per_minute` calls a minute (0: as the
    plan admits): somebody else may be using the key. `throttles` and `busy` count such answers in a row. `fatal` is why
    the cloud refuses the application itself, `refusals` times in a row; it is asked again at `fatal_until`.
    `of_client`: it is the token endpoint that refuses it.
    """

    paused_until: int = 0
    reason: str = ""
    throttles: int = 0
    busy: int = 0
    per_minute: int = 0
    wary_until: int = 0
    fatal: ConfigError | None = None
    fatal_until: int = 0
    refusals: int = 0
    of_client: bool = False

    @classmethod
    def resumed(cls, paused_until: str | None, outage: str | None) -> "Breaker":
        """As it was kept: an outage lasts over a restart too."""
        return cls(int(paused_until or 0), outage or "", busy=OUTAGE if outage else 0)

    @property
    def to_keep(self) -> dict[str, str]:
        """What a restart and `status` must know of it; an outage lasts until the cloud answers, asked or not."""
        outage, fatal = self.reason if self.busy >= OUTAGE else "", str(self.fatal or "")
        return {"paused_until": str(self.paused_until), "weather": outage, "fatal": fatal}

    def plan(self, plan: Plan, now: int) -> Plan:
        """What may be spent now of a plan."""
        if not self.per_minute or now >= self.wary_until:
            return plan
        return replace(plan, per_minute=min(plan.per_minute, self.per_minute))

    def stops(self, now: int) -> bool:
        """Whether nothing may be asked because the application itself is refused."""
        return self.fatal is not None and now < self.fatal_until


def after(old: Breaker, verdict: Verdict, plan: Plan, now: int) -> Breaker:
    """What an answer says about the whole application."""
    if verdict.kind is Kind.THROTTLED:
        return _throttled(old, verdict, plan, now)
    if verdict.kind is Kind.BUSY:
        busy = old.busy + 1
        pause = backoff(MINUTE, 30 * MINUTE, busy - OUTAGE + 1)
        until = now + pause if pause else old.paused_until
        return replace(old, paused_until=until, reason=verdict.reason, busy=busy)
    if verdict.kind is Kind.WRONG_KEY:
        error = ConfigError(access.another_application(verdict.reason))
        return stopped(old, error, now, of_client=False)
    good = replace(old, paused_until=0, reason="", throttles=0, busy=0)
    return good if old.of_client else accepted(good)


def accepted(old: Breaker) -> Breaker:
    """The cloud knows the application again."""
    return replace(old, fatal=None, fatal_until=0, refusals=0, of_client=False)


def stopped(old: Breaker, error: ConfigError, now: int, *, of_client: bool) -> Breaker:
    """The cloud refuses the application: its key, or client id and secret. One call then asks again, after an hour and
    growing pauses to a day: what the portal or the vendor mends heals without a restart, and costs a call a day.
    """
    refusals = old.refusals + 1
    until = now + backoff(HOUR, DAY, refusals)
    return Breaker(reason=str(error), fatal=error, fatal_until=until, refusals=refusals, of_client=of_client)


def _throttled(old: Breaker, verdict: Verdict, plan: Plan, now: int) -> Breaker:
    """Wait until the cloud's own date where its period can last so long, else for growing pauses: the month may have
    been used up by other tools.

    What was not said to be about the month may be about the minute, so fewer calls a minute are made for a while.
    """
    of_month = verdict.period == "month"
    pause = backoff(HOUR if of_month else MINUTE, LONGEST_PAUSE, old.throttles + 1)
    latest = month_bounds(now)[1] + DAY if of_month else now + (LONGEST_MINUTE if verdict.period else LONGEST_UNNAMED)
    resume_at = verdict.resume_at or 0
    until = resume_at + 1 if now < resume_at <= latest else now + pause
    known = Breaker(until, verdict.reason, old.throttles + 1, 0, old.per_minute, old.wary_until)
    if of_month:
        return known
    return replace(known, per_minute=max(1, old.plan(plan, now).per_minute // 2), wary_until=until + WARY)
