"""Production by the revenue-grade meters, in 15-minute intervals, in sum and per meter and channel."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import compress, repeat
from operator import eq
from typing import Any

from ingest.core.point import Point, Tags
from ingest.core.table import Table, joined
from ingest.core.units import DAY, MINUTE, WEEK, YEAR
from ingest.enphase.streams.base import EnergyFlow, Field, Json, Odd, Route, Stream, start_end
from ingest.enphase.streams.even_grid import on_grid
from ingest.enphase.streams.interval_rows import energy_fields, intervals, own_time, rows, whole_or_each
from ingest.enphase.streams.readers import UNREADABLE, each, identity, moment, moments_in, number, numbers_in, odd

GRAIN = 15 * MINUTE
_read_sum = intervals("production_rgm", GRAIN, "wh_del")


def _read(system: str, reply: Json) -> Iterable[Point | Odd]:
    parts = [_read_sum(system, reply)]
    for meter in each(reply.get("meter_intervals"), _meter):
        if isinstance(meter, Odd):
            parts.append([meter])
        else:
            serial, listed = meter
            found = whole_or_each(partial(_whole, system, serial), partial(_channels, system, serial), listed)
            parts.append(on_grid(GRAIN, found))
    return joined(parts)


def _meter(meter: Json) -> Iterator[tuple[str, list[Any]]]:
    serial = meter["meter_serial_number"]
    identity(("meter", serial))
    yield serial, rows(meter["intervals"])


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


def _whole(system: str, serial: str, listed: Sequence[Any]) -> list[Table]:
    channels = [row["channel"] for row in listed]
    tables = []
    for channel in dict.fromkeys(channels):
        tags = identity(("channel", channel), ("meter", serial), ("system", system))
        mine = [*compress(listed, map(eq, channels, repeat(channel)))]
        times = [end - GRAIN for end in moments_in(mine, "end_at")]
        is_used = [row["wh_del"] is not None or row["curr_w"] is not None for row in mine]  # another has no sensor
        used = [*compress(mine, is_used)]
        columns = {"energy_wh": numbers_in(used, ("wh_del",)), "snapshot_w": numbers_in(used, ("curr_w",))}
        tables.append(Table("production_rgm_channel", tags, [*compress(times, is_used)], columns))
    return tables


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
