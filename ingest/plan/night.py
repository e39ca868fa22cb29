"""When a stream is asked that is to be read before dawn."""

from ingest.core.backoff import lot
from ingest.core.days import ONE, date_at, midnight, zone
from ingest.core.units import HOUR, MINUTE

FIRST, WITHIN = 30 * MINUTE, 2 * HOUR
"""Seconds after local midnight from which on it is asked, and in how many from then: each at its own moment."""


def night_at(after: int, timezone: str, salt: str) -> int:
    """The first such moment from `after` on (epoch s)."""
    local, wait = zone(timezone), FIRST + int(WITHIN * lot(salt))
    day = date_at(after, local)
    found = (midnight(day + ahead * ONE, local) + wait for ahead in range(3))
    return next(at for at in found if at >= after)
