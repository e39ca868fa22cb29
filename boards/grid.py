"""Grid and battery: what came from the grid and went to it, what the battery took, gave and holds."""

from boards.frame import CLOCK, OF_SYSTEM, ZONE, Json, annotations, dashboard, system, text_box, zone
from boards.panels import NONE, SHARE, TEXT, WATT, WH, bars, colored, curves, each_day, of, query, stat
from boards.periods import DAYS, daily
from boards.steps import joined, named_days

NO_GRID = "Nothing was read of the grid. Run ingest plan: it says why."
NO_BATTERY = "Nothing was read of a battery. Run ingest plan: it says why."
THEN = " in the time shown."
"""How the sentence ends under the first one, which says what to do."""
FROM, TO, INTO, OUT = "From the grid", "To the grid", "Into the battery", "Out of the battery"
FIELDS = {FROM: "imported_wh", TO: "exported_wh", INTO: "charged_wh", OUT: "discharged_wh"}
TODAY = f"time >= now() - 2d AND time <= now() GROUP BY time(1d) fill(null) {ZONE}"


def both(*names: str) -> str:
    """Days of which all of these are known."""
    return "".join(f' AND "{FIELDS[name]}" >= 0' for name in names)


def pair(first: str, second: str, nothing: str) -> list[tuple[int, int, Json]]:
    """Two energies that go opposite ways: today, and over the days in the time shown."""
    where = first.rpartition("the ")[2]
    names = (first, second)
    sums = ", ".join(f'sum("{FIELDS[name]}") AS "{name}"' for name in names)
    today = stat(
        f"The {where} today",
        "Sums over the quarters of an hour of the system's own day so far, as metered.",
        [query(f'SELECT {sums} FROM "energy" WHERE {OF_SYSTEM} AND {TODAY}')],
        WH,
        nothing,
        colored(*names),
    )
    counted = f'{sums}, count("{FIELDS[first]}") AS "Days"'
    shown = stat(
        f"The {where} in the time shown",
        "Sums of the ended local days in the time shown of which both are known, and how many these are.",
        [query(daily(counted, both(*names)))],
        WH,
        nothing.partition(".")[0] + THEN,
        [*colored(*names), DAYS],
    )
    return [(9, 4, today), (10, 4, shown)]


def power(first: str, second: str, nothing: str) -> Json:
    """Both as curves."""
    where = first.rpartition("the ")[2]
    span = f'FROM "energy" WHERE {OF_SYSTEM} AND $timeFilter GROUP BY time($__interval) fill(null)'
    means = {name: f'SELECT mean("{FIELDS[name]}") * 4 {span}' for name in (first, second)}
    return curves(
        f"Power, the {where}",
        "Mean power over each interval shown, from the energy of the quarters of an hour (× 4). What was not read is a "
        "gap, never zero.",
        [query(text, name, ref) for ref, (name, text) in zip("AB", means.items(), strict=True)],
        WATT,
        nothing.partition(".")[0] + THEN,
        colored(first, second),
        interval="15m",
        draw={"lineInterpolation": "stepAfter", "fillOpacity": 8},
    )


def by_day(first: str, second: str, nothing: str) -> Json:
    """Both, day by day."""
    where = first.rpartition("the ")[2]
    sums = [f'sum("{FIELDS[name]}") AS "{name}"' for name in (first, second)]
    return bars(
        f"The {where} by day",
        "Energy of each ended day of the system's own calendar; what is missing is empty.",
        [each_day(sums[0], "A"), each_day(sums[1], "B")],
        "Day",
        WH,
        nothing.partition(".")[0] + THEN,
        [of("Day", unit=TEXT), *colored(first, second)],
        named_days(joined("Time")),
    )


def charge() -> tuple[Json, Json]:
    """How full the battery is, and was."""
    level = '"soc_percent") / 100'
    now = stat(
        "Charge of the battery",
        "How full the batteries are, at the end of the newest interval that was read, at most a day old.",
        [
            query(
                f'SELECT last({level} FROM "battery" WHERE {OF_SYSTEM} AND time >= now() - 1d AND time <= now()',
                "Charge",
            )
        ],
        SHARE,
        NO_BATTERY,
        colored("Charge"),
        text="value",
    )
    curve = curves(
        "Charge of the battery over time",
        "How full the batteries were at the end of each interval shown. What was not read is a gap.",
        [
            query(
                f'SELECT last({level} AS "Charge" FROM "battery" WHERE {OF_SYSTEM} AND $timeFilter '
                "GROUP BY time($__interval) fill(null)"
            )
        ],
        SHARE,
        NO_BATTERY.partition(".")[0] + THEN,
        colored("Charge"),
        interval="15m",
        draw={"fillOpacity": 15},
        max=1,
    )
    return now, curve


def money() -> Json:
    """What the grid cost and paid, as metered."""
    columns = (
        'sum("imported_wh") / 1000 * ${import_price:raw} AS "Bought", '
        'sum("exported_wh") / 1000 * ${export_price:raw} AS "Sold", count("imported_wh") AS "Days"'
    )
    return stat(
        "Bought and sold, at the two prices above",
        "What came from the grid and what went to it, as metered, at one price each for all hours; taxes, fees and "
        "tariffs by time of use are not counted. Over the days in the time shown of which both are known.",
        [query(daily(columns, both(FROM, TO)))],
        NONE,
        NO_GRID.partition(".")[0] + THEN,
        [*colored("Bought", "Sold"), DAYS],
        decimals=2,
    )


def board() -> Json:
    """The board."""
    grid, battery = (FROM, TO, NO_GRID), (INTO, OUT, NO_BATTERY)
    full, curve = charge()
    return dashboard(
        "grid",
        "What came from the grid and went to it, and what the battery took, gave and holds.",
        f"**${{system:text}}** · {CLOCK} · data source: **${{datasource:text}}**",
        [
            [*pair(*grid), (5, 4, money())],
            [*pair(*battery), (5, 4, full)],
            [(12, 9, power(*grid)), (12, 9, power(*battery))],
            [(24, 8, curve)],
            [(12, 9, by_day(*grid)), (12, 9, by_day(*battery))],
        ],
        [
            system(),
            zone(),
            text_box("import_price", "Price bought / kWh", "0.30"),
            text_box("export_price", "Price sold / kWh", "0.08"),
        ],
        time="now-7d/d",
        notes=annotations(OF_SYSTEM),
    )
