"""Boards as Grafana opens them, with `@grafana/scenes`: variables, addresses, and links from one board to another.

Part of `make test-long`, where it is never skipped: the packages are 480 MB.
"""

import json
import os
import re
import subprocess
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.stack.boards import ROOT
from tests.stack.reading import NODE, present
from tests.stack.seed import ALL, DATABASE, NOW, SITES, Seeded

pytestmark = pytest.mark.skipif(not os.environ.get("INGEST_LONG"), reason="480 MB of packages: make test-long")
SYSTEM, OTHER = SITES[2], SITES[1]
BEGIN, END = (NOW - 9 * 86400) * 1000, (NOW - 2 * 86400) * 1000
SEARCH = f"var-datasource=enphase&var-system={SYSTEM.system_id}&from={BEGIN}&to={END}"
Visit = dict[str, Any]


def visited(seeded: Seeded, boards: dict[str, Any], visits: list[dict[str, str]]) -> list[Visit]:
    """What the libraries make of boards that are opened by an address."""
    asked = {"url": seeded.server.url, "database": DATABASE, "now": NOW * 1000, "boards": boards, "visits": visits}
    program = ROOT / ".reader/scenes/scenes.mjs"
    made = subprocess.run([NODE, program], input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[-3000:]
    found: list[Visit] = json.loads(made.stdout)
    return found


@pytest.fixture(scope="module")
def opened(seeded: Seeded) -> dict[str, Visit]:
    """Each board, opened for one system and a range of time."""
    subprocess.run([ROOT / "scripts/reader.sh", "scenes"], check=True)
    boards = present()
    return {visit["board"]: visit for visit in visited(seeded, boards, [_to(name, SEARCH) for name in boards])}


def _to(board: str, search: str) -> dict[str, str]:
    return {"board": board, "search": search}


def test_every_board_is_opened_for_the_system_of_the_address(opened: dict[str, Visit]) -> None:
    assert opened.keys() == present().keys()
    for name, visit in opened.items():
        system = visit["variables"]["system"]
        assert (system["value"], system["text"]) == (str(SYSTEM.system_id), SYSTEM.name), name
        assert {tuple(option) for option in system["options"]} == {(site.name, str(site.system_id)) for site in ALL}
        assert visit["variables"].get("zone", {"value": SYSTEM.timezone})["value"] == SYSTEM.timezone
    assert opened["health"]["variables"]["size_w"]["value"] == str(SYSTEM.size_w)


def test_no_variable_is_left_in_a_query(opened: dict[str, Visit]) -> None:
    """And the ends of the time shown are numbers."""
    queries = [text for visit in opened.values() for _, text in visit["queries"]]
    assert len(queries) > 60
    for text in queries:
        assert "$" not in re.sub(r"\$timeFilter|\$__interval|=~ /[^/]*/", "", text), text
    days = next(text for title, text in opened["history"]["queries"] if title == "Days · empty: not known")
    assert f"time >= {BEGIN}ms - 12h - 1ms AND time <= {END}ms - 12h" in days


def test_an_address_holds_no_variable_that_follows_from_another(opened: dict[str, Visit]) -> None:
    for name, visit in opened.items():
        assert {key for key in visit["address"] if key.startswith("var-")} <= {
            *("var-datasource", "var-system", "var-import_price", "var-export_price")
        }, name


def test_a_link_in_the_head_opens_the_other_board_with_the_same_system_time_and_source(
    opened: dict[str, Visit], seeded: Seeded
) -> None:
    boards = present()
    uids = {document["uid"]: name for name, document in boards.items()}
    addresses = {link for visit in opened.values() for link in visit["links"]}
    assert len(addresses) >= 2 * len(boards) - 1, "with and without prices"
    visits = [_to(uids[parts.path.removeprefix("/d/")], parts.query) for parts in map(urlsplit, sorted(addresses))]
    for visit, found in zip(visits, visited(seeded, boards, visits), strict=True):
        query = parse_qs(visit["search"])
        assert query["var-datasource"] == ["enphase"]
        assert found["variables"]["system"]["value"] == str(SYSTEM.system_id)
        assert found["variables"].get("zone", {"value": SYSTEM.timezone})["value"] == SYSTEM.timezone
        assert {found["address"][key] for key in ("from", "to")} == {query[key][0] for key in ("from", "to")}


def test_the_zone_of_another_system_is_not_carried_along(seeded: Seeded, opened: dict[str, Visit]) -> None:
    """Even by an address that names one."""
    search = f"var-datasource=enphase&var-system={OTHER.system_id}&var-zone=US%2FMountain"
    (found,) = visited(seeded, present(), [_to("now", search)])
    assert found["variables"]["zone"]["value"] == OTHER.timezone
    shared = present()
    zone = next(one for one in shared["now"]["templating"]["list"] if one["name"] == "zone")
    carried = {key: value for key, value in zone.items() if key != "skipUrlSync"}
    variables = [carried if one is zone else one for one in shared["now"]["templating"]["list"]]
    careless = {"now": {**shared["now"], "templating": {"list": variables}}}
    (found,) = visited(seeded, careless, [_to("now", "")])
    assert "var-zone" in found["address"], "this is what skipUrlSync is for"
