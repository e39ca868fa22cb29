"""System health: which panel, which meter, which day fell behind."""

from boards.frame import NAME, OF_SYSTEM, OWN_DAYS, WHOLE_DAYS, ZONE, Json, dashboard, hidden, no_meters, system, zone
from boards.palette import COLORS
from boards.panels import (
    BAD,
    COUNT,
    EMPTY,
    GOOD,
    KWH,
    NONE,
    SHARE,
    TEXT,
    WARN,
    WATT,
    bars,
    each_day,
    fixed,
    of,
    query,
    rows,
    stat,
    table,
    thresholds,
)
from boards.steps import calculated, joined, named_days, ordered, organized

NO_NUMBER = {"type": "special", "options": {"match": "nan", "result": {"text": "–", "index": 0}}}
"""Of a day on which one of the two was not read."""
NO_METER = "No whole day of a production meter is known."
DAYS = of("Days", unit=COUNT, decimals=0, custom__width=50)
RATIO = "More at the panels"
NO_PANEL = "No day of a single panel is known: not every source gives the energy of single panels."
WEAK = thresholds((None, BAD), (0.6, WARN), (0.8, GOOD))
"""Of the share that a panel makes of what a usual one does."""
HEARD = 'max("devices_reporting") / max("devices_total")'
MISSING = 'max("devices_total") - max("devices_reporting")'


def first_row() -> list[tuple[int, int, Json]]:
    """Are all there?"""
    info = f'FROM "system_info" WHERE {OF_SYSTEM}'
    recent = f"WHERE {OF_SYSTEM} AND time >= now() - 36h AND time <= now()"
    missing = stat(
        "Panels not reporting",
        "Active panels (their microinverters) that were not heard at once with the others in the last 36 hours: all "
        "less the most that reported in one interval.",
        [query(f'SELECT {MISSING} FROM "production_micro" {recent}', "Not reporting")],
        NONE,
        "No panel is known.",
        steps=((None, GOOD), (1, "red")),
        decimals=0,
        text="value",
    )
    status = stat(
        "Status, by the vendor",
        "The vendor's word for the state of the system, from its newest list of systems.",
        [rows(f'SELECT last("status") AS "Status" {info}')],
        TEXT,
        "The cloud has not said it yet.",
        fields="/^Status$/",
        text="value",
    )
    size = stat(
        "Size",
        "Rated power and number of the panels, as the cloud tells them.",
        [
            query(f'SELECT last("size_w") {info}', "Rated power", "A"),
            query(f'SELECT last("modules") {info}', "Panels", "B"),
        ],
        WATT,
        "The cloud has not said it yet.",
        [of("Panels", unit=COUNT)],
    )
    odometer = stat(
        "Counted by the meter since it was installed",
        "Energy counted by each production meter since it was installed, from its newest reading.",
        [
            query(
                f'SELECT last("reading_wh") / 1000 FROM "production_meter_reading" WHERE {OF_SYSTEM} GROUP BY "meter"',
                "$tag_meter",
            )
        ],
        KWH,
        NO_METER,
        needs="production",
        decimals=0,
    )
    return [(6, 4, weakest()), (4, 4, missing), (4, 4, status), (4, 4, size), (6, 4, odometer)]


def weakest() -> Json:
    """The panel that makes least, before anything that says that all is well."""
    shown = f"WHERE {OF_SYSTEM} AND {OWN_DAYS}"
    means = f'SELECT mean("produced_wh") AS "Mean" FROM "inverter_daily" {shown} GROUP BY "inverter"'
    return stat(
        "Weakest panel, mean day",
        "The share that the panel that makes least makes of a usual one's mean day, which half of the panels reach "
        "(red: below 60 %, orange: below 80 %), over the days shown that were read of it, and its number. All panels "
        "are listed below.",
        [
            query(f'SELECT min("Mean") / median("Mean") AS "Of usual" FROM ({means}) WHERE {OWN_DAYS}'),
            rows(f'SELECT min("Mean") AS "least", "inverter" AS "Panel" FROM ({means}) WHERE {OWN_DAYS}', "B"),
        ],
        TEXT,
        NO_PANEL,
        [of("Of usual", unit=SHARE, decimals=0, color={"mode": "thresholds"}, thresholds=WEAK)],
        fields="/^(Of usual|Panel)$/",
        size=16,
    )


def ended_days() -> list[Json]:
    """The days of the first query that have ended: those of the one of which each has a column `Any`."""
    return [joined("Time", "inner"), named_days()[0], organized((), {"Time": "Day"}, ("Any",))]


def day_by_day() -> list[list[tuple[int, int, Json]]]:
    """What fell behind on which day."""
    heard = bars(
        f"Panels heard, by day{EMPTY}",
        "The most panels whose microinverters were heard at once on each ended local day, as a share of all that are "
        "active. Green: all were heard; red: some were not. No bar: nothing was read. Today is in the number above.",
        [
            rows(f'SELECT {HEARD} AS "Heard" FROM "production_micro" WHERE {OF_SYSTEM} AND {WHOLE_DAYS}', "A"),
            each_day('sum("produced_wh") AS "Any"', "B"),
        ],
        "Day",
        SHARE,
        "Nothing was read of the panels in the time shown.",
        [of("Day", unit=TEXT)],
        ended_days(),
        max=1,
        color={"mode": "thresholds"},
        thresholds=thresholds((None, BAD), (1, GOOD)),
    )
    yields = bars(
        f"Yield, kWh per kW{EMPTY}",
        "Specific yield: production of each ended local day divided by the rated power of the panels. It compares days "
        "and systems of any size; a fall over weeks that neighbours do not share is dirt, shade or a fault.",
        [each_day('sum("produced_wh") / ${size_w:raw} AS "Yield"')],
        "Day",
        NONE,
        "No ended day in the time shown is known.",
        [of("Day", unit=TEXT), of("Yield", color=fixed(COLORS["Produced"]))],
        named_days(),
        decimals=2,
    )
    return [[(24, 6, heard)], [(24, 9, yields)]]


