"""The simulated systems of a first look: one is always in daylight, and each has a story."""

from dataclasses import replace
from datetime import timedelta

from ingest.simulator.site import Site

DAY = 86400
_PLACES = (
    ("Mesa Ranch", "US/Mountain", 35.1, -106.6, 7600, 20),
    ("Lake House", "Europe/Berlin", 47.7, 9.2, 5400, 15),
    ("Bay Terrace", "Australia/Sydney", -33.9, 151.2, 9900, 26),
)
"""About eight hours apart, so that the sun shines on one at any time of the year.

The first has a legacy zone name, as real replies do (7.1).
"""
_FIRST_ID = 700_001


def demo_sites(now: int, systems: int = 3, days: int = 14, seed: int = 1) -> list[Site]:
    """Systems with `days` days of intervals and two years of daily totals before `now` (epoch seconds).

    In every three: one reports on time, one often late, one was offline for a day within the last week.
    """
    return [_site(number, now, days, seed) for number in range(systems)]


def _site(number: int, now: int, days: int, seed: int) -> Site:
    round_, place = divmod(number, len(_PLACES))
    name, zone, latitude, longitude, size_w, modules = _PLACES[place]
    plain = Site(
        system_id=_FIRST_ID + number,
        name=name if round_ == 0 else f"{name} {round_ + 1}",
        timezone=zone,
        latitude=latitude,
        longitude=longitude + round_ % 3,
        size_w=size_w + 360 * (round_ + seed % 3),
        modules=modules + round_ + seed % 3,
        operational_at=0,
    )
    today = plain.local_date(now)
    site = replace(
        plain,
        operational_at=plain.midnight(today - timedelta(days=730)),
        history_from=plain.midnight(today - timedelta(days=days)),
    )
    if place == 1:
        return replace(site, late=0.15, partial=0.3)
    if place == 2:
        outage = plain.midnight(today - timedelta(days=min(3, days))) + 9 * 3600
        return replace(site, offline=((outage, outage + DAY),))
    return site
