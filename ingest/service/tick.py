"""What one round of the pipeline did."""

from dataclasses import dataclass


@dataclass
class Tick:
    """What a tick did: calls started, outcomes recorded, and when the next one is useful (epoch seconds)."""

    started: int = 0
    recorded: int = 0
    next_at: int = 0
    waits_for_minute: bool = False
