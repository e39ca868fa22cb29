"""A quantity of a day that nothing says any more is withdrawn; the others of the day stay, and so does its month."""

from dataclasses import replace
from typing import Any

import pytest

from ingest.commit.changes import Changes, Loaded
from ingest.commit.decide import decide
from ingest.commit.plausible import TOO_MUCH, TOO_SMALL
from ingest.core.audit import Total
from ingest.core.point import decode_fields
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams.base import SystemInfo
from ingest.enphase.streams.site import SUMMARY
from ingest.fetch.worker import Outcome
from ingest.plan.state import OddRow
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
    assert decode_fields(changes.points.rows("energy_daily,system=1")[BEGIN])["date"] == "2026-06-29"


def test_what_a_total_of_the_vendor_says_stays() -> None:
    totals = {("1", "production", "2026-06-29"): Total(4800.0, final=True)}
    changes = told(metered(totals=totals), production_source="microinverters")
    fields = {"produced_wh": 4800.0, "produced_days": 1.0, "consumed_wh": 9600.0, "consumed_days": 1.0}
    assert day_and_month(changes) == [fields] * 2


def spiky(spikes: int, size_w: float | None = None) -> Loaded:
    """The same with some intervals of 5 kWh; `size_w` is what was said of the system so far."""
    loaded = metered()
    state = loaded.known
    info = {"production_source": "meter"} | ({"size_w": size_w} if size_w else {})
    state.systems["1"] = replace(state.systems["1"], info=info)
    key = "production_rgm,system=1"
    spikes_of = dict.fromkeys(QUARTERS[40 : 40 + spikes], "devices_reporting,energy_wh:1;5000;")
    return replace(loaded, rows={**loaded.rows, key: {**loaded.rows[key], **spikes_of}})


def made(changes: Changes) -> int:
    """The intervals in which anything was produced."""
    return sum("produced_wh" in decode_fields(row) for row in changes.points.rows("energy,system=1").values())


@pytest.mark.parametrize(("spikes", "size_w", "left"), [(1, 5000.0, 95), (4, 5000.0, 92), (4, 8000.0, 96)])
def test_a_size_that_becomes_known_takes_out_what_it_does_not_allow(spikes: int, size_w: float, left: int) -> None:
    changes = told(spiky(spikes), size_w=size_w)
    assert made(changes) == left
    assert len(changes.odd.get(("1", "rgm_stats"), {})) == 96 - left, "and it is named"
    assert not changes.odd.get(("1", "summary"))


@pytest.mark.parametrize("before", [None, 6.0, 5000.0])
def test_a_size_that_most_of_what_was_made_contradicts_withdraws_nothing(before: float | None) -> None:
    """Kilowatts for watts, or a new gateway that has found one of many panels."""
    loaded = spiky(0, before)
    if before == 6.0:
        loaded.known.odd["1", "rgm_stats"] = {(QUARTERS[0], TOO_MUCH): OddRow(TOO_MUCH, "", NOW, NOW)}
    changes = told(loaded, size_w=6.0)
    assert made(changes) == 96
    assert not changes.odd.get(("1", "rgm_stats"))
    named = {row.reason for row in changes.odd.get(("1", "summary"), {}).values()}
    assert named == (set() if before == 5000.0 else {TOO_SMALL})
    assert changes.systems["1"].info["size_w"] == 6.0, "as it was said"
    changes.apply(loaded.known)
    again = told(loaded, size_w=5000.0)
    assert again.systems["1"].size_w == 5000.0, "once it is right it counts"
    assert not again.odd.get(("1", "summary"))


def test_a_smaller_size_leaves_a_spike_out_and_all_else_in() -> None:
    loaded = spiky(1, 5000.0)
    loaded.known.odd["1", "rgm_stats"] = {(QUARTERS[40], TOO_MUCH): OddRow(TOO_MUCH, "", NOW, NOW)}
    changes = told(loaded, size_w=10.0)
    assert made(changes) == 95
    assert len(changes.odd["1", "rgm_stats"]) == 1
    assert changes.systems["1"].size_w == 5000.0


def test_a_day_that_nothing_is_left_of_is_a_row_without_fields() -> None:
    loaded = metered()
    rows = {**loaded.rows, "consumption,system=1": {}, "energy,system=1": dict.fromkeys(QUARTERS, "produced_wh:50;")}
    rows["energy_daily,system=1"] = {BEGIN: 'date="2026-06-29",produced_days=1.0,produced_wh=4800.0'}
    changes = told(replace(loaded, rows=rows), production_source="microinverters")
    assert changes.points.rows("energy_daily,system=1") == {BEGIN: ""}
    assert changes.points.rows("energy_monthly,system=1") == {NOW - 30 * DAY: ""}
