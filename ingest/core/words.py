"""Durations, moments, sizes and commands as text for people."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from ingest.core.days import days_of, zone
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR, MINUTE


def span_words(seconds: int) -> str:
    """A length of time in words, such as "3 h 5 min" or "2 d 4 h"."""
    for unit, name, below, small in ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", 1, "s")):
        if seconds >= unit:
            rest = seconds % unit // below
            return f"{seconds // unit} {name}" + (f" {rest} {small}" if rest and unit != MINUTE else "")
    return f"{seconds} s"


def utc_words(at: int) -> str:
    """A moment as machines write it, such as 2026-11-20T10:15:00Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_words(at: int, timezone: str) -> str:
    """A moment in the zone of a system, such as 2026-11-20 10:15."""
    return datetime.fromtimestamp(at, zone(timezone)).strftime("%Y-%m-%d %H:%M")


def day_words(at: int) -> str:
    """A day in UTC, such as 1 December."""
    day = datetime.fromtimestamp(at, zone("UTC"))
    return f"{day.day} {day:%B}"


def days_words(span: Span, local: tzinfo) -> str:
    """The local days of a span, such as "21 June 2026" or "21 June to 3 July 2026"."""
    days = days_of(span, local)
    first, last = days[0].date, days[-1].date
    end = f"{last.day} {last:%B %Y}"
    return (
        end
        if first == last
        else f"{first.day} {first:%B}{'' if first.year == last.year else f' {first.year}'} to {end}"
    )


def many(count: int, noun: str) -> str:
    """A number with its noun, such as "1 gap" or "1,204 points"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percent(share: float) -> str:
    """A share (0 to 1) in percent, such as 72.9; 100 only where nothing is missing."""
    return "100" if share >= 1 else f"{min(round(100 * share, 1), 99.9):.1f}"


def size_words(size: int) -> str:
    """Bytes as a person says them, such as 120 MB."""
    return f"{size / 2**30:,.1f} GB" if size >= 2**30 else f"{size >> 20:,} MB"


class Command(str):
    """The program as it is called here. `start` is what starts its service here, where that is not `run`; `connect` are
    the commands that connect a system, in backticks, where that is not `init`; `inside` goes before a command of the
    system that must run where the program does.
    """

    start: str
    connect: str
    inside: str

    def __new__(cls, text: str, start: str = "", connect: str = "", inside: str = "") -> "Command":
        """The same text, with what belongs to it."""
        command = super().__new__(cls, text)
        command.start, command.connect, command.inside = start, connect, inside
        return command

    def quoted(self, quote: Callable[[str], str]) -> "Command":
        """The same, with every part put through `quote`."""
        return Command(quote(self), quote(self.start), quote(self.connect), quote(self.inside))


def localized(text: str, command: str) -> str:
    """A sentence whose commands (in backticks) are as they work here."""
    if isinstance(command, Command):
        for general, here in (("`ingest run`", f"`{command.start}`"), ("`ingest init`", command.connect)):
            text = text.replace(general, here) if here.strip("`") else text
        text = text.replace("`chmod ", f"`{command.inside}chmod ")
    return text.replace("`ingest ", f"`{command} ")
