"""WHEN: moments and ranges as a user writes them on the command line."""

from collections.abc import Iterable
from datetime import timedelta

import click

from ingest.config import When
from ingest.core.days import zone

WHEN = "WHEN"
"""A date (a local day of the system), an age such as 7d or 2y, or all."""


def moment(text: str | None, timezone: str, now: int, *, end: bool = False) -> int | None:
    """WHEN as epoch seconds in the zone of a system; a day that is an `end` is included. Raises `UsageError`."""
    if text is None:
        return None
    try:
        when = When.parse(text)
    except ValueError as error:
        raise click.UsageError(f"{text!r} {error}") from None
    if end and when.day is not None:
        when = When(day=when.day + timedelta(days=1))
    return now if end and text == "all" else when.at(now, zone(timezone).key)


def check_range(since: str | None, until: str | None, zones: Iterable[str], now: int) -> None:
    """Raise `UsageError` where nothing can lie between the two, by the clock of any of the zones."""
    spans = [
        (moment(since, timezone, now) or 0, moment(until, timezone, now, end=True)) for timezone in {*zones} or {""}
    ]
    if all(begin > now for begin, _ in spans):
        raise click.UsageError(f"--since {since} is in the future; name a day that has begun, or an age such as 7d")
    if all(end is not None and begin >= end for begin, end in spans):
        raise click.UsageError(
            f"--until {until} is not after --since {since}, so nothing lies between; an age counts back from now"
        )
