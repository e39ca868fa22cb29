"""Self-consumption and self-sufficiency, of today and of days."""

from collections.abc import Callable, Iterable

from boards.frame import Json
from boards.panels import SHARE, rows, stat, tinted
from boards.steps import first_known, joined, organized

METERED, MATCHED = "by the grid meter", "by production"
LOOK: Json = {"size": 16, "decimals": 1}
SUFFICIENCY = "Self-sufficiency"
ABOUT = (
    "Self-consumption: the share of production that was not sent to the grid; where no export is measured, that was "
    "used within the same quarter of an hour. Self-sufficiency: the share of consumption that did not come from the "
    "grid."
)


def own_shares(
    title: str,
    about: str,
    source: Callable[[str], str],
    nothing: str,
    overrides: Iterable[Json] = (),
    *,
    counted: bool = False,
    number: str = "",
    needs: str = "",
) -> Json:
    """The two shares of what `source` gives for a condition; `counted`: with the number of its rows;
    `number`: a column of the known consumption; `needs`: the meter without which there is none.

    What came from the grid is the better witness where it is read: what was not sent there may be in a battery.
    """
    own, used = 'sum("self_consumed_wh")', 'sum("consumed_wh")'
    rows_of = ', count("self_consumed_wh") AS "Days"' if counted else ""
    more = f", {number}" if number else ""
    made, known = source('"self_consumed_wh" >= 0'), '"consumed_wh" >= 0'
    metered = source(f'{known} AND "imported_wh" >= 0')
    targets = [
        rows(f'SELECT {own} / sum("produced_wh") AS "Self-consumption"{rows_of} {made}', "A"),
        rows(f'SELECT 1 - sum("imported_wh") / {used} AS "{METERED}" {metered}', "B"),
        rows(f'SELECT {own} / {used} AS "{MATCHED}"{more} {source(known)}', "C"),
    ]
    steps = [
        joined("Time"),
        first_known(SUFFICIENCY, METERED, MATCHED),
        organized(("Self-consumption", SUFFICIENCY, "Days", "Hours of today"), {}, ("Time", METERED, MATCHED)),
    ]
    colors = tinted("Self-consumed", "Self-consumption", SUFFICIENCY)
    fields = [*colors, *overrides]
    return stat(title, f"{ABOUT} {about}", targets, SHARE, nothing, fields, transformations=steps, needs=needs, **LOOK)
