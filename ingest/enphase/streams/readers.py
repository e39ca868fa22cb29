"""Parsers that streams share: numbers, times, names, rows, intervals, and the metadata of a reply.

The words of the vendor's replies are those of the reference, sections 6 to 8.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from ingest.core.point import Point, Tags, series_key
from ingest.core.span import Span
from ingest.enphase.streams.base import Field, Json, Odd, Read

U = TypeVar("U")

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading a reply of an unknown shape raises."""
_WITH_OFFSET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d")
LOOKED_AHEAD = 100
"""So many rows are looked at for a time."""
_SERIAL = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
MOST_SERIALS = 100
"""So many devices of a kind are asked one by one."""
SAMPLE = 200
"""So many characters of what could not be read are kept."""


def number(value: object) -> float | None:
    """A reading as a float; None for null. ValueError for anything else. -1 is a reading like any other."""
    kind = type(value)
    if (kind is int or kind is float) and -1e18 < value < 1e18:  # type: ignore[operator] # a number, as just seen
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


def rows(value: object) -> Iterator[Any]:
    """The rows of an `intervals` list, which some endpoints nest in further lists (reference 7.11). What is no row is
    given out too: whoever reads it finds it odd.
    """
    if not isinstance(value, list):
        raise TypeError(f"a list of intervals is due, not {type(value).__name__}")
    for row in value:
        if isinstance(row, list):
            yield from rows(row)
        else:
            yield row


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
    return tuple(sorted({str(serial) for serial in found if _SERIAL.fullmatch(str(serial))})[: MOST_SERIALS + 1])


def intervals(measurement: str, grain: int, energy_key: str, power_key: str = "") -> Read:
    """A reader of `intervals[]` with one energy (Wh) a row; power is its mean over the interval."""
    return partial(_intervals, measurement, grain, energy_key, power_key)


def _intervals(
    measurement: str, grain: int, energy_key: str, power_key: str, system: str, reply: Json
) -> Iterator[Point | Odd]:
    tags = (("system", system),)
    total = maybe_number(reply.get("total_devices"))
    per_wh = 3600.0 / grain
    listed = list(rows(reply["intervals"]))
    following = beginning(listed, grain)
    for row in listed:
        try:
            time = following = moment(row["end_at"]) - grain
            following += grain
            reporting, energy = number(row.get("devices_reporting")), number(row[energy_key])
            power = number(row.get(power_key)) if power_key else None
        except UNREADABLE as error:
            at = own_time(row, grain) or following
            following = None if at is None else at + grain
            yield odd(error, row, at)
            continue
        if power is None and energy is not None:
            power = energy * per_wh
        fields: dict[str, float | None] = {
            "devices_reporting": reporting,
            "devices_total": total,
            "energy_wh": energy,
            "power_w": power,
        }
        if energy is None or reporting is None or total is None:
            fields = {name: value for name, value in fields.items() if value is not None}
        if fields:
            yield Point(measurement, tags, time, fields)  # type: ignore[arg-type] # none is None, as just seen


def quantities(measurement: str, grain: int, keys: Mapping[str, str]) -> Read:
    """A reader of `intervals[]` with several quantities a row: the vendor's key of each field, `charge.enwh` being the
    key of an object within the row.
    """
    paths = {name: key.split(".") for name, key in keys.items()}

    def read(system: str, reply: Json) -> Iterator[Point | Odd]:
        return quantities_of(measurement, grain, paths, (("system", system),), reply["intervals"])

    return read


def quantities_of(
    measurement: str, grain: int, keys: Mapping[str, Sequence[str]], tags: Tags, intervals: object
) -> Iterator[Point | Odd]:
    """The same of a list of intervals: a point each, with `tags`."""
    listed = list(rows(intervals))
    following = beginning(listed, grain)
    for row in listed:
        try:
            time = following = moment(row["end_at"]) - grain
            following += grain
            found = {name: number(_within(row, path)) for name, path in keys.items()}
        except UNREADABLE as error:
            at = own_time(row, grain) or following
            following = None if at is None else at + grain
            yield odd(error, row, at)
            continue
        fields = {name: value for name, value in found.items() if value is not None}
        if fields:
            yield Point(measurement, tags, time, fields)


def _within(row: Json, path: Sequence[str]) -> object:
    """What a row holds under a key, which must be there; null where an object on the way is."""
    value: object = row
    for key in path:
        value = value[key] if isinstance(value, Mapping) else None
    return value


def own_time(row: object, grain: int) -> int | None:
    """The start of an interval that cannot be read, as it says."""
    end = maybe_moment(row.get("end_at")) if isinstance(row, Mapping) else None
    return None if end is None else end - grain


def beginning(listed: Sequence[object], grain: int) -> int | None:
    """The start of the first interval of a list, by the first of its rows that says when it was; None where none near
    it does. An interval that cannot be read and says no time is that which follows the row before.
    """
    for index, row in enumerate(islice(listed, LOOKED_AHEAD)):
        at = own_time(row, grain)
        if at is not None:
            return at - index * grain
    return None


def plain(value: object) -> str:
    """Words that can be stored: JSON may hold half of a surrogate pair, UTF-8 cannot."""
    return str(value).encode("utf-8", "replace").decode()


def maybe_number(value: object) -> float | None:
    """A reading as a float; None where there is none that makes sense."""
    try:
        return number(value)
    except ValueError:
        return None


ENERGY_FIELDS = {
    "energy_wh": "energy of the interval, Wh",
    "power_w": "mean power over the interval, W",
    "devices_reporting": "devices counted so far; the interval may still grow while it is below devices_total",
    "devices_total": "active devices at the time of the request",
}


def energy_fields(energy_key: str, power_key: str = "") -> dict[str, Field]:
    """The four fields of an interval measurement and the vendor's keys they come from."""
    keys = {
        "energy_wh": energy_key,
        "power_w": power_key or f"{energy_key} * 3600 / grain",
        "devices_reporting": "devices_reporting",
        "devices_total": "total_devices",
    }
    return {name: Field(keys[name], about) for name, about in ENERGY_FIELDS.items()}


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


def answered_to(reply: Json, window: Span, reach: int, shown: int = 0) -> int:
    """How far the window was really answered: the echoed `end_at`, cut to the longest reach that is honoured.

    One that is not after the start is none: the window was answered up to the end of its newest row, `shown` (0: it has
    none), else to its end.
    """
    echoed = maybe_moment(reply.get("end_at"))
    if echoed is not None and echoed <= window.start:
        echoed = shown or None
    return min(window.end if echoed is None else echoed, window.start + reach)
