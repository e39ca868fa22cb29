"""System health: which panel, which meter, which day fell behind."""

from boards.frame import NAME, OF_SYSTEM, OWN_DAYS, WHOLE_DAYS, ZONE, Json, dashboard, hidden, no_meter, system, zone
from boards.palette import COLORS
from boards.panels import (
    BAD,
    COUNT,
    GOOD,
    NONE,
    SHARE,
    TEXT,
    WARN,
    WATT,
    WH,
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
        "Status",
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
                f'SELECT last("reading_wh") FROM "production_meter_reading" WHERE {OF_SYSTEM} GROUP BY "meter"',
                "$tag_meter",
            )
        ],
        WH,
        NO_METER,
        needs="production",
    )
    return [(6, 4, missing), (6, 4, status), (6, 4, size), (6, 4, odometer)]


def day_by_day() -> list[list[tuple[int, int, Json]]]:
    """What fell behind on which day."""
    heard = bars(
        "Panels heard, by day",
        "The most panels whose microinverters were heard at once on each local day, as a share of all that are active. "
        "Green: all were heard; red: some were not. No bar: nothing was read.",
        [rows(f'SELECT {HEARD} AS "Heard" FROM "production_micro" WHERE {OF_SYSTEM} AND {WHOLE_DAYS}')],
        "Day",
        SHARE,
        "Nothing was read of the panels in the time shown.",
        [of("Day", unit=TEXT)],
        named_days(),
        max=1,
        color={"mode": "thresholds"},
        thresholds=thresholds((None, BAD), (1, GOOD)),
    )
    yields = bars(
        "Specific yield, kWh per kW and day",
        "Production of each ended local day divided by the rated power of the panels. It compares days and systems "
        "of any size; a fall over weeks that neighbours do not share is dirt, shade or a fault.",
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
    until = "time >= ${__from:raw}ms AND time <= ${__to:raw}ms - 1d"
    by_day = f"WHERE {OF_SYSTEM} AND {until} GROUP BY time(1d) fill(null)"
    without_last = f"{by_day} ORDER BY time DESC OFFSET 1 {ZONE}"
    parts = calculated("ratio", "Panels", "/", "Meter", alone=True)
    more = calculated(RATIO, "ratio", "-", 1, alone=True)
    ratio = bars(
        "Meter against panels",
        "By how much the panels' microinverters counted more than the meter on each local day. About one per cent is "
        "usual: wiring. A share that changes says that one of them misses something; below zero it is the panels. The "
        "last day is left out: the two are not read at the same time.",
        [
            rows(f'SELECT sum("energy_wh") AS "Meter" FROM "production_rgm" {by_day} {ZONE}', "A"),
            rows(f'SELECT sum("energy_wh") AS "Panels" FROM "production_micro" {without_last}', "B"),
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
        "Energy by meter and channel, least first",
        "Sum of each channel (phase) of each production meter in the time shown, and of how many days, today so far "
        "among them. Channels that are wired alike count alike; one far behind the others has lost a phase.",
        [
            rows(
                'SELECT sum("wh") AS "Energy", count("wh") AS "Days" FROM (SELECT sum("energy_wh") AS "wh" '
                f'FROM "production_rgm_channel" WHERE {OF_SYSTEM} AND $timeFilter '
                f'GROUP BY time(1d), "meter", "channel" fill(none) {ZONE}) GROUP BY "meter", "channel"'
            )
        ],
        WH,
        NO_METER,
        [of("Meter", unit=TEXT, custom__minWidth=142), of("Channel", unit=TEXT, custom__width=72), DAYS],
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
                'SELECT mean("produced_wh") AS "Mean day", last("produced_wh") AS "Newest day" '
                f"{each.format(f'{OF_SYSTEM} AND {OWN_DAYS}')}",
                "A",
            ),
            rows(
                'SELECT median("Mean") AS "Usual" FROM (SELECT mean("produced_wh") AS "Mean" '
                f"{each.format(OF_SYSTEM)}) WHERE {OWN_DAYS}",
                "B",
            ),
        ],
        WH,
        "No day of a single panel is known: not every source gives the energy of single panels.",
        [
            of("Panel", unit=TEXT, custom__width=118),
            of(
                "Of usual",
                unit=SHARE,
                decimals=0,
                min=0,
                max=1,
                thresholds=thresholds((None, BAD), (0.6, WARN), (0.8, GOOD)),
                custom__cellOptions={"type": "gauge", "mode": "basic"},
            ),
            of("Mean day", custom__width=76),
            of("Newest day", custom__width=92),
        ],
        [
            joined("Time", "inner"),
            calculated("Of usual", "Mean day", "/", "Usual"),
            organized(("inverter", "Of usual", "Mean day", "Newest day"), {"inverter": "Panel"}, ("Time", "Usual")),
            ordered("Of usual"),
        ],
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
        [system(), zone(), no_meter("production"), size],
        time="now-30d/d",
        refresh="15m",
    )
