"""What Home Assistant accepts as long-term statistics, and the integration "Import Statistics" as a file of them.

The recorder: `async_add_external_statistics` in homeassistant/components/recorder/statistics.py. The file:
https://github.com/klausj1/homeassistant-statistics, under "Importing statistics".
"""

import csv
import io
import re
from datetime import UTC, datetime

STATISTIC_ID = re.compile(r"^(?!.+__)(?!_)[\da-z_]+(?<!_):(?!_)[\da-z_]+(?<!_)$")
REQUIRED = {"statistic_id", "unit", "start"}
KINDS = ({"sum", "state"}, {"mean", "min", "max"}, {"delta"})
"""Columns of values: those of a counter, of a measurement, or differences; never mixed here."""
UNITS = {"J", "kJ", "MJ", "GJ", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "cal", "kcal", "Mcal", "Gcal"}
"""Of the class energy, which the energy dashboard takes."""
FORMAT = "%d.%m.%Y %H:%M"


def faults(text: str, *, delimiter: str = "\t") -> list[str]:
    """Everything for which a file would be refused, or an energy of it not be offered to the dashboard."""
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    columns = set(rows[0]) if rows else set()
    found = [f"column {name} is missing" for name in sorted(REQUIRED - columns)]
    values = columns - REQUIRED
    if not any(values <= kind for kind in KINDS) or not values & {"sum", "mean", "delta"}:
        found.append(f"columns of values: {sorted(values)}")
    if not found:
        found += [f"row {number}: {fault}" for number, row in enumerate(rows, 1) for fault in _of(row, values)]
        found += _units(rows)
    return found


def _of(row: dict[str, str], values: set[str]) -> list[str]:
    found = []
    if not STATISTIC_ID.match(row["statistic_id"]) or row["statistic_id"].startswith("recorder:"):
        found.append(f"statistic_id {row['statistic_id']}")
    try:
        start = datetime.strptime(row["start"], FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return [*found, f"start {row['start']}"]
    if start.minute or start.second:
        found.append(f"start {row['start']} is not the top of an hour")
    return found + [f"{name} {row[name]}" for name in values if not re.fullmatch(r"-?\d+(\.\d+)?", row[name] or "")]


def _units(rows: list[dict[str, str]]) -> list[str]:
    units = {(row["statistic_id"], row["unit"]) for row in rows}
    found = [f"{name} has several units" for name, _ in units if len([1 for held, _ in units if held == name]) > 1]
    hours = {(row["statistic_id"], row["start"]) for row in rows}
    found += ["an hour of a series stands there twice"] if len(hours) < len(rows) else []
    return found + [f"unit {unit}" for _, unit in units if unit not in UNITS]
