"""Repeatable chance: the same numbers in give the same number out, in any process, without state."""

_MASK = (1 << 64) - 1


def mix(*parts: int) -> int:
    """A 64-bit number that depends on every part and on their order."""
    state = 0
    for part in parts:
        state = (state ^ part) * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def unit(*parts: int) -> float:
    """A fraction from 0 up to, not including, 1 that depends on every part."""
    return (mix(*parts) >> 11) / (1 << 53)
