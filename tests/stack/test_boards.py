"""The boards, data sources and alert rules as Grafana would read them, without Grafana."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from boards.sources import NAMES
from ingest.enphase import catalogue
from ingest.enphase.streams import STREAMS
from tests.stack import boards
from tests.stack.boards import FILES, ROOT, board, panels
from tests.stack.reading import NODE

VENDOR = Path(__file__).parent / "vendor"
SCHEMAS: dict[str, Any] = json.loads((VENDOR / "grafana-13.2.3.json").read_text())
UNITS = set((VENDOR / "grafana-units.txt").read_text().split())
TRANSFORMATIONS = {
    *("calculateField", "convertFieldType", "filterByValue", "formatTime", "groupBy", "groupingToMatrix"),
    *("joinByField", "limit", "organize", "sortBy"),
}
BUILT_IN = {"timeFilter", "__interval", "__url_time_range", "__from", "__to"}
DATASOURCE = {"type": "influxdb", "uid": "${datasource}"}

each_board = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def complaints(schema: Any, value: Any) -> list[str]:
    validator = jsonschema.Draft7Validator(schema)
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(value)]


def test_whatever_is_read_has_a_name_in_words() -> None:
    """What is asked of a system without being chosen, such as the list of its devices, is on no board."""
    assert all(stream.label for stream in STREAMS)
    assert NAMES.keys() == {stream.name for stream in STREAMS if stream.grain or stream.name in catalogue.CHOICES} | {
        *(stream.name for stream in catalogue.totals_of(catalogue.CHOICES))
    }
    assert len(set(NAMES.values())) == len(NAMES)


def test_there_are_seven_boards() -> None:
    assert {path.stem for path in FILES} == {"now", "history", "health", "grid", "fleet", "pipeline", "changed"}
    assert {board(path)["uid"] for path in FILES} == {f"enphase-{path.stem}" for path in FILES}
    assert len({board(path)["title"] for path in FILES}) == len(FILES)


@each_board
def test_a_board_is_what_grafana_calls_a_dashboard(path: Path) -> None:
    # A list of links may hold one to other boards, which has no address of its own.
    document = json.loads(path.read_text())
    for note in document["annotations"]["list"]:
        for key in ("query", "textColumn", "tagsColumn", "fromAnnotations"):  # the data source's own
            del note[key]
    assert complaints(SCHEMAS["board"], {"board": document}) == []


KINDS = {
    "barchart": "BarChart",
    "stat": "Stat",
    "table": "Table",
    "text": "Text",
    "timeseries": "TimeSeries",
    "state-timeline": "StateTimeline",
}


def typed() -> str:
    """A program that the compiler refuses when an option is not one of its panel's type."""
    lines = [
        "type Loose<T> = T extends string ? `${T}` : T extends (infer U)[] ? Loose<U>[]",
        "  : T extends object ? { [K in keyof T]?: Loose<T[K]> } : T;",
    ]
    for kind, name in KINDS.items():
        module = f"@grafana/schema/dist/esm/raw/composable/{kind.replace('-', '')}/panelcfg/x/{name}PanelCfg_types.gen"
        lines.append(f'import * as {name} from "{module}";')
    for path in FILES:
        for number, panel in enumerate(panels(path)):
            name, head = KINDS[panel["type"]], f"export const {path.stem}{number}"
            lines.append(f"{head}: Loose<{name}.Options> = {json.dumps(panel['options'])};")
            custom = panel.get("fieldConfig", {}).get("defaults", {}).get("custom")
            if custom is not None:
                lines.append(f"{head}custom: Loose<{name}.FieldConfig> = {json.dumps(custom)};")
            for at, own in enumerate(overridden(panel)):
                lines.append(f"{head}override{at}: Loose<{name}.FieldConfig> = {json.dumps(own)};")
    return "\n".join(lines)


def overridden(panel: dict[str, Any]) -> list[dict[str, Any]]:
    """What holds for single fields of a panel, in the shape of what holds for all."""
    overrides = panel.get("fieldConfig", {}).get("overrides", ())
    found = [
        {each["id"].removeprefix("custom."): each["value"] for each in one["properties"] if "custom." in each["id"]}
        for one in overrides
    ]
    return [one for one in found if one]


def compiled(folder: Path, program: str, package: str) -> str:
    """What the compiler of TypeScript says of a program when `@grafana/schema` is this package."""
    dist = ROOT / f".reader/node_modules/{package}/dist"
    paths = {"@grafana/schema": [str(dist / "types/index.d.ts")], "@grafana/schema/dist/esm/*": [str(dist / "esm/*")]}
    if not (dist / "esm/raw").is_dir():  # the newer package leads there by its own list of exports
        paths = {f"@grafana/schema{rest}": [f"{dist.parent}{rest}"] for rest in ("", "/*")}
    options = {"noEmit": True, "strict": True, "skipLibCheck": True, "module": "esnext", "moduleResolution": "bundler"}
    (folder / "boards.ts").write_text(program)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options | {"paths": paths}}))
    compiler = ROOT / ".reader/node_modules/typescript/bin/tsc"
    made = subprocess.run([NODE, compiler, "-p", folder], stdout=subprocess.PIPE, text=True, check=False)
    return made.stdout


