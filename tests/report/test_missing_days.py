"""The days that are missing, as the databases are told of them."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ingest.core.days import midnight, zone
from ingest.core.units import DAY, HOUR
from ingest.report import build_report
from ingest.report.gaps import NOT_DUE, WAITING
from ingest.report.missing_days import (
    REFUSED,
    TODAY,
    WAITS,
    gap_days,
    gap_reason,
    gap_why,
    lost_days,
    missing_days,
)
from ingest.report.model import Gap, RefusedReport, StreamReport
from ingest.report.own_points import points
from tests.worlds import SITE, lived

BERLIN = "Europe/Berlin"
NOON = midnight(date(2026, 10, 28), zone(BERLIN)) + 12 * HOUR
NEVER = "never delivered: asked 4 times in vain (HTTP 500), again in 3 h"


def at(day: int, hour: int = 0) -> int:
    return midnight(date(2026, 10, day), zone(BERLIN)) + hour * HOUR


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> StreamReport:
    world = lived(tmp_path_factory.mktemp("missing"), [SITE], DAY)
    return build_report(world.settings, world.store.db, int(world.time.true)).systems[0].streams[0]


def test_they_are_named_by_the_calendar_of_the_system(stream: StreamReport) -> None:
    gaps = [Gap(at(first), at(last), NEVER) for first, last in ((3, 6), (20, 21), (25, 26))]
    told = replace(stream, gaps=gaps)
    assert gap_days(told, BERLIN, NOON) == "2026-10-03 to 2026-10-05, 2026-10-20 and 1 more"
    assert missing_days(told, BERLIN, NOON) == 5
    assert gap_days(replace(stream, gaps=gaps[1:2]), BERLIN, NOON) == "2026-10-20"


def test_what_waits_for_the_gateway_or_is_not_yet_due_is_not_missing(stream: StreamReport) -> None:
    told = replace(stream, gaps=[Gap(at(3), at(6), WAITING), Gap(at(8), at(9), NOT_DUE)])
    assert (gap_days(told, BERLIN, NOON), gap_reason(told), gap_why(told)) == ("", "", "")
    assert missing_days(told, BERLIN, NOON) == 0


def test_the_day_that_runs_is_no_missing_day(stream: StreamReport) -> None:
    told = replace(stream, gaps=[Gap(at(26), at(28, 9), "will be read")])
    assert gap_days(told, BERLIN, NOON) == "2026-10-26 to 2026-10-27"
    assert missing_days(told, BERLIN, NOON) == 2
    told = replace(stream, gaps=[Gap(at(28, 3), at(28, 9), "will be read")])
    assert (gap_days(told, BERLIN, NOON), missing_days(told, BERLIN, NOON)) == (TODAY, 0)


def test_days_that_are_refused_are_counted_among_the_missing_ones(stream: StreamReport) -> None:
    begin = at(20)
    refused = [
        RefusedReport(begin, begin + 2 * DAY, "", "HTTP 500", 4, 0, is_alone=False),
        RefusedReport(begin + HOUR, begin + 2 * HOUR, "", "HTTP 500", 9, 0, is_alone=True),
        RefusedReport(begin + 5 * DAY, begin + 6 * DAY, "", "HTTP 500", 3, 0, is_alone=True),
    ]
    gaps = [Gap(entry.start, entry.end, NEVER) for entry in refused]
    told = replace(stream, refused=refused, gaps=gaps)
    assert lost_days(told, BERLIN, NOON) == 2, "of the third it is not known yet whether it stays"
    assert missing_days(told, BERLIN, NOON) >= 3


def test_why_in_words_that_do_not_change_by_the_hour(stream: StreamReport) -> None:
    waits = replace(stream, gaps=[Gap(at(3), at(6), "not read yet")])
    assert gap_why(waits) == WAITS
    found = {}
    for fails in (3, 4):
        refused = [RefusedReport(at(9), at(10), "", "HTTP 500", fails, 0, is_alone=True)]
        found[fails] = gap_why(replace(waits, gaps=[*waits.gaps, Gap(at(9), at(10), NEVER)], refused=refused))
    assert found == {3: f"not delivered, {WAITS}", 4: f"{REFUSED}, {WAITS}"}
    assert gap_why(replace(stream, gaps=[Gap(at(3), at(6), "denied: no such scope")])) == "not allowed"


def test_since_when_a_stream_is_wanted_is_said_by_the_day(tmp_path: Path) -> None:
    world = lived(tmp_path, [SITE], DAY)
    made = build_report(world.settings, world.store.db, int(world.time.true))
    told = [point.fields for point in points(made, "abc") if ("system", str(SITE.system_id)) in point.tags]
    for fields, found in zip(told, made.systems[0].streams, strict=True):
        assert found.wanted_from is not None
        assert fields["wanted_from"] == SITE.local_date(found.wanted_from).isoformat() >= "2020"
