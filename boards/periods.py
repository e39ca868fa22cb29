"""Days, months and years as pictures and tables: the panels of the board History over time."""

import re
from collections.abc import Mapping
from typing import Any

from boards.frame import EACH_DAY, KNOWN_DAYS, OF_SYSTEM, OWN_DAYS, Json
from boards.heat import heat, month_names
from boards.panels import (
    COLORS,
    COUNT,
    NONE,
    PLAIN,
    TEXT,
    WH,
    bars,
    colored,
    each_day,
    fixed,
    of,
    rows,
    table,
    unseen,
)
from boards.steps import calculated, grouped, matrix, months_in_place, named_days, ordered, organized

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BOTH = ' AND "produced_wh" >= 0 AND "consumed_wh" >= 0'
"""Days of which production and consumption are known: sums side by side are over the same days."""
WHOLE = '"self_consumed_wh" >= 0 AND "consumed_wh" >= 0 AND "produced_wh" >= 0'
"""Days of which production, consumption and their overlap are known."""
DAYS = of("Days", unit=COUNT, decimals=0, color=fixed(PLAIN))
DAY_MS = 82_799_000
"""Of the shortest day, of 23 hours, without its last second: what begins at the next midnight is another day's."""
NOTHING = "No ended day in the time shown is known yet."
NO_MONTH = "The first month appears here with its first ended day."
NO_USE = "No consumption is known of an ended day in the time shown."


def daily(columns: str, more: str = "") -> str:
    """A query of the ended days in the time shown."""
    return f'SELECT {columns} FROM "energy_daily" WHERE {OF_SYSTEM} AND {OWN_DAYS}{more}'


def month_bars(
    title: str,
    about: str,
    sums: Mapping[str, str],
    more: str,
    unit: str,
    nothing: str,
    **defaults: Any,
) -> Json:
    """Sums of the ended days in the time shown by month; `sums` of days by name, of the days with the condition `more`.

    A month of which nothing is known has its place.
    """
    columns = ", ".join(f'{each} AS "{name}"' for name, each in sums.items())
    some = next(iter(sums.values()))
    return bars(
        title,
        f"{about} A month of which nothing is known is empty.",
        [each_day(f'{some} AS "Any"', "A", EACH_DAY, more), each_day(columns, "B", KNOWN_DAYS, more)],
        "Month",
        unit,
        nothing,
        [of("Month", unit=TEXT), *colored(*sums)],
        months_in_place(*sums),
        **defaults,
    )


def of_years() -> list[Json]:
    """A colour a year, none of which means something else; after ten years they come again."""
    colors = (
        "#8E8E8E",
        "#A16A46",
        "#D683CE",
        "#7C9A3E",
        "#5F8FA8",
        "#C15C4A",
        "#6D5BA8",
        "#3E8E7E",
        "#B8A04A",
        "#4A5FA0",
    )
    return [
        {
            "matcher": {"id": "byRegexp", "options": f"/20\\d{digit}/"},
            "properties": [{"id": "color", "value": fixed(color)}],
        }
        for digit, color in enumerate(colors)
    ]


def years() -> list[tuple[int, int, Json]]:
    """Each month beside the same month of other years, as bars and as numbers."""
    monthly = (
        'SELECT "month_of_year" AS "Month", "year" AS "Year", "produced_wh" AS "Produced" FROM "energy_monthly" '
        f'WHERE {OF_SYSTEM} AND "produced_wh" >= 0 ORDER BY time DESC'
    )
    about = "over the whole life of the system, in its own calendar; the current month so far."
    pivot = [
        calculated("Wh", "Produced", "+", 0),
        matrix("Year", "Month", "Wh"),
        organized((), {"Month\\Year": "Month"}, ()),
        ordered("Month"),
    ]
    month = of("Month", unit=TEXT, mappings=month_names(), custom__fillOpacity=80)
    cell = of("Month", unit=TEXT, mappings=month_names(), custom__cellOptions={"type": "auto"}, custom__width=60)
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
                NO_MONTH,
                [month, *of_years()],
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
                NO_MONTH,
                [cell],
                pivot,
                room={"minWidth": 74},
            ),
        ),
    ]


