"""The physics: what roofs yield and households draw, per day of UTC, from nothing but seed and time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import asin, atan2, cos, degrees, exp, pi, radians, sin
from random import Random
from zoneinfo import ZoneInfo

from ingest.simulator.noise import mix, unit

DAY = 86400
MICRO_STEP = 300
METER_STEP = 900
_J2000_NOON = 10957  # days from the epoch to 2000-01-01
_LOSSES = 0.82  # panel temperature, dirt, wiring, conversion
_CLIPPING = 0.95  # what the inverters pass on, as a share of the panels' size


def solar_position(day: int) -> tuple[float, float]:
    """Declination of the sun (radians) and equation of time (hours) at noon of a day since the epoch."""
    days = day - _J2000_NOON
    anomaly = radians(357.529 + 0.98560028 * days)
    mean = 280.459 + 0.98564736 * days
    longitude = radians(mean + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    tilt = radians(23.439)
    ascension = degrees(atan2(cos(tilt) * sin(longitude), cos(longitude)))
    return asin(sin(tilt) * sin(longitude)), ((mean - ascension + 180) % 360 - 180) / 15


def sun_heights(latitude: float, longitude: float, day: int, step: int) -> list[float]:
    """Sine of the sun's height in the middle of every interval of `step` seconds of the UTC day."""
    declination, equation = solar_position(day)
    fixed = sin(radians(latitude)) * sin(declination)
    swing = cos(radians(latitude)) * cos(declination)
    start = radians(longitude) + (equation - 12) * pi / 12
    turn = 2 * pi / DAY
    return [fixed + swing * cos(start + (at + step / 2) * turn) for at in range(0, DAY, step)]


_SLOTS = [(slot, int(slot / 12), slot / 12 % 1) for slot in range(DAY // MICRO_STEP)]
"""Every 5 minutes of a day: the hour they are in, and how much of it is over."""


def cloudiness(seed: int, day: int) -> list[float]:
    """Share of the sky covered, 0 to 1, in every 5 minutes of the day: weather, hours and gusts."""
    gust = Random(mix(seed, 3, day)).random  # noqa: S311 - weather needs to repeat, not to be secret
    today, tomorrow = unit(seed, 1, day), unit(seed, 1, day + 1)
    hours = [unit(seed, 2, day * 24 + hour) for hour in range(25)]
    change, steps = tomorrow - today, [after - before for before, after in pairwise(hours)]
    covers = [
        1.5 * (today + change * slot / 288) + 0.7 * (hours[hour] + steps[hour] * part) - 0.75 + 0.16 * (gust() - 0.5)
        for slot, hour, part in _SLOTS
    ]
    return [0.0 if cover < 0 else 1.0 if cover > 1 else cover for cover in covers]


def yields(seed: int, latitude: float, longitude: float, size_w: int, day: int) -> list[int]:
    """Energy of the roof in whole Wh for the 288 five-minute intervals of the UTC day."""
    heights = sun_heights(latitude, longitude, day, MICRO_STEP)
    if max(heights) <= 0:
        return [0] * len(heights)
    factor, most = size_w * _LOSSES * 1.098 / 12, size_w * _CLIPPING / 12
    return [
        int(min(factor * height * exp(-0.057 / height) * (1 - 0.78 * cover * cover), most) + 0.5)
        if height > 0.01
        else 0
        for height, cover in zip(heights, cloudiness(seed, day), strict=True)
    ]


def metered(seed: int, day: int, micro: list[int]) -> list[int]:
    """The same energy as a revenue-grade meter counts it: whole Wh per quarter hour, about 1 % less."""
    chance = Random(mix(seed, 4, day)).random  # noqa: S311 - as above
    return [int(sum(micro[i : i + 3]) * (0.987 + 0.006 * chance()) + 0.5) for i in range(0, len(micro), 3)]


def phases(seed: int, day: int, meter: Sequence[int]) -> tuple[list[float], list[int], list[int]]:
    """How a meter's quarter hours fall on two phases: Wh of the first, and the snapshots of both in W.

    Energies are multiples of 0.25 Wh, so that phases add up to the meter without rounding.
    """
    chance = Random(mix(seed, 7, day)).random  # noqa: S311 - as above
    first = [round(wh * (0.45 + 0.1 * chance()) * 4) / 4 for wh in meter]
    snapshots = [[int(2 * wh * (0.5 + chance())) for wh in meter] for _ in range(2)]
    return first, snapshots[0], snapshots[1]


def _curve(weekend: bool) -> list[float]:  # noqa: FBT001 - two curves, named where they are made
    """Mean draw in W of a household in the 96 quarter hours of a local day."""
    peaks = ((9.5, 2.0, 700), (13, 1.6, 500)) if weekend else ((7.2, 0.8, 850), (12.5, 1.0, 200))
    return [
        230 + sum(height * exp(-(((q / 4 - at) / width) ** 2)) for at, width, height in (*peaks, (19, 1.9, 1300)))
        for q in range(96)
    ]


_WORKDAY = _curve(weekend=False)
_WEEKEND = _curve(weekend=True)


def _quarters(zone: ZoneInfo, day: int) -> list[tuple[int, bool]]:
    """Which quarter hour of its local day each quarter hour of the UTC day is, and whether that is of a weekend."""
    begin, last = (datetime.fromtimestamp(at, UTC).astimezone(zone) for at in (day * DAY, (day + 1) * DAY - METER_STEP))
    if begin.utcoffset() == last.utcoffset():  # no change of the clock in between: they follow each other
        first = begin.hour * 4 + begin.minute // 15
        weekend = [(begin.weekday() + later) % 7 >= 5 for later in (0, 1)]
        return [(quarter % 96, weekend[quarter // 96]) for quarter in range(first, first + 96)]
    local = [datetime.fromtimestamp(day * DAY + slot * METER_STEP, UTC).astimezone(zone) for slot in range(96)]
    return [(at.hour * 4 + at.minute // 15, at.weekday() >= 5) for at in local]


def draws(seed: int, latitude: float, zone: ZoneInfo, size_w: int, day: int) -> list[int]:
    """Energy the household uses in whole Wh for the 96 quarter hours of the UTC day."""
    chance = Random(mix(seed, 5, day)).random  # noqa: S311 - as above
    season = 1 + 0.25 * cos(2 * pi * (day % 365.25 - 15) / 365.25) * (1 if latitude >= 0 else -1)
    scale = season * (0.7 + 0.6 * unit(seed, 6)) * max(size_w / 6000, 0.3) / 4
    used, burst = [], 0
    for quarter, weekend in _quarters(zone, day):
        usual = (_WEEKEND if weekend else _WORKDAY)[quarter]
        burst = burst - 1 if burst else int(chance() * 4) if chance() < usual / 30000 else 0
        appliance = 1900 if burst else 0
        used.append(int((usual * (0.8 + 0.4 * chance()) + appliance) * scale + 0.5))
    return used
