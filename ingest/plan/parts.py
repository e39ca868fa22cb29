"""How many calls one look at a stream takes: pages of panels, or one call a device. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ingest.enphase.streams import STREAMS
from ingest.enphase.streams.base import Route
from ingest.plan.state import NO_METER, Pair, SystemRow


def devices(route: Route, row: SystemRow | None) -> tuple[str, ...]:
    """The serial numbers of the devices that are asked one by one; empty where all answer together."""
    return row.profile.serials.get(route.asks_each, ()) if row and route.asks_each else ()


def calls(route: Route, row: SystemRow | None) -> int:
    """How many calls a look takes, as far as is known."""
    if route.asks_each:
        return max(1, len(devices(route, row)))
    panels = row.info.get("modules") if row and route.pages and route.pages.panels else None
    if route.pages is None or not isinstance(panels, float) or panels <= 0:
        return 1
    return max(1, -int(-panels // route.pages.panels))


def looks(rows: Iterable[SystemRow | None], version: str) -> Mapping[str, float]:
    """The calls that a look takes on average of some systems, of the streams of which it may take several."""
    known = [row for row in rows if row is not None]
    routes = {stream.name: stream.route(version) for stream in STREAMS if stream.is_served(version)}
    return {
        name: sum(calls(route, row) for row in known) / len(known)
        for name, route in routes.items()
        if known and (route.asks_each or (route.pages and route.pages.panels))
    }


def lacking(pair: Pair, route: Route, row: SystemRow | None) -> Pair:
    """A pair of which nothing can be asked, because the cloud lists no such device, says so."""
    if not route.asks_each or devices(route, row) or not row or route.asks_each not in row.profile.serials:
        return pair
    reason = f"the cloud lists no {words(route.asks_each)} for this system; looked for every week"
    return replace(pair, state=NO_METER, reason=reason)


def words(kind: str) -> str:
    """A kind of device in words."""
    return {"ev_charger": "EV charger", "evse": "EV charger of another maker"}.get(kind, kind.replace("_", " "))
