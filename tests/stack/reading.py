"""What a person reads on the boards: real answers of the real database, through Grafana's own libraries under Node.

python -m tests.stack.reading [BOARD]     prints it
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.influxd import Influxd
from tests.stack.boards import FILES, Query, board, interval, rules
from tests.stack.seed import DATABASE, NOW, Seeded, seed
from tests.stack.situations import SITUATIONS, Situation, build, expanded
from tests.world import DAY

ROOT = Path(__file__).parents[2]
READER = ROOT / ".reader/read.mjs"
NODE = ROOT / ".venv/bin/node"
_SPAN = {"h": 3600, "d": DAY, "y": 365 * DAY}
Json = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """A panel as it is read."""

    board: str
    situation: Situation
    source: Json
    read: Json

    @property
    def where(self) -> str:
        """What a failing test says."""
        return f"{self.board}: {self.title} ({self.situation.name})"

    @property
    def title(self) -> str:
        """The words over the panel."""
        return str(self.read["title"])

    @property
    def type(self) -> str:
        """Its kind."""
        return str(self.read["type"])

    @cached_property
    def columns(self) -> list[Json]:
        """The fields that are shown, of all its tables."""
        return [column for table in self.read.get("tables", ()) for column in table if not column["hidden"]]

    @property
    def headings(self) -> list[str]:
        """The heads of a table's columns, or the words of a legend."""
        names = [column["name"] for column in self.columns]
        return names if self.type == "table" else [name for name in names if name not in ("Time", self.x)]

    @property
    def x(self) -> str:
        """The field under the bars."""
        return str(self.source.get("options", {}).get("xField", ""))

    @property
    def words(self) -> dict[str, str]:
        """What a stat says, by name."""
        return {value["title"]: value["text"] for value in self.read["values"]}

    def column(self, name: str) -> list[str]:
        """The texts of a column."""
        (found,) = [column["texts"] for column in self.columns if column["name"] == name]
        return list(found)

    @property
    def rows(self) -> list[dict[str, str]]:
        """A table, row by row."""
        return [
            dict(zip((column["name"] for column in self.columns), row, strict=True))
            for row in zip(*(column["texts"] for column in self.columns), strict=True)
        ]

    @property
    def texts(self) -> Iterator[str]:
        """Everything that is written on it."""
        yield from (value["text"] for value in self.read.get("values", ()))
        if self.type not in ("stat", "gauge", "bargauge"):
            for column in self.columns:
                yield from column["texts"]

    @property
    def addresses(self) -> list[str]:
        """Where its links lead."""
        of_rows = [href for column in self.columns for row in column["links"] for href in row]
        return [*of_rows, *(href for value in self.read.get("values", ()) for href in value["links"])]


@cache
def answered(seeded: Seeded, database: str, query: str) -> list[Json]:
    """What the database says; it is asked once, since nothing is written into it any more."""
    return seeded.server.execute(query, database, "ms")


def variables(document: Json, seeded: Seeded, situation: Situation) -> dict[str, Json]:
    """Each variable of a board, with the text and the value that it has."""
    found: dict[str, Json] = {"datasource": {"text": "Enphase", "value": "enphase"}}
    for one in document["templating"]["list"]:
        if one["type"] == "textbox":
            found[one["name"]] = one["current"]
        if one["type"] != "query":
            continue
        answers = answered(seeded, situation.database, expanded(one["query"], found, 0, "1m"))
        words = [str(row[1]) for series in answers for row in series["values"]]
        if one["regex"]:
            pattern = one["regex"].strip("/").replace("(?<", "(?P<")
            options = [match.groupdict() for word in words if (match := re.fullmatch(pattern, word))]
        else:
            options = [{"text": word, "value": word} for word in words]
        if one.get("multi"):
            everything = [option["value"] for option in options]
            found[one["name"]] = {"text": "All", "value": everything}
            continue
        wanted = str(situation.site.system_id)
        found[one["name"]] = next(
            (option for option in options if option["value"] == wanted), next(iter(options), {"text": "", "value": ""})
        )
    return found


