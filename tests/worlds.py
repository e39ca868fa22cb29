"""Worlds that several tests begin from."""

from ingest.simulator import Site
from tests.world import DAY, START

SITE = Site(
    system_id=4242,
    name="Sunny <b>House</b>",
    timezone="Europe/Berlin",
    latitude=48.0,
    longitude=11.0,
    size_w=6000,
    modules=18,
    operational_at=START - 20 * DAY,
)
"""A plain house whose name would do harm on a page that does not take care."""
HOME = Site(
    system_id=8000,
    name="House",
    timezone="Europe/Berlin",
    latitude=52.0,
    longitude=13.0,
    size_w=6000,
    modules=16,
    operational_at=START - 40 * DAY,
)
"""A plain house."""
