"""Parsers that streams share: numbers, times, names, parts of a list, and the metadata of a reply.

The words of the vendor's replies are those of the reference, sections 6 to 8.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from math import hypot
from typing import Any, TypeVar

from ingest.core.point import Tags, series_key
from ingest.core.span import Span
from ingest.enphase.streams.base import Json, Odd

U = TypeVar("U")

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading a reply of an unknown shape raises."""
_WITH_OFFSET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d")
OLDEST = 946_684_800
"""The year 2000 (epoch s): no solar system has measured before."""
_SERIAL = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
MAX_SERIALS = 100
"""How many devices of a kind are asked one by one at most."""
SAMPLE = 200
"""How many characters of what could not be read are kept."""
MOST = 1e18
"""No reading is as large."""


def number(value: object) -> float | None:
    """A reading as a float; None for null. ValueError for anything else. -1 is a reading like any other."""
    kind = type(value)
    if (kind is int or kind is float) and -MOST < value < MOST:  # type: ignore[operator] # a number, as just seen
        return float(value)  # type: ignore[arg-type]
    if value is None:
        return None
    raise ValueError(f"{str(value)[:40]!r} is not a number")


def moment(value: object) -> int:
    """Epoch seconds of the reply, also from the words of v2's `iso8601` format; ValueError when it is no time."""
    kind = type(value)
    if kind is str:
        value = _of_words(value)  # type: ignore[arg-type] # a text, as just seen
        kind = type(value)
    if (kind is int or kind is float) and 0 < value < 2**33:  # type: ignore[operator] # a number, as just seen
        return int(value)  # type: ignore[call-overload, no-any-return]
    raise ValueError(f"{str(value)[:40]!r} is not a time in epoch seconds")


def measured_at(value: object) -> int:
    """The time of a snapshot; ValueError, too, where there is none, or one before anything could be measured."""
    if (at := moment(value)) < OLDEST:
        raise ValueError(f"{at} lies before the year 2000")
    return at


def _of_words(text: str) -> object:
    """A moment written as 2026-07-01T00:15:00-07:00; in any other form, without the offset from UTC, it is none."""
    try:
        return datetime.fromisoformat(text).timestamp() if _WITH_OFFSET.fullmatch(text) else text
    except ValueError:
        return text


def maybe_moment(value: object) -> int | None:
    """The same; None where there is no time that makes sense: the rest of what it belongs to stands without it."""
    try:
        return moment(value)
    except ValueError:
        return None


def numbers_of(row: Json, keys: Mapping[str, Sequence[str]]) -> tuple[dict[str, float], list[Exception]]:
    """The numbers that a row holds under keys, each by itself, null being none; and what is wrong with the others."""
    found: dict[str, float] = {}
    wrong: list[Exception] = []
    for name, path in keys.items():
        try:
            if (value := number(_within(row, path))) is not None:
                found[name] = value
        except UNREADABLE as error:
            wrong.append(error)
    return found, wrong


def moments_in(listed: Sequence[Any], key: str) -> list[int]:
    """Epoch seconds that all rows of a list hold under a key. Raises what `UNREADABLE` names where any does not."""
    found = [row[key] for row in listed]
    if {*map(type, found)} != {int}:
        found = [*map(int, numbers_in(listed, (key,)))]
    in_order = sorted(found)  # as they are, nearly always: quicker than looking at all for the first and the last
    if not (in_order and in_order[0] > 0 and in_order[-1] < 2**33):
        raise ValueError("not all are times in epoch seconds")
    return found


def numbers_in(listed: Sequence[Any], path: Sequence[str]) -> list[float]:
    """The numbers that all rows of a list hold under a key, whole ones as such where all are. Raises what `UNREADABLE`
    names where any holds none: each is then to be read by itself.
    """
    values = listed
    for key in path:
        values = [value[key] for value in values]
    kinds = {*map(type, values)}
    # none is larger than the root of the sum of their squares, which is a number only where all are
    if not (kinds <= {int, float} and hypot(*values) < MOST):
        raise ValueError("not all are numbers")
    return [*map(float, values)] if len(kinds) > 1 else [*values]


