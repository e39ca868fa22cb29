"""History: how much, compared with the same time last year; which days were the best; what it was worth."""

from collections.abc import Iterable

from boards.frame import (
    NAME,
    OF_SYSTEM,
    OWN_DAYS,
    ZONE,
    Json,
    currency,
    dashboard,
    no_meters,
    system,
    text_box,
    wanted_from,
    zone,
)
from boards.palette import COLORS
from boards.panels import COUNT, KWH, PLAIN, TEXT, WATT, colored, fixed, of, query, rows, stat, table, tinted, unseen
from boards.periods import (
    BOTH,
    DAY_MS,
    DAYS,
    NO_USE,
    NOTHING,
    WHOLE,
    by_month,
    by_year,
    daily,
    day_link,
    days,
    same_days,
)
from boards.prices import estimate, month_estimates, which_holds
from boards.shares import own_shares
from boards.steps import calculated, only, ordered, organized, step
from boards.sums import kwh
from boards.whole_months import years
from boards.worth import worth

NOT_KNOWN = "Not known"
TO_SHOW = 1000
"""Sums of days are shown to so many Wh, so that no number has more than five digits."""
DAYS_READ = "Days read"
"""Of how many days a record is; its own day stands beside."""
OF_DAYS = of(DAYS_READ, unit=COUNT, decimals=0, color=fixed(PLAIN))


def year_ago() -> Json:
    """The last thirty days and the same a year before: those of which both are known.

    A moving mean of 366 days less that of 365 is the day of 365 days before: it is known where that is in the window,
    which the query over it has too, since its own would narrow the other.
    """
    window = "time >= now() - 396d AND time <= now() - 1d"

    def before(number: str) -> str:
        return f"moving_average({number}, 366) * 366 - moving_average({number}, 365) * 365"

    energy, number = 'sum("produced_wh")', 'count("produced_wh")'
    days = (
        f'SELECT {energy} AS "wh", {number} AS "known", {before(energy)} AS "then", {before(number)} AS "before" '
        f'FROM "energy_daily" WHERE {OF_SYSTEM} AND {window} '
        f"GROUP BY time(1d) fill(0) {ZONE}"
    )
    both = f'"known" > 0.5 AND "before" > 0.5 AND {window}'
    sums = 'sum("wh") / 1000 AS "Last 30 days", sum("then") / 1000 AS "A year ago", count("wh") AS "Days"'
    return stat(
        "Produced in the last 30 days, and a year ago",
        "Production of those of the 30 days before today of which that of 365 days before is known too, production on "
        "these days a year ago, and how many they are.",
        [query(f"SELECT {sums} FROM ({days}) WHERE {both}")],
        KWH,
        "There is no day yet that was also read a year ago.",
        [
            *tinted("Produced", "Last 30 days", "A year ago"),
            of("Days", unit="suffix:of 30", decimals=0, color=fixed(PLAIN)),
        ],
        size=16,
    )


def unknown_days() -> Json:
    """How many of the ended days in the time shown are not known, from the first on that is."""
    known = 'count("produced_wh")'
    days = daily(
        f'{known} AS "known", cumulative_sum({known}) AS "life"',
        f" AND time <= now() - 1d GROUP BY time(1d) fill(0) {ZONE}",
    )
    unknown = '"life" > 0.5 AND "known" < 0.5'
    return query(f'SELECT count("known") FROM ({days}) WHERE {unknown} AND {OWN_DAYS}', NOT_KNOWN, "B")


def totals() -> list[tuple[int, int, Json]]:
    """How much in the time shown, over how many days."""
    produced, consumed = (kwh(f'sum("{name}_wh")', TO_SHOW) for name in ("produced", "consumed"))
    net = f"{produced} - {consumed}"
    sums = f'{consumed} AS "Consumed", {net} AS "Net", count("consumed_wh") AS "Days"'
    made = stat(
        "Produced in the time shown",
        "Sum of the ended local days in the time range of the board, how many days it is of, and how many days since "
        "the first of them are not known: their places are empty below.",
        [query(daily(f'{produced} AS "Produced", count("produced_wh") AS "Days"')), unknown_days()],
        KWH,
        NOTHING,
        [*colored("Produced"), DAYS, of(NOT_KNOWN, unit="suffix:days", decimals=0, color=fixed(PLAIN))],
        decimals=0,
        size=16,
    )
    both = stat(
        "Consumed and net, on the days known",
        "Consumption, and production less consumption (above zero more was produced than consumed; with a battery it "
        "is no exchange with the grid), of the ended local days in the time shown of which both are known, and how "
        "many these are.",
        [query(daily(sums, BOTH))],
        KWH,
        NO_USE,
        [*colored("Consumed", "Net"), DAYS],
        needs="consumption",
        decimals=0,
        size=16,
    )
    own = own_shares(
        "Used by house and any battery, on days known",
        "Of the days in the time shown of which production, consumption and their overlap are all known, and how many "
        "these are.",
        lambda known: daily("", f" AND {WHOLE} AND {known}").removeprefix("SELECT  "),
        NO_USE,
        [DAYS],
        counted=True,
        needs="consumption",
    )
    return [(7, 4, made), (8, 4, both), (9, 4, own)]


