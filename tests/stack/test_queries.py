"""Every query of every panel, variable, alert rule and of docs/queries.md, on the real InfluxDB."""

import re
from itertools import pairwise

import pytest

from ingest.simulator import Site
from tests.stack import boards
from tests.stack.boards import DAYS, RANGES, Query, expand, has_data
from tests.stack.seed import ALL, CABIN, CABIN_DATABASE, DATABASE, NOW, SITES, Seeded

PANELS = list(boards.panel_queries())
NOTES = list(boards.annotation_queries())
OTHERS = [*boards.variable_queries(), *boards.rule_queries()]
DOCS = [query for query in boards.doc_queries() if "inverter_daily" not in query.text]
"""The houses here do not list their panels; what panels say is held in the stories."""
FUNCTIONS = {
    *("count", "sum", "mean", "median", "min", "max", "first", "last"),
    *("cumulative_sum", "difference", "non_negative_difference", "derivative", "integral", "moving_average"),
    *("time", "now", "fill", "tz"),
}
"""What InfluxDB 1, 2 and 3 all know."""
KEYWORDS = {
    *("SELECT", "FROM", "WHERE", "AND", "OR", "AS", "GROUP", "BY", "ORDER", "ASC", "DESC", "LIMIT", "OFFSET"),
    *("SHOW", "TAG", "VALUES", "WITH", "KEY"),
}
BARE = {"time", "null", "none", "previous", "linear", *FUNCTIONS}


def name(query: Query) -> str:
    return query.where


@pytest.mark.parametrize("query", [*PANELS, *NOTES, *OTHERS, *DOCS], ids=name)
def test_no_query_leaves_the_portable_subset(query: Query) -> None:
    text = re.sub(r"\$\{\w+:(raw|regex)\}|\$timeFilter|\$__interval", "0", query.text)
    bare = re.sub(r"'[^']*'|\"[^\"]*\"|=~ /[^/]*/", " ", text)
    assert set(re.findall(r"\b([A-Za-z_]\w*)\s*\(", bare)) - KEYWORDS <= FUNCTIONS
    words = set(re.findall(r"\b[A-Za-z_]\w*\b", bare))
    assert {word for word in words if word not in KEYWORDS and word not in BARE} == set(), "quote every identifier"
    assert not re.search(r'"\."|::|time\(1w\)|GROUP BY \*', text), "no retention policy, no casts, no weeks"
    assert re.fullmatch(r"SELECT .*|SHOW TAG VALUES .*", query.text)


def _allowed_dollars(text: str) -> str:
    return re.sub(r"\$\{\w+:(raw|regex)\}|\$timeFilter|\$__interval|/\^0?\$/|\$/", "", text)


@pytest.mark.parametrize("query", [*PANELS, *NOTES, *OTHERS], ids=name)
def test_variables_are_named_with_the_way_they_are_written(query: Query) -> None:
    """Left to itself Grafana escapes a value by the look of the query around it."""
    assert "$" not in _allowed_dollars(query.text)


@pytest.mark.parametrize("days", RANGES)
@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
@pytest.mark.parametrize("query", PANELS, ids=name)
def test_a_panel_answers_with_data_where_data_exist(query: Query, site: Site, days: int, seeded: Seeded) -> None:
    rows = seeded.query(expand(query, site, days))
    values = [value for row in rows for key, value in row.items() if key not in ("time", "system")]
    assert bool(values) == has_data(query, site, days), rows[:3]


@pytest.mark.parametrize("query", NOTES, ids=name)
def test_an_annotation_finds_sentences(query: Query, seeded: Seeded) -> None:
    rows = seeded.query(expand(query, SITES[0], 7))
    assert rows
    assert all(re.fullmatch(r"[A-Za-z\d].* .*[a-z\d]", str(row["text"])) for row in rows if row["text"]), rows[:3]


@pytest.mark.parametrize(
    "query",
    [
        one
        for one in PANELS
        if 'GROUP BY "system"' in one.text.rpartition(")")[2] and 'changed_gaps" > 0' not in one.text
    ],
    ids=name,
)
def test_a_panel_of_all_systems_knows_them_all(query: Query, seeded: Seeded) -> None:
    systems = {row["system"] for row in seeded.query(expand(query, SITES[0], 30)) if row.get("system")}
    assert systems == {str(site.system_id) for site in ALL}


@pytest.mark.parametrize(
    "query", [one for one in PANELS if one.where.startswith("grid: ") and '"no_' not in one.text], ids=name
)
def test_the_board_of_grid_and_battery_answers_where_they_are_read(query: Query, seeded: Seeded) -> None:
    rows = seeded.server.query(CABIN_DATABASE, expand(query, CABIN, 7))
    assert any(value is not None for row in rows for key, value in row.items() if key != "time"), rows[:3]


@pytest.mark.parametrize("query", OTHERS, ids=name)
def test_a_variable_and_an_alert_rule_find_data(query: Query, seeded: Seeded) -> None:
    """What money is in is known where there are tariffs."""
    if "money_daily" in query.measurements:
        assert seeded.server.query(CABIN_DATABASE, expand(query, CABIN))[0]["last"] == "USD"
    else:
        assert seeded.query(expand(query, SITES[0]))


@pytest.mark.parametrize("query", DOCS, ids=name)
def test_the_documented_queries_find_data(query: Query, seeded: Seeded) -> None:
    """Those of the grid where it is read."""
    site, database = (CABIN, CABIN_DATABASE) if "imported_wh" in query.text else (SITES[0], DATABASE)
    text = query.text.replace("1234567", str(site.system_id)).replace("America/Denver", site.timezone)
    assert seeded.server.query(database, text.replace("now()", f"{NOW}s"))


def test_a_system_is_shown_by_name_and_used_by_number(seeded: Seeded) -> None:
    for path in boards.FILES:
        variables = {variable["name"]: variable for variable in boards.board(path)["templating"]["list"]}
        pattern = variables["system"]["regex"].strip("/").replace("(?<", "(?P<")
        labels = [str(row["last"]) for row in seeded.query(variables["system"]["query"])]
        found = {}
        for label in labels:
            match = re.fullmatch(pattern, label)
            assert match, label
            found[match["value"]] = match["text"]
        assert found == {str(site.system_id): site.name for site in ALL}


def test_a_fresh_database_makes_every_panel_empty_not_wrong(seeded: Seeded) -> None:
    seeded.server.execute('CREATE DATABASE "fresh"')
    for query in [*PANELS, *OTHERS]:
        empty = {"zone": "", "size_w": "1"}
        assert seeded.server.query("fresh", expand(query, SITES[0], more=empty)) == [], query.where


def test_the_seeded_days_are_of_23_24_and_25_hours() -> None:
    lengths = set()
    for site in SITES:
        starts = [site.midnight(day) for day in DAYS[site.system_id][:38]]
        lengths |= {(after - start) // 3600 for after, start in pairwise(starts)}
    assert lengths == {23, 24, 25}