def by_year() -> tuple[Json, Json]:
    """Sums of whole calendar years, each with its days: all days of production, and those of which both are known."""

    def sums(title: str, about: str, fields: str, more: str, nothing: str) -> Json:
        names = re.findall(r'AS "(\w+)"', fields)
        query = f'SELECT "year" AS "Year", {fields} FROM "energy_daily" WHERE {OF_SYSTEM}{more}'
        how = {name: ("sum", "count") if name == names[0] else ("sum",) for name in names}
        heads = {f"{name} (sum)": name for name in names} | {f"{names[0]} (count)": "Days"}
        return table(
            title,
            about,
            [rows(query)],
            WH,
            nothing,
            [of("Year", unit=TEXT, custom__width=60), of("Days", unit=COUNT, decimals=0, custom__width=60)],
            [grouped("Year", **how), organized(("Year", *heads), heads, ()), ordered("Year", desc=True)],
        )

    return (
        sums(
            "Years",
            "Production of the ended days of each year over the whole life of the system, and over how many days each "
            "sum is.",
            '"produced_wh" AS "Produced"',
            ' AND "produced_wh" >= 0',
            NOTHING,
        ),
        sums(
            "Years, consumed and net",
            "Consumption, and production less consumption, of each year over the ended days of which both are known, "
            "and how many these are.",
            '"consumed_wh" AS "Consumed", "produced_wh" - "consumed_wh" AS "Net"',
            BOTH,
            "No consumption is known of an ended day.",
        ),
    )


def same_days() -> Json:
    """Production beside consumption, month by month, over the same days."""
    return month_bars(
        "Produced and consumed by month",
        "Sums of each month over the ended days in the time shown of which production and consumption are both known.",
        {"Produced": 'sum("produced_wh")', "Consumed": 'sum("consumed_wh")'},
        BOTH,
        WH,
        NO_USE,
    )


def by_month() -> list[tuple[int, int, Json]]:
    """Months, from which a click leads to their days."""
    picture = month_bars(
        "Months",
        "Production of each month of the system's own calendar, summed over its ended days in the time shown.",
        {"Produced": 'sum("produced_wh")'},
        ' AND "produced_wh" >= 0',
        WH,
        NOTHING,
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


def day_link(begin: str, end: str) -> Json:
    """The curve of a day."""
    return {
        "title": "Curve of this day",
        "url": "/d/enphase-now?${datasource:queryparam}&${system:queryparam}"
        f"&from=${{__data.fields.{begin}.numeric}}&to=${{__data.fields.{end}.numeric}}",
        "targetBlank": False,
    }


def days() -> tuple[Json, Json]:
    """Every day, as bars and as a calendar."""
    picture = bars(
        "Days",
        "Production of each ended day of the system's own calendar, of 23, 24 or 25 hours: the vendor's daily total, "
        "and the sum of the intervals where they were read. A day that is not complete is empty. A click on a bar "
        "leads to the curve of the day, with what was noted on it.",
        [each_day('sum("produced_wh") AS "Produced"')],
        "Day",
        WH,
        NOTHING,
        [
            of("Day", unit=TEXT),
            of("Produced", color=fixed(COLORS["Produced"]), links=[day_link("Begin", "End")]),
            *unseen("Begin", "End"),
        ],
        named_days(calculated("Begin", "Time", "+", 0), calculated("End", "Time", "+", DAY_MS)),
    )
    pivot = [
        calculated("kWh", "Produced", "/", 1000),
        matrix("Weekday", "Week", "kWh"),
        organized(("Week", *WEEKDAYS), {"Week": "Week of"}, ()),
        ordered("Week of", desc=True),
    ]
    columns = '"week" AS "Week", "weekday" AS "Weekday", "produced_wh" AS "Produced"'
    cells = heat(
        "Calendar of days, kWh",
        "Production of each ended day in the time shown: a row a week, newest first, under the date of its Monday. "
        "What is missing is empty.",
        [rows(daily(columns, ' AND "produced_wh" >= 0'))],
        NONE,
        NOTHING,
        [of("Week of", unit=TEXT, custom__cellOptions={"type": "auto"}, custom__width=84)],
        pivot,
        room={"width": 40, "minWidth": 36},
    )
    return picture, cells
