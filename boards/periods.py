"""Days, months and years as pictures and tables: the panels of the board History over time."""

from boards.frame import OF_SYSTEM, Json
from boards.panels import (
    COUNT,
    NONE,
    PLAIN,
    TEXT,
    WH,
    bars,
    calculated,
    colored,
    fixed,
    grouped,
    heat,
    joined,
    matrix,
    month_names,
    of,
    ordered,
    organized,
    rows,
    table,
    unseen,
)

WHOLE = '"self_consumed_wh" >= 0 AND "consumed_wh" >= 0 AND "produced_wh" >= 0'
"""Days of which production, consumption and their overlap are known."""
DAYS = of("Days", unit=COUNT, decimals=0, color=fixed(PLAIN))
DAY_MS = 82_799_000
"""Of the shortest day, of 23 hours, without its last second: what begins at the next midnight is another day's."""
NOTHING = "The first day appears here the morning after it has ended."


def daily(columns: str, more: str = "") -> str:
    """A query of the ended days in the time shown."""
    return f'SELECT {columns} FROM "energy_daily" WHERE {OF_SYSTEM} AND $timeFilter{more}'


def years() -> list[tuple[int, int, Json]]:
    """Each month beside the same month of other years, as bars and as numbers."""
    monthly = (
        'SELECT "month_of_year" AS "Month", "year" AS "Year", "produced_wh" AS "Produced" FROM "energy_monthly" '
        f'WHERE {OF_SYSTEM} AND "produced_wh" >= 0'
    )
    about = "over the whole life of the system, in its own calendar; the current month so far."
    pivot = [
        calculated("Wh", "Produced", "+", 0),
        matrix("Year", "Month", "Wh"),
        organized((), {"Month\\Year": "Month"}, ()),
        ordered("Month"),
    ]
    month = of("Month", unit=TEXT, mappings=month_names(), custom__fillOpacity=80)
    cell = of("Month", unit=TEXT, mappings=month_names(), custom__cellOptions={"type": "auto"}, custom__width=70)
    return [
        (
            12,
            14,
            bars(
                "Year over year",
                f"Production of each month, a colour a year, {about}",
                [rows(monthly)],
                "Month",
                WH,
                "The first month appears here with its first ended day.",
                [month],
                pivot,
            ),
        ),
        (
            12,
            14,
            heat(
                "Month by year",
                f"Production of each month (rows) of each year (columns), {about}",
                [rows(monthly)],
                WH,
                "The first month appears here with its first ended day.",
                [cell],
                pivot,
                room={"minWidth": 80},
            ),
        ),
    ]


def by_year() -> Json:
    """Sums of whole calendar years, each with its days."""

    def sums(field: str, name: str, ref: str) -> Json:
        columns = f'"year" AS "Year", "{field}" AS "{name}"'
        return rows(f'SELECT {columns} FROM "energy_daily" WHERE {OF_SYSTEM} AND "{field}" >= 0', ref)

    how = ("sum", "count")
    names = {
        "Produced (sum)": "Produced",
        "Produced (count)": "Days produced",
        "Consumed (sum)": "Consumed",
        "Consumed (count)": "Days consumed",
    }
    counts = [of(name, unit=COUNT, decimals=0) for name in ("Days produced", "Days consumed")]
    return table(
        "Years",
        "Sums of the ended days of each year over the whole life of the system, and over how many days each sum is.",
        [sums("produced_wh", "Produced", "A"), sums("consumed_wh", "Consumed", "B")],
        WH,
        NOTHING,
        [of("Year", unit=TEXT, custom__width=80), *counts],
        [
            grouped("Year", Produced=how, Consumed=how),
            joined("Year"),
            organized(("Year", *names), names, ()),
            ordered("Year", desc=True),
        ],
    )


def by_month() -> list[tuple[int, int, Json]]:
    """Months, from which a click leads to their days."""
    monthly = (
        '"month" AS "Month", "produced_wh" AS "Produced", "consumed_wh" AS "Consumed" FROM "energy_monthly" '
        f"WHERE {OF_SYSTEM} AND $timeFilter"
    )
    picture = bars(
        "Months",
        "Energy of each month of the system's own calendar that begins in the time shown; the current month so far.",
        [rows(f"SELECT {monthly}")],
        "Month",
        WH,
        "The first month appears here with its first ended day.",
        [of("Month", unit=TEXT), *colored("Produced", "Consumed")],
    )
    days = daily('"month" AS "Month", "produced_wh" AS "Produced"', ' AND "produced_wh" >= 0')
    names = {
        "Produced (sum)": "Produced",
        "Produced (count)": "Days",
        "Time (first)": "From",
        "Time (last)": "Last day",
    }
    link = {
        "title": "Days of this month",
        "url": "/d/enphase-history?${datasource:queryparam}&${system:queryparam}"
        "&from=${__data.fields.From.numeric}&to=${__data.fields.To.numeric}",
        "targetBlank": False,
    }
    numbers = table(
        "Days of each month",
        "Months of the time shown, newest first, with the number of days that each sum is of. A click on a month "
        "shows its days.",
        [rows(days)],
        WH,
        NOTHING,
        [
            of("Month", unit=TEXT, links=[link], custom__width=110),
            of("Days", unit=COUNT, decimals=0),
            *unseen("From", "Last day", "To"),
        ],
        [
            grouped("Month", Produced=("sum", "count"), Time=("first", "last")),
            organized(("Month", *names), names, ()),
            calculated("To", "Last day", "+", DAY_MS),
            ordered("Month", desc=True),
        ],
    )
    return [(14, 10, picture), (10, 10, numbers)]


def days() -> list[list[tuple[int, int, Json]]]:
    """Every day, as a curve and as a calendar."""
    picture = bars(
        "Days",
        "Production of each ended day of the system's own calendar, of 23, 24 or 25 hours: the vendor's daily total, "
        "and the sum of the intervals where they were read. A day that is not complete is not shown.",
        [rows(daily('"date" AS "Day", "produced_wh" AS "Produced"'))],
        "Day",
        WH,
        NOTHING,
        [of("Day", unit=TEXT), *colored("Produced")],
    )
    pivot = [
        calculated("kWh", "Produced", "/", 1000),
        ordered("Day"),
        matrix("Day", "Month", "kWh"),
        ordered("Month", desc=True),
    ]
    cells = heat(
        "Calendar of days, kWh",
        "Production of each ended day: a row a month, a column a day of the month. What is missing is empty.",
        [rows(daily('"month" AS "Month", "day" AS "Day", "produced_wh" AS "Produced"', ' AND "produced_wh" >= 0'))],
        NONE,
        NOTHING,
        [of("Month", unit=TEXT, custom__cellOptions={"type": "auto"}, custom__width=80)],
        pivot,
        room={"width": 46},
    )
    return [[(24, 9, picture)], [(24, 15, cells)]]
