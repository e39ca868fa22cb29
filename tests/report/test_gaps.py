"""How a pair stands: what is read of what should have been."""

import pytest
from hypothesis import given

from ingest.core.span import NONE, Span, subtract
from ingest.core.units import DAY
from ingest.plan import coverage
from ingest.plan.coverage import Advance
from ingest.plan.windows import served_from
from ingest.plan.work import Work
from ingest.report.gaps import gaps, standing
from tests.plan.test_planner import CLASSES, NOW, work, works


@given(works())
def test_complete_until_is_where_the_first_hole_begins(pair: Work) -> None:
    until = standing(pair, CLASSES.settle, NOW, {}).complete_until
    wanted = Span(served_from(pair, NOW), until)
    assert subtract((wanted,), coverage.covered(pair.read, CLASSES.settle)) == NONE


@given(works())
def test_what_is_said_of_a_pair_agrees(pair: Work) -> None:
    stands = standing(pair, CLASSES.settle, NOW, {})
    assert 0 <= stands.ratio <= 1
    assert (stands.ratio < 1) == bool(stands.owing)
    ends = [(gap.start, gap.end) for gap in gaps(pair, stands, NOW) if gap.start >= stands.wanted.start]
    assert sum(end - start for start, end in ends) == sum(hole.length for hole in stands.holes)


def test_half_read_is_a_half() -> None:
    pair = work(floor=NOW - 20 * DAY, log=(Advance(NOW - 10 * DAY, NOW - 10 * DAY),))
    start = served_from(pair, NOW)
    middle = start + (NOW - 10 * DAY - start) // 2
    half = pair._replace(read={CLASSES.settle: (Span(start, middle),)})
    assert pytest.approx(standing(half, CLASSES.settle, NOW, {}).ratio, abs=1e-3) == 0.5
