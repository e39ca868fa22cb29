"""When gateways speak and when the sun shines: learned from what was seen."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.core.point import Point
from ingest.core.table import tables_of
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.plan.coverage import Advance
from ingest.plan.pacing import DAYLIGHT_MARGIN, EVEN, LONGEST_REST, Daylight, Group, awake_seconds, calls, fit, rest_at
from ingest.plan.profile import NEW_PROFILE, from_json, to_json
from ingest.plan.rhythm import NO_RHYTHM, Rhythm, look, look_from, next_look
from ingest.plan.windows import history_count, history_windows
from ingest.plan.work import Work
from tests.plan.test_planner import CLASSES, NOW, works

WEEK = 7 * DAY


def learn(period: int, every: int, days: int = 3, jitter: int = 0, seed: int = 1) -> tuple[Rhythm, list[Advance], int]:
    """Look every `every` s at a gateway that uploads every `period` s, a little late at times; then as was learned."""
    rng = random.Random(seed)
    uploads = [NOW - 2 * period + i * period + rng.randint(0, jitter) for i in range(days * DAY // period + 4)]
    rhythm, now, vain = NO_RHYTHM, NOW, 0
    log: list[Advance] = []
    while now < NOW + days * DAY:
        reported = max(at for at in uploads if at <= now)
        is_new = not log or reported > log[-1].reported_at
        vain += not is_new and now > NOW + DAY
        if is_new:
            log.append(Advance(now, reported))
        rhythm = look(rhythm, log, now, is_new=is_new)
        now = max(now + 60, next_look(rhythm, log[-1].reported_at, now, every, "pair"))
    return rhythm, log, vain


@pytest.mark.parametrize("jitter", [0, 40])
@pytest.mark.parametrize("every", [900, 2700, 3 * HOUR])
@pytest.mark.parametrize("period", [900, 6 * HOUR])
def test_the_rhythm_is_learned_and_then_hardly_a_look_is_in_vain(period: int, every: int, jitter: int) -> None:
    rhythm, log, vain = learn(period, every, jitter=jitter)
    assert rhythm.period == period
    assert vain <= 0.15 * len(log)


def test_a_gateway_without_a_rhythm_is_asked_at_its_cadence() -> None:
    assert next_look(NO_RHYTHM, NOW - 100, NOW, 1234.5, "pair") == NOW + 1234
    assert next_look(Rhythm(900), None, NOW, 900, "pair") == NOW + 900


@settings(max_examples=20)
@given(st.integers(0, 899), st.floats(900, 12 * HOUR), st.text(max_size=3))
def test_looks_come_after_uploads_and_at_the_wanted_mean(phase: int, cadence: float, salt: str) -> None:
    rhythm, reported, asked, count = Rhythm(900), NOW + phase, NOW + phase + 30, 0
    while asked < NOW + 1000 * cadence:
        asked = next_look(rhythm, reported, asked, cadence, salt)
        reported = asked - 30
        assert (asked - phase - 30 - NOW) % 900 == 0
        count += 1
    assert count == pytest.approx(1000, rel=0.06)


def test_another_streams_look_does_not_shift_this_ones() -> None:
    rhythm, asked = Rhythm(900), NOW + 30
    assert next_look(rhythm, NOW, asked, 12 * 900, "pair") == next_look(rhythm, NOW + 9 * 900, asked, 12 * 900, "pair")


@given(st.integers(0, 10**6), st.integers(0, 899))
def test_the_next_upload_is_less_than_a_period_away(at: int, phase: int) -> None:
    assert at <= look_from(Rhythm(900), phase, at) < at + 900


def test_a_silence_is_longer_than_a_rhythm() -> None:
    assert Rhythm(900).silent_after == 2 * HOUR
    assert Rhythm(6 * HOUR).silent_after == 8 * HOUR
    assert not Rhythm(6 * HOUR, waits=(6 * HOUR,)).was_silent
    assert Rhythm(900, waits=(30, 5 * HOUR)).was_silent


def test_what_the_cloud_shows_late_is_looked_for_later() -> None:
    log = [Advance(NOW, NOW - 10), Advance(NOW + 1500, NOW + 890)]
    assert look(Rhythm(900, looked_at=NOW + 1200), log, NOW + 1500, is_new=True).late == 310
    assert look(Rhythm(900, looked_at=NOW + 100), log, NOW + 1500, is_new=True).late == 0


def test_what_is_uploaded_late_is_looked_for_later() -> None:
    log = [Advance(NOW, NOW - 10), Advance(NOW + 1500, NOW + 950)]
    assert look(Rhythm(900, looked_at=NOW + 920), log, NOW + 1500, is_new=True).late == 60


# ── light ─────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, DAY), st.integers(0, DAY), st.integers(-3 * DAY, 3 * DAY))
def test_a_rest_is_never_longer_than_twenty_hours_and_never_by_day(first: int, length: int, at: int) -> None:
    light = Daylight(NOW + first, NOW + first + length)
    rest = rest_at(light, NOW + at)
    awake = awake_seconds(light)
    assert DAY - LONGEST_REST <= awake <= DAY
    if rest is None:
        return
    assert rest.start <= NOW + at < rest.end
    assert rest.end - rest.start == DAY - awake <= LONGEST_REST
    days = (rest.start - light.last) // DAY
    assert rest.start >= light.last + days * DAY + DAYLIGHT_MARGIN or length + 2 * DAYLIGHT_MARGIN >= DAY
    assert rest.end <= light.first + (days + 1) * DAY - DAYLIGHT_MARGIN


def _produced(start: int, end: int) -> list[Point]:
    return [Point("production_micro", (("system", "1"),), at, {"energy_wh": 5.0}) for at in range(start, end, 300)]


def test_the_light_of_yesterday_is_taken_from_points() -> None:
    today = NOW - NOW % DAY
    profile = NEW_PROFILE.saw(tables_of(_produced(today - 18 * HOUR, today - 6 * HOUR)), 0)
    for wh in (0.0, -1.0):
        dark = [Point("production_micro", (), today - 20 * HOUR, {"energy_wh": wh})]
        assert profile.saw(tables_of(dark), 0) is profile
    assert profile.daylight(today + HOUR, 0) == Daylight(today - 18 * HOUR, today - 6 * HOUR)
    longer = profile.saw(tables_of(_produced(today + 6 * HOUR, today + 19 * HOUR)), 0)
    assert longer.daylight(today + 20 * HOUR, 0) == Daylight(today - 18 * HOUR, today - 5 * HOUR)
    assert NEW_PROFILE.daylight(NOW, 0) is None


def test_a_profile_survives_being_stored() -> None:
    profile = NEW_PROFILE.saw(tables_of(_produced(NOW, NOW + HOUR)), -7 * HOUR)
    for known in (profile, replace(profile, size_w=0.0), replace(profile, size_w=6000.0)):
        assert from_json(json.loads(json.dumps(to_json(known)))) == known
    assert from_json({}) == NEW_PROFILE


# ── pace ──────────────────────────────────────────────────────────────────────────────────────────────

groups = st.dictionaries(
    st.builds(
        Group,
        st.sampled_from([300, 900, 3600, DAY, WEEK]),
        st.sampled_from([0, 900, 6 * HOUR]),
        st.sampled_from([4 * HOUR, 14 * HOUR, DAY]),
    ),
    st.integers(1, 5000),
    max_size=6,
)


@given(groups, st.floats(1, 10**6))
def test_the_pace_fits_and_is_no_slower_than_it_must_be(kinds: dict[Group, int], per_day: float) -> None:
    factors = fit(kinds, per_day)
    assert factors.stretch >= 1
    assert factors.slow >= DAY
    assert calls(kinds, factors) <= per_day * 1.001 or factors.stretch >= 1e5 or factors.slow >= 1e5 * DAY
    if calls(kinds, EVEN) <= per_day:
        assert factors == EVEN


@pytest.mark.parametrize(("per_day", "every"), [(60, DAY), (12, DAY), (10, WEEK), (5, WEEK)])
def test_what_is_asked_daily_becomes_weekly_where_live_polling_is_slower_than_every_four_hours(
    per_day: float, every: int
) -> None:
    house = {Group(900): 1, Group(DAY): 4, Group(WEEK): 1}
    factors = fit(house, per_day)
    assert factors.slow == every
    assert Group(WEEK).cadence(factors) == WEEK, "what is asked weekly anyhow stays so"
    assert calls(house, factors) == pytest.approx(per_day)


@given(works())
def test_windows_are_counted_as_they_would_be_made(pair: Work) -> None:
    assert history_count(pair, NOW, CLASSES) == len(list(history_windows(pair, NOW, CLASSES)))


@pytest.mark.parametrize("late", [0, 7 * MINUTE])
def test_a_look_that_was_late_does_not_shift_the_next(late: int) -> None:
    assert next_look(Rhythm(900), NOW, NOW + 30 + late, 900, "pair") == NOW + 930
