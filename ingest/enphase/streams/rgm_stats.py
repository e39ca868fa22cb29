"""Production by the revenue-grade meters, in 15-minute intervals, in sum and per meter and channel."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from ingest.core.point import Point, Tags
from ingest.core.units import DAY, MINUTE, WEEK, YEAR
from ingest.enphase.streams.base import EnergyFlow, Field, Json, Odd, Route, Stream, start_end
from ingest.enphase.streams.even_grid import on_grid
from ingest.enphase.streams.interval_rows import energy_fields, intervals, own_time, rows, whole_or_each
from ingest.enphase.streams.readers import UNREADABLE, each, identity, moment, moments_in, number, numbers_in, odd

GRAIN = 15 * MINUTE
_read_sum = intervals("production_rgm", GRAIN, "wh_del")


def _read(system: str, reply: Json) -> Iterator[Point | Odd]:
    yield from _read_sum(system, reply)
    for meter in each(reply.get("meter_intervals"), _meter):
        if isinstance(meter, Odd):
            yield meter
        else:
            serial, listed = meter
            found = whole_or_each(partial(_whole, system, serial), partial(_channels, system, serial), listed)
            yield from on_grid(GRAIN, found)


def _meter(meter: Json) -> Iterator[tuple[str, list[Any]]]:
    serial = meter["meter_serial_number"]
    identity(("meter", serial))
    yield serial, list(rows(meter["intervals"]))


def _channels(system: str, serial: str, intervals: Sequence[Any]) -> Iterator[Point | Odd]:
    tags: dict[object, Tags] = {}
    for row in intervals:
        fields: dict[str, float] = {}
        try:
            if (energy := number(row["wh_del"])) is not None:
                fields["energy_wh"] = energy
            if (power := number(row.get("curr_w"))) is not None:
                fields["snapshot_w"] = power
            channel = row["channel"]
            if channel not in tags:
                tags[channel] = identity(("channel", channel), ("meter", serial), ("system", system))
            time = moment(row["end_at"]) - GRAIN
        except UNREADABLE as error:
            yield odd(error, row, own_time(row, GRAIN))
            continue
        if fields:
            yield Point("production_rgm_channel", tags[channel], time, fields)


def _whole(system: str, serial: str, listed: Sequence[Any]) -> list[Point]:
    moments_in(listed, "end_at")
    tags = {
        name: identity(("channel", name), ("meter", serial), ("system", system))
        for name in {row["channel"] for row in listed}
    }
    used = [row for row in listed if row["wh_del"] is not None or row["curr_w"] is not None]  # others have no sensor
    if not used:
        return []
    ends, energies = moments_in(used, "end_at"), numbers_in(used, ("wh_del",))
    return [
        Point("production_rgm_channel", tags[row["channel"]], end - GRAIN, {"energy_wh": wh, "snapshot_w": power})
        for row, end, wh, power in zip(used, ends, energies, numbers_in(used, ("curr_w",)), strict=True)
    ]


STREAM = Stream(
    name="rgm_stats",
    label="production meter",
    about="production by the revenue-grade meter",
    every=15 * MINUTE,
    group="Site Level Production Monitoring",
    grain=GRAIN,
    meter="production",
    v2=Route("systems/{system}/rgm_stats", start_end, reach=28 * DAY, history=YEAR),
    v4=Route("systems/{system}/rgm_stats", start_end, reach=WEEK, history=2 * YEAR),
    read=_read,
    flows=(EnergyFlow("produced_wh", "production_rgm"),),
    fields={
        "production_rgm": energy_fields("wh_del"),
        "production_rgm_channel": {
            "energy_wh": Field("wh_del", "energy of the interval on this channel, Wh"),
            "snapshot_w": Field("curr_w", "power at one moment of the interval, not its mean, W"),
        },
    },
)
