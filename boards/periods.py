"""Days, months and years as pictures and tables: the panels of the board History over time."""

from typing import Any

from boards.frame import KNOWN_DAYS, OF_SYSTEM, OWN_DAYS, ZONE, Json
from boards.heat import heat
from boards.palette import COLORS
from boards.panels import (
    COUNT,
    EMPTY,
    KWH,
    NONE,
    PLAIN,
    TEXT,
    bars,
    colored,
    each_day,
    fixed,
    of,
    rows,
    table,
    unseen,
    worst,
)
from boards.steps import (
    calculated,
    grouped,
    matrix,
    month_rows,
    months_in_place,
    named_days,
    ordered,
    organized,
    rounded,
)
from boards.whole_months import months_shown

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BOTH = ' AND "produced_wh" >= 0 AND "consumed_wh" >= 0'
"""Days of which production and consumption are known: sums side by side are over the same days."""
WHOLE = '"self_consumed_wh" >= 0 AND "consumed_wh" >= 0 AND "produced_wh" >= 0'
"""Days of which production, consumption and their overlap are known."""
DAYS = of("Days", unit=COUNT, decimals=0, color=fixed(PLAIN))
SOME = "Some days only"
ALONE = "Produced, consumption not known"
SHOWN = dict.fromkeys(("legend", "tooltip", "viz"), False)
"""Of the time of a query that has become a column of months: the time of a reason is hidden."""
LAST: Json = {"options": worst("Year", desc=True), "decimals": 0}
"""The newest year first; what is consumed and the net of it add up in the digits that stand there."""
DAY_MS = 82_799_000
"""Of the shortest day, of 23 hours, without its last second: what begins at the next midnight is another day's."""
NOTHING = "No ended day in the time shown is known yet."
NO_USE = "No consumption is known of an ended day in the time shown."


def daily(columns: str, more: str = "") -> str:
    """A query of the ended days in the time shown."""
    return f'SELECT {columns} FROM "energy_daily" WHERE {OF_SYSTEM} AND {OWN_DAYS}{more}'


def month_table(
    title: str,
    about: str,
    days: str,
    names: tuple[str, ...],
    nothing: str,
    needs: str = "",
) -> Json:
    """Money by month, newest first, with the number of days that it is of; `days` is a query of the known days."""
    return table(
        title,
        f"By the month of the day, newest first, with the number of days that each sum is of. {about}",
        [rows(days)],
        NONE,
        nothing,
        [
            of("Month", unit=TEXT, custom__width=76, custom__hideFrom=SHOWN),
            of("Days", unit=COUNT, decimals=0, custom__width=50),
        ],
        month_rows(*names),
        needs=needs,
        decimals=2,
        cells={"minWidth": 70},
    )


def by_year() -> tuple[Json, Json]:
    """Sums of whole calendar years, each with its days: all days of production, and those of which both are known."""

    def sums(title: str, about: str, query: str, columns: list[Json], chain: list[Json], **more: Any) -> Json:
        year = of("Year", unit=TEXT, custom__width=60)
        text = f'SELECT "year" AS "Year", {query}'
        return table(title, about, [rows(text)], KWH, overrides=[year, *columns], transformations=chain, **LAST, **more)

    of_days = {"unit": COUNT, "decimals": 0, "custom__width": 60}
    heads = {"Produced (count)": "Days", "Produced (sum)": "Produced"}
    made = sums(
        "Years",
        "Production of the ended days of each year over the whole life of the system, and over how many days each "
        "sum is.",
        f'"produced_wh" / 1000 AS "Produced" FROM "energy_daily" WHERE {OF_SYSTEM} AND "produced_wh" >= 0',
        [of("Days", **of_days)],
        [grouped("Year", Produced=("sum", "count")), organized(("Year", *heads), heads, ())],
        nothing=NOTHING,
    )
    both = sums(
        "Years, consumed and net",
        "Consumption, and production less consumption, of each year over the ended days of which both are known, "
        "and how many these are.",
        f'"produced_wh" / 1000 AS "made", "consumed_wh" / 1000 AS "used" FROM "energy_daily" WHERE {OF_SYSTEM}{BOTH}',
        [*unseen("made (sum)", "used (sum)", "Made"), of("used (count)", displayName="Days", **of_days)],
        [
            grouped("Year", used=("count", "sum"), made=("sum",)),
            rounded("Made", "made (sum)"),
            rounded("Consumed", "used (sum)"),
            calculated("Net", "Made", "-", "Consumed"),
        ],
        nothing="No consumption is known of an ended day.",
        needs="consumption",
    )
    return made, both


