"""Alert rules as Grafana evaluates them: real answers of the database through its own libraries."""

import re
from typing import Any

import pytest

from tests.stack import boards
from tests.stack.reading import run, told
from tests.stack.seed import ALL, NOW, Seeded
from tests.world import DAY

EVERY = {str(site.system_id) for site in ALL}
SHORT_SIGHTED = (
    'SELECT count("produced_wh") FROM "energy" WHERE time > now() - 8d AND time <= now() '
    'GROUP BY time(12h), "system" fill(0) ORDER BY time DESC LIMIT 3'
)
"""The former query of the rule "No new data", which looks no further back than eight days."""
Told = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def now(reader: None, seeded: Seeded) -> Told:
    return told(seeded)


def systems(told: Told, title: str) -> set[str]:
    """The systems, accounts or sinks for which a rule fires."""
    return {" ".join(one["labels"].values()) for one in told[title] if one["fires"]}


def test_rules_fire_when_they_should_and_only_then(now: Told) -> None:
    assert systems(now, "Audit difference") == EVERY
    firing = {title for title in now if systems(now, title)}
    assert firing == {"Audit difference"}
    silent = {title for title, series in now.items() if not series}
    assert silent == set(), "each rule judges something"


@pytest.mark.parametrize("days", [2, 9, 30, 300])
def test_no_new_data_stays_until_data_come(days: int, reader: None, seeded: Seeded) -> None:
    assert systems(told(seeded, NOW + days * DAY), "No new data") == EVERY


def test_a_rule_that_looks_back_eight_days_ends_by_itself(reader: None, seeded: Seeded) -> None:
    """What the rule once did: after nine days there is no series left that could fire."""
    (rule,) = [rule for rule in boards.rules() if rule["title"] == "No new data"]
    answers = seeded.server.execute(SHORT_SIGHTED.replace("now()", f"{NOW + 9 * DAY}s"), "enphase", "ms")
    assert run([{"rule": rule, "answers": answers}]) == [[]]


def test_a_silent_pipeline_is_an_alert(reader: None, seeded: Seeded) -> None:
    (rule,) = [rule for rule in boards.rules() if rule["title"] == "Pipeline is silent"]
    assert told(seeded, NOW + DAY)[rule["title"]] == []
    assert rule["noDataState"] == "Alerting"


def test_whoever_is_told_reads_whole_words_and_numbers(now: Told) -> None:
    texts = {one["text"] for series in now.values() for one in series}
    assert len(texts) > len(now)
    for text in texts:
        assert not re.search(r"\{\{|\[no value\]|undefined|NaN|null|\d\.\d{3,}|e\+", text), text
    assert {text.split()[1] for text in texts if text.startswith("System ")} == EVERY
    assert not [text for text in texts if re.search("module|microinverter", text)], "a panel is called a panel"
    assert "The authorization of account home lapses in 21 days." in " ".join(texts)
