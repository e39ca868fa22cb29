"""What a panel made in a day, from the readings of two nights."""

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from ingest.commit.changes import Changes, Loaded
from ingest.commit.decide import decide
from ingest.core.days import midnight
from ingest.core.point import Point, decode_fields
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import SystemInfo
from ingest.enphase.streams.inverters import STREAM
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch.worker import Outcome
from tests.commit.test_decide import AT, NOW, known

TAGS = (("inverter", "9"), ("system", "1"))
READINGS, DAYS = "inverter,inverter=9,system=1", "inverter_daily,inverter=9,system=1"
NIGHT = NOW + HOUR
LIFE = 1_570_000.0


def read(*nights: float) -> Changes:
    """The newest of the readings of some nights; each comes an hour after midnight."""
    times = [NIGHT - DAY * back for back in reversed(range(len(nights)))]
    rows = {READINGS: {at: f"lifetime_wh:{wh:.0f};" for at, wh in zip(times[:-1], nights[:-1], strict=True)}}
    task = Task("home", "1", STREAM, Span(0, 0), Purpose.SNAPSHOT)
    points = [Point("inverter", TAGS, NIGHT, {"lifetime_wh": nights[-1]})]
    held = Loaded(known(), rows, {READINGS: 1})
    return decide(held, Outcome(task, 1, Verdict(Kind.OK), points=points, date_at=NIGHT), replace(AT, now=NIGHT))


def days(changes: Changes) -> dict[int, object]:
    return {at: decode_fields(row).get("produced_wh") for at, row in changes.points.rows(DAYS).items()}


@pytest.mark.parametrize(
    ("nights", "made"),
    [
        ((LIFE, LIFE + 900), 900.0),
        ((LIFE, LIFE), 0.0),
        ((LIFE, 0.0), None),
        ((LIFE, 0.0, LIFE + 900), None),
        ((8000.0, 0.0, 8900.0), None),
        ((0.0, 900.0), 900.0),
    ],
)
def test_a_reading_that_is_wrong_makes_no_day(nights: tuple[float, ...], made: float | None) -> None:
    changes = read(*nights)
    assert days(changes) == ({} if made is None else {NOW - DAY: made})
    assert not changes.odd


@pytest.mark.parametrize("nights", [(LIFE, 6e16), (0.0, LIFE), (0.0, 0.0, LIFE)])
def test_more_than_a_panel_can_make_is_no_day_and_is_named(nights: tuple[float, ...]) -> None:
    changes = read(*nights)
    assert days(changes) == {}
    (row,) = changes.odd["1", "inverters"].values()
    assert row.reason.startswith("two nights")


def test_days_of_another_zone_are_made_again_or_withdrawn() -> None:
    state, berlin = known(), ZoneInfo("Europe/Berlin")
    state.systems["1"] = replace(state.systems["1"], timezone="UTC")
    nights = {NOW - back * DAY - HOUR: f"lifetime_wh:{LIFE - back * 900:.0f};" for back in range(3)}
    rows = {READINGS: nights, DAYS: {NOW - back * DAY: "produced_wh:900;" for back in (1, 2, 3)}}
    task = Task("home", "@home", SYSTEMS, Span(0, 0), Purpose.SNAPSHOT)
    listed = Outcome(task, 1, Verdict(Kind.OK), systems=[SystemInfo("1", timezone="Europe/Berlin")])
    changes = decide(Loaded(state, rows, {READINGS: 1, DAYS: 2}), listed, AT)
    begins = [midnight(date(2026, 6, day), berlin) for day in (29, 30)]
    assert {at: wh for at, wh in days(changes).items() if wh is not None} == dict.fromkeys(begins, 900.0)
    assert changes.points.withdrawn[DAYS] == {NOW - back * DAY for back in (1, 2, 3)}
