"""The text for Prometheus is one that its own client reads."""

import re
from dataclasses import replace

import pytest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families

from ingest.report import Problem, Report, build_report, metrics
from tests.world import DAY, World
from tests.worlds import SITE

ODD = 'a "roof" \\ at C:\\new\nwith ä, {braces} and 太陽'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    world = World(tmp_path_factory.mktemp("metrics"), [SITE])
    world.run(DAY)
    report = build_report(world.settings, world.store.db, int(world.time.true))
    world.end()
    return report


def test_whatever_stands_in_a_name_or_a_remedy_is_read_again_as_it_was(made: Report) -> None:
    row = replace(made.systems[0], name=ODD)
    report = replace(made, systems=[row], problems=[Problem("zone", ODD, "", ODD)])
    text, kind = metrics.exposition(report, 0, "ingest")
    families = {family.name: family for family in text_string_to_metric_families(text.decode())}
    (info,), (problem,) = families["ingest_system_info"].samples, families["ingest_problem"].samples
    assert info.labels == {"system": row.system, "name": ODD, "timezone": row.timezone}
    assert problem.labels == {"kind": "zone", "subject": ODD, "remedy": ODD}
    assert kind == CONTENT_TYPE_LATEST


@pytest.mark.parametrize("power_w", [0.0, -3.5, 1e-7, 123_456_789.25, 1e22])
def test_a_number_is_read_again_as_it_was(made: Report, power_w: float) -> None:
    report = replace(made, systems=[replace(made.systems[0], power_w=power_w)])
    text = metrics.exposition(report, 0, "ingest")[0].decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert [sample.value for sample in families["ingest_system_power_watts"].samples] == [power_w]


def test_of_many_systems_each_has_its_samples_and_a_metric_its_own_together(made: Report) -> None:
    (row,) = made.systems
    many = [replace(row, system=str(number), power_w=number or None) for number in range(600)]
    text = metrics.exposition(replace(made, systems=many), 0, "ingest")[0].decode()
    assert len(re.findall("^# TYPE ingest_system_power_watts ", text, re.MULTILINE)) == 1
    families = {family.name: family for family in text_string_to_metric_families(text)}
    told = {at.labels["system"]: at.value for at in families["ingest_system_power_watts"].samples}
    assert told == {str(number): number for number in range(1, 600)}
    streams = {(at.labels["system"], at.labels["stream"]) for at in families["ingest_stream_up"].samples}
    assert streams == {(of.system, at.stream) for of in many for at in row.streams}
