"""One task fetched and read: the one function a worker runs. It holds no state and never raises for bad replies."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ingest.core.http import Reply, Request, Transport
from ingest.core.point import Point
from ingest.core.units import DAY
from ingest.enphase.call import Task
from ingest.enphase.replies import Kind, Verdict, verdict
from ingest.enphase.streams.base import Json, Lifetime, SystemInfo
from ingest.enphase.streams.lifetime import read_totals
from ingest.enphase.streams.readers import answered_to, operational_at, reported_at
from ingest.logs import redact

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


FAILED = "the program failed; the reason is in its log"
"""Said where a worker raised what nobody expected."""


@dataclass(frozen=True)
class Outcome:
    """What came of a task. `answered_end` is how far the window was answered, `reported_at` how far the cloud knows
    the system, `date_at` the cloud's own clock, `cursor` the next page of a list, `meters` the kinds of meter in a list
    of devices; times are epoch seconds.

    `grant` is what the call was made with, `body` the reply when it could not be read, `sent` whether it left.
    """

    task: Task
    call: int
    verdict: Verdict
    grant: str = field(default="", repr=False)
    points: Sequence[Point] = ()
    answered_end: int = 0
    reported_at: int | None = None
    operational_at: int | None = None
    date_at: int | None = None
    systems: Sequence[SystemInfo] = ()
    meters: tuple[str, ...] | None = None
    lifetime: Lifetime | None = None
    cursor: str = ""
    body: bytes = field(default=b"", repr=False)
    sent: bool = True


def fetch(
    task: Task, call: int, request: Request, version: str, grant: str, began_at: int | None, transport: Transport
) -> Outcome:
    """Send the request of a task and read the reply. `began_at` is when the system began, where that is known."""
    reply = _without_secrets(transport.send(request), request, grant)
    judged = verdict(reply, version, task.window if task.window.length else None, began_at)
    if judged.kind is Kind.OK:
        try:
            return _read(task, call, judged, grant, version, reply.date_at)
        except UNREADABLE as error:
            detail = f"missing {error}" if isinstance(error, KeyError) else str(error)
            judged = Verdict(Kind.GARBLED, f"the reply has another shape than documented: {detail[:120]}")
    unreadable = judged.kind is Kind.GARBLED or (judged.kind is Kind.BUSY and reply.status in (0, 200))
    body = redact(reply.body.decode("utf-8", "replace"), *_secrets(request, grant)).encode() if unreadable else b""
    return Outcome(task, call, judged, grant, date_at=reply.date_at, body=body, sent=reply.sent)


def _secrets(request: Request, grant: str) -> tuple[str, str]:
    return request.params.get("key", ""), grant


def _without_secrets(reply: Reply, request: Request, grant: str) -> Reply:
    """An error may quote the request, and its words are kept: in the state, in reports, on the page."""
    if reply.status == 200 or not reply.body:
        return reply
    return replace(reply, body=redact(reply.body.decode("utf-8", "replace"), *_secrets(request, grant)).encode())


def _read(task: Task, call: int, judged: Verdict, grant: str, version: str, date_at: int | None) -> Outcome:
    reply: Json = judged.data
    stream = task.stream
    _same_system(task, reply)
    points = list(stream.read(task.system, reply))
    return Outcome(
        task,
        call,
        Verdict(Kind.OK),
        grant,
        points=points,
        systems=stream.systems(task.system, reply) if stream.systems else (),
        meters=stream.meters(reply) if stream.meters else None,
        cursor=_next_page(task, reply, version),
        answered_end=answered_to(reply, task.window, _reach(task, points, version)),
        reported_at=reported_at(reply),
        operational_at=operational_at(reply),
        lifetime=read_totals(stream, reply),
        date_at=date_at,
    )


def _next_page(task: Task, reply: Json, version: str) -> str:
    """The cursor that follows; a server that ignores pages would be asked for the same one for ever."""
    pages = task.stream.route(version).pages
    cursor = pages.following(reply) if pages else ""
    return "" if cursor == task.cursor else cursor


def _reach(task: Task, points: Sequence[Point], version: str) -> int:
    """How far the reply may be trusted. A longer window that was only hoped for is trusted as far as it has rows: to
    its end where they go on into its last day, else to the last whole day with any.
    """
    sure = task.stream.route(version).reach
    if not task.hopes:
        return max(sure, task.reach)
    shown = max((point.time for point in points), default=0) + task.stream.grain - task.window.start
    return task.reach if shown > task.reach - DAY else max(sure, shown // DAY * DAY)


def _same_system(task: Task, reply: Json) -> None:
    told = reply.get("system_id")
    if told is not None and str(told) != task.system:
        raise ValueError(f"it is about system {str(told)[:20]}, not {task.system}")
