"""What is taken of a reply."""

from ingest.enphase.streams.base import Odd
from ingest.fetch import worker


def test_of_a_reply_without_end_no_more_is_read_than_is_taken() -> None:
    """A page of ninety thousand systems is not read to its end for the thousand that are taken."""
    rows = iter([Odd("no system", "{}"), *range(90_000)])
    good, odd = worker._sorted_out(rows, most=1000)
    assert (good, len(odd)) == ([*range(1000)], 1)
    assert len(list(rows)) == 90_000 - 1001
