"""The kinds of panels, each with the look that it has on every board."""

from collections.abc import Iterable, Mapping
from typing import Any

from boards.frame import EACH_DAY, HOURS_OF, OF_SYSTEM, SOURCE, Json
from boards.palette import COLORS
from boards.steps import only

GOOD, WARN, BAD, PLAIN = "green", "orange", "red", "text"
KWH, KW, WATT, SHARE = "suffix:kWh", "suffix:kW", "watt", "percentunit"
"""Numbers beside each other, on an axis, or that add up, have one unit. `WATT`, kW from 1,000 on, is of single ones."""
COUNT, TEXT, NONE = "locale", "string", "none"
REASON = "This system has"
"""Over the words that say which meter there is not."""
WITHOUT_COLOUR: Json = {"type": "special", "options": {"match": "null", "result": {"color": PLAIN, "index": 0}}}
"""A number that is not there has no colour of its own: a sentence stands in its place."""
UNKNOWN: Json = {
    "type": "special",
    "options": {"match": "null", "result": {"text": "not known", "color": "transparent"}},
}
"""A span of a timeline of which nothing is known says so."""
EMPTY = " · empty: not known"
"""What a place without a bar means, in the title."""
Steps = tuple[tuple[float | None, str], ...]


def each_day(columns: str, ref: str = "A", window: str = EACH_DAY, more: str = "") -> Json:
    """Sums of the ended days of the system, each in its place, also those that are missing; `more`: a condition."""
    return rows(f'SELECT {columns} FROM "energy_daily" WHERE {OF_SYSTEM}{more} AND {window}', ref)


def query(text: str, alias: str = "", ref: str = "A") -> Json:
    """A query that gives a series; `$col` as the alias: the names that stand in the query."""
    shape = {"resultFormat": "time_series", "alias": alias or "$col"}
    return {"refId": ref, "datasource": SOURCE, "rawQuery": True, "query": text, **shape}


def lacking(kind: str) -> Json:
    """A query that says which meter a system has not, where that is why nothing is there; else it gives nothing."""
    said = f'SELECT last("no_{kind}_meter") AS "Meter" FROM "ingest" WHERE {OF_SYSTEM}'
    return rows(f'SELECT "Meter" AS "{REASON}" FROM ({said}) WHERE "Meter" != \'\'', "R")


def rows(text: str, ref: str = "A") -> Json:
    """A query that gives a table."""
    return {"refId": ref, "datasource": SOURCE, "rawQuery": True, "query": text, "resultFormat": "table"}


