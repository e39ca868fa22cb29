"""A plant that falls behind is found on clear days, and bad weather is not taken for it."""

import math
import random
from datetime import date, timedelta

import pytest

from ingest.core.baseline import BEHIND, behind, is_clear

TODAY = date(2026, 7, 10)
LIFE = [TODAY - timedelta(days=at) for at in range(1, 800)]
LAST = [TODAY - timedelta(days=at) for at in (3, 2, 1)]


def season(day: date) -> float:
    """Energy of a clear day: twice as much at midsummer as at midwinter."""
    return 30_000 - 10_000 * math.cos((day.timetuple().tm_yday + 10) / 365 * 2 * math.pi)


def life(seed: int = 1, weather: float = 1.0, since: date = date(2030, 1, 1), share: float = 1.0) -> dict[date, float]:
    """Days of which a third is clear; from `since` on the plant makes a `share` of what it should."""
    rng = random.Random(seed)
    found = {}
    for day in LIFE:
        clouds = 1.0 if day in LAST or rng.random() < 0.35 else rng.uniform(0.2, 0.9)
        found[day] = season(day) * clouds * (share if day >= since else 1.0) * (weather if day in LAST else 1.0)
    return found


def curve(clouds: float = 0.0, height: float = 1000.0) -> list[float]:
    rng = random.Random(7)
    return [
        max(0.0, height * math.sin(math.pi * at / 50) * (1 - clouds * rng.random())) if at < 50 else 0.0
        for at in range(96)
    ]


@pytest.mark.parametrize(("powers", "expected"), [
    (curve(), True), (curve(height=300), True), (curve(0.6), False), (curve(0.2), False), ([0.0] * 96, False),
])  # fmt: skip
def test_a_clear_day_is_smooth_whatever_its_height(powers: list[float], *, expected: bool) -> None:
    assert is_clear(powers) == expected


def test_a_plant_as_ever_is_not_behind() -> None:
    for seed in range(20):
        assert behind(LAST, life(seed), [life(seed + 100)]) is None


def in_season(today: date, latitude: float, seed: int, share: float = 1.0) -> tuple[list[date], dict[date, float]]:
    """The last three clear days, a little hazy, and all days of a plant that makes a share of what it should for a
    month.
    """
    rng, found, last = random.Random(seed), {}, [today - timedelta(days=at) for at in (7, 4, 1)]
    for at in range(1, 800):
        day = today - timedelta(days=at)
        tilt = math.radians(latitude + 23.44 * math.cos((day.timetuple().tm_yday + 10) / 365.25 * 2 * math.pi))
        clear = day in last or rng.random() < 0.6
        sky = rng.uniform(0.88, 0.92) if day in last else rng.uniform(0.92, 1.0) if clear else rng.uniform(0.1, 0.9)
        found[day] = 30_000 * math.cos(tilt) * sky * (share if at < 30 else 1.0)
    return last, found


@pytest.mark.parametrize("latitude", [35, 48, 52, 58, -45])
def test_no_season_makes_a_plant_fall_behind(latitude: float) -> None:
    """Days grow shorter by a percent each day in autumn."""
    for month in range(1, 13):
        for seed in range(4):
            last, daily = in_season(date(2026, month, 25), latitude, seed)
            assert behind(last, daily, []) is None, (month, seed)


@pytest.mark.parametrize("month", range(1, 13))
def test_a_third_lost_is_found_in_every_season(month: int) -> None:
    found = [behind(*in_season(date(2026, month, 25), 48, seed, 0.66), []) for seed in range(4)]
    assert None not in found


@pytest.mark.parametrize("lost", [0.2, 0.33, 0.5])
def test_a_lost_string_is_found_against_its_own_season(lost: float) -> None:
    for seed in range(20):
        found = behind(LAST, life(seed, since=date(2026, 6, 1), share=1 - lost), [])
        assert found is not None
        assert found.share == pytest.approx(lost, abs=0.06)
        assert found.days == tuple(LAST)
        assert "season" in found.what


def test_what_the_neighbours_share_is_the_weather() -> None:
    haze = [life(seed, weather=0.75) for seed in (1, 1, 1)]
    assert behind(LAST, life(1, weather=0.75), []) is not None
    assert behind(LAST, life(1, weather=0.75), haze) is None


def test_a_young_plant_is_held_against_its_neighbours() -> None:
    young = {day: wh for day, wh in life(3, since=date(2026, 7, 1), share=0.7).items() if day > date(2026, 4, 15)}
    near = [life(3), life(3)]
    found = behind(LAST, young, near)
    assert found is not None
    assert found.what == "usual beside its neighbours"
    assert found.share == pytest.approx(0.3, abs=0.02)
    assert behind(LAST, young, []) is None, "without either nothing is said"


def test_less_than_three_days_or_less_than_the_limit_say_nothing() -> None:
    ill = life(5, since=date(2026, 6, 1), share=0.7)
    assert behind(LAST[-2:], ill, []) is None
    ill[LAST[0]] = season(LAST[0])
    assert behind(LAST, ill, []) is None
    assert behind(LAST, life(5, since=date(2026, 6, 1), share=1 - BEHIND + 0.07), []) is None
