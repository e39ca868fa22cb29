"""What the energy was worth by the tariffs of the configuration, as the pipeline computed it."""

from boards.frame import OF_SYSTEM, OWN_DAYS, Json
from boards.panels import NONE, TEXT, bars, colored, of, query, rows, stat
from boards.periods import DAYS
from boards.steps import grouped, organized

WHOLE = f'FROM "money_daily" WHERE {OF_SYSTEM} AND {OWN_DAYS} AND "hours" >= 23'
"""Ended days, of 23 hours at least: a part of a day is worth less than the day was."""
NOTHING = "Needs tariffs in the configuration, the consumption or the grid measured, and one ended day."
ABOUT = (
    "Cost: what came from the grid, and the standing charge. Earned: what went to it. Saved: what would have been "
    "bought without the panels. Computed for each quarter of an hour by the tariffs of the configuration, over the "
    "ended days in the time shown that are known whole."
)
NAMES = ("Cost", "Earned", "Saved")


def worth() -> tuple[Json, Json]:
    """In all, and month by month."""
    sums = ", ".join(f'sum("{name.lower()}") AS "{name}"' for name in NAMES)
    days = ", ".join(f'"{name.lower()}" AS "{name}"' for name in NAMES)
    heads = {f"{name} (sum)": name for name in NAMES}
    total = stat(
        "What it was worth, by your tariffs",
        ABOUT,
        [query(f'SELECT {sums}, count("hours") AS "Days" {WHOLE}')],
        NONE,
        NOTHING,
        [*colored(*NAMES), DAYS],
        decimals=2,
    )
    months = bars(
        "What each month was worth, by your tariffs",
        ABOUT,
        [rows(f'SELECT "month" AS "Month", {days} {WHOLE}')],
        "Month",
        NONE,
        NOTHING,
        [of("Month", unit=TEXT), *colored(*NAMES)],
        [grouped("Month", Cost=("sum",), Earned=("sum",), Saved=("sum",)), organized(("Month", *heads), heads, ())],
        decimals=2,
    )
    return total, months
