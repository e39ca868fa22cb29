"""What every board has: its head, its variables, its links to the others, and the place of each panel."""

from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]

SOURCE: Json = {"type": "influxdb", "uid": "${datasource}"}
OF_SYSTEM = "\"system\" = '${system:raw}'"
"""The condition of a query of one system."""
NAME = "**${system:text}** <em>${no_meters:text}</em>"
"""The system, and the meters without which panels below are empty: the same on each board."""
CLOCK = "days of ${zone:raw}, hours of your browser's clock"
"""Days are the system's, whoever looks from where; the hours under a curve are those of the board's own time zone."""
CLOCKS = "hours of your browser's clock"
"""The same of a board of all systems."""
HOURS_OF = "browser's clock"
"""Whose hours those under a picture are, in its title."""
ALL_SYSTEMS = '"system" =~ /./'
NO_HOMES = '"system" =~ /^[0-9]+$/'
"""Systems alone: the rows of a home, which has a name in place of a number, are sums of theirs."""
ZONE = "tz('${zone:raw}')"
OWN_DAYS = "time >= ${__from:raw}ms - 12h AND time <= ${__to:raw}ms - 12h"
"""Days (and months) of the system's own calendar whose first noon lies in the time shown: whole days and the same ones
wherever the viewer's midnights are."""
NEWEST = '"produced_wh", "consumed_wh" FROM "energy" WHERE'
"""What the newest data are of, everywhere."""
NEWEST_IS = (
    "Newest data: when the newest quarter of an hour began of which production or consumption was read, within the "
    "last 30 days."
)
NEWEST_OF_ALL = f'{NO_HOMES} AND time >= now() - 30d AND time <= now() GROUP BY "system" ORDER BY time DESC LIMIT 1'
"""How a query of them ends that is of all systems."""
EACH_DAY = (
    "time >= ${__from:raw}ms - 12h - 1ms AND time <= ${__to:raw}ms - 12h AND time <= now() - 1d "
    "GROUP BY time(1d) fill(null) OFFSET 1 " + ZONE
)
"""The same days one by one: one that is missing has its place, the one that runs has none."""
KNOWN_DAYS = f"{OWN_DAYS} GROUP BY time(1d) fill(none) {ZONE}"
"""Those of them that are known."""
WHOLE_DAYS = f"time >= ${{__from:raw}}ms - 12h AND time <= ${{__to:raw}}ms GROUP BY time(1d) fill(null) OFFSET 1 {ZONE}"
"""Intervals by day: the same days, and today so far; the first bucket is a part of a day, and left out."""
CORRECTED = "#B877D9"
"""The colour of what was corrected, as a mark and as a bar."""
TITLES = {
    "now": "Now",
    "history": "History",
    "health": "System health",
    "grid": "Grid and battery",
    "fleet": "Fleet",
    "pipeline": "Pipeline",
    "changed": "Changed",
}
"""In the order in which an owner asks."""


def variable(name: str, label: str, query: str, about: str, **more: Any) -> Json:
    """A variable whose values the database gives."""
    found: Json = {
        "name": name,
        "type": "query",
        "label": label,
        "description": about,
        "datasource": SOURCE,
        "query": query,
        "regex": "",
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "refresh": 1,
        "sort": 1,
        "options": [],
    }
    return found | more


def hidden(name: str, label: str, field: str, about: str) -> Json:
    """A variable that follows from the system: never in an address, where it would be that of another system."""
    query = f'SELECT last("{field}") FROM "system_info" WHERE {OF_SYSTEM}'
    return variable(name, label, query, about, hide=2, skipUrlSync=True)


def no_meters() -> Json:
    """The words "no consumption meter" where the system has none; nothing where it has all, or that is not known."""
    query = f'SELECT last("no_meters") FROM "ingest" WHERE {OF_SYSTEM}'
    return variable("no_meters", "Meters", query, "Says which meters the system has not.", hide=2, skipUrlSync=True)


def wanted_from() -> Json:
    """From which day on single intervals of the system are wanted."""
    query = f'SELECT last("wanted_from") FROM "ingest" WHERE {OF_SYSTEM}'
    about = "From which day on quarters of an hour of the system are wanted."
    return variable("wanted_from", "Wanted from", query, about, hide=2, skipUrlSync=True)


def datasource() -> Json:
    """The data source, which a Grafana of one's own may call otherwise."""
    return {
        "name": "datasource",
        "type": "datasource",
        "label": "Data source",
        "query": "influxdb",
        "regex": "",
        "description": "The InfluxDB that holds the points.",
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "refresh": 1,
        "options": [],
        "current": {"text": "Enphase", "value": "enphase"},
    }


def system() -> Json:
    """The system, shown by name and used by number."""
    return variable(
        "system",
        "System",
        'SELECT last("label") FROM "system_info" GROUP BY "system"',
        "Shown by name, used by number.",
        regex=r"/(?<text>.*) \((?<value>\d+)\)/",
    )


