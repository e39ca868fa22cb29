"""Ratios of things timed in turns, so that whatever else the machine does strikes both alike."""

import time
from collections.abc import Callable

from influxdb_client import Point, WritePrecision

ROUNDS = 7
POINT_US = 6.6
"""What a point of the official client takes (µs of CPU) on the machine that limits in seconds are meant for."""
POINTS = 2_000


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one run."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """The best times (s) of both, run alternately: what else the machine does can only add to them."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def tell(name: str, value: str, wanted: str, *, good: bool) -> bool:
    """Print one figure; returns whether it is as wanted."""
    print(f"{'ok  ' if good else 'MISS'} {name}: {value} (wanted: {wanted})", flush=True)
    return good


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU of one run."""
    began = time.process_time()
    work()
    return time.process_time() - began


def slowness() -> float:
    """How many times longer anything takes here and now than on the machine that limits are meant for."""
    return as_there(min(cpu(client_points) for _ in range(5)))


def as_there(points: float) -> float:
    """The same, by how long (s) `client_points` took."""
    return points / POINTS * 1e6 / POINT_US


def client_points() -> None:
    """Make some points with the official client."""
    for number in range(POINTS):
        point = Point("stats").tag("system", "1001").field("devices_reporting", 24.0).field("devices_total", 24.0)
        point.field("energy_wh", 84.0).field("power_w", number / 7)
        point.time(number, WritePrecision.S).to_line_protocol()


def within(name: str, took: float, limit: float) -> bool:
    """Print seconds against a limit, which a slower machine may take longer for; returns whether it is kept."""
    there = took / slowness()
    value = f"{took:.3g} s, {there:.3g} s on a machine whose client takes {POINT_US} µs a point"
    return tell(name, value, f"under {limit:g} s there", good=there < limit)
