"""What is wrong, one sentence each with its remedy.

Commands stand as `ingest …` in backticks; whoever prints them says `words.localized`.
"""

from collections.abc import Iterator

from ingest.config import Settings
from ingest.core.units import MINUTE
from ingest.core.words import day_words, many, percent, size_words, span_words
from ingest.plan.inventory import Inventory
from ingest.report import refusals
from ingest.report.absent import SILENT
from ingest.report.causes import without_symptoms
from ingest.report.data_problems import refused_days, zones
from ingest.report.home_report import homes
from ingest.report.model import Problem, Report, SystemReport
from ingest.store.runner import ONCE

MIN_DISK = 200 * 2**20
"""Bytes: a year of one system is about as large."""
SOON = 3
"""Days before a token lapses at which a person is told."""


def problems(report: Report, settings: Settings, inventory: Inventory) -> list[Problem]:
    """Everything that is wrong, causes first; what a cause explains is named in it alone."""
    found = [
        *_runner(report),
        *_disk(report),
        *credentials(settings),
        *_tokens(report),
        *_application(report, inventory),
    ]
    found += [
        *refusals.streams(report, inventory),
        *refused_days(report),
        *refusals.odd(report, inventory),
        *_quota(report),
        *refusals.cloud(report, inventory),
        *_sinks(report),
        *_keeping(report, settings),
        *_clock(report),
        *zones(report, inventory),
        *homes(settings, inventory),
    ]
    found += [*_gateways(report), *_behind(report), *_receivers(report), *refusals.crowds(inventory)]
    found += refusals.empty_lists(inventory)
    if not inventory.systems and not found:
        found.append(_start(report))
    return without_symptoms(found, {system.system: system.account for system in report.systems})


def _start(report: Report) -> Problem:
    """Before the first reply: the systems are named in the configuration, or the cloud will say which there are."""
    if report.systems:
        return Problem("start", "", "Nothing has been asked of the cloud yet", "The first runner does: `ingest run`")
    remedy = "The first runner asks the cloud which there are: `ingest run`"
    return Problem("start", "", "No system is known yet", remedy)


def _runner(report: Report) -> Iterator[Problem]:
    if report.runner_due_at is not None and report.seen_at is not None and report.now > report.runner_due_at:
        yield Problem(
            "runner",
            "",
            f"No runner has been at work for {span_words(report.now - report.seen_at)}, so nothing is read or sent",
            "Start it with `ingest run`"
            if report.runner != ONCE
            else "Look at its crontab; by hand it is `ingest once`",
            report.seen_at,
        )


def _application(report: Report, inventory: Inventory) -> Iterator[Problem]:
    if why := report.fatal or refusals.refused_key(inventory):
        yield refusals.application(why)


def _disk(report: Report) -> Iterator[Problem]:
    if report.disk_free is not None and report.disk_free < MIN_DISK:
        yield Problem(
            "disk",
            "",
            f"The disk is nearly full: {size_words(report.disk_free)} are left at {report.state_dir}",
            "Free some space there. Nothing is lost: what cannot be written is read again",
        )


def credentials(settings: Settings) -> Iterator[Problem]:
    """What must be filled in before the cloud can be asked."""
    missing = settings.missing_credentials()
    if missing:
        yield Problem(
            "credentials",
            "",
            f"{', '.join(missing)} not filled in yet, so the cloud cannot be asked",
            settings.fill_in(),
        )


def _tokens(report: Report) -> Iterator[Problem]:
    for token in report.tokens:
        remedy = f"Run `ingest auth login {token.account}`"
        if token.state in ("missing", "dead"):
            what = "is not authorized yet" if token.state == "missing" else "is no longer authorized"
            why = "" if token.state == "missing" else f": {token.reason}"
            note = "" if token.state == "missing" else ". Data already read are kept"
            yield Problem("auth", token.account, f"Account {token.account} {what}{why}", remedy + note)
        elif token.state == "unreadable":
            yield Problem("auth", token.account, f"Account {token.account}: {token.reason}", remedy)
        elif token.days_left is not None and token.days_left < SOON:
            left = many(int(token.days_left), "day")
            yield Problem("auth", token.account, f"The authorization of account {token.account} ends in {left}", remedy)
        elif token.renewal and (token.access_ends_at or 0) <= report.now:
            yield Problem(
                "renewal",
                token.account,
                f"Account {token.account} cannot be asked: its token has ended and cannot be renewed ({token.renewal})",
                "It is tried again by itself; if it stays so, run `ingest doctor`",
                token.renewal_since,
            )


def _quota(report: Report) -> Iterator[Problem]:
    quota = report.quota
    if quota.left <= 0:
        yield used_up(quota.used_month, quota.per_month, quota.reserve, quota.month_ends_at)
    elif quota.paused_until is not None and not quota.weather and quota.paused_until - report.now > 10 * MINUTE:
        yield Problem(
            "quota",
            "",
            f"The cloud says that the calls are used up although {quota.left:,} are left by our count: something else "
            f"uses the key. It is asked again in {span_words(quota.paused_until - report.now)}",
            "Polling goes on by itself; raise api.reserve to leave more to the other tool, and see `ingest plan`",
        )


def used_up(used: int, per_month: int, reserve: int, ends_at: int) -> Problem:
    """The calls of a month, less a reserve, were all made; it ends at `ends_at` (epoch s)."""
    sentence = f"The calls of this month are used up: {used:,} of {per_month:,}, {reserve:,} of them in reserve"
    remedy = (
        f"Polling goes on by itself on {day_words(ends_at)} (UTC); what a larger plan or fewer streams would change: "
        "`ingest plan`"
    )
    return Problem("quota", "", sentence, remedy)


