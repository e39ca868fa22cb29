"""What a message says: the sentences and remedies of `status`, or a summary."""

from dataclasses import dataclass

from ingest.core.words import localized, many
from ingest.notify.troubles import NO_NOTICE, Notice


@dataclass(frozen=True)
class Letter:
    """A message: its words, and what is to be remembered when it has arrived."""

    title: str
    body: str
    is_bad: bool
    notice: Notice = NO_NOTICE
    period: str = ""


def letter_of_notice(notice: Notice, command: str, *, simulated: bool) -> Letter:
    """What began and what is over, in one message; `command` is the program as it is called here."""
    begun = [
        localized(f"{trouble.sentence}. {trouble.remedy}" if trouble.remedy else trouble.sentence, command)
        for trouble in notice.begun
    ]
    over = [localized(f"Over: {sentence}", command) for _, sentence in notice.over]
    if len(begun) > 1:
        title = f"Solar data: {many(len(begun), 'problem')}"
    elif begun:
        title = "Solar data: a problem"
    else:
        title = "Solar data: over" if len(over) == 1 else f"Solar data: {many(len(over), 'problem')} over"
    return Letter(_titled(title, simulated=simulated), "\n\n".join([*begun, *over]), bool(begun), notice=notice)


def letter_of_summary(title: str, lines: list[str], period: str, *, simulated: bool) -> Letter:
    """A summary of a period."""
    return Letter(_titled(title, simulated=simulated), "\n".join(lines), is_bad=False, period=period)


def letter_of_test() -> Letter:
    """What `notify --test` sends."""
    return Letter("Solar data: a test", "This message was asked for by `ingest notify --test`.", is_bad=False)


def _titled(title: str, *, simulated: bool) -> str:
    return f"SIMULATED DATA. {title}" if simulated else title
