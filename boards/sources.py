"""What the streams read, in the words of an owner: the names of the API stand in the configuration alone."""

from boards.frame import Json
from boards.panels import TEXT, of
from ingest.enphase.streams import STREAMS
from ingest.enphase.streams.base import Scope

NAMES = {
    stream.name: f"{stream.label[:1].upper()}{stream.label[1:]}"
    for stream in STREAMS
    if stream.scope in (Scope.CHOSEN, Scope.TOTALS)
}
"""By the name of the stream; what is asked of a system without being chosen is on no board."""
SOURCE_HEAD = "Source"
"""The heading of a column of them."""


def named_sources(least: int = 138) -> Json:
    """A column of streams, each by its name in words; on a phone it has `least` pixels."""
    options = {name: {"text": words, "index": at} for at, (name, words) in enumerate(NAMES.items())}
    return of(
        SOURCE_HEAD,
        unit=TEXT,
        mappings=[{"type": "value", "options": options}],
        custom__minWidth=least,
        custom__wrapText=True,
    )


def named_series() -> list[Json]:
    """Series that are called as their stream is, each by its name in words."""
    return [
        {
            "matcher": {"id": "byRegexp", "options": f"/^{name}$/"},
            "properties": [{"id": "displayName", "value": words}],
        }
        for name, words in NAMES.items()
    ]
