"""What is wrong, one sentence each with its remedy.

Commands stand as `ingest …` in backticks; whoever prints them says `words.localized`.
"""

from collections.abc import Iterator

from ingest.config import Settings
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.core.words import day_words, many, size_words, span_words
from ingest.enphase import access
from ingest.enphase.replies import Kind
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.site import SYSTEMS
from ingest.plan.inventory import Inventory, listing
from ingest.plan.state import EMPTY, Pair
from ingest.report.causes import without_symptoms
from ingest.report.model import Problem, Report, SystemReport
from ingest.report.systems import odd_reports

SILENT = 8 * HOUR
"""A gateway on a cellular line reports every 6 h: only after longer is it offline."""
LEAST_DISK = 200 * 2**20
"""Bytes: a year of one system is about as large."""
SOON = 3
"""Days before a token lapses at which a person is told."""
PATIENT = {Kind.BUSY: 2, Kind.AHEAD: 2, Kind.EXPIRED: 2, Kind.GARBLED: 0}
"""So many failures in a row pass by themselves most of the time; more are reported."""


def problems(made: Report, settings: Settings, inventory: Inventory) -> list[Problem]:
    """Everything that is wrong, causes first; what a cause explains is named in it alone."""
    found = [*_runner(made), *_disk(made), *_credentials(settings), *_tokens(made), *_application(made)]
    found += [
        *_streams(made, inventory),
        *_odd(made, inventory),
        *_quota(made),
        *_cloud(made, inventory),
        *_sinks(made),
        *_clock(made),
    ]
    found += [*_gateways(made), *_receivers(made)]
    if not inventory.systems and not found:
        found.append(
            Problem(
                "start", "", "No system is known yet", "The first runner asks the cloud which there are: `ingest run`"
            )
        )
    return without_symptoms(found, {system.system: system.account for system in made.systems})


def _runner(made: Report) -> Iterator[Problem]:
    if made.runner_due_at is not None and made.seen_at is not None and made.now > made.runner_due_at:
        yield Problem(
            "runner",
            "",
            f"No runner has been at work for {span_words(made.now - made.seen_at)}, so nothing is read or sent",
            "Start the service with `ingest run`, or call `ingest once` from a crontab",
            made.seen_at,
        )


def _application(made: Report) -> Iterator[Problem]:
    if made.fatal:
        yield Problem("application", "", f"Polling has stopped: {made.fatal}", "Enter them again with `ingest init`")


def _disk(made: Report) -> Iterator[Problem]:
    if made.disk_free is not None and made.disk_free < LEAST_DISK:
        yield Problem(
            "disk",
            "",
            f"The disk is nearly full: {size_words(made.disk_free)} are left at {made.state_dir}",
            "Free some space there. Nothing is lost: what cannot be written is read again",
        )


def _credentials(settings: Settings) -> Iterator[Problem]:
    missing = settings.missing_credentials()
    if missing:
        yield Problem(
            "credentials",
            "",
            f"{', '.join(missing)} not filled in yet, so the cloud cannot be asked",
            settings.fill_in(),
        )


def _tokens(made: Report) -> Iterator[Problem]:
    for token in made.tokens:
        remedy = f"Run `ingest auth login {token.account}`"
        if token.state in ("missing", "dead"):
            what = "is not authorized yet" if token.state == "missing" else "is no longer authorized"
            why = "" if token.state == "missing" else f": {token.reason}"
            kept = "" if token.state == "missing" else ". Data already read are kept"
            yield Problem("auth", token.account, f"Account {token.account} {what}{why}", remedy + kept)
        elif token.state == "unreadable":
            yield Problem("auth", token.account, f"Account {token.account}: {token.reason}", remedy)
        elif token.days_left is not None and token.days_left < SOON:
            left = many(int(token.days_left), "day")
            yield Problem("auth", token.account, f"The authorization of account {token.account} ends in {left}", remedy)
        elif token.renewal and (token.access_ends_at or 0) <= made.now:
            yield Problem(
                "renewal",
                token.account,
                f"Account {token.account} cannot be asked: its token has ended and cannot be renewed ({token.renewal})",
                "It is tried again by itself; if it stays so, run `ingest doctor`",
                token.renewal_since,
            )