@pytest.mark.parametrize("package", ["@grafana/schema", "@grafana/schema-oldest"])
def test_the_options_of_a_panel_are_those_of_its_type(package: str, reader: None, tmp_path: Path) -> None:
    """For the Grafana of the stack, and for the oldest one that docs/own-influx.md names."""
    assert compiled(tmp_path, typed(), package) == ""
    wrong = typed() + '\nexport const wrong: Loose<Table.FieldConfig> = {"colour": "red"};'
    assert "colour" in compiled(tmp_path, wrong, package)


def test_the_versions_of_grafana_are_those_that_are_run_and_named() -> None:
    packages = json.loads((ROOT / "tests/stack/reader/package.json").read_text())["dependencies"]
    oldest = packages["@grafana/schema-oldest"].rpartition("@")[2].rpartition(".")[0]
    assert f"Grafana {oldest} or newer" in (ROOT / "docs/own-influx.md").read_text()
    image = f"grafana/grafana:{packages['@grafana/data']}"
    assert image in (ROOT / "docker-compose.yml").read_text()


@each_board
def test_curves_are_marked_with_what_explains_them(path: Path) -> None:
    """Bars over days have no axis of time, on which Grafana could set a mark."""
    has_curves = any(panel["type"] == "timeseries" for panel in panels(path))
    notes = board(path)["annotations"]["list"]
    names = ["Values corrected", "No longer missing", "Outages", "Events of devices"]
    assert [note["name"] for note in notes] == (names if has_curves else [])
    assert all('AS "text"' in note["query"] and note["textColumn"] == "text" for note in notes)