def thresholds(*steps: tuple[float | None, str]) -> Json:
    """Colours by value, from the lowest up."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]}


def of(name: str, **properties: Any) -> Json:
    """What holds for the field of a name; `custom__width` stands for `custom.width`."""
    found = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": found}


def fixed(color: str) -> Json:
    """A colour that does not depend on the value."""
    return {"mode": "fixed", "fixedColor": color}


def tinted(meaning: str, *names: str) -> list[Json]:
    """Several numbers of one meaning; the sentence that stands there while there is none has no colour."""
    return [of(name, color=fixed(COLORS[meaning])) for name in names]


def colored(*names: str) -> list[Json]:
    """The colours of what is shown."""
    return [of(name, color=fixed(COLORS[name])) for name in names]


def unseen(*names: str) -> list[Json]:
    """Columns of a table that only its links use."""
    return [of(name, unit=NONE, custom__hideFrom={"legend": True, "tooltip": True, "viz": True}) for name in names]


def panel(
    kind: str,
    title: str,
    about: str,
    targets: Iterable[Json],
    options: Json,
    defaults: Json,
    overrides: Iterable[Json] = (),
    **more: Any,
) -> Json:
    """A panel of any kind."""
    base = {"thresholds": thresholds((None, PLAIN))}
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "targets": list(targets),
        "fieldConfig": {"defaults": {**base, **defaults}, "overrides": list(overrides)},
        "options": options,
        **more,
    }


def stat(
    title: str,
    about: str,
    targets: Iterable[Json],
    unit: str,
    nothing: str,
    overrides: Iterable[Json] = (),
    *,
    steps: Steps = ((None, PLAIN),),
    transformations: Iterable[Json] = (),
    needs: str = "",
    **defaults: Any,
) -> Json:
    """Numbers, each under its name and all in one size; `nothing` is what stands there while there is none.

    `size`: of the numbers, in pixels; on a phone more than three of 22 do not fit side by side. `needs`: the kind of
    meter without which there is none; where a system has no such meter, that is said instead.
    """
    if needs:
        targets, overrides = [*targets, lacking(needs)], [*overrides, of(REASON, unit=TEXT)]
        defaults["fields"], transformations = "/^(?!Time$)/", only("/^(?!R$)/", *transformations)
    options = {
        "text": {"titleSize": 13, "valueSize": defaults.pop("size", 22)},
        "reduceOptions": {"calcs": ["last"], "fields": defaults.pop("fields", ""), "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "textMode": defaults.pop("text", "value_and_name"),
        "justifyMode": "center",
        "orientation": "auto",
        "wideLayout": False,
    }
    base: Json = {"unit": unit, "noValue": nothing, "color": {"mode": "thresholds"}, "thresholds": thresholds(*steps)}
    base["mappings"] = [WITHOUT_COLOUR]
    more = {"transformations": list(transformations)} if transformations else {}
    return panel("stat", title, about, targets, options, base | defaults, overrides, **more)


def curves(
    title: str,
    about: str,
    targets: Iterable[Json],
    unit: str,
    nothing: str,
    overrides: Iterable[Json] = (),
    *,
    interval: str,
    draw: Mapping[str, Any] | None = None,
    **defaults: Any,
) -> Json:
    """Lines over time, from zero up; what is missing is a gap. The room on the left is that of half a date."""
    custom = {
        "drawStyle": "line",
        "lineWidth": 2,
        "fillOpacity": 0,
        "showPoints": "never",
        "spanNulls": False,
        "lineInterpolation": "linear",
        "stacking": {"mode": "none", "group": "A"},
        "axisWidth": 60,
        **(draw or {}),
    }
    base = {"unit": unit, "noValue": nothing, "min": 0, "color": {"mode": "palette-classic"}, "custom": custom}
    options = {"legend": legend(), "tooltip": {"mode": "multi", "sort": "none"}}
    fields = [*missing("number"), *overrides]
    return panel(
        "timeseries", f"{title} · {HOURS_OF}", about, targets, options, base | defaults, fields, interval=interval
    )


def states(
    title: str,
    about: str,
    targets: Iterable[Json],
    unit: str,
    nothing: str,
    steps: Steps,
    *,
    interval: str,
    overrides: Iterable[Json] = (),
    **defaults: Any,
) -> Json:
    """A row a series: its colour and words over time, with the key to the colours; what is not known says so."""
    options = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.85,
        "legend": legend(),
        "tooltip": {"mode": "single", "sort": "none"},
    }
    base = {"unit": unit, "noValue": nothing, "color": {"mode": "thresholds"}, "thresholds": thresholds(*steps)}
    look = {"custom": {"fillOpacity": 75, "lineWidth": 0}, "mappings": [UNKNOWN]}
    return panel(
        "state-timeline",
        f"{title} · {HOURS_OF}",
        about,
        targets,
        options,
        base | look | defaults,
        overrides,
        interval=interval,
    )


def legend() -> Json:
    """Under the picture, in one line."""
    return {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}


def bars(
    title: str,
    about: str,
    targets: Iterable[Json],
    x: str,
    unit: str,
    nothing: str,
    overrides: Iterable[Json] = (),
    transformations: Iterable[Json] = (),
    *,
    signed: bool = False,
    in_one: bool = False,
    **defaults: Any,
) -> Json:
    """Bars side by side over a word of the calendar or a name, from zero up; `signed`: and down.

    `in_one`: of the numbers over a word only one is there, and has all the room.
    """
    options = {
        "xField": x,
        "orientation": "auto",
        "showValue": "never",
        "stacking": "normal" if in_one else "none",
        "groupWidth": 0.8,
        "barWidth": 0.95,
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 100,
        "legend": legend(),
        "tooltip": {"mode": "multi", "sort": "none"},
    }
    base = {
        "unit": unit,
        "noValue": nothing,
        **({} if signed else {"min": 0}),
        "color": {"mode": "palette-classic"},
        "custom": {"fillOpacity": 80, "lineWidth": 1, **({"axisSoftMin": 0} if signed else {})},
    }
    steps = list(transformations)
    fields = [*missing("number"), *overrides]
    return panel("barchart", title, about, targets, options, base | defaults, fields, transformations=steps)


NARROW = {"align": "auto", "filterable": False, "minWidth": 84}
"""Columns of a table: as wide as there is room, and so narrow on a phone that four fit."""


def table(
    title: str,
    about: str,
    targets: Iterable[Json],
    unit: str,
    nothing: str,
    overrides: Iterable[Json] = (),
    transformations: Iterable[Json] = (),
    *,
    cells: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    needs: str = "",
    **defaults: Any,
) -> Json:
    """A table; `nothing` is said while there is no row, a number that is missing is a dash; `needs`: as of numbers."""
    if needs:
        targets = [*targets, lacking(needs)]
        overrides = [*unseen("Time"), *overrides, of(REASON, unit=TEXT, custom__minWidth=130)]
        transformations = only("/^(?!R$)/", *transformations)
    base: Json = {"unit": unit, "noValue": nothing, "custom": {**NARROW, **(cells or {})}}
    options = {"showHeader": True, "cellHeight": "sm", **(options or {})}
    steps = list(transformations)
    fields = [*missing("number", "string"), *overrides]
    return panel("table", title, about, targets, options, base | defaults, fields, transformations=steps)


def missing(*types: str) -> list[Json]:
    """What stands for a single value that is missing, where the sentence of the panel would be too long."""
    dash = [{"id": "noValue", "value": "–"}]
    return [{"matcher": {"id": "byType", "options": kind}, "properties": dash} for kind in types]


def called(name: str = "System", **more: Any) -> Json:
    """A column of systems by name; their numbers, which tell those of one name apart, are in a column of their own."""
    shown = {"type": "regex", "options": {"pattern": "/^(.*) \\(\\d+\\)$/", "result": {"text": "$1", "index": 0}}}
    return of(name, unit=TEXT, mappings=[shown], **more)


def worst(name: str, *, desc: bool = False) -> Json:
    """The order of a table until the viewer chooses another one."""
    return {"sortBy": [{"displayName": name, "desc": desc}]}
