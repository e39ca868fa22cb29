"""Line protocol: what is encoded is decoded as it was, and what has no safe form is refused."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import chain

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.core.point import (
    Point,
    Value,
    decode,
    decode_fields,
    encode,
    encode_columns,
    encode_fields,
    is_line,
    line_fields,
    merge_fields,
    parse_series,
    series_key,
)
from ingest.core.series_rows import by_series, encode_lines, exchanged
from ingest.core.table import tables_of

HALF = "\ud800"
odd = st.text(alphabet="a\\,= \"'#é\n\t", max_size=8)
text = st.one_of(odd, st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
tag_words = text.filter(lambda word: not re.search(r"\A\Z|[\r\n]|\\([, =]|\Z)", word))
plain_words = tag_words.filter(lambda w: "\\" not in w and w[0] >= " " and w[0] != "#" and w != "time")
tags = st.dictionaries(tag_words, tag_words, max_size=4).map(lambda words: tuple(sorted(words.items())))
values: st.SearchStrategy[Value] = st.one_of(st.floats(allow_nan=False, allow_infinity=False), text)
field_sets = st.dictionaries(plain_words, values, min_size=1, max_size=5)


@given(plain_words, tags, st.integers(-(2**40), 2**40), field_sets)
@example("energy", (("system", "1"),), 1_700_000_000, {"label": 'a "b", c=d\\ 12\n e=1.0 5\\'})
def test_a_point_is_decoded_as_it_was(
    measurement: str, tags: tuple[tuple[str, str], ...], time: int, fields: dict[str, Value]
) -> None:
    point = Point(measurement, tags, time, fields)
    assert decode(encode(point)) == point


few_names = st.dictionaries(st.sampled_from(["a", "b", "power_w", "a:b"]), values, min_size=1, max_size=2)
keys = st.sampled_from(["energy", "energy,system=1", "a%sb,c=%", "energy,say=5\\ %d"])


@given(st.lists(st.tuples(keys, st.integers(-(2**40), 2**40), st.one_of(field_sets, few_names)), max_size=12))
@example([("energy", 0, {"a": 1.0}), ("energy", 1, {"a:b": 1.0}), ("energy", 2, {"a": 2.0})])
@example([("energy", 0, {"a": 1.0}), ("energy,system=1", 0, {"a": 1.0}), ("energy,system=1", 0, {"b": 1.0})])
def test_lines_made_together_are_those_made_one_by_one(many: list[tuple[str, int, dict[str, Value]]]) -> None:
    rows = [(key, time, encode_fields(fields)) for key, time, fields in many]
    assert encode_lines(rows) == [f"{key} {line_fields(row)} {time}" for key, time, row in rows]


@given(plain_words, tags)
def test_a_series_is_parsed_as_it_was(measurement: str, tags: tuple[tuple[str, str], ...]) -> None:
    assert parse_series(series_key(measurement, tags)) == (measurement, tags)


@given(plain_words, tags.flatmap(st.permutations))
def test_the_order_of_tags_does_not_make_another_series(measurement: str, shuffled: list[tuple[str, str]]) -> None:
    assert series_key(measurement, tuple(shuffled)) == series_key(measurement, tuple(sorted(shuffled)))


@given(field_sets)
def test_the_order_of_fields_does_not_make_another_text(fields: dict[str, Value]) -> None:
    assert encode_fields(dict(reversed(fields.items()))) == encode_fields(fields)


@given(field_sets)
def test_an_unchanged_field_set_is_the_same_text(fields: dict[str, Value]) -> None:
    written = encode_fields(fields)
    assert encode_fields(decode_fields(written)) == written


@given(field_sets, field_sets)
def test_merging_is_what_a_dictionary_does(old: dict[str, Value], new: dict[str, Value]) -> None:
    assert decode_fields(merge_fields(encode_fields(old), encode_fields(new))) == {**old, **new}


def together(many: Sequence[Mapping[str, Value]]) -> list[str]:
    rows = by_series(tables_of(Point("energy", (), at, fields) for at, fields in enumerate(many))).get(
        ("energy", ()), {}
    )
    return [rows[at] for at in range(len(many))]


days = st.fixed_dictionaries(
    {"date": st.sampled_from(["2026-11-05", "a=b", "a:b", "%r", "é", "", "one, two", "1.0", "x;"])},
    optional={"wh": st.sampled_from([84.0, 0.25, -0.0, 1e16]), "used_wh": st.just(5.0), "year": st.just("2026")},
)


@given(st.lists(st.tuples(days, days), min_size=1, max_size=4))
def test_days_are_written_and_merged_as_dictionaries_are(many: list[tuple[dict[str, Value], dict[str, Value]]]) -> None:
    rows = together([old for old, _ in many]), together([new for _, new in many])
    assert [merge_fields(*pair) for pair in zip(*rows, strict=True)] == [encode_fields(old | new) for old, new in many]
    assert [decode_fields(row) for row in rows[0]] == [old for old, _ in many]


def test_a_row_says_its_names_once_before_its_values() -> None:
    assert encode_fields({"wh": 84.0, "date": "2026-11-05"}) == 'date,wh:"2026-11-05",84;'
    assert encode_fields({"wh": 84.0, "date": "1, 2"}) == 'date="1, 2",wh=84.0'


@given(odd)
def test_a_tag_is_kept_or_refused_never_changed(word: str) -> None:
    tags = ((word, word),)
    try:
        key = series_key("energy", tags)
    except ValueError:
        return
    assert parse_series(key) == ("energy", tags)
    assert "\n" not in key


@given(odd)
def test_a_name_is_kept_or_refused_never_changed(word: str) -> None:
    point = Point(word, (), 1, {word: 1.0})
    try:
        line = encode(point)
    except ValueError:
        return
    assert decode(line) == point
    assert "\n" not in line


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 10**400])
def test_what_is_no_number_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="number"):
        encode_fields({"energy_wh": number})


numbers = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-100, 100).map(float), st.just(1e308))
whole = st.one_of(st.integers(-100, 100), st.integers(-(2**70), 2**70))
pairs_of_numbers = st.sampled_from([(numbers, numbers), (whole, whole), (whole, numbers), (numbers | whole, whole)])
alike = st.tuples(st.sampled_from(["a", "b,c", "%r"]), pairs_of_numbers).flatmap(
    lambda of: st.lists(st.fixed_dictionaries({"energy_wh": of[1][0], of[0]: of[1][1]}), min_size=1, max_size=5)
)
mixed = st.lists(st.one_of(alike, st.lists(field_sets, max_size=2)), max_size=4).map(
    lambda runs: [*chain.from_iterable(runs)]
)


@given(mixed)
def test_many_rows_at_once_are_each_what_it_is_by_itself(many: list[dict[str, Value]]) -> None:
    assert together(many) == [encode_fields(fields) for fields in many]


@given(alike)
def test_rows_of_columns_are_each_what_it_is_by_itself(many: list[dict[str, float]]) -> None:
    columns = {name: [fields[name] for fields in many] for name in many[0]}
    assert encode_columns(columns) == [encode_fields(fields) for fields in many]


@given(mixed)
def test_names_are_exchanged_in_all_rows_or_in_none(many: list[dict[str, Value]]) -> None:
    rows = [encode_fields(fields) for fields in many if fields]
    names = rows[0].partition(":")[0] + ":" if rows else "a:"
    found = exchanged(rows, names, "7:")
    assert found is None or rows == [names + row.removeprefix("7:") for row in found]
    assert found is None or not any(map(is_line, rows))


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_is_no_number_is_refused_among_many(number: float) -> None:
    with pytest.raises(ValueError, match="number"):
        together([{"energy_wh": 1.0}, {"energy_wh": number}, {"energy_wh": 2.0}])


@pytest.mark.parametrize("word", ["", "a\\", "a\\ b", "a\\,b", "a\\=b", "a\nb", "a\rb", HALF])
def test_a_tag_without_a_safe_form_is_refused(word: str) -> None:
    for tags in (((word, "1"),), (("system", word),)):
        with pytest.raises(ValueError, match=r"cannot be a name|surrogates"):
            series_key("energy", tags)


@pytest.mark.parametrize("word", ["", "a\\b", "\tb", "a\nb", HALF])
def test_a_name_without_a_safe_form_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be|surrogates"):
        series_key(word, ())
    with pytest.raises(ValueError, match=r"cannot be|surrogates"):
        encode_fields({word: 1.0})


def test_names_that_mean_something_else_are_refused() -> None:
    with pytest.raises(ValueError, match="'#energy' cannot be a measurement"):
        series_key("#energy", ())
    with pytest.raises(ValueError, match="'time' cannot be a field"):
        encode_fields({"time": 1.0})


def test_text_that_no_database_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        encode_fields({"label": f"half {HALF}"})


def test_a_point_without_fields_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one field"):
        encode(Point("energy", (), 1, {}))


def test_the_text_form_is_what_influxdb_documents() -> None:
    point = Point("my m", (("system", "1"), ("a,b", "c=d e")), 60, {"wh": 1, "label": 'say "hi" \\'})
    assert encode(point) == r'my\ m,a\,b=c\=d\ e,system=1 label="say \"hi\" \\",wh=1.0 60'


def test_a_field_called_like_a_format_keeps_its_name() -> None:
    assert encode_fields({"%r": "", "%d": 1.0}) == '%d=1.0,%r=""'
