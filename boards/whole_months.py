"""Months of which every day is known, each beside the same month of other years."""

from boards.frame import OF_SYSTEM, Json
from boards.heat import heat, month_names
from boards.panels import COUNT, KWH, TEXT, bars, fixed, of, rows
from boards.steps import calculated, matrix, ordered, organized

LONG, SHORT = "01|03|05|07|08|10|12", "04|06|09|11"
LEAP, COMMON = "([02468][048]|[13579][26])$", "([02468][1235679]|[13579][01345789])$"
MONTHS_OF = (
    f'"month_of_year" =~ /^({LONG})$/ AND "produced_days" {{0}} 31',
    f'"month_of_year" =~ /^({SHORT})$/ AND "produced_days" {{0}} 30',
    f'"month_of_year" = \'02\' AND "year" =~ /{LEAP}/ AND "produced_days" {{0}} 29',
    f'"month_of_year" = \'02\' AND "year" =~ /{COMMON}/ AND "produced_days" {{0}} 28',
)
"""Months by their length."""
_ALL = [each.format(">=") for each in MONTHS_OF]
ALL_DAYS = f" AND ({' OR '.join(f'({each})' for each in _ALL)})"
"""Months of which the production of every day is known: not the running one, and none that has gaps."""
LENGTHS = 31, 30, 29, 28
"""How many days these have."""
NO_MONTH = "No month is known of which every day is."


def months_shown(name: str, sign: str) -> str:
    """The months of which a day lies in the time shown, whole (`>=`) or not (`<`); they may begin before it."""
    parts = [
        f'(SELECT "produced_wh" FROM "energy_monthly" WHERE {OF_SYSTEM} AND "produced_wh" >= 0 '
        f"AND {each.format(sign)} AND time >= ${{__from:raw}}ms - {24 * days - 12}h AND time <= ${{__to:raw}}ms - 12h)"
        for each, days in zip(MONTHS_OF, LENGTHS, strict=True)
    ]
    return f'SELECT "produced_wh" / 1000 AS "{name}" FROM {", ".join(parts)}'


def of_years() -> list[Json]:
    """A colour a year, none of which means something else; after ten years they come again."""
    colors = (
        "#8E8E8E",
        "#7A8B99",
        "#9C6B8E",
        "#7C9A3E",
        "#5F8FA8",
        "#8C6D46",
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
        f'WHERE {OF_SYSTEM} AND "produced_wh" >= 0{ALL_DAYS} ORDER BY time DESC'
    )
    about = (
        "over the whole life of the system, in its own calendar. Only months of which every day is known, so that like "
        "stands beside like; the others are under Months, with the number of their days."
    )
    pivot = [
        calculated("kWh", "Produced", "/", 1000),
        matrix("Year", "Month", "kWh"),
        organized((), {"Month\\Year": "Month"}, ()),
        ordered("Month"),
    ]
    month = of("Month", unit=TEXT, mappings=month_names(), custom__fillOpacity=80)
    cell = of("Month", unit=TEXT, mappings=month_names(), custom__cellOptions={"type": "auto"}, custom__width=50)
    return [
        (
            12,
            14,
            bars(
                "Whole months, year over year",
                f"Production of each month, a colour a year, {about}",
                [rows(monthly)],
                "Month",
                KWH,
                NO_MONTH,
                [month, *of_years()],
                pivot,
            ),
        ),
        (
            12,
            14,
            heat(
                "Whole months by year, kWh",
                f"Production of each month (rows) of each year (columns), {about}",
                [rows(monthly)],
                COUNT,
                NO_MONTH,
                [cell],
                pivot,
                room={"minWidth": 52},
                decimals=0,
            ),
        ),
    ]