def _streams(made: Report, inventory: Inventory) -> Iterator[Problem]:
    said: set[str] = set()
    for pair, who, account in _pairs(made, inventory):
        problem = _pair(pair, who, account)
        if problem is None:
            continue
        once = f"{pair.system} {problem.kind} {problem.remedy}"
        if once not in said:
            said.add(once)
            yield problem


def _pairs(made: Report, inventory: Inventory) -> Iterator[tuple[Pair, str, str]]:
    """Every pair that is asked for, whose it is in words, and its account."""
    for account in inventory.settings.accounts:
        if pair := inventory.pairs.get((listing(account), SYSTEMS.name)):
            yield pair, f"Account {account}", account
    for system in made.systems:
        asked = sorted(inventory.streams_of(system.system), key=lambda stream: not stream.grain)
        for stream in asked:
            if pair := inventory.pairs.get((system.system, stream.name)):
                yield pair, system.name, system.account


def _pair(stream: Pair, who: str, account: str) -> Problem | None:
    subject = f"{stream.system}.{stream.stream}"
    if stream.state == Kind.DENIED:
        remedy = access.denied(stream.reason, BY_NAME[stream.stream].group, account)
        sentence = f"{who}: {stream.stream} is not allowed ({stream.reason})"
        return Problem("denied", subject, sentence, f"{remedy[0].upper()}{remedy[1:]}")
    if stream.state == Kind.WRONG_KEY:
        return Problem(
            "wrong_key",
            "",
            f"The API key belongs to another application ({stream.reason})",
            f"{access.SAME_APPLICATION[0].upper()}{access.SAME_APPLICATION[1:]}, then run `ingest check`",
        )
    if stream.state in PATIENT and stream.fails > PATIENT[Kind(stream.state)]:
        words = {Kind.GARBLED: "an answer could not be read", Kind.AHEAD: "the cloud takes our time for the future"}
        what = words.get(Kind(stream.state), "the cloud has trouble")
        return Problem(
            "stream",
            subject,
            f"{who}: {stream.stream}: {what} ({stream.reason})",
            "It is tried again by itself; if it stays so, run `ingest doctor`",
        )
    return None


def _odd(made: Report, inventory: Inventory) -> Iterator[Problem]:
    """What could not be read of replies: it is missing, and everything else is as it should be."""
    names = {system.system: system.name for system in made.systems}
    for (system, stream), rows in inventory.state.odd.items():
        who = names.get(system) or (f"Account {system[1:]}" if system.startswith("@") else "")
        if rows and who:
            told = odd_reports(rows)
            why = "; ".join(at.reason for at in told[:2])
            yield Problem(
                "odd",
                f"{system}.{stream}",
                f"{who}: {stream}: {many(len(rows), 'value')} could not be read ({why}), for example {told[0].sample}",
                "Everything else was read; these are asked for once more when they are settled. If they stay so, tell "
                "the vendor",
                min(at.since for at in told),
            )


def _quota(made: Report) -> Iterator[Problem]:
    quota = made.quota
    if quota.left <= 0:
        yield Problem(
            "quota",
            "",
            f"The calls of this month are used up: {quota.used_month:,} of {quota.per_month:,}, "
            f"{quota.reserve:,} of them in reserve",
            f"Polling goes on by itself on {day_words(quota.month_ends_at)} (UTC); what a larger plan or fewer streams "
            "would change: `ingest plan`",
        )
    elif quota.paused_until is not None and not quota.weather and quota.paused_until - made.now > 10 * MINUTE:
        yield Problem(
            "quota",
            "",
            f"The cloud says that the calls are used up although {quota.left:,} are left by our count: something else "
            f"uses the key. It is asked again in {span_words(quota.paused_until - made.now)}",
            "Polling goes on by itself; raise api.reserve to leave more to the other tool, and see `ingest plan`",
        )


