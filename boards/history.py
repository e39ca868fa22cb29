"""History: how much, compared with the same time last year; which days were the best; what it was worth."""

from boards.frame import OF_SYSTEM, OWN_DAYS, Json, dashboard, system, text_box, zone
from boards.panels import (
    COUNT,
    NONE,
    PLAIN,
    TEXT,
    WATT,
    WH,
    bars,
    colored,
    fixed,
    of,
    query,
    rows,
    stat,
    table,
    tinted,
    unseen,
)
from boards.periods import (
    BOTH,
    DAY_MS,
    DAYS,
    NOTHING,
    WHOLE,
    by_month,
    by_year,
    daily,
    day_link,
    days,
    same_days,
    years,
)
from boards.shares import own_shares
from boards.steps import calculated, grouped, ordered, organized, step
from boards.worth import worth

MONEY = (
    "One price for all hours; taxes, fees and tariffs by time of use are not counted. Only days of which production, "
    "consumption and their overlap are all known."
)


def year_ago() -> Json:
    """The last thirty days and the same thirty a year before."""

    def window(begin: int, end: int, name: str, days_name: str, ref: str) -> Json:
        days = f"time >= now() - {begin}d AND time <= now() - {end}d"
        sums = f'sum("produced_wh") AS "{name}", count("produced_wh") AS "{days_name}"'
        return query(f'SELECT {sums} FROM "energy_daily" WHERE {OF_SYSTEM} AND {days}', "$col", ref)

    overrides = [
        *tinted("Produced", "Last 30 days", "A year ago"),
        DAYS,
        of("Days then", unit=COUNT, decimals=0, color=fixed(PLAIN)),
    ]
    return stat(
        "Produced in the last 30 days, and a year ago",
        "Production of the 30 days before today and of the same 30 days of the year before, with the number of days "
        "that each sum is of.",
        [window(31, 1, "Last 30 days", "Days", "A"), window(396, 366, "A year ago", "Days then", "B")],
        WH,
        "Needs one ended day.",
        overrides,
        size=16,
    )


def totals() -> list[tuple[int, int, Json]]:
    """How much in the time shown, over how many days."""
    net = 'sum("produced_wh") - sum("consumed_wh")'
    sums = f'sum("consumed_wh") AS "Consumed", {net} AS "Net", count("consumed_wh") AS "Days"'
    made = stat(
        "Produced in the time shown",
        "Sum of the ended local days in the time range of the board, and how many days it is of.",
        [query(daily('sum("produced_wh") AS "Produced", count("produced_wh") AS "Days"'))],
        WH,
        NOTHING,
        [*colored("Produced"), DAYS],
    )
    both = stat(
        "Consumed in the time shown, and net",
        "Consumption, and production less consumption (above zero the house gave more than it took), of the ended "
        "local days in the time shown of which both are known, and how many these are.",
        [query(daily(sums, BOTH))],
        WH,
        "Needs a consumption meter and one ended day.",
        [*colored("Consumed", "Net"), DAYS],
    )
    own = own_shares(
        "Used by the house itself",
        "Of the days in the time shown of which production, consumption and their overlap are all known, and how many "
        "these are.",
        lambda more: daily("", f" AND {WHOLE}{more}").removeprefix("SELECT  "),
        "Needs a consumption meter and one ended day.",
        [DAYS],
        counted=True,
    )
    return [(6, 4, made), (9, 4, both), (9, 4, own)]


def best() -> Json:
    """The best days, from which a click leads to their curve."""
    columns = '"date" AS "Day", "produced_wh" AS "Produced"'
    return table(
        "Best days",
        "The ten days in the time shown on which most was produced. A click on a day shows its curve.",
        [rows(daily(columns, ' AND "produced_wh" >= 0'))],
        WH,
        NOTHING,
        [of("Day", unit=TEXT, links=[day_link("Time", "End")], custom__width=110), *unseen("Time", "End")],
        [calculated("End", "Time", "+", DAY_MS), ordered("Produced", desc=True), step("limit", limitField="10")],
    )


def records() -> Json:
    """The best of other kinds."""
    months = f'SELECT max("produced_wh") FROM "energy_monthly" WHERE {OF_SYSTEM} AND {OWN_DAYS}'
    strongest = f'SELECT max("produced_wh") * 4 FROM "energy" WHERE {OF_SYSTEM} AND $timeFilter'
    return stat(
        "Records",
        "The best month and the strongest quarter of an hour (mean power) in the time shown, and the day on which "
        "most was used.",
        [
            query(months, "Best month", "A"),
            query(strongest, "Strongest quarter of an hour", "B"),
            query(daily('max("consumed_wh")'), "Most used in a day", "C"),
        ],
        WH,
        NOTHING,
        [of("Strongest quarter of an hour", unit=WATT)],
    )


def money() -> list[tuple[int, int, Json]]:
    """What it was worth at two prices."""
    bought = '(sum("consumed_wh") - sum("self_consumed_wh")) / 1000 * ${import_price:raw}'
    sold = '(sum("produced_wh") - sum("self_consumed_wh")) / 1000 * ${export_price:raw}'
    saved = 'sum("self_consumed_wh") / 1000 * ${import_price:raw}'
    columns = f'{bought} AS "Bought", {sold} AS "Sold", {saved} AS "Saved", count("self_consumed_wh") AS "Days"'
    sums = stat(
        "Bought, sold, saved, at the two prices above",
        "Bought: consumption less self-consumption, at the price bought. Sold: production less self-consumption, at "
        f"the price sold. Saved: self-consumption at the price bought. {MONEY}",
        [query(daily(columns, f" AND {WHOLE}"))],
        NONE,
        "Needs a consumption meter and one ended day.",
        [*colored("Bought", "Sold", "Saved"), DAYS],
        decimals=2,
    )
    by_day = (
        '"month" AS "Month", ("consumed_wh" - "self_consumed_wh") / 1000 * ${import_price:raw} AS "Bought", '
        '("produced_wh" - "self_consumed_wh") / 1000 * ${export_price:raw} AS "Sold"'
    )
    names = {"Bought (sum)": "Bought", "Sold (sum)": "Sold"}
    months = bars(
        "Money by month",
        f"Bought and sold, summed by the month of the day. {MONEY}",
        [rows(daily(by_day, f" AND {WHOLE}"))],
        "Month",
        NONE,
        "Needs a consumption meter and one ended day.",
        [of("Month", unit=TEXT), *colored("Bought", "Sold")],
        [grouped("Month", Bought=("sum",), Sold=("sum",)), organized(("Month", *names), names, ())],
        decimals=2,
    )
    return [(10, 7, sums), (14, 7, months)]


def board() -> Json:
    """The board."""
    (picture, calendar), (year, year_of_both), at_two_prices = days(), by_year(), money()
    by_tariffs, months_by_tariffs = worth()
    return dashboard(
        "history",
        "Days, months and years, the best of them, and what they were worth.",
        "**${system:text}** · days of ${zone:raw} · data source: **${datasource:text}**",
        [
            totals(),
            [(12, 4, year_ago()), (12, 4, records())],
            [(24, 9, picture)],
            by_month(),
            years(),
            [(24, 9, same_days())],
            [(7, 14, calendar), (8, 14, best()), [(9, 7, year), (9, 7, year_of_both)]],
            at_two_prices,
            [(10, 7, by_tariffs), (14, 7, months_by_tariffs)],
        ],
        [
            system(),
            zone(),
            text_box("import_price", "Price bought / kWh", "0.30"),
            text_box("export_price", "Price sold / kWh", "0.08"),
        ],
        time="now-1y/M",
        refresh="30m",
        notes=(),
    )