@each_board
def test_ids_are_unique_and_the_board_brings_none_of_its_own(path: Path) -> None:
    document = board(path)
    assert document["id"] is None
    ids = [panel["id"] for panel in document["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels(path):
        refs = [target["refId"] for target in panel.get("targets", ())]
        assert len(set(refs)) == len(refs)


@each_board
def test_panels_do_not_overlap(path: Path) -> None:
    taken: dict[tuple[int, int], int] = {}
    for panel in board(path)["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["id"]) == panel["id"], panel["title"]


@each_board
def test_every_query_goes_to_the_data_source_that_was_chosen(path: Path) -> None:
    for panel in panels(path):
        if panel["type"] == "text":
            continue
        assert panel["datasource"] == DATASOURCE, panel["title"]
        assert all(target["datasource"] == DATASOURCE and target["rawQuery"] for target in panel["targets"])
    variables = board(path)["templating"]["list"]
    assert [variable["name"] for variable in variables][:1] == ["datasource"]
    assert all(variable["datasource"] == DATASOURCE for variable in variables if variable["type"] == "query")
    assert "__inputs" not in board(path)
    assert "${DS_" not in path.read_text()


@each_board
def test_every_panel_says_what_it_shows_and_in_which_unit(path: Path) -> None:
    for panel in panels(path):
        assert len(panel.get("description", "")) > 40, panel["title"]
        if panel["type"] == "text":
            continue
        defaults = panel["fieldConfig"]["defaults"]
        units = [defaults["unit"]]
        for override in panel["fieldConfig"]["overrides"]:
            units += [each["value"] for each in override["properties"] if each["id"] == "unit"]
        assert all(unit in UNITS or unit.startswith(("time:", "suffix:")) for unit in units), (panel["title"], units)
        assert defaults["thresholds"]["steps"][0]["value"] is None
        assert defaults["noValue"]


@each_board
def test_what_is_missing_stays_missing(path: Path) -> None:
    # Zeros that a condition leaves out again are not shown; and what the pipeline said last holds until it says more.
    counted = r'fill\(0\)( tz\(.[^)]*.\))?\) WHERE \\"\w+\\" > 0.5 AND \\"\w+\\" [<>] 0.5 '
    text = re.sub(counted, "", path.read_text())
    text = re.sub(r'last\(\\"coverage_ratio\\"\) [^;]{,200}\\"stream\\" fill\(previous\)', "", text)
    assert '"spanNulls": true' not in text
    assert not re.search(r"fill\((previous|linear|0)\)|integral\(", text)


@each_board
def test_transformations_are_known(path: Path) -> None:
    for panel in panels(path):
        assert {each["id"] for each in panel.get("transformations", ())} <= TRANSFORMATIONS


@each_board
def test_variables_that_are_used_exist_and_nothing_names_a_site(path: Path) -> None:
    document, text = board(path), path.read_text()
    names = {variable["name"] for variable in document["templating"]["list"]}
    used = set(re.findall(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)", re.sub(r"\$(?=__|tag_|col|\d)", "", text)))
    assert {first or second for first, second in used} - BUILT_IN <= names
    assert not re.search(r"['\"=]\d{6,7}['\"]", text), "a number of a system"
    assert document["timezone"] == ""


@each_board
def test_where_the_data_come_from_is_said_at_the_top(path: Path) -> None:
    """In the demonstration the data source is called SIMULATED DATA."""
    first = panels(path)[0]
    assert first["type"] == "text"
    assert "${datasource:text}" in first["options"]["content"]


def provisioned(name: str) -> Any:
    return yaml.safe_load((ROOT / "grafana" / name).read_text())


def test_what_is_of_all_systems_counts_no_home_beside_them() -> None:
    """A home has rows under its name: their sums stand beside those of its systems."""
    for path in FILES:
        for panel in panels(path):
            for target in panel.get("targets", ()):
                text = target.get("query", "")
                of_energy = re.search(r'FROM "(energy|energy_daily|energy_monthly|money|money_daily)"', text)
                if of_energy or 'count("label")' in text:
                    assert "${system:raw}" in text or '"system" =~ /^[0-9]+$/' in text, (panel["title"], text)


def test_the_data_source_of_the_stack_may_only_read_and_holds_no_secret() -> None:
    (source,) = provisioned("provisioning/datasources/enphase.yaml")["datasources"]
    assert source["isDefault"] is True
    assert source["editable"] is False
    assert source["user"] == "grafana"
    assert source["secureJsonData"] == {"password": "$__file{/run/secrets/influxdb_grafana_password}"}


def test_the_drop_in_does_not_become_the_default() -> None:
    """Two defaults stop Grafana from starting; a notification policy would replace all there are."""
    (source,) = provisioned("drop-in/provisioning/datasources/enphase.yaml")["datasources"]
    assert source["isDefault"] is False
    assert not (ROOT / "grafana/drop-in/provisioning/alerting").exists()
    text = (ROOT / "grafana/drop-in/provisioning/datasources/enphase.yaml").read_text()
    assert "${" not in text


def test_boards_are_in_a_folder_of_their_own_and_mounted_where_they_are_looked_for() -> None:
    (provider,) = provisioned("provisioning/dashboards/enphase.yaml")["providers"]
    assert provider["folder"] == "Enphase"
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in compose["volumes"]
    home = compose["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/now.json"


def test_alert_rules_are_whole() -> None:
    rules = boards.rules()
    assert len({rule["uid"] for rule in rules}) == len(rules) >= 6
    for rule in rules:
        query, reduce, threshold = rule["data"]
        assert rule["condition"] == threshold["refId"] == "C"
        assert (reduce["model"]["expression"], threshold["model"]["expression"]) == ("A", "B")
        assert query["datasourceUid"] == "enphase"
        assert query["relativeTimeRange"]["from"] > 0
        assert "`" in rule["annotations"]["summary"] or "board" in rule["annotations"]["summary"], "what to do"


def test_alert_rules_hold_no_dollar_sign() -> None:
    """Grafana takes it for a variable of its environment, in queries too."""
    assert "$" not in boards.RULES.read_text()


def test_an_alert_leads_to_the_panel_that_shows_what_it_is_about() -> None:
    shown = {
        (board(path)["uid"], panel["id"]): " ".join(target["query"] for target in panel.get("targets", ()))
        for path in FILES
        for panel in panels(path)
    }
    for rule in boards.rules():
        notes = rule["annotations"]
        queries = shown[notes["__dashboardUid__"], int(notes["__panelId__"])]
        judged = set(re.findall(r'"(\w+)"\)', rule["data"][0]["model"]["query"])) - {"newest"}
        assert judged, rule["title"]
        assert all(f'"{field}"' in queries for field in judged), rule["title"]


def share_a_folder(provider: dict[str, Any], group: dict[str, Any]) -> bool:
    """Rules name a folder by its title alone: one that boards name by a uid as well is another one to Grafana."""
    return provider["folder"] == group["folder"] and "folderUid" not in provider


@pytest.mark.parametrize("stack", ["provisioning", "drop-in/provisioning"])
def test_rules_and_boards_are_in_one_folder(stack: str) -> None:
    (provider,) = provisioned(f"{stack}/dashboards/enphase.yaml")["providers"]
    for group in provisioned("provisioning/alerting/rules.yaml")["groups"]:
        assert share_a_folder(provider, group)
        assert not share_a_folder({**provider, "folderUid": "enphase"}, group)


def test_the_contact_point_takes_its_address_from_the_environment() -> None:
    contact = provisioned("provisioning/alerting/contact.yaml")
    (receiver,) = contact["contactPoints"][0]["receivers"]
    assert receiver["settings"]["url"] == "${ALERT_WEBHOOK_URL}"
    assert contact["policies"][0]["receiver"] == contact["contactPoints"][0]["name"]