def same_days() -> Json:
    """Production beside consumption, month by month, over the same days: a mean, whose days may be few."""
    columns = 'sum("produced_wh") / 1000 AS "Produced", sum("consumed_wh") / 1000 AS "Consumed"'
    known = ", ".join(f'count("{name}_wh") AS "{name}"' for name in ("produced", "consumed"))
    alone = (
        f'SELECT "wh" / 1000 AS "{ALONE}" FROM (SELECT sum("produced_wh") AS "wh", {known} FROM "energy_daily" WHERE '
        f"{OF_SYSTEM} AND {OWN_DAYS} GROUP BY time(1d) fill(0) {ZONE}) "
        f'WHERE "produced" > 0.5 AND "consumed" < 0.5 AND {OWN_DAYS}'
    )
    return bars(
        f"Mean day by month{EMPTY}",
        "The mean of each month over the ended days in the time shown of which production and consumption are both "
        "known: a month of a few days stands beside a whole one. Pale: of the days whose consumption is not known. A "
        "month of which nothing is known is empty.",
        [
            each_day('sum("produced_wh") AS "Any"', "A"),
            each_day(columns, "B", KNOWN_DAYS, BOTH),
            rows(alone, "C"),
        ],
        "Month",
        KWH,
        NOTHING,
        [of("Month", unit=TEXT), *colored("Produced", "Consumed", ALONE)],
        months_in_place("Produced", "Consumed", ALONE, how="mean"),
    )


def by_month() -> list[tuple[int, int, Json]]:
    """Months, from which a click leads to their days."""
    picture = bars(
        f"Months{EMPTY}",
        "Production of each month of the system's own calendar of which a day lies in the time shown, over all its "
        "days, those before the time shown too. Pale: only some of its days are known, or it has not ended; the table "
        "says how many lie in the time shown. A month of which nothing is known is empty.",
        [
            each_day('sum("produced_wh") AS "Any"', "A"),
            rows(months_shown("Produced", ">="), "B"),
            rows(months_shown(SOME, "<"), "C"),
        ],
        "Month",
        KWH,
        NOTHING,
        [of("Month", unit=TEXT), *colored("Produced", SOME)],
        months_in_place("Produced", SOME),
        in_one=True,
    )
    days = daily('"month" AS "Month", "produced_wh" / 1000 AS "Produced"', ' AND "produced_wh" >= 0')
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
        "Months, of the days shown",
        "Months of the time shown, newest first, with the number of days that each sum is of. A click on a month "
        "shows its days.",
        [rows(days)],
        KWH,
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
        f"Days{EMPTY}",
        "Production of each ended day of the system's own calendar, of 23, 24 or 25 hours: the vendor's daily total, "
        "and the sum of the intervals where they were read. A day that is not complete is empty. A click on a bar "
        "leads to the curve of the day, with what was noted on it.",
        [each_day('sum("produced_wh") / 1000 AS "Produced"')],
        "Day",
        KWH,
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
        organized((*WEEKDAYS, "Week"), {"Week": "Week of"}, ()),
        ordered("Week of", desc=True),
    ]
    columns = '"week" AS "Week", "weekday" AS "Weekday", "produced_wh" AS "Produced"'
    cells = heat(
        "Calendar of days, kWh",
        "Production of each ended day in the time shown: a row a week, newest first, its Monday at the "
        "end. What is missing is empty.",
        [rows(daily(columns, ' AND "produced_wh" >= 0'))],
        NONE,
        NOTHING,
        [of("Week of", unit=TEXT, custom__cellOptions={"type": "auto"}, custom__width=92)],
        pivot,
        room={"width": 52, "minWidth": 52},
    )
    return picture, cells
