"""What a commit needs to know besides the outcome."""

from dataclasses import dataclass, replace

from ingest.enphase.call import Task
from ingest.plan.inventory import Inventory, utc_offset
from ingest.plan.state import Pair
from ingest.plan.work import Classes


@dataclass(frozen=True)
class CommitContext:
    """The moment, the age classes, the API's version, and what is wanted of the pair: from `floor`, up to `until`.

    `offset` is that of the system's zone from UTC (s), `accounts` are those of the configuration.
    """

    now: int
    classes: Classes
    floor: int
    account: str
    version: str = "v4"
    until: int | None = None
    offset: int = 0
    accounts: frozenset[str] = frozenset()


def context_of(task: Task, inventory: Inventory, classes: Classes, now: int) -> CommitContext:
    """That of a task, as the settings and what is known of its system have it."""
    wanted, accounts = inventory.wanted_of(task.system), frozenset(inventory.settings.accounts)
    context = CommitContext(now, classes, 0, task.account, inventory.version, accounts=accounts)
    if wanted is None:
        return context
    pair = inventory.pairs.get(task.pair) or Pair(*task.pair)
    floor = inventory.floor(wanted, pair, now) if task.stream.grain else 0
    return replace(context, floor=floor, until=wanted.until, offset=utc_offset(wanted.timezone, now))
