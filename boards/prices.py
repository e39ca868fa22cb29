"""What the energy was worth at the two prices that the viewer types."""

from boards.frame import OF_SYSTEM, OWN_DAYS, ZONE, Json, sentence
from boards.panels import COUNT, NONE, PLAIN, colored, fixed, of, query, stat
from boards.periods import DAYS, NO_USE, WHOLE, month_table

DAYS_OF = f'FROM "energy_daily" WHERE {OF_SYSTEM} AND {OWN_DAYS} AND {WHOLE}'
MATCHED = (
    'SELECT "consumed_wh" - "self_consumed_wh" AS "bought", "produced_wh" - "self_consumed_wh" AS "sold", '
    f'"self_consumed_wh" AS "saved", "produced_wh" AS "day" {DAYS_OF}'
)
METERED = (
    'SELECT "imported_wh" - "consumed_wh" + "self_consumed_wh" AS "bought", '
    '"exported_wh" - "produced_wh" + "self_consumed_wh" AS "sold", '
    '"consumed_wh" - "imported_wh" - "self_consumed_wh" AS "saved", '
    f'"imported_wh" AS "metered" {DAYS_OF} AND "imported_wh" >= 0 AND "exported_wh" >= 0'
)
"""By how much it is more on days whose exchange with the grid was read: no query chooses between two sums by day."""
EXCHANGED = f"FROM ({MATCHED}), ({METERED}) WHERE {OWN_DAYS}"
ABOUT = (
    "Cost: what came from the grid, at the price from the grid. Earned: what went to it, at the price to the grid. "
    "Saved: the rest of the consumption at the price from the grid. As metered on days whose exchange with the grid "
    "was read, of which there are so many as Days metered says; on others consumption and production less "
    "self-consumption, which holds without a battery. One price for all hours; taxes, fees and tariffs by time of use "
    "are not counted. Only days of which production, consumption and self-consumption are all known."
)
SUMS = {
    "Cost": 'sum("bought") / 1000 * ${import_price:raw}',
    "Earned": 'sum("sold") / 1000 * ${export_price:raw}',
    "Saved": 'sum("saved") / 1000 * ${import_price:raw}',
}
COLUMNS = ", ".join(f'{each} AS "{name}"' for name, each in SUMS.items())
METERED_DAYS = "Days metered"
HOLDS = (
    "**Money** · with tariffs in the configuration, the amounts by your tariffs count · the others are an estimate at "
    "the two prices at the top of the board"
)
"""Which of the two holds."""
ELSEWHERE = (
    "**Money** · with tariffs in the configuration, the amounts by your tariffs on the board History count · below is "
    "an estimate at the two prices at the top of the board"
)
"""Where only the estimate stands."""


def which_holds(words: str = HOLDS) -> Json:
    """The sentence above what is said of money."""
    return sentence(words, "Which of the numbers of money holds where there are several.")


def estimate() -> Json:
    """In all: the same on each board that says it."""
    return stat(
        "Money, estimated, in the prices' currency",
        ABOUT,
        [
            query(
                f'SELECT {COLUMNS}, count("day") AS "Days", count("metered") AS "{METERED_DAYS}" {EXCHANGED}',
            )
        ],
        NONE,
        NO_USE,
        [*colored(*SUMS), DAYS, of(METERED_DAYS, unit=COUNT, decimals=0, color=fixed(PLAIN), noValue="0")],
        decimals=2,
        size=16,
        needs="consumption",
    )


def month_estimates() -> Json:
    """Month by month."""
    days = f"SELECT {COLUMNS} {EXCHANGED} GROUP BY time(1d) fill(none) {ZONE}"
    return month_table("Money by month, estimated, prices' currency", ABOUT, days, tuple(SUMS), NO_USE, "consumption")
