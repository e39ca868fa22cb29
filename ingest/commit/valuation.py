"""The measurement `money`: computed with the `energy` that it is of, and again where a tariff or zone has changed."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from datetime import datetime, tzinfo

from ingest.commit.changes import Changes
from ingest.core.days import ONE, date_at, midnight, month_start, next_month_start, zone
from ingest.core.derive import QUANTITIES, dated
from ingest.core.draft import Draft
from ingest.core.money import MONEY, daily, is_monthly, money
from ingest.core.point import Point, series_key
from ingest.core.series_rows import Columns
from ingest.core.span import Span, union
from ingest.core.tariff import Contract
from ingest.plan.state import SystemRow
from ingest.store import archive, meta

END = 2**40
"""Later than any interval, epoch s."""
FORMULA = 2
"""Raised where money is computed in another way: all of it is then computed again."""


class Valuation:
    """What energy is worth by the contracts of the settings. Part of the owner of the state.

    `pending` are the systems all of whose money may have to be computed again.
    """

    def __init__(self, contract: Callable[[str], Contract], db: sqlite3.Connection, systems: Iterable[str]) -> None:
        self._contract = contract
        self.pending = {system for system in systems if self._concerns(db, system)}

    def follow(self, db: sqlite3.Connection, changes: Changes) -> None:
        """Compute the money of the energy that changes, in the caller's transaction."""
        for system, row in changes.systems.maps[0].items():
            old = changes.loaded.known.systems.get(system)
            if row.timezone != (old.timezone if old else "") and self._concerns(db, system):
                self.pending.add(system)
        for key, rows in changes.points.changed_rows.items():
            if not key.startswith("energy,system="):
                continue
            system = key.partition("=")[2]
            local = changes.zone(system)
            if local is not None:
                self.value(db, system, changes.systems[system].timezone, rows)

    def value(self, db: sqlite3.Connection, system: str, timezone: str, times: Collection[int] | None = None) -> None:
        """Compute the money of some intervals of `energy`, or of all, in the caller's transaction."""
        contract, local = self._contract(system), zone(timezone)
        if times is None:
            _compute(db, system, contract, local, [Span(0, END)], is_all=True)
            meta.write(db, _name(system), _text(contract, timezone))
        elif times and contract:
            _compute(db, system, contract, local, _spans(times, local, whole_months=is_monthly(contract)))

    def _concerns(self, db: sqlite3.Connection, system: str) -> bool:
        """Whether a system has a tariff, or had one."""
        return bool(self._contract(system) or meta.read(db, _name(system)))

    def catch_up(self, db: sqlite3.Connection, systems: Mapping[str, SystemRow], system: str) -> None:
        """Bring a system up to date in the caller's transaction: only what its tariffs and zone change."""
        change = self._change(db, systems, system)
        if change is None:
            return
        before, after = change
        local = zone(systems[system].timezone)
        _compute(db, system, self._contract(system), local, [Span(_since(before, after, local), END)], is_all=True)
        meta.write(db, _name(system), after)

    def is_behind(self, db: sqlite3.Connection, systems: Mapping[str, SystemRow]) -> bool:
        """Whether money of any system is to be computed again."""
        return any(self._change(db, systems, system) for system in self.pending)

    def _change(
        self, db: sqlite3.Connection, systems: Mapping[str, SystemRow], system: str
    ) -> tuple[str | None, str] | None:
        """What the money of a system depended on, and depends on; None where that is the same."""
        row = systems.get(system)
        if not row or not row.timezone:
            return None  # it comes again once its zone is known
        contract = self._contract(system)
        before, after = meta.read(db, _name(system)), _text(contract, row.timezone)
        return None if before == after or (before is None and not contract) else (before, after)


def _name(system: str) -> str:
    return f"money.{system}"


def _text(contract: Contract, timezone: str) -> str:
    """What money depends on besides energy: the zone, and each tariff with its begin."""
    tariffs = [[tariff.begins.isoformat(), _words(tariff)] for tariff in contract]
    return json.dumps({"base": [FORMULA, timezone], "tariffs": tariffs})


def _words(value: object) -> str:
    """A text that is the same for equal tariffs in every run: sets have no order of their own."""
    if isinstance(value, frozenset):
        return repr(sorted(value))
    if isinstance(value, tuple):
        return repr([_words(part) for part in value])
    return repr({name: _words(part) for name, part in vars(value).items()}) if is_dataclass(value) else repr(value)


def _since(before: str | None, after: str, local: tzinfo) -> int:
    """From when on (epoch s) money may differ: the month of the first tariff that is another."""
    if before is None:
        return 0
    old, new = json.loads(before), json.loads(after)
    if old["base"] != new["base"]:
        return 0
    one, other = old["tariffs"], new["tariffs"]
    changed = [entry[0] for entry in [*one, *other] if (entry in one) != (entry in other)]
    return midnight(month_start(datetime.fromisoformat(min(changed)).date()), local)


def _spans(times: Collection[int], local: tzinfo, *, whole_months: bool) -> Iterator[Span]:
    """The local days, or months, that must be computed together with some intervals."""
    days = {date_at(at, local) for at in (times if whole_months else (min(times), max(times)))}
    if whole_months:
        months = {month_start(day) for day in days}
        yield from (Span(midnight(month, local), midnight(next_month_start(month), local)) for month in months)
    else:
        yield Span(midnight(min(days), local), midnight(max(days) + ONE, local))


def _compute(
    db: sqlite3.Connection,
    system: str,
    contract: Contract,
    local: tzinfo,
    spans: Iterable[Span],
    *,
    is_all: bool = False,
) -> None:
    """Compute the money of spans of time. With `is_all`, what no tariff is for any more is worth 0."""
    ids = archive.series_of(db, [system])
    keys = {name: series_key(name, (("system", system),)) for name in ("energy", "money", "money_daily")}
    known = [ids[key] for key in keys.values() if key in ids]
    draft = Draft(archive.read(db, ids, [(known, *span) for span in union(list(spans))]) if known else {})
    worth = money(system, contract, local, Columns(draft.rows(keys["energy"])).by_time(QUANTITIES))
    draft.merge([*(_nothing(draft, system, "money", MONEY) if is_all else ()), *worth])
    sums = {name: draft.numbers("money", system, name) for name in MONEY}
    named = {"currency": contract[-1].currency} if contract else {}
    days = [point._replace(fields={**point.fields, **named}) for point in dated(daily(system, local, sums), local)]
    draft.merge([*(_nothing(draft, system, "money_daily", (*MONEY, "hours")) if is_all else ()), *days])
    archive.write(db, draft, ids)


def _nothing(draft: Draft, system: str, measurement: str, fields: Iterable[str]) -> Iterator[Point]:
    """What is there already, as worth nothing: it may be of a tariff, or of days, that are no more."""
    for name in fields:
        for at in draft.numbers(measurement, system, name):
            yield Point(measurement, (("system", system),), at, {name: 0.0})
