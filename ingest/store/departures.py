"""What has left the archive: the intervals of a system from before a moment, which every database was seen to hold.

What holds at every moment, also after a kill, and wherever something is added:

1. An interval leaves only in a transaction that sees that it is proved: each sink of the settings was looked at twice
   in a row with all good, the second time within two days; then it held all fields of all intervals of that system up
   to the cut, counted and summed; and nothing of them changed since the first, so that it had taken them before that.
   What ends a proof: a look that is not good, a failure to deliver, a replay, another database under the name of the
   sink, a restored backup, two days. (`removal`, `deliver/proof`)
2. `until` moves with the rows, in the same transaction: of what began before it, only what came later is in the
   archive, and that is held against no database (nor missed in one that loses it), deleted in none, and stays.
   Nothing is pending, so a kill leaves nothing half done.
3. What was derived of days before `day`, and `energy` and `money` from before it began, are written no more, whoever
   computes them: `hold` stands in the one way by which rows come into the archive. `day` moves when the first of them
   leave, in the same transaction, and at that moment all systems of the home are proved up to the cut.
4. A month leaves of all systems of a home together, and only once all that is wanted of their history and can still be
   had was read (`plan/keeping`), and no sums of homes and no money are still to be computed of it.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from ingest.core.draft import Draft
from ingest.core.point import decode_fields, parse_series
from ingest.core.units import DAY
from ingest.plan.keeping import Cut
from ingest.store import meta

SUMMED = ("energy", "money")
"""Intervals that are derived of others."""
NAMED = {"energy_daily": "date", "money_daily": "date", "energy_monthly": "month"}
"""What is derived of days and months, and the field that says which."""
PROOF_S = 2 * DAY
"""How long (s) a proof is good."""
APART_S = 3 * DAY
"""Two looks are no further apart (s): a run a day looks every other day where it comes a moment earlier."""
FIXED = "days_fixed"
"""In `meta` where anything that was derived stays as it is."""
_ENDED = "proofs_ended."
_COLUMNS = "system, until, day, fixed, first, next_day, next_fixed, next_until"


class Departure(NamedTuple):
    """Of a system or home: intervals from before `until` have left, the oldest of which began at `first` (epoch s);
    what is derived of days before `day`, which began at `fixed`, stays as it is. The rest is the cut that is proposed,
    to be proved; empty or 0: none.
    """

    system: str
    until: int = 0
    day: str = ""
    fixed: int = 0
    first: int = 0
    next_day: str = ""
    next_fixed: int = 0
    next_until: int = 0


class Proof(NamedTuple):
    """A sink holds all intervals of a system up to the moment `until`, as they were after the change `seq`."""

    system: str
    until: int
    seq: int


def known(db: sqlite3.Connection, systems: Collection[str] | None = None) -> dict[str, Departure]:
    """What has left of some systems (None: all), and what is proposed."""
    where = "" if systems is None else f" WHERE system IN ({', '.join('?' * len(systems))})"
    rows = db.execute(f"SELECT {_COLUMNS} FROM departures{where}", tuple(systems or ()))  # noqa: S608 - marks
    return {row[0]: Departure(*row) for row in rows}


def untils(db: sqlite3.Connection) -> dict[str, int]:
    """Before which moment the intervals of each system have left, where some have."""
    return dict(db.execute("SELECT system, until FROM departures WHERE until > 0").fetchall())


def until_of(db: sqlite3.Connection, systems: Collection[str]) -> int:
    """The latest of these moments of some systems; 0 where none has left."""
    return max((row.until for row in known(db, systems).values()), default=0)


def days(db: sqlite3.Connection, systems: Collection[str]) -> dict[str, str]:
    """The local day (ISO date) of each system before which what is derived stays as it is, where there is one."""
    return {name: row.day for name, row in known(db, systems).items() if row.day}


def propose(db: sqlite3.Connection, cuts: Mapping[str, Cut | None]) -> bool:
    """Propose a cut for each of some systems, or none any more; whether that is new."""
    held = known(db, cuts.keys())
    none = Cut("", 0, 0)
    changed = [
        (system, *wanted)
        for system, cut in cuts.items()
        if (wanted := cut or none) != (held[system][5:] if system in held else none)
    ]
    db.executemany(
        "INSERT INTO departures (system, next_day, next_fixed, next_until) VALUES (?, ?, ?, ?) ON CONFLICT (system) "
        "DO UPDATE SET (next_day, next_fixed, next_until) = "
        "(excluded.next_day, excluded.next_fixed, excluded.next_until)",
        changed,
    )
    return bool(changed)


def propose_none(db: sqlite3.Connection) -> None:
    """Nothing is to leave any more."""
    db.execute("UPDATE departures SET next_day = '', next_fixed = 0, next_until = 0 WHERE next_day != ''")
    db.execute("DELETE FROM proofs")


def fix(db: sqlite3.Connection, systems: Iterable[str], cut: Cut) -> None:
    """From now on what is derived of days before a cut stays as it is."""
    db.executemany(
        "INSERT INTO departures (system, day, fixed) VALUES (?, ?, ?) ON CONFLICT (system) "
        "DO UPDATE SET day = excluded.day, fixed = max(fixed, excluded.fixed) WHERE day < excluded.day",
        [(system, cut.day, cut.fixed) for system in systems],
    )
    meta.write(db, FIXED, "1")


def prove(db: sqlite3.Connection, sink: str, proofs: Iterable[Proof], at: int) -> None:
    """Keep what a good look at a sink has proved, beside what those before had."""
    db.executemany("INSERT OR REPLACE INTO proofs VALUES (?, ?, ?, ?, ?)", [(sink, *proof, at) for proof in proofs])


def disprove(db: sqlite3.Connection, sink: str) -> None:
    """A look at a sink was not good: nothing is proved."""
    db.execute("DELETE FROM proofs WHERE sink = ?", (sink,))


def end_proofs(db: sqlite3.Connection, sink: str) -> None:
    """A sink is not known any more to hold what it was seen to hold, nor what a look that is under way sees."""
    disprove(db, sink)
    meta.write(db, f"{_ENDED}{sink}", str(ended(db, sink) + 1))


def ended(db: sqlite3.Connection, sink: str) -> int:
    """How often the proofs of a sink came to their end by what happened to it."""
    return int(meta.read(db, f"{_ENDED}{sink}") or 0)


def proofs(db: sqlite3.Connection, sink: str, systems: Collection[str], now: int) -> dict[str, Proof]:
    """What a sink is proved to hold of some systems."""
    marks = ", ".join("?" * len(systems))
    rows = db.execute(
        f"SELECT system, until, seq FROM proofs WHERE sink = ? AND at > ? AND at <= ? AND system IN ({marks})",  # noqa: S608
        (sink, now - PROOF_S, now, *systems),
    )
    return {row[0]: Proof(*row) for row in rows}


def hold(db: sqlite3.Connection, draft: Draft) -> None:
    """Take out of a draft what would change what was derived of days from before a cut."""
    keys = {key: parse_series(key) for key in draft.changed_rows}
    named = {
        key: (measurement, dict(tags).get("system", ""))
        for key, (measurement, tags) in keys.items()
        if measurement in SUMMED or measurement in NAMED
    }
    if not named:
        return
    cuts = {name: row for name, row in known(db, {system for _, system in named.values()}).items() if row.day}
    for key, (measurement, system) in named.items():
        if system in cuts:
            _take_out(draft, key, measurement, cuts[system])
    draft.changed_rows = {key: rows for key, rows in draft.changed_rows.items() if rows}


def _take_out(draft: Draft, key: str, measurement: str, cut: Departure) -> None:
    fresh, held = dict(draft.changed_rows[key]), draft.held.get(key, {})
    for time in [time for time, row in fresh.items() if _is_fixed(measurement, time, row or held.get(time, ""), cut)]:
        row, old = fresh.pop(time), held.get(time)
        draft.added -= old is None
        draft.retired -= (old is None or bool(old)) - bool(row)
        draft.withdrawn.get(key, set()).discard(time)
    draft.changed_rows[key] = fresh


def _is_fixed(measurement: str, time: int, row: str, cut: Departure) -> bool:
    if measurement in SUMMED:
        return time < cut.fixed
    word = decode_fields(row).get(NAMED[measurement], "") if row else ""
    return str(word) < cut.day[: len(str(word))] if word else time < cut.fixed
