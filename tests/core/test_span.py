"""Spans of time: the same as sets of integers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.core.span import (
    NONE,
    Span,
    Spans,
    add,
    ceil_to,
    floor_to,
    holds,
    intersect,
    of_times,
    subtract,
    total,
    union,
)
from tests.strategies import raw_spans, seconds, windows


def _is_normal(spans: Spans) -> bool:
    full = all(span.start < span.end for span in spans)
    return full and all(before.end < after.start for before, after in pairwise(spans))


@given(st.lists(raw_spans, max_size=3))
def test_a_union_holds_the_time_of_every_set(sets: list[list[Span]]) -> None:
    joined = union(*sets)
    assert set().union(*(seconds(spans) for spans in sets)) == seconds(joined)
    assert _is_normal(joined)


@given(raw_spans, raw_spans)
def test_a_difference_holds_what_only_the_first_set_has(first: list[Span], second: list[Span]) -> None:
    left = subtract(union(first), union(second))
    assert seconds(first) - seconds(second) == seconds(left)
    assert _is_normal(left)


@given(raw_spans, windows)
def test_an_intersection_holds_what_both_have(spans: list[Span], window: Span) -> None:
    common = intersect(union(spans), window)
    assert seconds(spans) & seconds([window]) == seconds(common)
    assert _is_normal(common)


@given(raw_spans, windows)
def test_a_span_that_is_added_is_united_with_the_set(spans: list[Span], window: Span) -> None:
    assert add(union(spans), window) == union(spans, [window])


@given(st.sets(st.integers(0, 60)), st.integers(1, 5))
def test_spans_of_one_length_are_united_by_their_starts(times: set[int], length: int) -> None:
    assert of_times(times, length) == union(Span(at, at + length) for at in times)


@given(raw_spans, windows)
def test_a_window_is_held_where_no_second_of_it_is_missing(spans: list[Span], window: Span) -> None:
    if window.length:
        assert holds(union(spans), window) == (seconds([window]) <= seconds(spans))


@given(raw_spans)
def test_the_total_counts_every_second_once(spans: list[Span]) -> None:
    assert len(seconds(spans)) == total(union(spans))


@given(raw_spans)
def test_a_union_of_a_union_changes_nothing(spans: list[Span]) -> None:
    assert union(spans) == union(union(spans))


def test_spans_that_touch_become_one() -> None:
    assert (Span(0, 20),) == union([Span(0, 10)], [Span(10, 20)])


def test_a_span_that_ends_before_it_starts_is_empty() -> None:
    assert Span(5, 3).length == 0
    assert union([Span(5, 3), Span(4, 4)]) == NONE


@given(st.integers(-(10**6), 10**10), st.integers(1, 10**5))
def test_floor_is_the_last_multiple_not_after(at: int, step: int) -> None:
    floor = floor_to(at, step)
    assert floor % step == 0
    assert floor <= at < floor + step


@given(st.integers(-(10**6), 10**10), st.integers(1, 10**5))
def test_ceil_is_the_first_multiple_not_before(at: int, step: int) -> None:
    ceil = ceil_to(at, step)
    assert ceil % step == 0
    assert ceil - step < at <= ceil
