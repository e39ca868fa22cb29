"""A point, and its text forms: as a row of the archive, and as a line of InfluxDB line protocol.

The archive keeps three things apart: the *series* (measurement and tags), the *row* (the field set) and the time in
whole seconds. A row is `names:values`, such as `energy_wh,month,power_w:84;"2026-11",336.5,`: `;` ends a whole number.
One whose text has a comma, semicolon, quote or backslash, or one of whose names is no plain word, is the field set of
line protocol.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import isfinite
from operator import itemgetter
from typing import NamedTuple

from ingest.core import quick_json

Value = float | str
Tags = tuple[tuple[str, str], ...]

# A backslash escapes only when it stands directly before one of these three, else it means itself. A name
# that has one there has no safe form: cutting a request into lines, InfluxDB takes the two backslashes of
# `a\\ b` for a pair and the space for the end of the tags; a quote after that swallows the lines that follow.
_NAME_SPECIAL = re.compile(r"([, =])")
_NO_NAME = re.compile(r"\A\Z|[\r\n]|\\(?:[, =]|\Z)")
_SPLIT_SPECIAL = re.compile(r"(?<!\\)[,=]")
_SERIES_END = re.compile(r"(?<!\\) ")
_FIELD = re.compile(r'(.+?)(?<!\\)=(?:"((?:[^"\\]|\\.)*)"|([^,]*))(?:,|$)', re.DOTALL)
_PLAIN_FIELD = re.compile(r'([^=]+)=(?:"([^"]*)"|([^,]*))(?:,|$)')
_ENDS = frozenset(",;")
_TEXT_SPECIAL = re.compile(r'[,;"\\]')


class Point(NamedTuple):
    """One moment of one series: `time` is epoch seconds UTC, the start of the interval it describes.

    `fields` maps names to floats or text; a field without a value is left out, never zero.
    """

    measurement: str
    tags: Tags
    time: int
    fields: Mapping[str, Value]


@lru_cache(maxsize=4096)
def series_key(measurement: str, tags: Tags) -> str:
    """The text that names a series: measurement and tags in order of their names, escaped.

    Raises ValueError for what line protocol cannot express: a name that is empty, holds a line break, or a
    backslash at its end or before `,`, `=` or space; a measurement that looks like a comment.
    """
    if measurement.startswith("#") or not _is_plain(measurement):
        raise ValueError(f"{measurement!r} cannot be a measurement")
    return ",".join((_escape(measurement), *(f"{_escape(key)}={_escape(value)}" for key, value in sorted(tags))))


@lru_cache(maxsize=4096)
def parse_series(key: str) -> tuple[str, Tags]:
    """The reverse of `series_key`."""
    measurement, *rest = _SPLIT_SPECIAL.split(key)
    names = [_unescape(part) for part in rest]
    return _unescape(measurement), tuple(zip(names[::2], names[1::2], strict=True))


def encode_fields(fields: Mapping[str, Value]) -> str:
    """A row, in order of names. Raises ValueError when there are no fields, or a value cannot be expressed."""
    if not fields:
        raise ValueError("a point needs at least one field")
    head, keys, pick = _form(tuple(fields))
    values = pick(fields)
    for value in values:
        if type(value) is not float or value - value != 0.0:  # x - x is 0 for every finite x, and for no other
            values = tuple(map(_plain, values))
            break
    text = "".join([value for value in values if isinstance(value, str)])
    if head and not _TEXT_SPECIAL.search(_whole(text)):
        return head + _ended("".join([f'"{each}",' if isinstance(each, str) else f"{each!r}," for each in values]))
    return ",".join(
        [key + (_quoted(each) if isinstance(each, str) else repr(each)) for key, each in zip(keys, values, strict=True)]
    )


def encode_columns(columns: Mapping[str, Sequence[Value]]) -> list[str]:
    """A row for each place of some columns: the values of one field each, all of the same length."""
    names, texts = encode_alike(columns)
    return [names + text for text in texts]


def encode_alike(columns: Mapping[str, Sequence[Value]]) -> tuple[str, list[str]]:
    """The same, the names that all rows begin with apart; where they do not, these are empty and the rows whole."""
    if not columns:
        raise ValueError("a point needs at least one field")
    names, ordered = _form(tuple(columns))[0], [columns[name] for name in sorted(columns)]
    if names and (texts := _texts_of_numbers(ordered)):
        return names, texts
    forms = [*map(_column_form, ordered)]
    if names and all(forms):
        form = "".join(forms)
        return names, [_ended(form % row) for row in zip(*ordered, strict=True)]
    return "", [encode_fields(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def _texts_of_numbers(columns: Sequence[Sequence[Value]]) -> list[str]:
    """The values of each row of columns of numbers; empty where there are others, or one is to be looked at alone."""
    if len({type(column[0]) for column in columns if column}) > 1:
        columns = [[*map(float, column)] if {*map(type, column)} == {int} else column for column in columns]
    text = quick_json.numbers_by_row(columns)
    values, end = (_ended(text), "null,") if "." in text else (text.replace(",", ";"), "null;")
    texts = values.split(end)[:-1]
    return texts if len(texts) == len(columns[0]) else []


def _column_form(values: Sequence[Value]) -> str:
    """How the values of one field are written; empty where they are to be looked at one by one."""
    kinds = {*map(type, values)}
    if kinds == {float}:
        return "%r," if isfinite(sum(values)) else ""  # type: ignore[arg-type] # all floats
    if kinds != {str}:
        return ""
    text = "".join(values)  # type: ignore[arg-type] # all text
    return '"%s",' if text.isascii() and not _TEXT_SPECIAL.search(text) else ""


def _ended(values: str) -> str:
    """Values that a comma ends each, with a semicolon after whole numbers."""
    return values.replace(".0,", ";")


def is_line(row: str) -> bool:
    """Whether a row is the field set of line protocol, and not `names:values`."""
    return row[-1:] not in _ENDS


def decode_fields(row: str) -> dict[str, Value]:
    """The reverse of `encode_fields`; also of the field set of a line."""
    if not row:
        return {}
    if not is_line(row):
        names, texts = _parts(row)
        if '"' in row:
            return {
                name: text[1:-1] if text[0] == '"' else float(text) for name, text in zip(names, texts, strict=False)
            }
        return dict(zip(names, map(float, texts), strict=False))
    if '"' not in row and "\\" not in row:
        return {name: float(number) for name, _, number in [part.partition("=") for part in row.split(",")]}
    if "\\" not in row:
        return {name: float(number) if number else text for name, text, number in _PLAIN_FIELD.findall(row)}
    fields: dict[str, Value] = {}
    for name, quoted, number in _FIELD.findall(row):
        fields[_unescape(name)] = float(number) if number else re.sub(r'\\(["\\])', r"\1", quoted)
    return fields


def _parts(row: str) -> tuple[Sequence[str], Sequence[str]]:
    """Names and values of a row that is no line: one more value follows the last comma, which is none."""
    names, _, values = row.partition(":")
    return _names(names), values.replace(";", ".0,").split(",")


def merge_fields(old: str, new: str) -> str:
    """What a database holds after both were written: new values win, what the new row omits stays."""
    if old == new or not old:
        return new
    if is_line(old) or is_line(new):
        return encode_fields(decode_fields(old) | decode_fields(new))
    if not omits(new, old):
        return new
    (names, _, values), (others, _, more) = old.partition(":"), new.partition(":")
    head, pick = _union(names, others)
    return head + _ended(",".join(pick((values + more).replace(";", ".0,").split(","))) + ",")


def omits(new: str, old: str) -> bool:
    """Whether a row has not every field of the row that it takes the place of."""
    if is_line(old) or is_line(new):
        return bool(decode_fields(old).keys() - decode_fields(new).keys())
    names, others = new.partition(":")[0], old.partition(":")[0]
    return names != others and _lacks(names, others)


def line_fields(row: str) -> str:
    """A row as the field set of line protocol."""
    if is_line(row):
        return row
    names, _, values = row.partition(":")
    return line_form(names) % tuple(values.replace(";", ".0,").split(","))


def encode(point: Point) -> str:
    """One line, without its end."""
    return f"{series_key(point.measurement, point.tags)} {line_fields(encode_fields(point.fields))} {point.time}"


def decode(line: str) -> Point:
    """The reverse of `encode`."""
    series, rest = _SERIES_END.split(line, maxsplit=1)
    fields, _, time = rest.rpartition(" ")
    measurement, tags = parse_series(series)
    return Point(measurement, tags, int(time), decode_fields(fields))


@lru_cache(maxsize=1024)
def _form(
    names: tuple[str, ...],
) -> tuple[str, tuple[str, ...], Callable[[Mapping[str, Value]], tuple[Value, ...]]]:
    """How a row begins (empty where a name is no plain word), the keys of a line, each with its `=`, and what picks the
    values in order.
    """
    # The points of a stream have the same few field names, in the same order, hundreds of thousands of times.
    for name in names:
        if name == "time" or not _is_plain(name):
            raise ValueError(f"{name!r} cannot be a field")
    ordered = sorted(names)
    keys = tuple(_escape(name) + "=" for name in ordered)
    head = f"{','.join(ordered)}:" if all(map(str.isidentifier, names)) else ""
    return head, keys, itemgetter(*ordered) if len(names) > 1 else lambda fields: (fields[names[0]],)


@lru_cache(maxsize=1024)
def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


@lru_cache(maxsize=1024)
def _union(names: str, others: str) -> tuple[str, Callable[[Sequence[str]], tuple[str, ...]]]:
    """How the row begins that two others make, of which the second has not all names of the first; and what picks its
    values from those of the first and the second.
    """
    places = {name: place for place, name in enumerate((*_names(names), *_names(others)))}
    ordered = sorted(places)
    return f"{','.join(ordered)}:", itemgetter(*map(places.__getitem__, ordered))


@lru_cache(maxsize=1024)
def _lacks(names: str, others: str) -> bool:
    return bool({*_names(others)} - {*_names(names)})


@lru_cache(maxsize=1024)
def line_form(names: str) -> str:
    """The field set of a line with fields of these names (`energy_wh,power_w`): a place for each value, and one for
    what follows the last comma of a row, which is nothing.
    """
    return ",".join(f"{name}=%s" for name in names.split(",")) + "%s"


def _is_plain(name: str) -> bool:
    return name[:1] >= " " and "\\" not in name


def _plain(value: Value) -> Value:
    """A value that can be kept: a finite number as a float, or text."""
    if isinstance(value, str):
        return value
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("an integer is too large to be kept as a number") from None
    if not isfinite(number):
        raise ValueError(f"{value} is not a number that can be kept")
    return number


def _quoted(value: str) -> str:
    text = _whole(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _escape(name: str) -> str:
    if _NO_NAME.search(name):
        raise ValueError(f"{name!r} cannot be a name in line protocol")
    return _NAME_SPECIAL.sub(r"\\\1", _whole(name))


def _whole(text: str) -> str:
    # JSON can hold half of a surrogate pair, UTF-8 cannot. Raises UnicodeEncodeError, which is a ValueError.
    if not text.isascii():
        text.encode()
    return text


def _unescape(name: str) -> str:
    return re.sub(r"\\([, =])", r"\1", name) if "\\" in name else name