def began(document: Json, situation: Situation) -> int:
    """Where the range of a board begins, in the zone of the browser."""
    if situation.days is not None and document["uid"] in ("enphase-history", "enphase-health"):
        return NOW - situation.days * DAY
    number, unit, rounded = re.fullmatch(r"now-(\d+)(\w)(?:/(\w))?", document["time"]["from"]).groups()  # type: ignore[union-attr]
    if not rounded:
        return NOW - int(number) * _SPAN[unit]
    now = datetime.fromtimestamp(NOW, ZoneInfo(situation.zone))
    back = now.replace(year=now.year - int(number)) if unit == "y" else now - timedelta(days=int(number))
    first = back.replace(day=1) if rounded == "M" else back
    return int(first.replace(hour=0, minute=0, second=0).timestamp())


def asked(name: str, document: Json, seeded: Seeded, situation: Situation) -> Iterator[Json]:
    """Each panel of a board with the answers of the database to its queries."""
    values = variables(document, seeded, situation)
    for panel in document["panels"]:
        begin = began(document, situation)
        answers = {}
        for target in panel.get("targets", ()):
            step = interval(Query("", target["query"], panel.get("interval", "1m")), NOW - begin)
            text = expanded(target["query"], values, begin, step)
            answers[target["refId"]] = answered(seeded, situation.database, text)
        yield {
            "panel": {**panel, "answers": answers},
            "board": name,
            "situation": {
                "variables": values,
                "timeZone": situation.zone,
                "reversed": situation.reversed,
                "light": situation.light,
                "from": begin * 1000,
                "to": NOW * 1000,
                "raw": {"from": str(begin * 1000), "to": str(NOW * 1000)},
            },
        }


def told(seeded: Seeded, now: int = NOW) -> dict[str, list[Json]]:
    """What each alert rule makes of the database at a moment: its series, which fire, the words."""
    asks: list[Json] = []
    for rule in rules():
        query = rule["data"][0]["model"]["query"]
        asks.append({"rule": rule, "answers": seeded.server.execute(query.replace("now()", f"{now}s"), DATABASE, "ms")})
    answers = run(asks)
    return {one["rule"]["title"]: answer for one, answer in zip(asks, answers, strict=True)}


def run(questions: list[Json]) -> list[Any]:
    """What the libraries make of the answers."""
    made = subprocess.run([NODE, READER], input=json.dumps(questions), capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(made.stderr[-3000:])
    found: list[Any] = json.loads(made.stdout)
    return found


def present() -> dict[str, Json]:
    """The boards as they are."""
    return {path.stem: board(path) for path in FILES}


def read(seeded: Seeded, *parts: tuple[dict[str, Json], tuple[Situation, ...]]) -> list[Panel]:
    """Every panel of every board in every situation of each part: with one start of the reader for all."""
    asks = [
        (situation, one)
        for boards, situations in parts
        for situation in situations
        for name, document in boards.items()
        for one in asked(name, document, seeded, situation)
    ]
    answers = run([one for _, one in asks])
    return [
        Panel(one["board"], situation, one["panel"], answer)
        for (situation, one), answer in zip(asks, answers, strict=True)
    ]


def printed(panel: Panel) -> Iterator[str]:
    """A panel in words."""
    yield f"[{panel.type}] {panel.title or panel.read.get('content', '')}"
    if panel.read.get("empty"):
        yield f"    {panel.read['noValue']}"
        return
    if panel.type == "stat":
        yield "    " + " · ".join(f"{name} {text}" for name, text in panel.words.items())
        return
    yield "    " + " | ".join(panel.headings)
    for column in panel.columns:
        texts = column["texts"]
        shown = texts if len(texts) < 9 else [*texts[:4], "…", *texts[-4:]]
        yield f"      {column['name']}: " + ", ".join(shown)
    yield from (f"      → {address}" for address in panel.addresses[:2])


def main(argv: list[str]) -> None:
    """Print what is read."""
    boards = {name: document for name, document in present().items() if not argv or name in argv}
    with tempfile.TemporaryDirectory() as folder, Influxd(Path(folder) / "influx") as server:
        (Path(folder) / "world").mkdir()
        seeded = seed(server, Path(folder) / "world")
        build(seeded)
        for panel in read(seeded, (boards, SITUATIONS)):
            if panel.type == "text":
                print(f"\n══ {panel.board}, {panel.situation.name}")
            print("\n".join(printed(panel)))


Mapped = Mapping[str, Json]

if __name__ == "__main__":
    main(sys.argv[1:])
