"""How many calls one look at a stream takes: pages of panels, or one call a device. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ingest.enphase.streams import BY_NAME, STREAMS
from ingest.enphase.streams.base import Route, Stream
from ingest.enphase.streams.readers import MAX_SERIALS
from ingest.plan.state import NO_METER, Pair, SystemRow

AC_BATTERIES = {"battery": ": AC Batteries tell what they did all together"}
"""Why some of a kind cannot be asked one by one."""


def devices(route: Route, row: SystemRow | None) -> tuple[str, ...]:
    """The serial numbers of the devices that are asked one by one; empty where all answer together."""
    return row.profile.serials.get(route.asks_each, ())[:MAX_SERIALS] if row and route.asks_each else ()


def calls(route: Route, row: SystemRow | None) -> int:
    """How many calls a look takes, as far as is known."""
    if route.asks_each:
        return max(1, len(devices(route, row)))
    panels = row.info.get("modules") if row and route.pages and route.pages.panels else None
    if route.pages is None or not isinstance(panels, float) or panels <= 0:
        return 1
    return max(1, -int(-panels // route.pages.panels))


def with_parts(version: str) -> Mapping[str, Route]:
    """The streams of which one look may take several calls, and how they are asked."""
    routes = {stream.name: stream.route(version) for stream in STREAMS if stream.is_served(version)}
    return {name: route for name, route in routes.items() if route.asks_each or (route.pages and route.pages.panels)}


def lacking(pair: Pair, route: Route, row: SystemRow | None) -> Pair:
    """A pair of which nothing can be asked, because the cloud lists no such device, says so; as one of which some are
    not asked, because there are too many.
    """
    kind = route.asks_each
    if not kind or not row or kind not in row.profile.serials:
        return pair
    if len(row.profile.serials[kind]) > MAX_SERIALS:
        return pair if pair.reason else replace(pair, reason=f"only the first {MAX_SERIALS} of its devices are asked")
    if devices(route, row):
        return pair
    reason = f"the cloud lists no {words(kind)} for this system; looked for every week"
    if kind in (row.profile.meters or ()):
        reason = (
            f"of this system the cloud lists no {words(kind)} that can be asked by itself{AC_BATTERIES.get(kind, '')}"
        )
    return replace(pair, state=NO_METER, reason=reason)


def untold(pair: Pair, stream: Stream, asked: Iterable[str], row: SystemRow | None) -> Pair:
    """The pair of a list. Where it tells of devices that are `asked` one by one, and never did, it is due."""
    if not stream.tells_of:
        return pair
    unknown = set(stream.tells_of) - row.profile.serials.keys() if row else set()
    is_due = bool(unknown) and any(BY_NAME[name].v4.asks_each in unknown for name in asked)
    return replace(pair, asked_at=None) if is_due else pair


def words(kind: str) -> str:
    """A kind of device in words."""
    return {"ev_charger": "EV charger", "evse": "EV charger of another maker"}.get(kind, kind.replace("_", " "))
