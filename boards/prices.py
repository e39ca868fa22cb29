"""What the energy was worth at the two prices that the viewer types."""

from boards.frame import EACH_DAY, OF_SYSTEM, OWN_DAYS, ZONE, Json
from boards.panels import NONE, TEXT, bars, colored, each_day, of, query, rows, stat
from boards.periods import DAYS, NO_USE, WHOLE
from boards.steps import months_in_place

DAYS_OF = f'FROM "energy_daily" WHERE {OF_SYSTEM} AND {OWN_DAYS} AND {WHOLE}'
MATCHED = (
    'SELECT "consumed_wh" - "self_consumed_wh" AS "bought", "produced_wh" - "self_consumed_wh" AS "sold", '
    f'"self_consumed_wh" AS "saved", "produced_wh" AS "day" {DAYS_OF}'
)
METERED = (
    'SELECT "imported_wh" - "consumed_wh" + "self_consumed_wh" AS "bought", '
    '"exported_wh" - "produced_wh" + "self_consumed_wh" AS "sold", '
    f'"consumed_wh" - "imported_wh" - "self_consumed_wh" AS "saved" {DAYS_OF} '
    'AND "imported_wh" >= 0 AND "exported_wh" >= 0'
)
"""By how much it is more on days whose exchange with the grid was read: no query chooses between two sums by day."""
EXCHANGED = f"FROM ({MATCHED}), ({METERED}) WHERE {OWN_DAYS}"
ABOUT = (
    "Bought: what came from the grid, at the price bought. Sold: what went to it, at the price sold. Saved: the rest "
    "of the consumption at the price bought. As metered on days whose exchange with the grid was read; on others "
    "consumption and production less self-consumption, which holds without a battery. One price for all hours; taxes, "
    "fees and tariffs by time of use are not counted. Only days of which production, consumption and self-consumption "
    "are all known."
)
SUMS = {
    "Bought": 'sum("bought") / 1000 * ${import_price:raw}',
    "Sold": 'sum("sold") / 1000 * ${export_price:raw}',
    "Saved": 'sum("saved") / 1000 * ${import_price:raw}',
}


def columns(*names: str) -> str:
    """Some of the sums, by name."""
    return ", ".join(f'{SUMS[name]} AS "{name}"' for name in names)


def money() -> list[tuple[int, int, Json]]:
    """In all, and month by month."""
    total = stat(
        "Bought, sold, saved, at the two prices above, in their currency",
        ABOUT,
        [query(f'SELECT {columns(*SUMS)}, count("day") AS "Days" {EXCHANGED}')],
        NONE,
        NO_USE,
        [*colored(*SUMS), DAYS],
        decimals=2,
    )
    months = bars(
        "Bought and sold by month, at the two prices above, in their currency",
        f"By the month of the day. {ABOUT} A month of which nothing is known is empty.",
        [
            each_day('sum("consumed_wh") AS "Any"', "A", EACH_DAY, f" AND {WHOLE}"),
            rows(f"SELECT {columns('Bought', 'Sold')} {EXCHANGED} GROUP BY time(1d) fill(none) {ZONE}", "B"),
        ],
        "Month",
        NONE,
        NO_USE,
        [of("Month", unit=TEXT), *colored("Bought", "Sold")],
        months_in_place("Bought", "Sold"),
        decimals=2,
    )
    return [(10, 7, total), (14, 7, months)]
