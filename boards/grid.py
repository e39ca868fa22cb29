"""Grid and battery: what came from the grid and went to it, what the battery took, gave and holds."""

from boards.frame import CLOCK, NAME, OF_SYSTEM, ZONE, Json, annotations, dashboard, no_meters, system, text_box, zone
from boards.palette import COLORS
from boards.panels import (
    COUNT,
    EMPTY,
    KW,
    KWH,
    PLAIN,
    REASON,
    SHARE,
    TEXT,
    bars,
    colored,
    curves,
    each_day,
    fixed,
    of,
    query,
    stat,
)
from boards.periods import DAYS, daily
from boards.prices import ELSEWHERE, estimate, which_holds
from boards.steps import joined, named_days

NOTHING = "No grid meter and no battery is known today: a system without them has no numbers here."
UNREAD = "No grid meter and no battery is known in the time shown."
"""What all other panels say: why that may be stands once."""
FROM, TO, INTO, OUT = "From the grid", "To the grid", "Into the battery", "Out of the battery"
FIELDS = {FROM: "imported_wh", TO: "exported_wh", INTO: "charged_wh", OUT: "discharged_wh"}
PAIRS = {"A": (FROM, TO), "B": (INTO, OUT)}
TODAY = f"time >= now() - 2d AND time <= now() GROUP BY time(1d) fill(null) ORDER BY time DESC LIMIT 1 {ZONE}"
NO_GRID = of(
    REASON, mappings=[{"type": "value", "options": {"no consumption meter": {"text": "no grid meter", "index": 0}}}]
)
"""What meters consumption is what meters the grid: without one neither is known."""
LEVEL = '"soc_percent") / 100'


def both(*names: str) -> str:
    """Days of which all of these are known."""
    return "".join(f' AND "{FIELDS[name]}" >= 0' for name in names)


def sums(*names: str) -> str:
    """Their sums, by name."""
    return ", ".join(f'sum("{FIELDS[name]}") / 1000 AS "{name}"' for name in names)


def numbers() -> list[tuple[int, int, Json]]:
    """Today, and in the time shown."""
    charge = f'SELECT last({LEVEL} FROM "battery" WHERE {OF_SYSTEM} AND time >= now() - 1d AND time <= now()'
    today = stat(
        "Grid and battery today",
        "Sums over the quarters of an hour of the system's own day so far, as metered, and how full the batteries are "
        "at the end of the newest interval that was read, at most a day old.",
        [
            *(
                query(f'SELECT {sums(*names)} FROM "energy" WHERE {OF_SYSTEM}{both(names[0])} AND {TODAY}', ref=ref)
                for ref, names in PAIRS.items()
            ),
            query(charge, "Charge", "C"),
        ],
        KWH,
        NOTHING,
        [*colored(*FIELDS), of("Charge", unit=SHARE, decimals=0, color=fixed(COLORS["Charge"])), NO_GRID],
        needs="consumption",
        size=16,
        decimals=2,
    )
    counted = {"A": "Days", "B": "Days, battery"}
    shown = stat(
        "Grid and battery, of the metered days shown",
        "Sums of the ended local days in the time shown: of the grid over those of which both its numbers are known, "
        "of the battery likewise, and how many these are.",
        [
            query(daily(f'{sums(*names)}, count("{FIELDS[names[0]]}") AS "{counted[ref]}"', both(*names)), ref=ref)
            for ref, names in PAIRS.items()
        ],
        KWH,
        UNREAD,
        [*colored(*FIELDS), DAYS, of("Days, battery", unit=COUNT, decimals=0, color=fixed(PLAIN)), NO_GRID],
        needs="consumption",
        size=16,
        decimals=1,
    )
    return [(11, 6, today), (13, 6, shown)]


def power() -> Json:
    """All four as curves."""
    span = f'FROM "energy" WHERE {OF_SYSTEM} AND $timeFilter GROUP BY time($__interval) fill(null)'
    means = {name: f'SELECT mean("{field}") * 4 / 1000 {span}' for name, field in FIELDS.items()}
    return curves(
        "Power of grid and battery",
        "Mean power over each interval shown, from the energy of the quarters of an hour (× 4). What was not read is a "
        "gap, never zero.",
        [query(text, name, ref) for ref, (name, text) in zip("ABCD", means.items(), strict=True)],
        KW,
        UNREAD,
        colored(*FIELDS),
        interval="15m",
        draw={"lineInterpolation": "stepAfter"},
    )


def by_day() -> Json:
    """All four, day by day."""
    return bars(
        f"Grid and battery by day{EMPTY}",
        "Energy of each ended day of the system's own calendar; what is missing is empty.",
        [
            each_day(f'sum("{field}") / 1000 AS "{name}"', ref)
            for ref, (name, field) in zip("ABCD", FIELDS.items(), strict=True)
        ],
        "Day",
        KWH,
        UNREAD,
        [of("Day", unit=TEXT), *colored(*FIELDS)],
        named_days(joined("Time")),
    )


def charge() -> Json:
    """How full the battery was."""
    return curves(
        "Charge of the battery",
        "How full the batteries were at the end of each interval shown. What was not read is a gap.",
        [
            query(
                f'SELECT last({LEVEL} AS "Charge" FROM "battery" WHERE {OF_SYSTEM} AND $timeFilter '
                "GROUP BY time($__interval) fill(null)"
            )
        ],
        SHARE,
        UNREAD,
        colored("Charge"),
        interval="15m",
        draw={"fillOpacity": 15},
        max=1,
    )


def board() -> Json:
    """The board."""
    return dashboard(
        "grid",
        "What came from the grid and went to it, and what the battery took, gave and holds.",
        f"{NAME} · {CLOCK} · data source: **${{datasource:text}}**",
        [
            numbers(),
            [(24, 9, power())],
            [(24, 8, charge())],
            [(24, 9, by_day())],
            [(24, 3, which_holds(ELSEWHERE))],
            [(24, 6, estimate())],
        ],
        [
            system(),
            zone(),
            no_meters(),
            text_box("import_price", "Price from the grid / kWh", "0.30"),
            text_box("export_price", "Price to the grid / kWh", "0.08"),
        ],
        time="now-7d/d",
        notes=annotations(OF_SYSTEM),
    )
