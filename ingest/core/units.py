"""Durations, and the end of time, in seconds."""

MINUTE, HOUR, DAY = 60, 3600, 86400
NOON = 12 * HOUR
"""After midnight."""
WEEK, YEAR = 7 * DAY, 365 * DAY
NEVER = 2**62
"""A moment that does not come, after every other (epoch s)."""
