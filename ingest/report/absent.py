"""Why there is nothing to draw: in words, for each quantity of the home that a chart shows."""

from ingest.core.units import HOUR
from ingest.enphase.replies import Kind
from ingest.enphase.streams import STREAMS
from ingest.plan.inventory import Inventory
from ingest.plan.state import NO_METER, NO_POINTS, Pair
from ingest.report.model import SystemReport

SILENT = 8 * HOUR
"""A gateway on a cellular line reports every 6 h: only after longer is it offline."""
UNWANTED = "not asked for; name its stream under `streams:` of this system in the configuration"


def why_absent(inventory: Inventory, shown: SystemReport, quantity: str) -> str:
    """Why a system has no value of a quantity such as `consumed_wh`."""
    streams = [stream.name for stream in STREAMS if any(flow.quantity == quantity for flow in stream.flows)]
    asked = {stream.name for stream in inventory.streams_of(shown.system)}
    pairs = [inventory.pairs.get((shown.system, name)) or Pair(shown.system, name) for name in streams if name in asked]
    if not pairs:
        return UNWANTED
    refused = [pair for pair in pairs if pair.state not in ("", NO_METER, NO_POINTS)]
    if refused:
        return f"not allowed ({refused[0].reason})" if refused[0].state == Kind.DENIED else refused[0].reason
    if all(pair.state for pair in pairs):
        has_asked = all(pair.state == NO_METER for pair in pairs)
        return "the system has no such meter" if has_asked else "the cloud has never had a value"
    if all(pair.asked_at is None for pair in pairs):
        return "not asked yet"
    return "waiting for the gateway" if is_behind(shown) else "waiting for values"


def is_behind(shown: SystemReport) -> bool:
    """Whether the gateway had not reported for long when the cloud was last asked."""
    return (shown.looked_at or 0) - (shown.reported_at or 0) > SILENT
