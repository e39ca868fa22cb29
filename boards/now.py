"""Now: is it working, what is it doing, how was today beside yesterday and the usual."""

from boards.frame import (
    CLOCK,
    NAME,
    NEWEST,
    NEWEST_IS,
    OF_SYSTEM,
    ZONE,
    Json,
    annotations,
    dashboard,
    no_meters,
    system,
    zone,
)
from boards.palette import COLORS
from boards.panels import (
    EMPTY,
    GOOD,
    KW,
    KWH,
    NONE,
    PLAIN,
    SHARE,
    TEXT,
    bars,
    colored,
    curves,
    each_day,
    fixed,
    of,
    query,
    rows,
    stat,
    tinted,
)
from boards.shares import own_shares
from boards.steps import first_known, joined, named_days, organized
from boards.sums import kwh

RECENT = "time >= now() - 1d AND time <= now()"
MEASURED = (
    "Sums over the quarters of an hour of the system's own day that were read; 'Hours of today' is how many these "
    "are. 'Yesterday by now' is of the quarters of an hour 24 hours before them, so that it ends where the newest data "
    "do; 'Usual day, of 30' is the median of the last 30 ended days. The cloud is minutes to hours behind the "
    "roof, and the last six hours may still grow."
)


WEEK = f"time >= now() - 8d AND time <= now() - 1d GROUP BY time(1d) fill(null) OFFSET 1 {ZONE}"
"""The first bucket is a part of a day, of which the total is not asked."""
NO_USE = "No consumption was read of today."
DAYS_BESIDE = ("Today so far", "Yesterday by now", "Usual day, of 30")
NO_DAY = [of(name, noValue="–") for name in DAYS_BESIDE[1:]]
HOURS = of("Hours of today", unit=NONE, decimals=2, noValue="0", color=fixed(PLAIN))
NET_IS = (
    "Above zero more was produced than consumed. It is no exchange with the grid where there is a battery: what came "
    "from the grid and went to it stands on the board Grid and battery."
)
TO_SHOW = 10
"""Energy of today is shown to so many Wh."""
LATELY = "time >= now() - 3d AND time <= now()"


KNOWN = '"produced_wh" >= 0 AND "consumed_wh" >= 0'
NIGHT = '"n" < 0.5'
"""The last production that is known was none: at night it is not asked for, and stays so."""


def newest_powers() -> list[Json]:
    """The mean powers of the newest quarter of an hour of which all are known; at night of the newest consumption.

    The answer of a query without groups begins where its range does: of several, the latest that has a number counts.
    Each is a query of its own, so that nothing stands there of what is not known.
    """

    def since(hours: int) -> str:
        return f"{OF_SYSTEM} AND time >= now() - {hours}h AND time <= now()"

    both = 'last("produced_wh") * 4 AS "Produced", last("consumed_wh") * 4 AS "Consumed"'
    net = 'last("produced_wh") * 4 - last("consumed_wh") * 4 AS "Net"'
    one = f'SELECT {both} FROM "energy" WHERE {since(26)}'
    day = f'SELECT {both}, {net} FROM "energy" WHERE {KNOWN} AND {since(25)}'
    night = f'SELECT {both}, {net}, last("produced_wh") AS "n" FROM "energy" WHERE {since(24)}'
    dark = f'SELECT "Produced", "Consumed", "Net" FROM ({night}) WHERE {NIGHT} AND {LATELY}'
    return [
        query(f'SELECT last("{name}") AS "{name}" FROM ({one}), ({day}), ({dark}) WHERE {LATELY}', ref=ref)
        for name, ref in (("Produced", "A"), ("Consumed", "B"), ("Net", "C"))
    ]


def mean_power(field: str, name: str, ref: str) -> Json:
    """The curve of the power: a query of its own, so that a legend names nothing that is not there."""
    span = f"WHERE {OF_SYSTEM} AND $timeFilter GROUP BY time($__interval) fill(null) {ZONE}"
    return query(f'SELECT mean("{field}") * 4 / 1000 FROM "energy" {span}', name, ref)


def so_far(field: str) -> Json:
    """The sum over the local day so far, and over how many hours it is."""
    so_far = kwh(f'sum("{field}")', TO_SHOW)
    sums = f'{so_far} AS "Today so far", count("{field}") / 4 AS "Hours of today"'
    end = f"GROUP BY time(1d) fill(null) ORDER BY time DESC LIMIT 1 {ZONE}"
    return query(f'SELECT {sums} FROM "energy" WHERE {OF_SYSTEM} AND time >= now() - 2d AND time <= now() {end}')


