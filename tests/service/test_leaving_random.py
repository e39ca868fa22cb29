"""Whatever happens to databases, archive and clock: what leaves was proved, by a model that knows nothing of how the
program finds that out.
"""

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingest.core.span import Span
from ingest.core.units import DAY, HOUR
from ingest.store import backfills, outbox
from ingest.store.archive import Filter
from tests.service.fleeting import BEGIN, EVER, Fleet, Key, Lasting

SEEDS = 100 if os.environ.get("INGEST_LONG") else 1
STEPS = 60
Rows = dict[Key, dict[str, Any]]


@dataclass
class Seen:
    """What a database showed at its last two looks, while nothing happened to it since."""

    at: int = 0
    before: Rows = field(default_factory=dict)
    now: Rows = field(default_factory=dict)


class Model:
    """What is true, kept beside the program."""

    def __init__(self, fleet: Fleet, dice: random.Random) -> None:
        self.fleet, self.dice = fleet, dice
        self.seen = {name: Seen() for name in fleet.databases}
        self.holes: dict[str, int] = {}
        self.is_wished = False
        self.left = 0

    def look(self) -> None:
        name = self.dice.choice(list(self.seen))
        database, seen = self.fleet.databases[name], self.seen[name]
        done = self.fleet.look(name)
        if done is None:
            return
        if not done.is_good or not done.seq:
            self.doubt(name)
            return
        shown = {key: dict(row) for key, row in database.rows.items()}
        self.seen[name] = Seen(self.fleet.now, seen.now, shown)

    def doubt(self, name: str) -> None:
        self.seen[name] = Seen()

    def leave(self) -> None:
        before = self.fleet.rows()
        self.fleet.leave()
        rest = self.fleet.rows()
        gone = {key: row for key, row in before.items() if key not in rest}
        assert rest == {key: before[key] for key in rest}
        self.left += len(gone)
        for key, row in gone.items():
            assert key[2] < self.fleet.now - 365 * DAY, "the last year stays"
            assert dict(key[1])["system"] not in self.holes, "its history is not read"
            assert not self.is_wished
            for name, seen in self.seen.items():
                assert self.fleet.now - seen.at < 2 * DAY, name
                assert seen.now.get(key) == seen.before.get(key) == row, (name, key)

    def lose(self) -> None:
        """A database loses a row, of which nobody knows before the next look."""
        database = self.fleet.databases[self.dice.choice(list(self.seen))]
        held = self.fleet.rows().keys()
        if old := [key for key in database.rows if key in held]:
            del database.rows[self.dice.choice(old)]

    def outage(self) -> None:
        name = self.dice.choice(list(self.seen))
        database = self.fleet.databases[name]
        database.down = True
        self.fleet.say("1", self.fleet.now // 86400 * 86400, self.fleet.now // 86400 * 86400 + 1, self.dice.random())
        self.fleet.deliver(name)
        database.down = False
        self.doubt(name)

    def replay(self) -> None:
        name = self.dice.choice(list(self.seen))
        with self.fleet.store.transaction() as db:
            outbox.ask_replay(db, name, Filter(since=BEGIN + self.dice.randrange(400) * DAY))
        self.doubt(name)

    def revise(self) -> None:
        begin = BEGIN + self.dice.choice([*range(160), *range(511, 530)]) * DAY
        self.fleet.say(self.dice.choice("12"), begin, begin + DAY, 1 + self.dice.random())

    def hole(self) -> None:
        system = self.dice.choice("12")
        if self.holes.pop(system, None) is None:
            self.holes[system] = begin = BEGIN + self.dice.randrange(150) * DAY
            spans = (Span(0, begin), Span(begin + HOUR, 2**40))
            self.fleet.state.coverage[system, "stats"] = {4 * DAY: spans}
        else:
            self.fleet.state.coverage[system, "stats"] = EVER
        self.fleet.pipeline.inventory.replace(self.fleet.state)

    def wish(self) -> None:
        with self.fleet.store.transaction() as db:
            if self.is_wished:
                for number, _ in backfills.waiting_requests(db):
                    backfills.cancel(db, number, self.fleet.now)
            else:
                backfills.ask(db, backfills.BackfillRequest(BEGIN), self.fleet.now)
        self.is_wished = not self.is_wished

    def crash(self) -> None:
        self.fleet.end()
        self.fleet.begin()

    def wait(self) -> None:
        self.fleet.now += self.dice.choice([HOUR, DAY, DAY, DAY + HOUR, 3 * DAY])

    def day(self) -> None:
        for name in self.seen:
            self.fleet.deliver(name)
        for _ in range(4):
            self.look()
        self.leave()
        self.fleet.now += DAY


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_leaves_that_is_not_proved(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    fleet = Fleet(tmp_path, {"a": Lasting(), "b": Lasting()}, days=530, first=160, every=DAY)
    model = Model(fleet, dice)
    model.day()
    for _ in range(STEPS):
        odd = [model.lose, model.outage, model.replay, model.revise, model.hole, model.wish, model.crash, model.wait]
        dice.choice([*odd, model.look, model.look, model.leave, model.leave, *[model.day] * 8])()
    print(f"seed {seed}: {model.left} rows left")
    for name in fleet.databases:
        assert fleet.databases[name].rows
    fleet.end()