def best() -> Json:
    """The best days, from which a click leads to their curve."""
    columns = '"date" AS "Day", "produced_wh" / 1000 AS "Produced"'
    return table(
        "Best days of the time shown",
        "The ten days in the time shown on which most was produced. A click on a day shows its curve.",
        [rows(daily(columns, ' AND "produced_wh" >= 0'))],
        KWH,
        NOTHING,
        [of("Day", unit=TEXT, links=[day_link("Time", "End")], custom__width=110), *unseen("Time", "End")],
        [calculated("End", "Time", "+", DAY_MS), ordered("Produced", desc=True), step("limit", limitField="10")],
    )


def record(
    title: str,
    about: str,
    text: str,
    unit: str,
    color: Iterable[Json],
    when: str,
    nothing: str,
    steps: Iterable[Json] = (),
    *,
    days: str = "",
    needs: str = "",
) -> Json:
    """The most that there ever was of something, and `when`; `days`: a query of how many days it is of."""
    return stat(
        title,
        f"{about} With when it was.",
        [rows(f"{text} WHERE {OF_SYSTEM}"), *([query(days, ref="B")] if days else ())],
        unit,
        nothing,
        [*color, of(when, unit=TEXT), *([OF_DAYS] if days else ())],
        transformations=steps,
        needs=needs,
        fields="/^(Produced|Consumed|Power|Month|Day|Days read)$/",
        size=16,
    )


def records() -> list[tuple[int, int, Json]]:
    """The best of other kinds."""
    day = step("formatTime", timeField="Time", outputFormat="YYYY-MM-DD", timezone="${zone:raw}")
    quarters = f'SELECT count("produced_wh") AS "known" FROM "energy" WHERE {OF_SYSTEM} AND time <= now()'
    read = f'SELECT count("known") AS "{DAYS_READ}" FROM ({quarters} GROUP BY time(1d) fill(none) {ZONE})'
    month = record(
        "Best month ever",
        "The month in which most was produced over the whole life of the system.",
        'SELECT max("produced_wh") / 1000 AS "Produced", "month" AS "Month" FROM "energy_monthly"',
        KWH,
        colored("Produced"),
        "Month",
        "No month is known yet.",
    )
    strongest = record(
        "Strongest quarter of an hour that was read",
        "The highest mean power of production in a quarter of an hour, of those that were read, and of how many days "
        "these are: they may begin later than the days and months do. Its day is by the system's calendar.",
        'SELECT max("produced_wh") * 4 AS "Power" FROM "energy"',
        WATT,
        [of("Power", color=fixed(COLORS["Produced"]))],
        "Day",
        "No quarter of an hour was read yet.",
        only("A", day, organized(("Power", "Time"), {"Time": "Day"}, ())),
        days=read,
    )
    most = record(
        "Most used in a day that was read",
        "The day on which most was consumed, of the days whose consumption is known, and how many these are: they may "
        "begin later than those of production.",
        'SELECT max("consumed_wh") / 1000 AS "Consumed", "date" AS "Day" FROM "energy_daily"',
        KWH,
        colored("Consumed"),
        "Day",
        "No consumption of a whole day is known yet.",
        days=f'SELECT count("consumed_wh") AS "{DAYS_READ}" FROM "energy_daily" WHERE {OF_SYSTEM}',
        needs="consumption",
    )
    return [(4, 4, month), (6, 4, strongest), (7, 4, most)]


def board() -> Json:
    """The board."""
    (picture, calendar), (year, year_of_both) = days(), by_year()
    by_tariffs, months_by_tariffs = worth()
    return dashboard(
        "history",
        "Days, months and years, the best of them, and what they were worth.",
        f"{NAME} · days of ${{zone:raw}} · quarters of an hour are wanted from ${{wanted_from:text}} on, before that "
        "totals of days · data source: **${datasource:text}**",
        [
            totals(),
            [(7, 4, year_ago()), *records()],
            [(24, 9, picture)],
            by_month(),
            years(),
            [(24, 9, same_days())],
            [(8, 16, calendar), (7, 16, best()), [(9, 8, year), (9, 8, year_of_both)]],
            [(24, 2, which_holds())],
            [(12, 7, by_tariffs), (12, 7, months_by_tariffs)],
            [(12, 7, estimate()), (12, 7, month_estimates())],
        ],
        [
            system(),
            zone(),
            currency(),
            no_meters(),
            wanted_from(),
            text_box("import_price", "Price from the grid / kWh", "0.30"),
            text_box("export_price", "Price to the grid / kWh", "0.08"),
        ],
        time="now-1y/M",
        tall=3,
        refresh="30m",
        notes=(),
    )
