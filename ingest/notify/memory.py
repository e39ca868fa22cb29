"""What outlives a restart: troubles that last, what each receiver was told, and who could not be reached."""

import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ingest.core.units import DAY
from ingest.notify.letters import Letter
from ingest.notify.meters import Meter, from_document
from ingest.notify.troubles import Lasting, Trouble, after
from ingest.store import notifications
from ingest.store.notifications import Outage


@dataclass
class Memory:
    """`told` has, by receiver and key, the sentences whose end it was not told yet; `sent` when messages went to it;
    `summaries` the last period that it was told of; `meters` the energies shown at the broker by system and field, and
    `topics` where.
    """

    seen: dict[str, Lasting] = field(default_factory=dict)
    told: dict[str, dict[str, str]] = field(default_factory=dict)
    sent: dict[str, list[int]] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)
    outages: dict[str, Outage] = field(default_factory=dict)
    meters: dict[str, dict[str, Meter]] = field(default_factory=dict)
    topics: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, db: sqlite3.Connection, receivers: Iterable[str]) -> "Memory":
        """As it was saved, of those who still are receivers."""
        found, names = notifications.document(db), set(receivers)

        def of(part: str) -> dict[str, Any]:
            return {name: value for name, value in found.get(part, {}).items() if name in names}

        seen = {
            key: Lasting(Trouble(**row["trouble"]), row["since"], row["gone"])
            for key, row in found.get("seen", {}).items()
        }
        outages = {name: row for name, row in notifications.receivers(db).items() if name in names}
        shown = from_document(found.get("meters", {}))
        return cls(seen, of("told"), of("sent"), of("summaries"), outages, shown, found.get("topics", []))

    def document(self) -> tuple[dict[str, Any], dict[str, Outage]]:
        """Everything, to be saved."""
        seen = {key: asdict(lasting) for key, lasting in self.seen.items()}
        told: dict[str, Any] = {"seen": seen, "told": dict(self.told), "sent": dict(self.sent)}
        meters = {system: {name: asdict(meter) for name, meter in held.items()} for system, held in self.meters.items()}
        shown = {"summaries": dict(self.summaries), "meters": meters, "topics": self.topics}
        return {**told, **shown}, dict(self.outages)

    def arrived(self, receiver: str, letter: Letter, now: int) -> None:
        """Note that a letter has arrived."""
        self.told[receiver] = after(self.told.get(receiver, {}), letter.notice)
        self.sent[receiver] = [*(at for at in self.sent.get(receiver, ()) if now - DAY < at <= now), now]
        if letter.period:
            self.summaries[receiver] = letter.period

    def failed(self, receiver: str, error: str, now: int) -> None:
        """Note that a receiver could not be reached."""
        old = self.outages.get(receiver)
        self.outages[receiver] = Outage(error, old.since if old else now)