def zone() -> Json:
    """Where the days of the system begin and end."""
    return hidden("zone", "Time zone", "timezone", "Where the days of the system begin and end.")


def currency() -> Json:
    """That of the tariffs, as the pipeline wrote it beside the money."""
    query = f'SELECT last("currency") FROM "money_daily" WHERE {OF_SYSTEM}'
    return variable("currency", "Currency", query, "Currency of the tariffs.", hide=2, skipUrlSync=True)


def text_box(name: str, label: str, value: str) -> Json:
    """A value that the viewer types."""
    option = {"text": value, "value": value}
    return {
        "name": name,
        "type": "textbox",
        "label": label,
        "query": value,
        "hide": 0,
        "current": option,
        "options": [option | {"selected": True}],
    }


def links(name: str) -> list[Json]:
    """The other boards, with the same source, system and time."""
    return [
        {
            "type": "link",
            "title": title,
            "url": f"/d/enphase-{other}",
            "icon": "dashboard",
            "tags": [],
            "includeVars": True,
            "keepTime": True,
            "targetBlank": False,
            "asDropdown": False,
            "tooltip": "",
        }
        for other, title in TITLES.items()
        if other != name
    ]


def annotation(name: str, color: str, query: str) -> Json:
    """Moments that are marked in the curves: a sentence in the column `text`, the parts it is about in others."""
    return {
        "name": name,
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": color,
        "query": query,
        "textColumn": "text",
        "tagsColumn": "source,sink,account",
        "fromAnnotations": True,
    }


def annotations(systems: str) -> list[Json]:
    """What explains a curve: data that were revised, gaps that were filled, what failed, what happened to devices.
    `systems`: a condition.
    """
    changes = f'SELECT "change" AS "text", "source" FROM "ingest" WHERE {systems} AND $timeFilter AND "change" =~'
    parts = f'({systems} OR "sink" =~ /./ OR "account" =~ /./)'
    errors = (
        f'SELECT last("last_error") AS "text" FROM "ingest" WHERE {parts} AND "last_error" != \'\' AND $timeFilter '
        "GROUP BY time(6h) fill(none)"
    )
    happened = (
        f'SELECT "text" AS "text", "state" FROM "event" WHERE {systems} AND "source" = \'event\' '
        "AND \"state\" != 'info' AND $timeFilter"
    )
    return [
        annotation("Values corrected", CORRECTED, f"{changes} /revised$/"),
        annotation("No longer missing", "#73BF69", f"{changes} /filled/"),
        annotation("Outages", "#F2495C", errors),
        annotation("Events of devices", "#FF9830", happened),
    ]


Placed = tuple[int, int, Json] | list[tuple[int, int, Json]]
"""A panel with its width (of 24) and height, or several of one width, one under the other."""


def placed(rows: Iterable[Iterable[Placed]]) -> list[Json]:
    """Panels side by side in rows, numbered from above."""
    panels: list[Json] = []
    y = 0
    for row in rows:
        x = deepest = 0
        for column in row:
            at, width = y, 0
            for width, height, panel in column if isinstance(column, list) else [column]:
                place = {"x": x, "y": at, "w": width, "h": height}
                panels.append({"id": len(panels) + 1, **panel, "gridPos": place})
                at += height
            x, deepest = x + width, max(deepest, at - y)
        y += deepest
    return panels


def dashboard(
    name: str,
    about: str,
    head: str,
    rows: Iterable[Iterable[Placed]],
    variables: Iterable[Json] = (),
    *,
    time: str,
    refresh: str = "5m",
    tall: int = 2,
    notes: Iterable[Json] = (),
) -> Json:
    """A whole board. `time` is where its range begins; `head` the sentence at its top, `tall` its height."""
    top = sentence(head, "What is shown, where its days begin, and where the data come from.")
    return {
        "id": None,
        "uid": f"enphase-{name}",
        "title": TITLES[name],
        "description": about,
        "tags": ["enphase"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "weekStart": "",
        "timezone": "",
        "refresh": refresh,
        "time": {"from": time, "to": "now"},
        "timepicker": {},
        "links": links(name),
        "templating": {"list": [datasource(), *variables]},
        "annotations": {"list": list(notes)},
        "panels": placed([[(24, tall, top)], *rows]),
    }


def sentence(words: str, about: str) -> Json:
    """A line of words among the panels."""
    options = {"mode": "markdown", "content": words, "code": code()}
    return {"type": "text", "title": "", "transparent": True, "description": about, "options": options}


def code() -> Mapping[str, Any]:
    """What Grafana keeps of a text that is no code."""
    return {"language": "plaintext", "showLineNumbers": False, "showMiniMap": False}
