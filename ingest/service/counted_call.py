"""A call outside the runner, entered in the ledger before it is sent: whoever owns the state, it counts."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.config import Settings
from ingest.plan import quota
from ingest.service.clock import Clock
from ingest.store import ledger
from ingest.store.database import Store


@dataclass
class CountedCall:
    """A call that is being made; whoever makes it says what came of it, and whether it left this machine."""

    verdict: str = "failed"
    was_sent: bool = True


def refusal(settings: Settings, store: Store, now: int) -> str:
    """Why the plan admits no call now, in words; empty where it does."""
    usage = ledger.usage(store.db, settings.ledger_name, now)
    if usage.month >= settings.plan.per_month:
        return "the calls of this month are used up"
    return "the calls of this minute are used up" if is_minute_full(settings, store, now) else ""


def is_minute_full(settings: Settings, store: Store, now: int) -> bool:
    """Whether the plan admits no more calls in this minute."""
    return len(ledger.usage(store.db, settings.ledger_name, now).recent) >= quota.burst(settings.plan)


def reserve(settings: Settings, store: Store, now: int, system: str, stream: str, purpose: str) -> int:
    """Enter a call durably; returns its number in the ledger."""
    with store.transaction(durable=True) as db:
        return ledger.reserve(db, settings.ledger_name, now, (system, stream, purpose))


def end(store: Store, number: int, now: int, call: CountedCall) -> None:
    """Enter what came of a call; one that certainly never left this machine is struck out."""
    with store.transaction() as db:
        if call.was_sent:
            ledger.end(db, number, now, call.verdict)
        else:
            ledger.release(db, number)


@contextlib.contextmanager
def counted(
    settings: Settings, store: Store, clock: Clock, system: str, stream: str, purpose: str
) -> Iterator[CountedCall]:
    """Enter a call, and when the block ends what came of it, also where the block raises."""
    call, number = CountedCall(), reserve(settings, store, clock.now(), system, stream, purpose)
    try:
        yield call
    finally:
        end(store, number, clock.now(), call)
