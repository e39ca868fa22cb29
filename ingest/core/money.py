"""What energy costs, earns and saves, by interval of `energy`."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from itertools import groupby

from ingest.core.days import ONE, midnight
from ingest.core.derive import GRID, QUARTER, grid_exchange
from ingest.core.point import Point
from ingest.core.tariff import Contract, Rate, Tariff, starts
from ingest.core.units import HOUR

MONEY = ("cost", "earned", "saved")


@dataclass
class _Month:
    """What a month has come to: kWh imported, kWh that would have been imported without the sun, and what is netted,
    (imported, exported) by the price of both.
    """

    imported: float = 0.0
    consumed: float = 0.0
    netted: dict[tuple[int, float, float], tuple[float, float]] = field(default_factory=dict)


def money(system: str, contract: Contract, zone: tzinfo, rows: Mapping[int, Mapping[str, float]]) -> Iterator[Point]:
    """The measurement `money`, from the fields of `energy` by time; of whole months where a tariff counts by month.

    `cost` is what was paid for import, with the share of the standing charge; `earned` what export brought; `saved`
    what import would have cost more without the sun. Each is there where what it comes from is; nothing before the
    first tariff.
    """
    begins = starts(contract, zone)
    local = {at: datetime.fromtimestamp(at, UTC).astimezone(zone) for at in rows}
    tags = (("system", system),)
    for _, month in groupby(sorted(rows), lambda at: (local[at].year, local[at].month)):
        so_far = _Month()
        for day, times in groupby(month, lambda at: local[at].date()):
            share = QUARTER / _length(day, zone)
            for at in times:
                number = bisect_right(begins, at) - 1
                fields = _worth(contract, number, local[at], rows[at], share, so_far) if number >= 0 else {}
                if fields:
                    yield Point("money", tags, at, fields)


def daily(system: str, zone: tzinfo, rows: Mapping[str, Mapping[int, float]]) -> Iterator[Point]:
    """The measurement `money_daily`: sums of `money` (by field and time) over local days; `hours` are those known."""
    days: dict[date, dict[str, float]] = {}
    times = sorted({at for held in rows.values() for at in held})
    for at in times:
        day = days.setdefault(datetime.fromtimestamp(at, UTC).astimezone(zone).date(), {"hours": 0.0})
        day["hours"] += QUARTER / HOUR
        for name, held in rows.items():
            if at in held:
                day[name] = day.get(name, 0.0) + held[at]
    for day_date, fields in days.items():
        yield Point("money_daily", (("system", system),), midnight(day_date, zone), fields)


def _length(day: date, zone: tzinfo) -> int:
    return midnight(day + ONE, zone) - midnight(day, zone)


def _worth(
    contract: Contract, number: int, local: datetime, flows: Mapping[str, float], share: float, month: _Month
) -> dict[str, float]:
    """The fields of an interval; `share` is the part of the day that it is."""
    tariff = contract[number]
    exchange = {name: wh / 1000 for name, wh in grid_exchange(flows).items()}
    imported, exported = (exchange.get(name) for name in GRID)
    used = flows.get("consumed_wh")
    rates, export_price = tariff.rates(local)
    fields = {}
    taxed = 1 + tariff.tax
    if imported is not None:
        paid = taxed * _price(rates, month.imported, imported)
        month.imported += imported
        fields["cost"] = paid + taxed * tariff.standing * share
        if used is not None:
            fields["saved"] = taxed * _price(rates, month.consumed, used / 1000) - paid
            month.consumed += used / 1000
    if exported is not None and not tariff.is_net:
        fields["earned"] = exported * export_price
    elif exported is not None and imported is not None:
        band = (number, taxed * rates[0].price, export_price)
        before = month.netted.get(band, (0.0, 0.0))
        month.netted[band] = after = (before[0] + imported, before[1] + exported)
        fields["earned"] = _credit(band, *after) - _credit(band, *before)
    return fields


def _price(rates: Iterable[Rate], used: float, energy: float) -> float:
    """What `energy` kWh cost after `used` kWh of the month."""
    cost, left = 0.0, energy
    for rate in rates:
        part = left if rate.up_to is None else min(left, max(0.0, rate.up_to - used))
        cost += part * rate.price
        left -= part
        used += part
    return cost


def _credit(band: tuple[int, float, float], imported: float, exported: float) -> float:
    """What is taken off the bill: what is netted is worth its price, what is left over that of export."""
    _, price, left_over = band
    return price * min(imported, exported) + left_over * max(0.0, exported - imported)


def is_monthly(contract: Iterable[Tariff]) -> bool:
    """Whether an interval's worth depends on the month before it."""
    return any(tariff.is_monthly for tariff in contract)
