"""What polling costs: the command `plan`, and the timetable that others print too. It spends no call."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich import box
from rich.table import Column, Table

from ingest.cli.context import Context
from ingest.cli.tables import print_table, stdout
from ingest.config import PLANS, SUBSCRIPTIONS
from ingest.core.units import DAY
from ingest.core.words import day_words
from ingest.plan import levers
from ingest.plan.demand import demands
from ingest.plan.estimate import BackfillEstimate
from ingest.plan.inventory import Inventory
from ingest.plan.quota import Plan, month_bounds
from ingest.plan.state import SystemRow
from ingest.plan.stream_choice import StreamChoice
from ingest.plan.timetable import Timetable, TimetableLine
from ingest.plan.work import Work
from ingest.report.advice import advise, spell
from ingest.report.calls import outlook
from ingest.store import backfills, snapshot
from ingest.store.database import has_state, in_memory

NEXT_PLANS = {name: Plan(minute, month) for name, (minute, month, _) in PLANS.items() if name != "partner"}
"""What may be advised. Partner is by contract, for those who look after many systems: not a next step for a home."""


@contextlib.contextmanager
def known_state(context: Context) -> Iterator[sqlite3.Connection]:
    """The state as it is; where there is none yet, an empty one in memory."""
    if has_state(context.settings.state_dir):
        opened = context.state()
        try:
            yield opened.db
        finally:
            opened.close()
    else:
        with contextlib.closing(in_memory()) as db:
            yield db


def the_works(context: Context, db: sqlite3.Connection) -> tuple[list[Work], bool]:
    """What would be polled; True when no system is known yet and one is assumed."""
    inventory, assumed = the_inventory(context, db)
    return inventory.works(context.clock.now()), assumed


def the_inventory(context: Context, db: sqlite3.Connection) -> tuple[Inventory, bool]:
    """The systems and streams that are polled; True when no system is known yet and one is assumed."""
    inventory = Inventory(context.settings, snapshot.load(db))
    assumed = context.settings.systems is None and not inventory.systems
    if assumed:
        account = next(iter(context.settings.accounts))
        inventory.assume(SystemRow("0", account, "one system", "UTC"))
    return inventory, assumed


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def plan(context: Context, *, as_json: bool) -> None:
    """The timetable that fits the plan: cadence per stream, calls, money, what history may use. Offline."""
    with known_state(context) as db:
        inventory, assumed = the_inventory(context, db)
        now = context.clock.now()
        works = inventory.works(now)
        wanted = demands(works, now, context.settings.ages)
        found = outlook(context.settings, works, db, now, wanted)
        rules = backfills.rules(db, context.settings.rules)
    free, paid = levers.free(rules, wanted, now), levers.paid(rules, wanted, now, NEXT_PLANS, SUBSCRIPTIONS)
    name = context.settings.api.plan.name
    advice = advise(found, "the plan" if name == "custom" else name.capitalize(), free, paid)
    if as_json:
        choices = [asdict(choice) for choice in inventory.chosen.choices.values()]
        more: dict[str, object] = {"streams": choices, "plans": [asdict(lever) for lever in paid]}
        more["levers"] = [asdict(lever) for lever in free]
        context.show_json(asdict(found) | {"advice": " ".join(advice), "assumed_one_system": assumed} | more)
        return
    _print(context, found, assumed=assumed)
    _print_choices(list(inventory.chosen.choices.values()))
    for sentence in advice:
        click.echo(sentence)


def _print(context: Context, found: Timetable, *, assumed: bool) -> None:
    console = stdout()
    if assumed:
        console.print("No system is known yet: this is for one system with all streams.")
    api = context.settings.api
    console.print(f"Plan {api.plan.name}: {found.plan.per_minute:,} calls a minute, {found.plan.per_month:,} a month")
    numbers = [Column(name, justify="right", no_wrap=True) for name in ("systems", "a day", "a month")]
    table = Table(
        Column("stream", no_wrap=True),
        numbers[0],
        "wished",
        "by day",
        "by night",
        *numbers[1:],
        padding=(0, 0),
        box=box.SIMPLE,
    )
    console.print("Asked every …, wished and as it fits by day and by night, and the calls it takes:")
    for stream in dict.fromkeys(line.stream for line in found.lines):
        table.add_row(*_row([line for line in found.lines if line.stream == stream]))
    print_table(console, table, "stream")
    now = _this_month(found, context.clock.now())
    if now:
        console.print(now)
    console.print(f"Live polling: {found.planned:,.0f} calls a month; kept for other tools: {found.reserve:,}")
    console.print(f"History is guaranteed {found.guaranteed:,} of the {found.left:,} calls that are left of this month")
    console.print(history_words(found.backfill, context.settings.price, context))
    free, price = api.plan.free_calls, context.settings.price
    if found.cost:
        console.print(f"Live polling costs USD {found.cost:,.2f} a month: USD {price} a call beyond {free:,}.")
    if found.money > found.cost:
        console.print(f"As wished it would cost USD {found.money:,.2f} a month: USD {price} a call beyond {free:,}.")


def _print_choices(choices: Sequence[StreamChoice]) -> None:
    """Which streams are in and out, where the owner leaves that to the program, and what each costs."""
    if not choices:
        return
    console, calls = stdout(), Column("a month", justify="right", no_wrap=True)
    table = Table(Column("stream", no_wrap=True), "read", "asked every", calls, "why", padding=(0, 0), box=box.SIMPLE)
    for choice in choices:
        every = spell(choice.every) if choice.is_in else "-"
        table.add_row(choice.stream, "yes" if choice.is_in else "no", every, f"{choice.calls:,.0f}", choice.reason)
    console.print(
        "Streams of systems that name none (`streams: auto`), and the calls each takes or would take in a mean month:"
    )
    print_table(console, table, "stream")


def _row(lines: Sequence[TimetableLine]) -> list[str]:
    """One stream: its systems may be asked at different cadences, as their days are of different length."""
    nights = [line.by_night for line in lines if line.by_night]
    return [
        lines[0].stream,
        f"{sum(line.systems for line in lines):,}",
        _range(line.every for line in lines),
        _range(line.by_day for line in lines),
        _range(nights) if nights else "rests",
        f"{sum(line.per_day for line in lines):,.1f}",
        f"{sum(line.per_month for line in lines):,.0f}",
    ]


def _range(seconds: Iterable[int]) -> str:
    every = list(dict.fromkeys(map(spell, sorted(seconds))))
    return every[0] if len(every) == 1 else f"{every[0]} to {every[-1]}"


def _this_month(found: Timetable, now: int) -> str:
    """How the rest of this month differs from a whole one; empty where it does not."""
    frequent = [line for line in found.lines if line.every < DAY]
    if all(abs(line.this_month / line.by_day - 1) < 0.05 for line in frequent):
        return ""
    slowest = max(frequent, key=lambda line: line.this_month)
    until, every = day_words(month_bounds(now)[1]), spell(slowest.this_month)
    return f"Until {until} every {every} by day: {found.left:,} calls are left of this month"


def history_words(found: BackfillEstimate, price: float, context: Context) -> str:
    """What history needs, how long it takes and what it would cost, as a sentence."""
    if not found.calls:
        return "All the history that is wanted, and that the cloud hands out, has been read."
    text = f"History still needs {found.calls:,} calls"
    if found.done_at is None:
        return f"{text}; as things stand it gets none. Raise api.backfill_share or lower the cadence of a stream"
    took = found.done_at - context.clock.now()
    money = f", or at once for USD {found.money:,.2f}" if price and found.money else ""
    return f"{text} and is done in about {spell(took)}{money}{_late_words(found)}"


def _late_words(found: BackfillEstimate) -> str:
    """What will have left the cloud before it is read, and what fits; empty where all of it is in time."""
    if not found.too_late or found.fits_since is None:
        return ""
    part = max(1, round(100 * found.too_late / found.calls))
    fits = datetime.fromtimestamp(found.fits_since, UTC).date()
    return (
        f". About {part} % of it ({found.too_late:,} calls) will have left the cloud before it is read. "
        f"What is since {fits} fits: `--since {fits}`; or ask for fewer streams, or for a larger --share"
    )