def a_day_before(field: str) -> Json:
    """The sum over the quarters of an hour 24 hours before those of today that are known.

    A moving mean of 97 quarters less that of 96 is the quarter of 24 hours before.
    """

    def before(number: str) -> str:
        return f"moving_average({number}, 97) * 97 - moving_average({number}, 96) * 96"

    energy, number = f'sum("{field}")', f'count("{field}")'
    quarters = (
        f'SELECT {number} AS "known", {before(energy)} AS "wh", {before(number)} AS "before" FROM "energy" '
        f"WHERE {OF_SYSTEM} AND {LATELY} GROUP BY time(15m) fill(0)"
    )
    both = f'"known" > 0.5 AND "before" > 0.5 AND {LATELY}'
    text = f'SELECT sum("wh") / 1000 FROM ({quarters}) WHERE {both} GROUP BY time(1d) fill(null) {ZONE}'
    return query(text, "Yesterday by now", "B")


def day(title: str, field: str, name: str, nothing: str, needs: str = "") -> Json:
    """Today beside yesterday and the usual."""
    days = f"{OF_SYSTEM} AND time >= now() - 31d AND time <= now()"
    usual = f'SELECT median("{field}") / 1000 FROM "energy_daily" WHERE {days}'
    targets = [
        so_far(field),
        a_day_before(field),
        query(usual, DAYS_BESIDE[2], "C"),
    ]
    fields = [*tinted(name, *DAYS_BESIDE), *NO_DAY, HOURS]
    return stat(title, MEASURED, targets, KWH, nothing, fields, needs=needs, size=14, decimals=2)


def today(known: str) -> str:
    """The quarters of an hour of the system's own day so far of which this is known."""
    where = f"WHERE {OF_SYSTEM} AND {known} AND time >= now() - 2d AND time <= now()"
    return f'FROM "energy" {where} GROUP BY time(1d) fill(null) ORDER BY time DESC LIMIT 1 {ZONE}'


def first_screen() -> list[list[tuple[int, int, Json]]]:
    """What it does, how old that is, and how the day was."""
    silent = (
        f'SELECT max("devices_total") - max("devices_reporting") FROM "production_micro" WHERE {OF_SYSTEM} '
        "AND time >= now() - 36h AND time <= now()"
    )
    power = stat(
        "Power, newest of production and consumption",
        "Mean power (its energy × 4) of the newest quarter of an hour of which both production and consumption were "
        f"read, at most a day old. Net is production less consumption. {NET_IS} At night production is not asked for: "
        "it is none, and the quarter is the newest of consumption.",
        newest_powers(),
        "suffix:W",
        "Nothing was read in the last day. The board Pipeline says why.",
        colored("Produced", "Consumed", "Net"),
        decimals=0,
    )
    data = stat(
        "Newest data, of production or consumption",
        f"{NEWEST_IS} The same on the board Fleet.",
        [rows(f"SELECT {NEWEST} {OF_SYSTEM} AND time >= now() - 30d AND time <= now() ORDER BY time DESC LIMIT 1")],
        "dateTimeFromNow",
        "Nothing was read in the last 30 days.",
        fields="/^Time$/",
        text="value",
    )
    micros = stat(
        "Panels not reporting",
        "Active panels (their microinverters) that were not heard with the others in the last 36 hours: all less the "
        "most that reported in one interval. System health shows it by day.",
        [query(silent, "Not reporting")],
        NONE,
        "No panel is known.",
        steps=((None, GOOD), (1, "red")),
        decimals=0,
        text="value",
    )
    return [
        [(12, 4, power), (6, 4, data), (6, 4, micros)],
        [
            (12, 4, day("Produced today", "produced_wh", "Produced", "No production was read of today yet.")),
            (12, 4, day("Consumed today", "consumed_wh", "Consumed", NO_USE, "consumption")),
        ],
    ]


