"""`python -m ingest.enphase` prints the table of streams for `docs/streams.md`."""

import sys

from ingest.core.units import DAY, HOUR, MINUTE
from ingest.enphase.catalogue import DEFAULTS
from ingest.enphase.streams import STREAMS
from ingest.enphase.streams.base import Auto, Route, Scope, Stream

WHEN = {
    Scope.CHOSEN: "where it is named under `streams`",
    Scope.TOTALS: "with the streams it is about",
    Scope.EVERY_SYSTEM: "always",
    Scope.ACCOUNT: "always, once an account",
    Scope.NAMES: "where an account reads events or alarms",
}
CHOSEN = {Auto.FITS: "where the plan carries it", Auto.PAID: "on paid plans"}
UNITS = ((7 * DAY, "week"), (DAY, "day"), (HOUR, "h"), (MINUTE, "min"))


def table() -> str:
    """One line a stream: what it is called, where it comes from, what becomes of it, and when it is asked."""
    lines = ["| Stream | API v4 | API v2 | Becomes | Interval | Asked every | Asked |", "|---|---|---|---|---|---|---|"]
    return "\n".join([*lines, *(_line(stream) for stream in STREAMS)]) + "\n"


def _line(stream: Stream) -> str:
    becomes = ", ".join(f"`{name}`" for name in stream.fields) or "nothing: it is for the program"
    interval = _duration(stream.grain) if stream.grain else "a day" if stream.series else "a snapshot"
    asked = "by default" if stream.name in DEFAULTS else CHOSEN.get(stream.auto, WHEN[stream.scope])
    cells = [f"`{stream.name}`", _path(stream.v4), _path(stream.v2), becomes, interval, _duration(stream.every), asked]
    return f"| {' | '.join(cells)} |"


def _path(route: Route | None) -> str:
    if route is None:
        return "-"
    return f"`{route.path.removeprefix('systems/{system}/')}`"


def _duration(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in UNITS if seconds % size == 0)
    return unit if seconds == size and size >= DAY else f"{seconds // size} {unit}"


if __name__ == "__main__":
    sys.stdout.write(table())
