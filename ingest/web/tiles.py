"""The tiles of today, and why one cannot be filled."""

from collections.abc import Iterator
from typing import NamedTuple

from ingest.core.words import span_words
from ingest.enphase.replies import Kind
from ingest.enphase.streams import STREAMS
from ingest.plan.state import NO_METER, NO_POINTS
from ingest.report import SystemReport
from ingest.web.earnings import MoneyPart
from ingest.web.quarters import Flows

DASH = "\u2013"
NO_CONSUMPTION = "no consumption meter"


class Tile(NamedTuple):
    """A number of today with its unit and a note; or, without a value, the reason for that in the note."""

    name: str
    value: str
    unit: str
    note: str
    kind: str = ""


def carriers(quantity: str) -> frozenset[str]:
    """The streams that measure an energy of the home."""
    return frozenset(stream.name for stream in STREAMS for flow in stream.flows if flow.quantity == quantity)


def reason(shown: SystemReport, quantity: str) -> str:
    """Why nothing is known of an energy of a system; empty where something may come any time."""
    found = [stream for stream in shown.streams if stream.stream in carriers(quantity)]
    meter = "consumption" if quantity in ("consumed_wh", "imported_wh", "exported_wh") else "battery"
    if not found:
        return "not among the streams that are read"
    if all(stream.state == NO_METER for stream in found):
        return f"no {meter} meter" if meter == "consumption" else "no battery"
    if all(stream.state == Kind.DENIED for stream in found):
        return "the cloud does not allow it; see below"
    if all(stream.state in (NO_POINTS, NO_METER) for stream in found):
        return "the cloud has never had any"
    if all(stream.lag_s is None for stream in found):
        return "not read yet"
    return ""


def tiles(shown: SystemReport, today: Flows, money: MoneyPart | None) -> Iterator[Tile]:
    """The tiles, the most asked for first."""
    age = f"{span_words(shown.age_s)} ago" if shown.age_s is not None else reason(shown, "produced_wh") or "no data yet"
    yield Tile("Power", _number(shown.power_w), "W", age)
    yield _energy("Produced", shown, today, "produced_wh", "made")
    yield _energy("Consumed", shown, today, "consumed_wh", "used")
    yield from _grid(shown, today)
    if "charged_wh" in today or "discharged_wh" in today:
        charged, discharged = (_kwh(today.get(name)) for name in ("charged_wh", "discharged_wh"))
        yield Tile("Battery", charged, "kWh", f"charged; {discharged} kWh discharged")
    if (own := today.get("self_consumed_wh")) is not None and today.get("produced_wh"):
        yield Tile("Self-consumption", f"{100 * own / today['produced_wh']:,.0f}", "%", "of production")
    if money and (brought := money.today.brought) is not None:
        yield Tile("Worth", f"{brought:,.2f}", money.currency, "earned and saved")


def _energy(name: str, shown: SystemReport, today: Flows, quantity: str, kind: str) -> Tile:
    if quantity in today:
        return Tile(name, _kwh(today[quantity]), "kWh", "so far", kind)
    return Tile(name, "", "", reason(shown, quantity) or "nothing yet today", kind)


def _grid(shown: SystemReport, today: Flows) -> Iterator[Tile]:
    if "imported_wh" in today or "exported_wh" in today:
        for name, quantity in (("From the grid", "imported_wh"), ("To the grid", "exported_wh")):
            yield Tile(name, _kwh(today.get(quantity)), "kWh", "so far")
        return
    missing = reason(shown, "consumed_wh")
    yield Tile("Grid", "", "", f"needs the consumption: {missing}" if missing else "nothing yet today")


def _number(value: float | None) -> str:
    return DASH if value is None else f"{value:,.0f}"


def _kwh(value: float | None) -> str:
    return DASH if value is None else f"{value / 1000:,.1f}"
