"""What a look at one thing of an installation found."""

from dataclasses import dataclass

OK, WARN, BAD, SKIPPED = "ok", "warn", "bad", "skipped"
"""`warn` is worth knowing and needs nothing at once; only `bad` makes the command fail."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: its name, the result, what was found, and what to do."""

    name: str
    result: str
    found: str
    remedy: str = ""
