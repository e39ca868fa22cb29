"""Ratios of things timed in turns, so that whatever else the machine does strikes both alike."""

import time
from collections.abc import Callable

ROUNDS = 7


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
