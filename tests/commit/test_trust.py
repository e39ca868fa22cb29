"""What the cloud says of times, refusals and devices is evidence: it never costs data that show otherwise."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ingest.commit.changes import Loaded
from ingest.commit.decide import decide
from ingest.core.point import Point
from ingest.core.span import Span
from ingest.core.units import DAY
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Lifetime, SystemInfo
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch.worker import Outcome
from tests.commit.test_decide import AT, NOW, TAG, known, outcome, used

LATE = NOW - 3 * DAY


def listed(at: int | None) -> Outcome:
    task = Task("home", "@home", SYSTEMS, Span(0, 0), Purpose.SNAPSHOT)
    return Outcome(task, 1, Verdict(Kind.OK), systems=[SystemInfo("1", timezone="UTC", operational_at=at)])


def totals(*values: float | None) -> Outcome:
    task = Task("home", "1", BY_NAME["energy_lifetime"], Span(0, 0), Purpose.SNAPSHOT)
    life = Lifetime(date(2026, 6, 20), {"production": list(values)})
    return Outcome(task, 1, Verdict(Kind.OK), lifetime=life, operational_at=LATE, date_at=NOW)


OF_BEFORE = [Point("consumption", TAG, LATE - DAY, {"energy_wh": 5.0})]
DARK = [Point("consumption", TAG, LATE - DAY, {"energy_wh": 0.0})]


@pytest.mark.parametrize(
    ("heard", "began"),
    [
        (listed(NOW + 30 * DAY), LATE),
        (listed(LATE - 9 * DAY), LATE - 9 * DAY),
        (listed(NOW - DAY), LATE),
        (listed(None), LATE),
        (outcome(points=used(NOW - DAY), operational_at=NOW + 30 * DAY), LATE),
        (outcome(points=OF_BEFORE, operational_at=LATE), LATE - DAY),
        (outcome(points=DARK, operational_at=LATE), LATE),
        (totals(0.0, None, 7.0), NOW - 9 * DAY),
        (totals(0.0, None), LATE),
    ],
)
def test_a_system_began_no_later_than_its_first_energy(heard: Outcome, began: int) -> None:
    state = known(floor=1)
    state.systems["1"] = replace(state.systems["1"], operational_at=LATE)
    assert decide(Loaded(state), heard, AT).systems["1"].operational_at == began


@pytest.mark.parametrize("heard", [listed(NOW + DAY), outcome(points=used(NOW - DAY), operational_at=NOW + DAY)])
def test_a_beginning_that_is_to_come_is_unknown(heard: Any) -> None:
    assert decide(Loaded(known(floor=1)), heard, AT).systems["1"].operational_at is None


def test_what_a_live_call_left_out_after_a_refusal_is_asked_for_by_itself() -> None:
    today = outcome(points=used(NOW - 900), window=Span(NOW - 900, NOW), reported_at=NOW)
    denied = known(floor=1, state=Kind.DENIED.value, fails=1, reason="HTTP 404: words")
    changes = decide(Loaded(denied), today, AT)
    assert changes.pair("1", "consumption").state == ""
    (left,) = changes.deferred["1", "consumption"]
    assert (left.span.end, left.fails, left.reason) == (NOW - 900, 1, "HTTP 404: words")
