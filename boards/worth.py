"""What the energy was worth by the tariffs of the configuration, as the pipeline computed it."""

from boards.frame import KNOWN_DAYS, OF_SYSTEM, OWN_DAYS, Json
from boards.palette import COLORS
from boards.panels import NONE, fixed, of, query, stat
from boards.periods import DAYS, month_table

DAYS_OF = f'FROM "money_daily" WHERE {OF_SYSTEM} AND "hours" >= 23 AND '
WHOLE = f"{DAYS_OF}{OWN_DAYS}"
"""Ended days, of 23 hours at least: a part of a day is worth less than the day was."""
NOTHING = "No day in the time shown has an amount; without tariffs in the configuration there is none."
ABOUT = (
    "Cost: what came from the grid, and the standing charge. Earned: what went to it. Saved: what would have been "
    "bought without the panels. Computed for each quarter of an hour by the tariffs of the configuration, over the "
    "ended days in the time shown that are known whole. Where there are tariffs, this holds, not the estimate."
)
NAMES = ("Cost", "Earned", "Saved")


def worth() -> tuple[Json, Json]:
    """In all, and month by month."""
    columns = ", ".join(f'sum("{name.lower()}") AS "{name}"' for name in NAMES)
    total = stat(
        "Money by your tariffs",
        ABOUT,
        [query(f'SELECT {columns}, count("hours") AS "Days" {WHOLE}')],
        NONE,
        NOTHING,
        [*in_currency(*NAMES), DAYS],
        decimals=2,
        size=16,
    )
    days = f"SELECT {columns} {DAYS_OF}{KNOWN_DAYS}"
    return total, month_table("Money by month, by your tariffs ${currency:text}", ABOUT, days, NAMES, NOTHING)


def in_currency(*names: str) -> list[Json]:
    """Money of these names, in the currency of the tariffs."""
    return [of(name, color=fixed(COLORS[name]), displayName=f"{name}, ${{currency:text}}") for name in names]
