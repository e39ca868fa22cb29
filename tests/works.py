"""Pairs of system and stream for tests of planning: a field is named alone, wherever in the work it stands."""

from dataclasses import fields, replace
from typing import Any

from ingest.enphase.streams.base import Stream
from ingest.plan.coverage import Log
from ingest.plan.state import Pair
from ingest.plan.work import Wanted, Work

OF_WORK = {*Work._fields}
OF_PAIR = {field.name for field in fields(Pair)} - {"system", "stream", "floor"}


def a_work(stream: Stream, version: str = "v4", **changes: Any) -> Work:
    """A pair of system 1 of which nothing was read."""
    wanted, pair = Wanted("1", "home"), Pair("1", stream.name)
    return changed(Work(wanted, stream, stream.route(version), stream.every, pair), **changes)


def changed(work: Work, **changes: Any) -> Work:
    """The same with other values: of the work, of what is remembered of the pair, or of what is wanted."""
    mine = {name: changes.pop(name) for name in OF_WORK & changes.keys()}
    kept = {name: changes.pop(name) for name in OF_PAIR & changes.keys()}
    if "log" in mine:
        mine["log"] = Log(mine["log"])
    work = work._replace(**mine)
    return work._replace(pair=replace(work.pair, **kept), wanted=replace(work.wanted, **changes))
