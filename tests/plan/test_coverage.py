"""What has been read and how far it is trusted, against a model that goes through every second."""

from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.core.span import Span, union
from ingest.plan.coverage import Advance, Covered, Log, advanced, cover, covered, edge, known, owed, trusted, uncover
from tests.strategies import SMALL, advances, raw_spans, seconds, windows

nows = st.integers(0, 2 * SMALL)
ages = st.integers(0, SMALL)


def _known(log: Sequence[Advance], at: int) -> int | None:
    """The newest report among those seen by then; before the first look, as if it reported as it went."""
    if not log:
        return None
    seen = [entry.reported_at for entry in log if entry.seen_at <= at]
    return max(seen) if seen else min(at, log[0].reported_at)


def _final(log: Log, now: int, age: int) -> set[int]:
    """The seconds that had been known for `age` at `now`."""
    limit = _known(log, now - age)
    return set() if limit is None else {at for at in range(-SMALL, now - age + 1) if at <= limit}


@given(advances(), nows)
def test_known_is_the_newest_report_seen_by_then(log: Log, at: int) -> None:
    assert _known(log, at) == known(log, at)


@given(advances(), nows, nows)
def test_what_was_known_never_shrinks(log: Log, one: int, other: int) -> None:
    before, after = known(log, min(one, other)), known(log, max(one, other))
    assert before is None or (after is not None and before <= after)


@given(advances(), nows, ages)
def test_the_edge_is_the_newest_second_known_for_that_long(log: Log, now: int, age: int) -> None:
    assert max(_final(log, now, age), default=None) == edge(log, now, age)


@given(advances(), nows, ages, windows)
def test_trust_covers_what_is_in_the_window_and_was_known_that_long(log: Log, now: int, age: int, window: Span) -> None:
    assert seconds([window]) & _final(log, now, age) == seconds([trusted(log, now, age, window)])


@given(advances(), nows, windows)
def test_an_older_age_is_never_trusted_further(log: Log, now: int, window: Span) -> None:
    assert seconds([trusted(log, now, 20, window)]) <= seconds([trusted(log, now, 5, window)])


reads = st.dictionaries(st.sampled_from([5, 20]), raw_spans.map(union))


@example({5: (Span(0, 10),), 20: (Span(2, 4), Span(12, 14))})
@given(reads)
def test_a_reading_for_an_older_age_counts_for_a_younger_one(read: dict[int, tuple[Span, ...]]) -> None:
    assert seconds(read.get(5, ())) | seconds(read.get(20, ())) == seconds(covered(read, 5))
    assert seconds(read.get(20, ())) == seconds(covered(read, 20))


@given(reads, st.sampled_from([5, 20]), st.integers(0, SMALL), st.none() | st.integers(0, SMALL))
def test_what_is_owed_is_wanted_and_not_read(
    read: dict[int, tuple[Span, ...]], age: int, floor: int, limit: int | None
) -> None:
    wanted = set() if limit is None else seconds([Span(floor, limit)])
    assert wanted - seconds(covered(read, age)) == seconds(owed(read, age, floor, limit))


def test_an_unknown_system_owes_nothing() -> None:
    assert owed({}, 5, 0, edge(Log(), 100, 5)) == ()


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, SMALL)), max_size=12), st.integers(0, 30))
def test_folding_the_log_changes_nothing_younger_than_it_keeps(steps: list[tuple[int, int]], keep: int) -> None:
    full: list[Advance] = []
    folded = Log()
    now = 0
    for wait, reported in steps:
        now += wait
        entry = Advance(now, min(now, reported))
        is_new = not full or entry.reported_at > full[-1].reported_at
        full += [entry] if is_new else []
        before, folded = folded, advanced(folded, entry, keep)
        assert is_new == (folded is not before)
        for at in range(now - keep, now + 1):
            assert _known(full, at) == known(folded, at)


def test_the_log_does_not_grow_without_end() -> None:
    log = Log()
    for now in range(0, 10_000, 10):
        log = advanced(log, Advance(now, now), keep=100)
    assert len(log) == 11


@given(reads, raw_spans.map(union), windows)
def test_what_is_covered_and_uncovered_is_there_and_gone(
    read: dict[int, tuple[Span, ...]], more: tuple[Span, ...], hole: Span
) -> None:
    after: Covered = read
    for span in more:
        after = cover(after, 5, span)
    left = uncover(after, hole)
    for age in (5, 20):
        wanted = seconds(read.get(age, ())) | (seconds(more) if age == 5 else set())
        assert wanted == seconds(after.get(age, ()))
        assert wanted - seconds([hole]) == seconds(left.get(age, ()))
