"""A new stream is one file and one word: the configuration, the plan, polling, page and export know it from that."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STREAM = '''
"""Charging below a carport."""

from ingest.core.units import MINUTE, WEEK, YEAR
from ingest.enphase.streams.base import Route, Stream, start_granularity
from ingest.enphase.streams.interval_rows import energy_fields, intervals

STREAM = Stream(
    name="carport",
    about="charging below a carport",
    every=15 * MINUTE,
    group="Site Level Consumption Monitoring",
    grain=15 * MINUTE,
    v2=Route("systems/{system}/carport", start_granularity, reach=WEEK, history=YEAR),
    v4=Route("systems/{system}/telemetry/carport", start_granularity, reach=WEEK, history=2 * YEAR),
    read=intervals("carport", 15 * MINUTE, "enwh"),
    fields={"carport": energy_fields("enwh")},
)
'''
DAY_OF_A_HOUSE = """
import json, sys
from pathlib import Path

import ingest
from ingest.enphase.__main__ import table
from ingest.simulator import v4
from ingest.web import Source, create_app
from tests.world import DAY, World
from tests.worlds import SITE

v4.ROUTES["telemetry/carport"] = v4.ROUTES["telemetry/consumption_meter"]
folder = Path(sys.argv[1])
world = World(folder, [SITE], default_streams="auto")
world.run(3 * DAY)
now = int(world.time.true)
source = Source(world.settings, world.store, lambda: now, lambda: now, "ingest")
page = create_app(source).test_client().get("/").get_data(as_text=True)
held, used = (
    {at: row for at, row in world.rows(name, SITE.system_id).items() if at < now - DAY // 4}
    for name in ("carport", "consumption")
)
world.end()


print(json.dumps({
    "program": ingest.__file__,
    "page": page,
    "table": table(),
    "agree": len(held) > 250 and held == used,
}))
"""


def test_one_file_and_one_word_make_a_stream(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "ingest", tmp_path / "ingest", ignore=shutil.ignore_patterns("__pycache__"))
    catalogue = tmp_path / "ingest/enphase/streams"
    (catalogue / "carport.py").write_text(STREAM.lstrip())
    listed = (catalogue / "__init__.py").read_text("utf-8")
    listed = listed.replace("from ingest", "from ingest.enphase.streams import carport\nfrom ingest", 1)
    (catalogue / "__init__.py").write_text(listed.replace("= (\n", "= (\n    carport.STREAM,\n", 1))

    seen = _lived(tmp_path)

    assert seen["program"].startswith(str(tmp_path))
    assert seen["agree"]
    assert "| `carport` | `telemetry/carport` |" in seen["table"]
    assert "carport" in _ingest(tmp_path, "plan")
    assert "charging below a carport" in seen["page"]
    assert _ingest(tmp_path, "export", "--format", "lp", "--stream", "carport").startswith("carport,system=")
    assert "carport" in _run(tmp_path, "-m", "ingest.config")


def _lived(folder: Path) -> dict[str, Any]:
    """What a house shows after three days with a program that is kept in `folder`."""
    (folder / "life.py").write_text(DAY_OF_A_HOUSE)
    (folder / "state").mkdir()
    found: dict[str, Any] = json.loads(_run(folder, str(folder / "life.py"), str(folder / "state")))
    return found


def _ingest(folder: Path, *words: str) -> str:
    command = "import sys; from ingest.cli import main; sys.exit(main())"
    return _run(folder, "-c", command, "--config", str(folder / "state/world.yaml"), *words)


def _run(folder: Path, *words: str) -> str:
    path = os.pathsep.join((str(folder), str(ROOT)))
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
