"""Replies of API v1 in the words of v2. No document of v1 is left: known is what programs that used it read.

An interval ended at its `end_date`, in words such as 2011-07-20T00:05:00-07:00. Any other shape stays as it came.
"""

from typing import Any


def as_v2(reply: Any) -> Any:
    """The same reply, its intervals ending at `end_at`."""
    if not isinstance(reply, dict) or not isinstance(reply.get("intervals"), list):
        return reply
    return {**reply, "intervals": [_interval(row) for row in reply["intervals"]]}


def _interval(row: Any) -> Any:
    if not isinstance(row, dict) or "end_at" in row or "end_date" not in row:
        return row
    return {"end_at" if key == "end_date" else key: value for key, value in row.items()}
