"""How a stream is asked of every system alike: as the settings have it, and as the cloud was found to honour it."""

from dataclasses import replace
from typing import NamedTuple

from ingest.enphase import catalogue
from ingest.enphase.catalogue import PRODUCTION
from ingest.enphase.streams.base import Route, Stream
from ingest.plan.polling import Polling


class Way(NamedTuple):
    """The route, how often it is asked (s), and a longer window that may be tried (s; 0: none). `has_parts` says that a
    look may take several calls, `is_sunlit` that it has nothing to say at night.
    """

    route: Route
    every: int
    trial_reach: int
    has_parts: bool
    is_sunlit: bool


def way(stream: Stream, settings: Polling, honoured: int | None) -> Way:
    """That of a stream, of which the cloud honoured windows of `honoured` s when longer ones were tried."""
    route = stream.route(settings.version)
    every = settings.every(stream.name) if stream.name in catalogue.CADENCES else stream.every
    trial_reach = route.trial_reach if honoured is None else 0
    if honoured and route.trial_reach and honoured > route.reach:
        route = replace(route, reach=honoured)
    has_parts = bool(route.asks_each or (route.pages and route.pages.panels))
    return Way(route, every, trial_reach, has_parts, bool(stream.grain and PRODUCTION.keys() & stream.fields.keys()))
