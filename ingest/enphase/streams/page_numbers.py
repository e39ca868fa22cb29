"""Which page of a numbered list follows one, also where a reply tells little or nonsense of the list. Reference: 5."""

from collections.abc import Mapping

from ingest.enphase.streams.base import Json
from ingest.enphase.streams.readers import maybe_number

SYSTEMS = {"page": "current_page", "size": "size", "total": "total"}
DEVICES = {"page": "page", "size": "page_size", "total": "total_devices"}
"""What the cloud calls the number of a page, how much it holds, and how much there is in all."""


def number_after(reply: Json, shown: int, most: int, keys: Mapping[str, str]) -> str:
    """The number of the page after one that shows so many of its list; empty after the last.

    A total that is less than what was shown is none. Without a total a full page has a next one: `most` is what a page
    holds at most, the `cursor` the page that was asked for, where the reply tells neither.
    """
    page, size, total = (maybe_number(reply.get(keys[name])) or 0 for name in ("page", "size", "total"))
    page = page if page >= 1 else int(reply.get("cursor") or "1")
    held = size if size >= 1 else shown
    if (page - 1) * held + shown <= total:
        is_last = page * held >= total
    else:
        is_last = shown < (size if 1 <= size < most else most)
    return "" if is_last or not shown else str(int(page) + 1)
