"""One task fetched and read: the one function a worker runs. It keeps nothing and never raises for bad replies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, islice
from threading import Lock
from typing import Any, TypeVar

from ingest.core.http import Reply, Request, Transport
from ingest.core.point import Point
from ingest.core.series_rows import RowsBySeries, by_series
from ingest.core.table import Table, Tabled, extent_of, tables_of, times_of
from ingest.core.units import DAY
from ingest.enphase.call import Task
from ingest.enphase.first_version import as_v2
from ingest.enphase.replies import Kind, Verdict, complaint, verdict
from ingest.enphase.streams.base import Device, Json, Lifetime, Odd, SystemInfo
from ingest.enphase.streams.lifetime import read_totals
from ingest.enphase.streams.readers import (
    UNREADABLE,
    answered_to,
    energy_at,
    maybe_moment,
    operational_at,
    reported_at,
    status,
)
from ingest.enphase.streams.site import PAGE_SIZE
from ingest.fetch.credible import credible, not_ahead, odd_totals
from ingest.logs import redact

T = TypeVar("T")

UNEXPECTED = "the reply has an unexpected structure"
SHAPELESS = 3
"""How many rows of which none can be read make a reply of an unknown shape."""
MAX_PAGES = 100
"""Pages of a list that are asked for: with a hundred systems each, twice the largest fleet."""
MAX_SYSTEMS = MAX_PAGES * PAGE_SIZE
MAX_ON_PAGE = 1_000
"""Systems of a page that are taken: a hundred are asked for, and a thousand is the most that the cloud knows (8)."""
MAX_POINTS = 100_000
"""Points of a reply: a week of a site with twenty meters of three channels is 41,000."""
MAX_ODD = 5_000
"""How many of the rows that cannot be read are looked at: a week of five minutes is 2,016."""
TOO_MANY = f"only the first {MAX_SYSTEMS:,} systems of its list are read, and the list goes on"
CROWDED = f"only the first {MAX_ON_PAGE:,} systems of a page of its list are read, which has more"
CIRCLE = "its list of systems comes back to a page that was read, so there may be more than are known"
"""Said of a good answer after which nothing more is asked."""
LONGEST_ERROR = 2**16
"""Bytes of an error, or of a reply that cannot be read, that are looked at."""
_reading = Lock()
"""The largest reply that is read takes thirty megabytes until it is; threads would not read several any faster."""
FAILED = "the program failed; the reason is in its log"
"""Said where a worker raised what nobody expected."""


@dataclass(frozen=True)
class Outcome:
    """What came of a task. `odd` is what could not be read of the reply, `answered_end` how far the window was
    answered, `reported_at` how far the cloud knows the system, `date_at` the cloud's own clock, `cursor` names the
    next page of a list, `meters` the kinds of meter in a list of `devices`, `unread` the kinds of which some of these
    could not be read, `status` the word for the state of the system, `energy_at` when it last reported production,
    `names` those of kinds of events, `serials` the numbers of devices that are asked one by one, by kind; times are
    epoch seconds. `is_moved` says that the cloud answered from a later start on than it was asked.

    `grant` is what the call was made with, `body` the reply when it could not be read, `sent` whether it left.
    """

    task: Task
    call: int
    verdict: Verdict
    grant: str = field(default="", repr=False)
    points: Sequence[Point] = ()
    odd: Sequence[Odd] = ()
    answered_end: int = 0
    reported_at: int | None = None
    operational_at: int | None = None
    date_at: int | None = None
    systems: Sequence[SystemInfo] = ()
    meters: tuple[str, ...] | None = None
    devices: Sequence[Device] = ()
    unread: frozenset[str] = frozenset()
    status: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    serials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    energy_at: int | None = None
    lifetime: Lifetime | None = None
    cursor: str = ""
    is_moved: bool = False
    body: bytes = field(default=b"", repr=False)
    sent: bool = True

    @cached_property
    def rows(self) -> RowsBySeries:
        """The points as the archive has them; made once, for they are looked at more than once."""
        return by_series(self.tables)

    @cached_property
    def extent(self) -> tuple[int, int] | None:
        """When the first and the last of the points begin."""
        return extent_of(self.points)

    @cached_property
    def tables(self) -> Sequence[Table]:
        """The points as tables."""
        return tables_of(self.points)


def instead(happened: object) -> list[Outcome]:
    """What is recorded in the place of an event at which the program failed: of a call nothing but that."""
    if not isinstance(happened, Outcome) or happened.verdict.reason == FAILED:
        return []
    return [Outcome(happened.task, happened.call, Verdict(Kind.BUSY, FAILED), happened.grant, sent=happened.sent)]


def fetch(
    task: Task,
    call: int,
    request: Request,
    version: str,
    grant: str,
    began_at: int | None,
    transport: Transport,
    now: int | None = None,
) -> Outcome:
    """Send the request of a task and read the reply. `began_at` is when the system began, where that is known, `now`
    the time by our own clock, which counts where the cloud does not tell its own.
    """
    reply = transport.send(request)
    with _reading:
        return _read_all(task, call, request, reply, version, grant, began_at, now)


def _read_all(
    task: Task,
    call: int,
    request: Request,
    reply: Reply,
    version: str,
    grant: str,
    began_at: int | None,
    now: int | None = None,
) -> Outcome:
    reply = without_secrets(reply, request, grant)
    judged = verdict(reply, version, task.window if task.window.length else None, began_at, lists=task.stream.is_list)
    if judged.kind is Kind.OK:
        try:
            outcome = _read(task, call, judged, grant, version, reply.date_at, now)
            odd = [_harmless(odd, *_secrets(request, grant)) for odd in outcome.odd]
            return replace(outcome, odd=odd) if odd else outcome
        except UNREADABLE as error:
            detail = f"missing {error}" if isinstance(error, KeyError) else str(error)
            words = redact(complaint(reply.body), *_secrets(request, grant))
            judged = Verdict(Kind.GARBLED, f"HTTP 200: {words}" if words else f"{UNEXPECTED}: {detail[:120]}")
    unreadable = judged.kind is Kind.GARBLED or (judged.kind is Kind.BUSY and reply.status in (0, 200))
    body = _redacted(reply.body, *_secrets(request, grant)) if unreadable else b""
    return Outcome(task, call, judged, grant, date_at=reply.date_at, body=body, sent=reply.sent)


def _harmless(odd: Odd, *secrets: str) -> Odd:
    return Odd(redact(odd.reason, *secrets), redact(odd.sample, *secrets), odd.time)


def _secrets(request: Request, grant: str) -> tuple[str, str]:
    return request.params.get("key", ""), grant


def without_secrets(reply: Reply, request: Request, grant: str) -> Reply:
    """A reply may quote the request, and is kept: in the state, in reports, on the page. An error is redacted as text;
    among data only what was sent is looked for.
    """
    if reply.status != 200:
        return replace(reply, body=_redacted(reply.body, *_secrets(request, grant)))
    body = reply.body
    for secret in _secrets(request, grant):
        body = body.replace(secret.encode(), b"***") if secret else body
    return reply if body == reply.body else replace(reply, body=body)


def _redacted(body: bytes, *secrets: str) -> bytes:
    return redact(body[:LONGEST_ERROR].decode("utf-8", "replace"), *secrets).encode()


def _read(
    task: Task, call: int, judged: Verdict, grant: str, version: str, told_at: int | None, now: int | None
) -> Outcome:
    stream, reply = task.stream, _as_object(task, judged.data, version)
    date_at = now if told_at is None else told_at
    _same_system(task, reply)
    points, odd = _points(stream.read(task.system, reply))
    points, ahead = not_ahead(points, stream.lasts, date_at)
    systems, odd_systems = _sorted_out(stream.systems(task.system, reply) if stream.systems else (), MAX_ON_PAGE + 1)
    too_many = CROWDED if len(systems) > MAX_ON_PAGE else _too_many(task, reply, version)
    lifetime = read_totals(stream, reply)
    devices, odd_devices = _sorted_out(stream.devices(reply) if stream.devices else ())
    odd += [*ahead, *odd_systems, *odd_devices, *odd_totals(lifetime, date_at)]
    if len(odd) >= SHAPELESS and not points and not systems and not lifetime:
        raise ValueError(f"none of {len(odd)} rows can be read: {odd[0].reason}")
    sure = max(stream.route(version).reach, 0 if task.is_trial else task.reach)
    is_moved = (maybe_moment(reply.get("start_at")) or 0) > task.window.start and task.window.length > 0
    return Outcome(
        task,
        call,
        Verdict(Kind.OK, too_many),
        grant,
        points=points,
        odd=odd,
        systems=systems[:MAX_ON_PAGE],
        meters=stream.meters(reply) if stream.meters else None,
        devices=devices,
        unread=stream.unread(reply) if stream.unread else frozenset(),
        status=status(reply),
        names=stream.names(reply) if stream.names else {},
        serials=stream.serials(reply) if stream.serials else {},
        energy_at=credible(energy_at(reply), date_at),
        cursor="" if too_many else _next_page(task, reply, version),
        answered_end=answered_to(
            reply, task.window, sure if is_moved else _reach(task, points, version), lambda: _newest_end(task, points)
        ),
        is_moved=is_moved,
        reported_at=credible(reported_at(reply), date_at),
        operational_at=operational_at(reply),
        date_at=told_at,
        lifetime=lifetime,
    )


def _as_object(task: Task, data: Any, version: str) -> Json:
    """A reply as its stream reads it, with the page and the device that were asked for, which it need not tell."""
    reply: Json = {"rows": data} if task.stream.is_list else as_v2(data) if version == "v1" else data
    if task.devices:
        reply = {**reply, "device": task.device}
    return {**reply, "cursor": task.page_name} if task.devices or task.stream.route(version).pages else reply


def _points(found: Iterable[Point | Odd]) -> tuple[Sequence[Point], list[Odd]]:
    return (found, []) if isinstance(found, Tabled) and len(found) <= MAX_POINTS else _sorted_out(found)


def _sorted_out(found: Iterable[T | Odd], most: int = MAX_POINTS) -> tuple[list[T], list[Odd]]:
    """What could be read, and what could not; no more than so much of either, and nothing of what follows."""
    found = iter(found)
    begun = list(islice(found, most + 1))
    if len(begun) <= most and Odd not in {*map(type, begun)}:
        return begun, []  # type: ignore[return-value] # none is odd, as just seen
    good: list[T] = []
    odd: list[Odd] = []
    for each in chain(begun, found):
        if isinstance(each, Odd):
            if len(odd) < MAX_ODD:
                odd.append(each)
        elif len(good) < most:
            good.append(each)
        else:
            break
    return good, odd


def _next_page(task: Task, reply: Json, version: str) -> str:
    """The cursor that follows; a server that ignores pages would be asked for the same ones for ever."""
    pages = task.stream.route(version).pages
    name = (pages.following(reply) if pages else "") or task.next_device
    return "" if not name or task.was_asked(name) or task.page >= MAX_PAGES else name


def _too_many(task: Task, reply: Json, version: str) -> str:
    """What is said of a list that goes on after the last page that is asked for, or has no last one."""
    pages = task.stream.route(version).pages
    name = pages.following(reply) if pages else ""
    if pages and not pages.panels and name != task.page_name and task.was_asked(name):
        return CIRCLE
    if not pages or task.page < MAX_PAGES or not name:
        return ""
    return f"only the first {MAX_PAGES * pages.panels:,} panels are read" if pages.panels else TOO_MANY


def _reach(task: Task, points: Sequence[Point], version: str) -> int:
    """How far the reply may be trusted. A longer window that was only hoped for is trusted as far as it has rows: to
    its end where they go on into its last day, else to the last whole day with any.
    """
    sure = task.stream.route(version).reach
    if not task.is_trial:
        return max(sure, task.reach)
    times = [at for at in times_of(points) if task.window.start <= at < task.window.end]
    shown = max(times, default=0) + task.stream.grain - task.window.start
    return task.reach if shown > task.reach - DAY else max(sure, shown // DAY * DAY)


def _newest_end(task: Task, points: Sequence[Point]) -> int:
    """The end of the newest row within the window; 0 where there is none."""
    ends = (at + task.stream.grain for at in times_of(points))
    return max((end for end in ends if task.window.start < end <= task.window.end), default=0)


def _same_system(task: Task, reply: Json) -> None:
    echoed_system = reply.get("system_id")
    if echoed_system is not None and str(echoed_system) != task.system:
        raise ValueError(f"it is about system {str(echoed_system)[:20]}, not {task.system}")