def _cloud(made: Report, inventory: Inventory) -> Iterator[Problem]:
    remedy = "Nothing is lost: what is missing is read when it answers. If it stays so, run `ingest doctor`"
    quota = made.quota
    if quota.weather:
        again = f"in {span_words(quota.paused_until - made.now)}" if quota.paused_until else "with the next reading"
        yield Problem("cloud", "", f"The cloud does not answer ({quota.weather}); asked again {again}", remedy)
        return
    pairs = [pair for pair, *_ in _pairs(made, inventory) if pair.state not in (*EMPTY, Kind.DENIED)]
    failing = [pair for pair in pairs if pair.state in (Kind.BUSY, Kind.GARBLED)]
    answered = [pair for pair in pairs if not pair.state and (pair.asked_at or 0) > made.now - DAY]
    if len(failing) > 1 and not answered:
        since = max((pair.asked_at or 0 for pair in failing), default=0) or None
        yield Problem("cloud", "", f"The cloud refuses every call ({failing[0].reason})", remedy, since)


def _sinks(made: Report) -> Iterator[Problem]:
    for sink in made.sinks:
        waiting = f"Nothing is lost: {many(sink.backlog, 'point')} wait for it; see `ingest doctor`"
        if sink.error:
            since = f" for {span_words(made.now - sink.since)}" if sink.since and made.now > sink.since else ""
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
            yield Problem("refused", sink.sink, text, f"`ingest verify --sink {sink.sink} --fix` makes it equal")


def _clock(made: Report) -> Iterator[Problem]:
    wrong = made.clock_wrong_by
    if wrong:
        way = "ahead of" if wrong > 0 else "behind"
        yield Problem(
            "clock",
            "",
            f"This machine's clock is {span_words(abs(wrong))} {way} the cloud's; the cloud's is used",
            "Set the clock, for example with `timedatectl set-ntp true`",
        )


def _gateways(made: Report) -> Iterator[Problem]:
    """Judged by what the cloud said when it was last asked: what is not known since says nothing of a gateway."""
    for system in made.systems:
        if system.reported_at is None or system.looked_at is None or _ended(system):
            continue
        if system.looked_at - system.reported_at > SILENT:
            yield Problem(
                "gateway",
                system.system,
                f"{system.name}: its gateway has not reported for {span_words(made.now - system.reported_at)}",
                "Check its internet connection. Nothing is lost: it sends what it kept when it is back",
                system.reported_at,
            )


def _receivers(made: Report) -> Iterator[Problem]:
    for at in made.receivers:
        if at.error:
            since = f" for {span_words(made.now - at.since)}" if at.since and made.now > at.since else ""
            yield Problem(
                "receiver",
                at.receiver,
                f"Nothing reaches {at.receiver}{since}: {at.error}",
                "Nothing else waits for it, and it is told later what still holds. Try it with `ingest notify --test`",
            )


def _ended(system: SystemReport) -> bool:
    """Whether nothing more is wanted of the system: the house was sold."""
    return all(stream.complete_until is not None and not stream.gaps for stream in system.streams)


def summary(made: Report) -> str:
    """The one sentence: all well, or the worst that is wrong."""
    if made.problems:
        more = len(made.problems) - 1
        return made.problems[0].text + (f" (and {many(more, 'other thing')})" if more else "")
    if made.backfill.calls and made.backfill.ratio < 0.98:
        left = f", about {span_words(made.backfill.done_at - made.now)} left" if made.backfill.done_at else ""
        return f"All is well. History is being read: {made.backfill.ratio:.0%} done{left}"
    waiting = sum(sink.backlog for sink in made.sinks)
    tail = f"{many(waiting, 'point')} on their way to the databases" if waiting > EXACT else ""
    return f"All is well{'; ' + tail if tail else ''}"


EXACT = 10_000