def _sinks(report: Report) -> Iterator[Problem]:
    for sink in report.sinks:
        waiting = f"Nothing is lost: {many(sink.backlog, 'point')} wait for it; see `ingest doctor`"
        if sink.error:
            since = f" for {span_words(report.now - sink.since)}" if sink.since and report.now > sink.since else ""
            text = f"Sink {sink.sink} does not accept writes{since}: {sink.error}"
            yield Problem("sink", sink.sink, text, waiting, sink.since)
        elif sink.parked:
            yield Problem(
                "refused",
                sink.sink,
                f"Sink {sink.sink} refuses {many(sink.parked, 'point')}: {sink.parked_why}",
                f"When that is fixed, send them again: `ingest replay --sink {sink.sink}`",
            )
        elif sink.differs:
            text = f"Sink {sink.sink} differs from the archive, also after it was sent again: {sink.differs}"
            remedy = (
                f"`ingest verify --sink {sink.sink}` shows where; --fix makes it equal, but leaves intervals of a time "
                "of which the archive has none"
            )
            yield Problem("refused", sink.sink, text, remedy)


def _keeping(report: Report, settings: Settings) -> Iterator[Problem]:
    """Sinks that are not known to keep for ever what is to leave the archive."""
    for sink in report.sinks if settings.archive.keep else ():
        if sink.forgets:
            yield not_kept(sink.sink, sink.forgets)


def not_kept(sink: str, why: str) -> Problem:
    """Nothing leaves the archive, for a reason that a sink gives."""
    remedy = (
        "Let it keep points for ever; let an InfluxDB 2 be a sink of `type: influxdb` whose token may read the bucket; "
        "or write `archive: {keep: all}`"
    )
    return Problem("keep", sink, f"No interval leaves the archive because of sink {sink}: {why}", remedy)


def _clock(report: Report) -> Iterator[Problem]:
    if report.clock_wrong_by:
        yield wrong_clock(report.clock_wrong_by)


def wrong_clock(wrong_by: int) -> Problem:
    """How far (s) this machine's clock is ahead of the cloud's."""
    way = "ahead of" if wrong_by > 0 else "behind"
    sentence = f"This machine's clock is {span_words(abs(wrong_by))} {way} the cloud's; the cloud's is used"
    return Problem("clock", "", sentence, "Set the clock, for example with `timedatectl set-ntp true`")


def _behind(report: Report) -> Iterator[Problem]:
    """Plants that make less than they should."""
    for system in report.systems:
        if system.behind:
            remedy = "Look for shade, dirt, and panels that are silent; the next clear days are compared again"
            yield Problem("behind", system.system, system.behind, remedy)


def _gateways(report: Report) -> Iterator[Problem]:
    """Judged by what the cloud said when it was last asked: what is not known since says nothing of a gateway."""
    for system in report.systems:
        if system.reported_at is None or system.looked_at is None or _ended(system):
            continue
        if system.looked_at - system.reported_at > SILENT:
            yield Problem(
                "gateway",
                system.system,
                f"{system.name}: its gateway has not reported for {span_words(report.now - system.reported_at)}",
                "Check its internet connection. Nothing is lost: it sends what it kept when it is back",
                system.reported_at,
            )


_MESSAGES = "Nothing else waits for it, and it is told later what still holds. Try it with `ingest notify --test`"
_AT_FAULT = {
    "heartbeat": "Nothing else waits for it. Check the address under `heartbeat:` in the configuration",
    "mqtt": "Nothing else waits for it. Check host, user and password under `mqtt:` in the configuration",
}
"""What to do about receivers that `notify --test`, which is for messages, does not try."""


def _receivers(report: Report) -> Iterator[Problem]:
    for receiver in report.receivers:
        if receiver.error:
            lasts = report.now - receiver.since if receiver.since else 0
            since = f" for {span_words(lasts)}" if lasts > 0 else ""
            yield Problem(
                "receiver",
                receiver.receiver,
                f"Nothing reaches {receiver.receiver}{since}: {receiver.error}",
                _AT_FAULT.get(receiver.receiver, _MESSAGES),
            )


def _ended(system: SystemReport) -> bool:
    """Whether nothing more is wanted of the system: the house was sold."""
    return all(stream.complete_until is not None and not stream.gaps for stream in system.streams)


def summary(report: Report) -> str:
    """The one sentence: all well, or the worst that is wrong."""
    if report.problems:
        more = len(report.problems) - 1
        return report.problems[0].text + (f" (and {many(more, 'other thing')})" if more else "")
    if report.backfill.calls and report.backfill.ratio < 0.98:
        return f"All is well. History is being read: {percent(report.backfill.ratio)}% done{_history_left(report)}"
    waiting = sum(sink.backlog for sink in report.sinks)
    tail = f"{many(waiting, 'point')} on their way to the databases" if waiting > EXACT else ""
    return f"All is well{'; ' + tail if tail else ''}"


def _history_left(report: Report) -> str:
    if report.backfill.goes_on_at:
        return f"; it goes on on {day_words(report.backfill.goes_on_at)} (UTC), with the calls of that month"
    return f", about {span_words(report.backfill.done_at - report.now)} left" if report.backfill.done_at else ""


EXACT = 10_000
