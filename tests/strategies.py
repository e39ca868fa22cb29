"""Hypothesis strategies and small naive models that several tests share."""

from collections.abc import Iterable

from hypothesis import strategies as st

from ingest.core.span import Span
from ingest.plan.coverage import Advance, Log

SMALL = 60
"""Times in models by sets of integers stay below this."""

raw_spans = st.lists(st.builds(Span, st.integers(0, SMALL), st.integers(0, SMALL)), max_size=8)
windows = st.tuples(st.integers(0, SMALL), st.integers(0, SMALL)).map(lambda ends: Span(min(ends), max(ends)))


def seconds(spans: Iterable[tuple[int, int]]) -> set[int]:
    """The seconds of some spans one by one: `(start, end]` holds start + 1 … end."""
    return {at for start, end in spans for at in range(start + 1, end + 1)}


def advances(latest: int = SMALL) -> st.SearchStrategy[Log]:
    """Logs as they are kept: both times rise. A gateway whose clock is fast reports ahead of time."""

    def log(pairs: list[tuple[int, int]]) -> Log:
        found: list[Advance] = []
        for seen, reported in sorted(pairs):
            entry = Advance(seen, reported)
            if not found or (entry.seen_at > found[-1].seen_at and entry.reported_at > found[-1].reported_at):
                found.append(entry)
        return Log(found)

    return st.lists(st.tuples(st.integers(0, latest), st.integers(0, latest)), max_size=8).map(log)
