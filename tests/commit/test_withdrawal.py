"""A quantity of a day that nothing says any more is withdrawn; the others of the day stay, and so does its month."""

from dataclasses import replace
from typing import Any

import pytest

from ingest.commit.changes import Changes, Loaded
from ingest.commit.decide import decide
from ingest.core.audit import Total
from ingest.core.point import decode_fields
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import SystemInfo
from ingest.enphase.streams.site import SUMMARY
from ingest.fetch.worker import Outcome
from tests.commit.test_decide import AT, NOW, known

BEGIN = NOW - 2 * DAY
QUARTERS = range(BEGIN, BEGIN + DAY, 900)
SERIES = ("production_micro", "production_rgm", "consumption", "energy", "energy_daily", "energy_monthly")
IDS = {f"{name},system=1": number for number, name in enumerate(SERIES)}
BOTH = "consumed_days=1.0,consumed_wh=9600.0"


def metered(produced: str = "produced_days=1.0,produced_wh=4800.0,", totals: Any = None) -> Loaded:
    """A day of a meter that was read wholly, with what was made of it; the microinverters began later."""
    state = known()
    state.systems["1"] = replace(state.systems["1"], info={"production_source": "meter", "size_w": 5000.0})
    state.coverage["1", "consumption"] = {6 * HOUR: (Span(BEGIN, BEGIN + DAY),)}
    state.coverage["1", "rgm_stats"] = {6 * HOUR: (Span(BEGIN, BEGIN + DAY),)}
    own = "self_consumed_days=1.0,self_consumed_wh=4800.0"
    rows = {
        "production_micro,system=1": {NOW - HOUR: "energy_wh:1;"},
        "production_rgm,system=1": dict.fromkeys(QUARTERS, "devices_reporting,energy_wh:1;50;"),
        "consumption,system=1": dict.fromkeys(QUARTERS, "devices_reporting,energy_wh:1;100;"),
        "energy,system=1": dict.fromkeys(QUARTERS, "consumed_wh,net_wh,produced_wh,self_consumed_wh:100;-50;50;50;"),
        "energy_daily,system=1": {BEGIN: f'{BOTH},date="2026-06-29",{produced}{own}'},
        "energy_monthly,system=1": {NOW - 30 * DAY: f'{BOTH},month="2026-06",{produced}{own}'},
    }
    return Loaded(state, rows, IDS, totals or {})


def told(loaded: Loaded, **fields: float | str) -> Changes:
    """What a summary changes."""
    info = SystemInfo("1", fields=fields)
    return decide(
        loaded,
        Outcome(Task("home", "1", SUMMARY, Span(0, 0), Purpose.SNAPSHOT), 1, Verdict(Kind.OK), systems=[info]),
        AT,
    )


def day_and_month(changes: Changes) -> list[dict[str, Any]]:
    rows = [next(iter(changes.points.rows(f"energy_{name},system=1").values())) for name in ("daily", "monthly")]
    return [{name: value for name, value in decode_fields(row).items() if isinstance(value, float)} for row in rows]


def test_production_of_a_meter_that_is_none_is_withdrawn_and_consumption_stays() -> None:
    changes = told(metered(), production_source="microinverters")
    assert day_and_month(changes) == [{"consumed_wh": 9600.0, "consumed_days": 1.0}] * 2
    assert BEGIN in changes.points.withdrawn["energy_daily,system=1"], "a delete, in every database"
    assert 'date="2026-06-29"' in changes.points.rows("energy_daily,system=1")[BEGIN]


def test_what_a_total_of_the_vendor_says_stays() -> None:
    totals = {("1", "production", "2026-06-29"): Total(4800.0, final=True)}
    changes = told(metered(totals=totals), production_source="microinverters")
    fields = {"produced_wh": 4800.0, "produced_days": 1.0, "consumed_wh": 9600.0, "consumed_days": 1.0}
    assert day_and_month(changes) == [fields] * 2


@pytest.mark.parametrize(("size_w", "counts"), [(100.0, True), (10.0, False)])
def test_a_size_that_becomes_known_takes_out_what_it_does_not_allow(size_w: float, counts: bool) -> None:  # noqa: FBT001
    changes = told(metered(), size_w=size_w)
    assert all(("produced_wh" in fields) is counts for fields in day_and_month(changes))
    odd = changes.odd.get(("1", "rgm_stats"), {})
    assert len(odd) == (0 if counts else 96), "and it is named"


def test_a_day_that_nothing_is_left_of_is_a_row_without_fields() -> None:
    loaded = metered()
    rows = {**loaded.rows, "consumption,system=1": {}, "energy,system=1": dict.fromkeys(QUARTERS, "produced_wh:50;")}
    rows["energy_daily,system=1"] = {BEGIN: 'date="2026-06-29",produced_days=1.0,produced_wh=4800.0'}
    changes = told(replace(loaded, rows=rows), production_source="microinverters")
    assert changes.points.rows("energy_daily,system=1") == {BEGIN: ""}
    assert changes.points.rows("energy_monthly,system=1") == {NOW - 30 * DAY: ""}
