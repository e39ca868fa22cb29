"""What energy is worth: the examples of docs/money.md, and what each key of a tariff does."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingest.config import load
from ingest.core.money import daily, money
from ingest.core.tariff import Contract

DOCS = Path(__file__).parents[2] / "docs/money.md"
BERLIN = ZoneInfo("Europe/Berlin")
EXAMPLES = re.findall(r"### ([\w ]+)\n.*?```yaml\n(.*?)```\n\n(\|.*?)\n\n", DOCS.read_text(), re.DOTALL)
ALWAYS = {"from": "2025-01-01", "currency": "EUR"}


def contract(folder: Path, *tariffs: dict[str, Any]) -> Contract:
    file = folder / "c.yaml"
    file.write_text(json.dumps({"tariffs": tariffs}))
    return load(file, {}).contract("1")


def at(local: str) -> int:
    return int(datetime.fromisoformat(local).replace(tzinfo=BERLIN).timestamp())


def flows(imported: float = 0.0, exported: float = 0.0, consumed: float | None = None) -> dict[str, float]:
    """An interval as it was metered, from kWh."""
    used = imported if consumed is None else consumed
    return {"consumed_wh": 1000 * used, "imported_wh": 1000 * imported, "exported_wh": 1000 * exported}


def worth(tariffs: Contract, rows: dict[int, dict[str, float]]) -> dict[int, Any]:
    return {point.time: dict(point.fields) for point in money("1", tariffs, BERLIN, rows)}


def costs(tariffs: Contract, *times: str, imported: float = 1.0) -> list[Any]:
    """What a kWh costs at some local times, standing charge included."""
    found = worth(tariffs, {at(time): flows(imported) for time in times})
    return [pytest.approx(found[at(time)]["cost"]) for time in times]


def test_the_docs_have_three_examples() -> None:
    assert [name for name, *_ in EXAMPLES] == ["One price", "Two rates", "Net metering"]


@pytest.mark.parametrize(("name", "text", "table"), EXAMPLES, ids=[name for name, *_ in EXAMPLES])
def test_an_example_of_the_docs(tmp_path: Path, name: str, text: str, table: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    found = worth(
        load(file, {}).contract("1"),
        {at(time): flows(float(bought), float(sold), float(used)) for time, used, bought, sold, *_ in rows},
    )
    assert len(rows) >= 2, name
    for time, _, _, _, *said in rows:
        fields = found[at(time)]
        assert [fields[name] for name in ("cost", "earned", "saved")] == pytest.approx([float(value) for value in said])


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([{"price": 2, "days": "sat, sun"}, {"price": 1}], [1, 1, 2, 2, 2]),
        ([{"price": 2, "days": "holiday"}, {"price": 1}], [1, 1, 1, 1, 2]),
        ([{"price": 2, "days": "fri-sun"}, {"price": 1}], [2, 2, 2, 2, 2]),
        ([{"price": 2, "hours": "22:00-06:00"}, {"price": 1}], [1, 2, 1, 1, 1]),
        ([{"price": 2, "hours": "12:00-12:15, 23:00-24:00"}, {"price": 1}], [2, 2, 2, 2, 2]),
        ([{"price": 2, "season": "nov-feb"}, {"price": 1}], [2, 2, 2, 1, 1]),
        ([{"price": 2, "season": "1 jun - 5 jul"}, {"price": 1}], [1, 1, 1, 2, 1]),
    ],
)
def test_when_a_price_holds(tmp_path: Path, rates: list[dict[str, Any]], expected: list[float]) -> None:
    tariffs = contract(tmp_path, {**ALWAYS, "import": rates, "holidays": ["2026-10-30"]})
    times = ["2026-01-02 12:00", "2026-01-02 23:00", "2026-01-03 12:00", "2026-07-05 12:00", "2026-10-30 12:00"]
    assert costs(tariffs, *times) == expected


def test_steps_are_of_the_month_and_an_interval_is_split_where_it_crosses_one(tmp_path: Path) -> None:
    tariffs = contract(tmp_path, {**ALWAYS, "import": [{"price": 0.1, "up_to": 2}, {"price": 0.3}]})
    times = ["2026-05-01 00:00", "2026-05-10 00:00", "2026-05-20 00:00", "2026-06-01 00:00"]
    found = worth(tariffs, {at(time): flows(1.5, consumed=3.0) for time in times})
    assert [found[at(time)]["cost"] for time in times] == pytest.approx([0.15, 0.05 + 0.3, 0.45, 0.15])
    without = [found[at(time)]["cost"] + found[at(time)]["saved"] for time in times]
    assert without == pytest.approx([0.2 + 0.3, 0.9, 0.9, 0.2 + 0.3]), "steps of the use without the sun are its own"


def test_a_tariff_that_changes_in_the_middle_of_a_day(tmp_path: Path) -> None:
    later = {**ALWAYS, "from": "2026-05-10 12:30", "import": 0.5}
    tariffs = contract(tmp_path, later, {**ALWAYS, "import": 0.2})
    assert costs(tariffs, "2026-05-10 12:15", "2026-05-10 12:30") == [0.2, 0.5]


def test_export_has_its_hours_days_seasons_and_holidays_too(tmp_path: Path) -> None:
    export = [
        {"price": 0.4, "days": "holiday"},
        {"price": 0.3, "season": "jun-aug", "days": "mon-fri", "hours": "16:00-21:00"},
        {"price": 0.2, "season": "1 jun - 31 aug"},
        {"price": 0.1},
    ]
    tariffs = contract(tmp_path, {**ALWAYS, "import": 1, "export": export, "tax": "50%", "holidays": ["07-14"]})
    times = {"2026-07-13 16:00": 0.3, "2026-07-13 21:00": 0.2, "2026-07-14 16:00": 0.4, "2026-09-01 16:00": 0.1}
    found = worth(tariffs, {at(time): flows(exported=1.0, consumed=0.0) for time in times})
    assert {time: found[at(time)]["earned"] for time in times} == pytest.approx(times), "and no tax"


def test_a_contract_is_of_a_system_or_a_home(tmp_path: Path) -> None:
    """One that is named has what names it; a home has the common one in place of its systems, which pay nothing."""
    file = tmp_path / "c.yaml"
    common, own, ranch = ({**ALWAYS, "import": price} for price in (1, 2, 3))
    homes = {"ranch": [5, 6], "farm": [7, 8]}
    tariffs = [common, {**own, "systems": [2, 8]}, {**ranch, "systems": ["ranch"]}]
    file.write_text(json.dumps({"tariffs": tariffs, "homes": homes}))
    settings = load(file, {})
    prices = {name: [tariff.imports[0].price for tariff in settings.contract(name)]
              for name in ("1", "2", "ranch", "5", "farm", "7", "8")}  # fmt: skip
    assert prices == {"1": [1], "2": [2], "ranch": [3], "5": [], "farm": [1], "7": [], "8": [2]}


def test_before_the_first_tariff_there_is_nothing(tmp_path: Path) -> None:
    tariffs = contract(tmp_path, {**ALWAYS, "from": "2026-05-10", "import": 0.5})
    assert list(worth(tariffs, {at("2026-05-09 23:45"): flows(1), at("2026-05-10 00:00"): flows(1)})) == [
        at("2026-05-10 00:00")
    ]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-05-10", 24), ("2026-10-25", 25)])
def test_the_standing_charge_of_a_day_is_whole_whatever_its_length(tmp_path: Path, day: str, hours: int) -> None:
    rates = [{"price": 2, "hours": "02:00-03:00"}, {"price": 1}]
    tariffs = contract(tmp_path, {**ALWAYS, "import": rates, "standing": 0.7})
    times = range(at(f"{day} 00:00"), at(f"{date.fromisoformat(day) + timedelta(days=1)} 00:00"), 900)
    found = worth(tariffs, {time: flows(0.25) for time in times})
    assert len(found) == 4 * hours
    dear = hours - 23  # the hour from 2 to 3 is left out in March, and comes twice in October
    assert sum(fields["cost"] for fields in found.values()) == pytest.approx(hours + dear + 0.7)
    (total,) = daily("1", BERLIN, {"cost": {time: fields["cost"] for time, fields in found.items()}})
    assert (total.time, total.fields["hours"]) == (times.start, hours)
    assert total.fields["cost"] == pytest.approx(hours + dear + 0.7)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"produced_wh": 3000.0, "consumed_wh": 1000.0}, {"cost": 0.0, "earned": 0.2, "saved": 0.3}),
        ({"produced_wh": 0.0, "consumed_wh": 1000.0}, {"cost": 0.3, "earned": 0.0, "saved": 0.0}),
        (
            {"produced_wh": 0.0, "consumed_wh": 1000.0, "charged_wh": 0.0, "discharged_wh": 800.0},
            {"cost": 0.06, "earned": 0.0, "saved": 0.24},
        ),
        ({"produced_wh": 3000.0}, {}),
        ({"produced_wh": 3000.0, "exported_wh": 2000.0}, {"earned": 0.2}),
        ({"imported_wh": 1000.0}, {"cost": 0.3}),
    ],
)
def test_only_what_follows_from_what_is_known(
    tmp_path: Path, known: dict[str, float], expected: dict[str, float]
) -> None:
    tariffs = contract(tmp_path, {**ALWAYS, "import": 0.3, "export": 0.1})
    found = worth(tariffs, {at("2026-05-10 12:00"): known})
    assert found == ({at("2026-05-10 12:00"): pytest.approx(expected)} if expected else {})


def test_net_metering_comes_to_the_bill_of_the_month(tmp_path: Path) -> None:
    """Whatever the order of the days: each price is netted for itself."""
    rates = [{"price": 0.4, "hours": "12:00-18:00"}, {"price": 0.2}]
    tariffs = contract(tmp_path, {**ALWAYS, "import": rates, "export": 0.05, "net": True})
    rows = {}
    for index in range(31 * 96):
        local = datetime.fromtimestamp(at("2026-05-01 00:00") + 900 * index, UTC)
        rows[int(local.timestamp())] = flows(0.1 + index % 7 / 10, index % 5 / (8 if index % 2 else 3))
    found = worth(tariffs, rows)
    bill = sum(fields["cost"] - fields["earned"] for fields in found.values())
    expected = 0.0
    for price, inside in ((0.4, True), (0.2, False)):
        band = [
            row
            for time, row in rows.items()
            if (12 <= datetime.fromtimestamp(time, UTC).astimezone(BERLIN).hour < 18) == inside
        ]
        net = sum(row["imported_wh"] - row["exported_wh"] for row in band) / 1000
        expected += price * net if net > 0 else 0.05 * net
    assert bill == pytest.approx(expected)
    assert all(one < other for one, other in pairwise(found))