def net_of_today() -> Json:
    """Of the quarters of an hour of today of which both are known; at night of all, since production is none then."""
    end = f"GROUP BY time(1d) fill(null) ORDER BY time DESC LIMIT 1 {ZONE}"
    span = "time >= now() - 2d AND time <= now()"
    made, used = (kwh(f'sum("{name}_wh")', TO_SHOW) for name in ("produced", "consumed"))
    net, number = f"{made} - {used}", 'count("consumed_wh") * 0.25'
    day = f'SELECT {net} AS "by day", {number} AS "hours by day"'
    night = (
        f'SELECT {net} AS "net", {number} AS "hours", last("produced_wh") AS "n" FROM "energy" '
        f"WHERE {OF_SYSTEM} AND {span} GROUP BY time(1d) fill(null) {ZONE}"
    )
    latest = 'last("net") AS "at night", last("hours") AS "hours at night"'
    return stat(
        "Net today: produced less consumed",
        "Of the quarters of an hour of today of which both are known, and how many hours these are: where both stand "
        f"above for as many hours, it is the difference of the two. {NET_IS}",
        [
            rows(f"SELECT {latest} FROM ({night}) WHERE {NIGHT} AND {span} {end}", "A"),
            rows(f"{day} {today(KNOWN)}", "B"),
        ],
        KWH,
        "Production and consumption of today are not both known.",
        [*colored("Net"), HOURS],
        transformations=[
            joined("Time"),
            first_known("Net", "at night", "by day"),
            first_known("Hours of today", "hours at night", "hours by day"),
            organized(("Net", "Hours of today"), {}, ("Time", "at night", "by day", "hours at night", "hours by day")),
        ],
        needs="consumption",
        decimals=2,
        size=16,
    )


def battery() -> Json:
    """What is in the battery is neither used nor sold."""
    flows = {"Into the battery": "charged_wh", "Out of the battery": "discharged_wh"}
    sums = ", ".join(f'sum("{field}") / 1000 AS "{name}"' for name, field in flows.items())
    of_today = today('"charged_wh" >= 0')
    level = f'SELECT last("soc_percent") / 100 FROM "battery" WHERE {OF_SYSTEM} AND {RECENT}'
    return stat(
        "Battery today",
        "What went into the batteries and came out of them today, and how full they are at the end of the newest "
        "interval that was read. What is produced and neither used nor sold is in them. More on Grid and battery.",
        [query(f"SELECT {sums} {of_today}"), query(level, "Charge", "B")],
        KWH,
        "No battery of this system was read.",
        [*colored(*flows), of("Charge", unit=SHARE, decimals=0, color=fixed(COLORS["Charge"]))],
        decimals=2,
        size=16,
    )


def balance() -> list[tuple[int, int, Json]]:
    """What became of the day's energy."""
    shares = own_shares(
        "Used by the house and any battery, today",
        "Of the quarters of an hour of today: self-consumption of those whose production is known, self-sufficiency of "
        "those whose consumption is known, and how many hours these are. One without production, as at night, counts "
        "as one that made nothing.",
        today,
        "Production and consumption of today are not both known.",
        [HOURS],
        number='count("consumed_wh") / 4 AS "Hours of today"',
        needs="consumption",
    )
    return [(9, 4, shares), (7, 4, net_of_today()), (8, 4, battery())]


def board() -> Json:
    """The board."""
    curve = curves(
        "Power",
        "Mean power over each interval shown, from the energy of the quarters of an hour (× 4). What was not read is "
        "a gap, never zero. Consumption above production came from the grid or from a battery.",
        [mean_power("produced_wh", "Produced", "A"), mean_power("consumed_wh", "Consumed", "B")],
        KW,
        "Nothing was read in the time shown.",
        colored("Produced", "Consumed"),
        interval="15m",
        draw={"lineInterpolation": "stepAfter", "fillOpacity": 8},
    )
    days = bars(
        f"The last seven days{EMPTY}",
        "Energy of each of the last seven ended days of the system's own calendar, whatever the time range of the "
        "board; what is missing is empty. Today is above; a day appears here the morning after.",
        [
            each_day('sum("produced_wh") / 1000 AS "Produced"', "A", WEEK),
            each_day('sum("consumed_wh") / 1000 AS "Consumed"', "B", WEEK),
        ],
        "Day",
        KWH,
        "No day of the last week is known; one appears here the morning after it has ended.",
        [of("Day", unit=TEXT), *colored("Produced", "Consumed")],
        named_days(joined("Time")),
    )
    return dashboard(
        "now",
        "What the house does now and did today, with the age of the data.",
        f"{NAME} · {CLOCK} · the last six hours may still grow · data source: **${{datasource:text}}**",
        [*first_screen(), [(24, 9, curve)], balance(), [(24, 8, days)]],
        [system(), zone(), no_meters()],
        time="now-1d/d",
        tall=3,
        notes=annotations(OF_SYSTEM),
    )
