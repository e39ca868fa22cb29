"""The boards as data: their panels, variables and queries, and what Grafana would send to the database for them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from boards.panels import EMPTY
from ingest.simulator import Site
from tests.stack.seed import NOW, SITES
from tests.world import DAY

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "grafana/dashboards").glob("*.json"))
RULES = ROOT / "grafana/provisioning/alerting/rules.yaml"
QUERIES_DOC = ROOT / "docs/queries.md"
PRICES = {"import_price": "0.30", "export_price": "0.08"}
RANGES = (1, 7, 30, 365)
"""Days before now that a board may show."""

HALF = DAY // 2
"""A day is shown where its noon is."""

_VARIABLE = re.compile(r"\$\{(\w+):(raw|regex)\}")
_STEPS = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, DAY, 7 * DAY)
_UNITS = {"m": 60, "h": 3600, "d": DAY}


@dataclass(frozen=True)
class Query:
    """A query and where it stands; `interval` is the least one that its panel asks for."""

    where: str
    text: str
    interval: str = "1m"

    @property
    def measurements(self) -> set[str]:
        """What it reads from."""
        return set(re.findall(r'FROM "(\w+)"', self.text))


@cache
def board(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def panels(path: Path) -> list[dict[str, Any]]:
    return [panel for panel in board(path)["panels"] if panel["type"] != "row"]


def panel(name: str, title: str) -> dict[str, Any]:
    """The panel of a board by its title."""
    path = next(file for file in FILES if file.stem == name)
    (found,) = [panel for panel in panels(path) if panel["title"].removesuffix(EMPTY) == title]
    return found


def target(name: str, title: str, ref: str = "A") -> Query:
    """The query of a panel."""
    found = panel(name, title)
    (text,) = [each["query"] for each in found["targets"] if each["refId"] == ref]
    return Query(f"{name}: {title} {ref}", text, found.get("interval", "1m"))


def panel_queries() -> Iterator[Query]:
    for path in FILES:
        for each in panels(path):
            for one in each.get("targets", ()):
                where = f"{path.stem}: {each['title']} {one['refId']}"
                yield Query(where, one["query"], each.get("interval", "1m"))


def annotation_queries() -> Iterator[Query]:
    for path in FILES:
        for note in board(path)["annotations"]["list"]:
            yield Query(f"{path.stem}: annotation {note['name']}", note["query"])


def variable_queries() -> Iterator[Query]:
    for path in FILES:
        for variable in board(path)["templating"]["list"]:
            if variable["type"] == "query":
                yield Query(f"{path.stem}: ${variable['name']}", variable["query"])


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def rule_queries() -> Iterator[Query]:
    for rule in rules():
        yield Query(f"alert: {rule['title']}", rule["data"][0]["model"]["query"])


def doc_queries() -> Iterator[Query]:
    """The statements of the ```sql blocks in docs/queries.md that are headed InfluxQL."""
    blocks = re.findall(r"```influxql\n(.*?)```", QUERIES_DOC.read_text(encoding="utf-8"), re.DOTALL)
    for number, block in enumerate(blocks, 1):
        yield Query(f"docs/queries.md, block {number}", " ".join(block.split()))


def interval(query: Query, span: int) -> str:
    """What Grafana would take for $__interval: about a thousand points, not below the panel's own least."""
    least = int(query.interval[:-1]) * _UNITS[query.interval[-1]]
    seconds = next((step for step in _STEPS if step >= max(span / 1000, least)), DAY)
    return f"{seconds}s"


def expand(query: Query, site: Site, days: int = 30, now: int = NOW, more: Mapping[str, str] | None = None) -> str:
    """The text that Grafana sends, `now()` being the moment at which the database was seeded."""
    values = {"system": str(site.system_id), "zone": site.timezone, "size_w": str(site.size_w), **PRICES}
    values |= more or {}
    begin, end = (now - days * DAY) * 1000, now * 1000
    text = query.text.replace("${__from:raw}", f"{begin}").replace("${__to:raw}", f"{end}")
    text = _VARIABLE.sub(lambda match: values[match[1]], text)
    text = text.replace("$timeFilter", f"time >= {begin}ms and time <= {end}ms")
    text = text.replace("$__interval", interval(query, days * DAY))
    return text.replace("now()", f"{now}s")


def has_data(query: Query, site: Site, days: int) -> bool:
    """Whether the seeded database has an answer, judged by what it was seeded with."""
    names = query.measurements
    is_of_meter = names & {"production_meter_reading", "production_rgm", "production_rgm_channel"}
    is_of_night = "at night" in query.text and site.name != "Lake House"
    if (is_of_meter and not site.meter) or is_of_night or '"life" > 0.5' in query.text:  # no day is unknown there
        return False
    is_lone = '"consumed" < 0.5' in query.text
    if '"battery_capacity_wh"' in query.text or '"no_production_meter"' in query.text:
        return not site.meter
    is_metered = re.search("imported_wh|exported_wh|charged_wh", query.text) and "), (" not in query.text
    if (
        names & {"battery", "money_daily", "inverter_daily"}
        or is_metered
        or is_lone
        or '"no_consumption_meter"' in query.text
    ):
        return False
    if "$timeFilter" not in query.text and "__from" not in query.text:
        return True
    if "energy_daily" in names:
        sites = SITES if '"system" = ' not in query.text else (site,)
        span = range(NOW - days * DAY - HALF, NOW - HALF)
        return any(each.midnight(day) in span for each in sites for day in DAYS[each.system_id])
    least = 2 if "DESC OFFSET 1" in query.text else 7 * bool(names & {"production_meter_reading"})
    return days >= (7 if '"produced_days" >= 31' in query.text else least)


def _ended_days(site: Site) -> list[Any]:
    today = site.local_date(NOW)
    return [site.local_date(NOW - back * DAY) for back in range(800) if site.local_date(NOW - back * DAY) < today]


DAYS = {site.system_id: _ended_days(site) for site in SITES}
