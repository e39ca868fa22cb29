"""What the energy was worth by the tariffs of the configuration, as the pipeline computed it."""

from boards.frame import EACH_DAY, KNOWN_DAYS, OF_SYSTEM, OWN_DAYS, Json
from boards.panels import COLORS, NONE, TEXT, bars, fixed, of, query, rows, stat
from boards.periods import DAYS
from boards.steps import months_in_place

DAYS_OF = f'FROM "money_daily" WHERE {OF_SYSTEM} AND "hours" >= 23 AND '
WHOLE = f"{DAYS_OF}{OWN_DAYS}"
"""Ended days, of 23 hours at least: a part of a day is worth less than the day was."""
NOTHING = "No ended day in the time shown has a worth; without tariffs in the configuration none has."
ABOUT = (
    "Cost: what came from the grid, and the standing charge. Earned: what went to it. Saved: what would have been "
    "bought without the panels. Computed for each quarter of an hour by the tariffs of the configuration, over the "
    "ended days in the time shown that are known whole."
)
NAMES = ("Cost", "Earned", "Saved")


def worth() -> tuple[Json, Json]:
    """In all, and month by month."""
    sums = {name: f'sum("{name.lower()}")' for name in NAMES}
    columns = ", ".join(f'{each} AS "{name}"' for name, each in sums.items())
    total = stat(
        "What it was worth, by your tariffs",
        ABOUT,
        [query(f'SELECT {columns}, count("hours") AS "Days" {WHOLE}')],
        NONE,
        NOTHING,
        [*in_currency(*NAMES), DAYS],
        decimals=2,
    )
    parts = {name: f'{each} AS "{name}"' for name, each in sums.items()}
    months = bars(
        "What each month was worth, by your tariffs",
        f"{ABOUT} A month of which nothing is known is empty.",
        [
            rows(f'SELECT {sums["Cost"]} AS "Any" {DAYS_OF}{EACH_DAY}', "A"),
            rows(f"SELECT {', '.join(parts.values())} {DAYS_OF}{KNOWN_DAYS}", "B"),
        ],
        "Month",
        NONE,
        NOTHING,
        [of("Month", unit=TEXT), *in_currency(*NAMES)],
        months_in_place(*NAMES),
        decimals=2,
    )
    return total, months


def in_currency(*names: str) -> list[Json]:
    """Money of these names, in the currency of the tariffs."""
    return [of(name, color=fixed(COLORS[name]), displayName=f"{name}, ${{currency:text}}") for name in names]