def meters() -> list[tuple[int, int, Json]]:
    """Do the ways to measure agree, and do the phases?"""
    of_days = f"WHERE {OF_SYSTEM} AND {WHOLE_DAYS}"
    parts = calculated("ratio", "Panels", "/", "Meter", alone=True)
    more = calculated(RATIO, "ratio", "-", 1, alone=True)
    ratio = bars(
        f"Meter against panels{EMPTY}",
        "By how much the panels' microinverters counted more than the meter on each ended local day. About one per "
        "cent is usual: wiring. A share that changes says that one of them misses something; below zero it is the "
        "panels. The newest day may still change: the two are not read at the same time.",
        [
            rows(f'SELECT sum("energy_wh") AS "Meter" FROM "production_rgm" {of_days}', "A"),
            rows(f'SELECT sum("energy_wh") AS "Panels" FROM "production_micro" {of_days}', "B"),
            each_day('sum("produced_wh") AS "Any"', "C"),
        ],
        "Time",
        SHARE,
        NO_METER,
        [of(RATIO, color=fixed(COLORS["Produced"]), mappings=[NO_NUMBER])],
        [joined("Time", "inner"), parts, more, named_days()[0]],
        signed=True,
        decimals=1,
    )
    phases = table(
        "By meter and channel, today too, least first",
        "Energy of each channel (phase) of each production meter in the time shown, and of how many days, today so far "
        "among them. Channels that are wired alike count alike; one far behind the others has lost a phase.",
        [
            rows(
                'SELECT sum("wh") / 1000 AS "Energy", count("wh") AS "Days" FROM (SELECT sum("energy_wh") AS "wh" '
                f'FROM "production_rgm_channel" WHERE {OF_SYSTEM} AND $timeFilter '
                f'GROUP BY time(1d), "meter", "channel" fill(none) {ZONE}) GROUP BY "meter", "channel"'
            )
        ],
        KWH,
        NO_METER,
        [
            of("Meter", unit=TEXT, custom__minWidth=142),
            of("Channel", unit=TEXT, custom__width=72),
            of("Energy", custom__width=84),
            DAYS,
        ],
        [
            organized(("channel", "Energy", "Days", "meter"), {"meter": "Meter", "channel": "Channel"}),
            ordered("Energy"),
        ],
    )
    return [(12, 8, ratio), (12, 8, phases)]


def each_panel() -> list[tuple[int, int, Json]]:
    """Which panel falls behind its peers?"""
    each = 'FROM "inverter_daily" WHERE {} GROUP BY "inverter"'
    found = table(
        "Mean day of each panel, least first",
        "What each panel made on a mean day of those shown that were read of it, the share that this is of a usual "
        "panel's, which half of them reach (red: below 60 %, orange: below 80 %), and what it made on the newest of "
        "these days. One of half is shaded, dirty or broken. Panels are read at night, so the newest day is yesterday.",
        [
            rows(
                'SELECT mean("produced_wh") / 1000 AS "Mean day", last("produced_wh") / 1000 AS "Last day" '
                f"{each.format(f'{OF_SYSTEM} AND {OWN_DAYS}')}",
                "A",
            ),
            rows(
                'SELECT median("Mean") / 1000 AS "Usual" FROM (SELECT mean("produced_wh") AS "Mean" '
                f"{each.format(OF_SYSTEM)}) WHERE {OWN_DAYS}",
                "B",
            ),
        ],
        KWH,
        NO_PANEL,
        [
            of("Panel", unit=TEXT, custom__width=118),
            of(
                "Of usual",
                unit=SHARE,
                decimals=0,
                min=0,
                max=1,
                thresholds=WEAK,
                custom__cellOptions={"type": "gauge", "mode": "basic"},
            ),
            of("Mean day", custom__width=80),
            of("Last day", custom__width=80),
        ],
        [
            joined("Time", "inner"),
            calculated("Of usual", "Mean day", "/", "Usual"),
            organized(("inverter", "Of usual", "Mean day", "Last day"), {"inverter": "Panel"}, ("Time", "Usual")),
            ordered("Of usual"),
        ],
        decimals=2,
    )
    return [(24, 9, found)]


def board() -> Json:
    """The board."""
    size = hidden("size_w", "Size", "size_w", "Rated power of the panels, W.")
    return dashboard(
        "health",
        "Do the devices report, do the meters agree, do the panels yield what they did?",
        f"{NAME} · days of ${{zone:raw}} · data source: **${{datasource:text}}**",
        [first_row(), *day_by_day(), each_panel(), meters()],
        [system(), zone(), no_meters(), size],
        time="now-30d/d",
        refresh="15m",
    )