def _within(row: Json, path: Sequence[str]) -> object:
    """What a row holds under a key, which must be there; null where an object on the way is."""
    value: Any = row[path[0]]
    for key in path[1:]:
        if not isinstance(value, Mapping | None):
            raise TypeError(f"{type(value).__name__} where an object is due")
        value = None if value is None else value[key]
    return value


def odd(error: Exception, part: object, time: int | None = None) -> Odd:
    """What could not be read of a reply, and why."""
    words = f"missing {error}" if isinstance(error, KeyError) else str(error)
    if not isinstance(part, Mapping):
        words = f"{type(part).__name__ if part is not None else 'null'} where an object is due"
    return Odd(words[:120], sample(part), time)


def sample(part: object) -> str:
    """A piece of what could not be read."""
    return json.dumps(part, ensure_ascii=True, default=str)[:SAMPLE]


def each(parts: object, read: Callable[[Any], Iterable[U]]) -> Iterator[U | Odd]:
    """What is read of the parts of a reply one by one: a part that cannot be read costs itself alone. Null is a list
    of none; what is no list is odd by itself.
    """
    if parts is not None and not isinstance(parts, list):
        yield Odd(f"{type(parts).__name__} where a list is due", sample(parts))
        return
    for part in parts or ():
        try:
            yield from list(read(part))
        except UNREADABLE as error:
            yield odd(error, part)


def identity(*values: tuple[str, object]) -> Tags:
    """Tags from words and whole numbers; ValueError when one is missing, for it would merge two devices."""
    for name, value in values:
        if not isinstance(value, str | int) or isinstance(value, bool) or not _can_be_tag(str(value)):
            raise ValueError(f"{str(value)[:40]!r} cannot name a {name}")
    return tuple((name, str(value)) for name, value in values)


def _can_be_tag(text: str) -> bool:
    try:
        return bool(series_key("any", (("tag", text),)))
    except ValueError:
        return False


def serials_of(found: Iterable[object]) -> tuple[str, ...]:
    """Serial numbers that can stand in an address, in order, each once; one more than are asked shows that there are
    more.
    """
    return tuple(sorted({str(serial) for serial in found if _SERIAL.fullmatch(str(serial))})[: MAX_SERIALS + 1])


def plain(value: object) -> str:
    """Words that can be stored: JSON may hold half of a surrogate pair, UTF-8 cannot."""
    return str(value).encode("utf-8", "replace").decode()


def maybe_number(value: object) -> float | None:
    """A reading as a float; None where there is none that makes sense."""
    try:
        return number(value)
    except ValueError:
        return None


def reported_at(reply: Json) -> int | None:
    """The gateway's last report, from the meta block or, where there is no such block, the summary; None if absent."""
    return _of_meta(reply, "last_report_at")


def operational_at(reply: Json) -> int | None:
    """The beginning of the system, from the same place, or None."""
    return _of_meta(reply, "operational_at")


def energy_at(reply: Json) -> int | None:
    """When production was last reported, from the meta block; None if absent."""
    return _of_meta(reply, "last_energy_at")


def status(reply: Json) -> str:
    """The vendor's word for the state of the system, from the meta block; empty if absent."""
    meta = reply.get("meta")
    word = meta.get("status") if isinstance(meta, Mapping) else None
    return plain(word) if isinstance(word, str) else ""


def _of_meta(reply: Json, key: str) -> int | None:
    meta = reply.get("meta", reply)
    return maybe_moment(meta.get(key)) if isinstance(meta, Mapping) else None


def answered_to(reply: Json, window: Span, reach: int, shown: Callable[[], int] = int) -> int:
    """How far the window was really answered: the echoed `end_at`, cut to the longest reach that is honoured.

    One that is not after the start is none: the window was answered up to the end of its newest row, `shown` (0: it has
    none), else to its end.
    """
    echoed = maybe_moment(reply.get("end_at"))
    if echoed is not None and echoed <= window.start:
        echoed = shown() or None
    return min(window.end if echoed is None else echoed, window.start + reach)
