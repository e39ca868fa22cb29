"""The tiles of today, and why one cannot be filled."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ingest.core.words import span_words
from ingest.report import SystemReport
from ingest.report.quarters import Flows
from ingest.web.earnings import MoneyPart

DASH = "\u2013"


class Tile(NamedTuple):
    """A number of today with its unit and a note; or, without a value, the reason for that in the note."""

    name: str
    value: str
    unit: str
    note: str
    kind: str = ""


def tiles(shown: SystemReport, today: Flows, money: MoneyPart | None, absent: Callable[[str], str]) -> Iterator[Tile]:
    """The tiles, the most asked for first; `absent` says why nothing is known of an energy."""
    age = f"{span_words(shown.age_s)} ago" if shown.age_s is not None else absent("produced_wh")
    yield Tile("Power", "" if shown.power_w is None else f"{shown.power_w:,.0f}", "W", age)
    yield _energy("Produced", today, "produced_wh", "made", absent)
    yield _energy("Consumed", today, "consumed_wh", "used", absent)
    yield from _grid(today, absent)
    if "charged_wh" in today or "discharged_wh" in today:
        charged, discharged = (_kwh(today.get(name)) for name in ("charged_wh", "discharged_wh"))
        yield Tile("Charged", charged, "kWh", f"into the battery; {discharged} kWh came out")
    if (own := today.get("self_consumed_wh")) is not None and today.get("produced_wh"):
        yield Tile("Self-consumption", f"{100 * own / today['produced_wh']:,.0f}", "%", "of production")
    if money and (brought := money.today.brought) is not None:
        yield Tile("Worth", f"{brought:,.2f}", money.currency, "earned and saved")


def _energy(name: str, today: Flows, quantity: str, kind: str, absent: Callable[[str], str]) -> Tile:
    if quantity in today:
        return Tile(name, _kwh(today[quantity]), "kWh", "so far", kind)
    return Tile(name, "", "", absent(quantity), kind)


def _grid(today: Flows, absent: Callable[[str], str]) -> Iterator[Tile]:
    if "imported_wh" in today or "exported_wh" in today:
        for name, quantity in (("From the grid", "imported_wh"), ("To the grid", "exported_wh")):
            yield Tile(name, _kwh(today.get(quantity)), "kWh", "so far")
        return
    yield Tile("Grid", "", "", f"follows from the consumption: {absent('consumed_wh')}")


def _kwh(value: float | None) -> str:
    return DASH if value is None else f"{value / 1000:,.1f}"
