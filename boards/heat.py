"""Tables whose cells are coloured by how much there was, and the names of months in them."""

from collections.abc import Iterable, Mapping
from typing import Any

from boards.frame import Json
from boards.panels import table

SHADES = tuple(f"rgba(0, 150, 30, {share})" for share in (0.04, 0.09, 0.14, 0.19, 0.24, 0.29))
"""From little to much, in both themes: below 0.3 Grafana's letters are those of the board, which can be read on all."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def heat(
    title: str,
    about: str,
    targets: Iterable[Json],
    unit: str,
    nothing: str,
    overrides: Iterable[Json] = (),
    transformations: Iterable[Json] = (),
    *,
    room: Mapping[str, int],
    **defaults: Any,
) -> Json:
    """A table whose cells are the greener the more there was; what is missing has no colour at all."""
    nothing_there = {"text": "–", "color": "transparent", "index": 0}
    absent = [
        {"type": "special", "options": {"match": "null", "result": nothing_there}},
        {"type": "range", "options": {"from": None, "to": -1e-9, "result": nothing_there}},
    ]
    steps = [{"value": round(100 * at / len(SHADES)) if at else None, "color": one} for at, one in enumerate(SHADES)]
    cells = {"align": "center", **room, "cellOptions": {"type": "color-background", "mode": "basic"}}
    look: Json = {
        "color": {"mode": "thresholds"},
        "thresholds": {"mode": "percentage", "steps": steps},
        "min": 0,
        "mappings": absent,
    }
    return table(title, about, targets, unit, nothing, overrides, transformations, cells=cells, **look, **defaults)


def month_names() -> list[Json]:
    """`11` is read as Nov."""
    options = {f"{number:02}": {"text": name, "index": number} for number, name in enumerate(MONTHS, 1)}
    return [{"type": "value", "options": options}]
