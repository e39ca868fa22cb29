"""Facts derived from all streams: names and defaults of the configuration, measurements by stream."""

from collections.abc import Iterable, Iterator

from ingest.enphase.streams import BY_NAME, STREAMS
from ingest.enphase.streams.base import Scope, Series, Stream

CHOICES = tuple(stream.name for stream in STREAMS if stream.scope is Scope.CHOSEN)
"""What an owner may name under `streams` of a system."""
DEFAULTS = tuple(name for name in CHOICES if BY_NAME[name].is_default)
"""The streams that are read by default."""
CADENCES = {stream.name: stream.every for stream in STREAMS if stream.scope in (Scope.CHOSEN, Scope.TOTALS)}
"""The cadences that an owner may change, in seconds, as they are by default."""

SERIES: dict[str, Series] = {series.key: series for stream in STREAMS for series in stream.series}
"""The vendor's daily totals, by the key of their array."""
DAILY = {key: series.quantity for key, series in SERIES.items() if series.is_daily}
"""The field of `energy_daily` that each of the vendor's own series is."""

PRODUCERS = tuple(
    sorted(
        (stream for stream in STREAMS if any(flow.quantity == "produced_wh" for flow in stream.flows)),
        key=lambda stream: not stream.meter,
    )
)
"""The streams of production. Those of a meter come first: where there is one, it is what counts."""
PRODUCTION = {
    flow.measurement: stream.grain for stream in PRODUCERS for flow in stream.flows if flow.quantity == "produced_wh"
}
"""Their measurements in the same order, and the length (s) of their intervals."""


INTERVALS = frozenset(
    {"energy", "money", *(name for stream in STREAMS if stream.grain for name in stream.fields)} - {"event"}
)
"""The measurements that have a point an interval: those of the streams, and what follows from them."""


def of_scope(scope: Scope) -> Iterator[Stream]:
    """The streams that are asked of whom `scope` says."""
    return (stream for stream in STREAMS if stream.scope is scope)


def totals_of(names: Iterable[str]) -> Iterator[Stream]:
    """The daily totals that belong to some streams."""
    wanted = set(names)
    return (stream for stream in of_scope(Scope.TOTALS) if wanted & set(stream.audited))


def measured_by(series: Series) -> tuple[str, str] | None:
    """The measurement and field (Wh) whose sums are held against a series; None where nothing is."""
    if not series.stream:
        return None
    flows = BY_NAME[series.stream].flows
    return next((flow.measurement, flow.field) for flow in flows if flow.quantity == series.quantity)
