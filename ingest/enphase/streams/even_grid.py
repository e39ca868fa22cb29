"""Intervals that do not lie on the grid of their stream: shorter ones are put together. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from operator import mod

from ingest.core.point import Point, Tags, encode
from ingest.core.span import ceil_to
from ingest.core.table import Tabled, times_of
from ingest.core.units import HOUR
from ingest.enphase.streams.base import Odd
from ingest.enphase.streams.readers import SAMPLE


def on_grid(grain: int, found: Iterable[Point | Odd]) -> Iterable[Point | Odd]:
    """What is read of a list of intervals of `grain` s, which begin at whole multiples of it.

    Where a list has shorter ones, those that fill a whole interval are put together; of others there is no point, and
    they are odd unless the newest interval is still to be filled. Where it has whole ones, what lies beside the grid
    stands as it is: the vendor's own examples do.
    """
    if isinstance(found, Tabled) and not any(map(mod, times_of(found), repeat(grain))):
        return found
    listed = list(found)
    if not any(point[2] % grain for point in listed if not isinstance(point, Odd)):
        return iter(listed)
    return _put_together(grain, listed)


def _put_together(grain: int, listed: Sequence[Point | Odd]) -> Iterator[Point | Odd]:
    whole: dict[tuple[Tags, int], list[Point]] = {}
    for point in listed:
        if isinstance(point, Odd):
            yield point
        else:
            whole.setdefault((point.tags, ceil_to(point.time, grain)), []).append(point)
    usual = Counter(map(len, whole.values())).most_common(1)[0][0]
    newest = max(start for _, start in whole)
    if usual == 1:
        yield from (point for point in listed if isinstance(point, Point))
        return
    for (_, start), unsorted in whole.items():
        parts = sorted(unsorted, key=lambda part: part.time)
        step = parts[0].time - (start - grain)
        is_even = [part.time for part in parts] == [start - grain + step * (index + 1) for index in range(len(parts))]
        if is_even and len(parts) > 1 and step * len(parts) == grain:
            yield _sum(grain, start, parts)
        elif not (is_even and start == newest):
            yield _off_grid(parts[0], start)


def _off_grid(part: Point, start: int) -> Odd:
    return Odd("it is no whole interval of its stream", encode(part)[:SAMPLE], start)


def _sum(grain: int, start: int, parts: Sequence[Point]) -> Point:
    """Energies are added up, where each part has one, and power is their mean; else the newest part counts."""
    fields = dict(parts[-1].fields)
    had_power = fields.pop("power_w", None) is not None
    for name in [name for name in fields if name.endswith("_wh")]:
        values = [float(part.fields[name]) for part in parts if name in part.fields]
        fields[name] = sum(values)
        if len(values) < len(parts):
            del fields[name]
    if had_power and "energy_wh" in fields:
        fields["power_w"] = float(fields["energy_wh"]) * HOUR / grain
    return Point(parts[0].measurement, parts[0].tags, start, fields)
