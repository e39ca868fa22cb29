"""More than a system can have is kept as measured, counts for nothing else, and is named. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import Any

from ingest.commit.changes import Changes
from ingest.core import derive
from ingest.core.days import ONE
from ingest.core.point import Point, encode
from ingest.core.table import Table, Tabled
from ingest.core.units import DAY, HOUR
from ingest.enphase.catalogue import PRODUCERS, SERIES
from ingest.enphase.streams import STREAMS
from ingest.enphase.streams.base import Odd, Stream
from ingest.enphase.streams.readers import SAMPLE
from ingest.fetch.worker import Outcome
from ingest.plan.state import OddRows

PRODUCED = "produced_wh"
TOO_MUCH = f"more than {derive.PLAUSIBLE} times what the size of the system allows"
TOO_MUCH_USED = f"more than {derive.PLAUSIBLE_USE} times what the size of the system makes likely"
REASONS = (TOO_MUCH, TOO_MUCH_USED)
TOO_SMALL = "the system has made more than so small a size allows"
LONGEST_DAY = 25 * HOUR
FEW, RARE = 8, 20
"""More values than the one, and more than one in the other, are no spikes."""
PRODUCED_TOTALS = frozenset(key for key, series in SERIES.items() if series.quantity == PRODUCED)
PRODUCTIONS = (
    *(stream.name for stream in PRODUCERS),
    *(stream.name for stream in STREAMS if any(series.key in PRODUCED_TOTALS for series in stream.series)),
)
"""The streams that tell what was produced, by the interval and by the day."""


def _words(quantity: str) -> str:
    return TOO_MUCH if quantity == PRODUCED else TOO_MUCH_USED


def most_wh(changes: Changes, system: str, seconds: int, quantity: str = PRODUCED) -> float:
    """More energy (Wh) of a kind than a system can have in a time."""
    row = changes.systems.get(system)
    return derive.most_wh(row.size_w if row else None, seconds, quantity)


def mark_implausible(changes: Changes, outcome: Outcome) -> Outcome:
    """An outcome whose intervals and daily totals count as odd where they are more than the system can have: they are
    kept as measured, and count for nothing else.
    """
    system, life = outcome.task.system, outcome.lifetime
    odd = [*_implausible(changes, system, outcome.task.stream, outcome.tables)]
    if life is not None and life.start is not None:
        for series, values in life.series.items():
            most = most_wh(changes, system, LONGEST_DAY, SERIES[series].quantity)
            for index, wh in enumerate(values):
                if wh is not None and abs(wh) > most:
                    day = (life.start + index * ONE).isoformat()
                    odd.append(Odd(_words(SERIES[series].quantity), json.dumps({series: wh, "day": day})))
    return replace(outcome, odd=[*outcome.odd, *odd]) if odd else outcome


def drop_far_intervals(outcome: Outcome, version: str) -> Outcome:
    """An outcome without the intervals that lie far from the window that was asked for: a wrong time would overwrite
    what is right. They count as odd.
    """
    task = outcome.task
    if not task.stream.grain or not task.window.length:
        return outcome
    first = task.window.start - DAY
    last = task.window.end + max(task.stream.route(version).reach, task.reach) + DAY
    extent = outcome.extent
    if extent is None or (first <= extent[0] and extent[1] < last):
        return outcome
    astray = [point for point in outcome.points if not first <= point.time < last]
    odd = [Odd("it lies far from the time that was asked for", encode(point)[:SAMPLE]) for point in astray]
    points = [point for point in outcome.points if first <= point.time < last]
    return replace(outcome, points=points, odd=[*outcome.odd, *odd])


def _implausible(changes: Changes, system: str, stream: Stream, tables: Iterable[Table]) -> Iterator[Odd]:
    for table in tables:
        for flow in stream.flows:
            if flow.measurement == table.measurement and flow.field in table.columns:
                most = most_wh(changes, system, stream.grain, flow.quantity)
                energies: Sequence[Any] = table.columns[flow.field]  # no text
                if max(energies) > most or min(energies) < -most:
                    yield from _too_much(table, [abs(wh) > most for wh in energies], _words(flow.quantity))


def _too_much(table: Table, where: Sequence[bool], reason: str) -> Iterator[Odd]:
    for point in compress(Tabled([table]), where):
        yield Odd(reason, encode(point)[:SAMPLE], point.time)


def held(changes: Changes, system: str) -> Iterator[tuple[Stream, list[Odd]]]:
    """By stream the intervals of the archive that are more than the system can have, now that its size is known."""
    for stream in STREAMS:
        found: list[Odd] = []
        for flow in stream.flows:
            most = most_wh(changes, system, stream.grain, flow.quantity)
            for at, wh in changes.points.numbers(flow.measurement, system, flow.field).items():
                if abs(wh) > most:
                    point = Point(flow.measurement, (("system", system),), at, {flow.field: wh})
                    found.append(Odd(_words(flow.quantity), encode(point)[:SAMPLE], at))
        if stream.flows:
            yield stream, found


def is_doubted(odd: Mapping[tuple[str, str], OddRows], system: str) -> bool:
    """Whether any production of a system is more than its size allows: one of the two is wrong."""
    return any(row.reason == TOO_MUCH for name in PRODUCTIONS for row in odd.get((system, name), {}).values())


def is_refuted(changes: Changes, system: str) -> bool:
    """Whether the size of a system cannot be right: a good part of its intervals or daily totals is more than that
    allows. Single ones are spikes.
    """
    readings = [
        ([*changes.points.numbers(flow.measurement, system, flow.field).values()], stream.grain)
        for stream in PRODUCERS
        for flow in stream.flows
    ]
    totals = [total.wh for (of, key, _), total in changes.totals.items() if of == system and key in PRODUCED_TOTALS]
    return any(_contradict(values, most_wh(changes, system, span), span) for values, span in [*readings, (totals, DAY)])


def _contradict(values: Iterable[float], most: float, seconds: int) -> bool:
    likely = [wh for wh in values if 0 < wh <= derive.most_wh(None, seconds)]
    above = sum(wh > most for wh in likely)
    return above > FEW and above * RARE > len(likely)
