"""What the cloud refuses, and what it says that cannot be read, one sentence each with its remedy."""

from collections.abc import Collection, Iterator

from ingest.commit.decide import PAUSES
from ingest.core.units import DAY
from ingest.core.words import many, span_words
from ingest.enphase import access
from ingest.enphase.replies import Kind
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.site import SYSTEMS
from ingest.plan.inventory import Inventory, listing
from ingest.plan.state import Pair
from ingest.report.model import Problem, Report
from ingest.report.systems import odd_reports

PATIENT = {Kind.BUSY: 2, Kind.AHEAD: 2, Kind.EXPIRED: 2, Kind.GARBLED: 0}
"""How many failures in a row are not reported yet: they pass by themselves most of the time."""


def application(why: str) -> Problem:
    """The cloud refuses the key, or client id and secret: `why` says which, and where to compare them."""
    remedy = "Enter them again with `ingest init`. It is asked again by itself, once a day at least"
    return Problem("application", "", f"Polling has stopped: {why}", remedy)


def refused_key(inventory: Inventory) -> str:
    """Why the cloud refuses the key, where nothing was answered since; else empty. A new runner knows no more of it."""
    refused = [pair for pair in inventory.pairs.values() if pair.state == Kind.WRONG_KEY]
    answered = max((pair.asked_at or 0 for pair in inventory.pairs.values()), default=0)
    last = max(refused, key=lambda pair: pair.rest_until, default=None)
    if last is None or last.rest_until - PAUSES[Kind.WRONG_KEY][0] < answered:
        return ""
    return access.another_application(last.reason)


def streams(report: Report, inventory: Inventory) -> Iterator[Problem]:
    """Streams that are denied or fail, each reason of a system once."""
    said: set[str] = set()
    for pair, who, account in _pairs(report, inventory, (Kind.DENIED, *PATIENT)):
        problem = _pair(pair, who, account, inventory.version)
        if problem is None:
            continue
        once = f"{pair.system} {problem.kind} {problem.remedy}"
        if once not in said:
            said.add(once)
            yield problem


def _pairs(report: Report, inventory: Inventory, states: Collection[str]) -> Iterator[tuple[Pair, str, str]]:
    """Every pair that is asked for and in one of some states, whose it is in words, and its account."""
    for account in inventory.settings.accounts:
        pair = inventory.pairs.get((listing(account), SYSTEMS.name))
        if pair and pair.state in states:
            yield pair, f"Account {account}", account
    concerned = {pair.system for pair in inventory.pairs.values() if pair.state in states}
    for system in report.systems:
        if system.system in concerned:
            for stream in sorted(inventory.streams_of(system.system), key=lambda stream: not stream.grain):
                pair = inventory.pairs.get((system.system, stream.name))
                if pair and pair.state in states:
                    yield pair, system.name, system.account


def _pair(stream: Pair, who: str, account: str, version: str) -> Problem | None:
    subject = f"{stream.system}.{stream.stream}"
    if stream.state == Kind.DENIED:
        remedy = access.denied(stream.reason, BY_NAME[stream.stream].group, account, version)
        sentence = f"{who}: {stream.stream} is not allowed ({stream.reason})"
        return Problem("denied", subject, sentence, f"{remedy[0].upper()}{remedy[1:]}")
    if stream.state in PATIENT and stream.fails > PATIENT[Kind(stream.state)]:
        words = {Kind.GARBLED: "an answer could not be read", Kind.AHEAD: "the cloud takes our time for the future"}
        what = words.get(Kind(stream.state), "the cloud has trouble")
        if stream.state == Kind.GARBLED and stream.reason.startswith("HTTP "):
            what = "the cloud refuses the call"
        return Problem(
            "stream",
            subject,
            f"{who}: {stream.stream}: {what} ({stream.reason})",
            "It is tried again by itself; if it stays so, run `ingest doctor`",
        )
    return None


def odd(report: Report, inventory: Inventory) -> Iterator[Problem]:
    """What could not be read of replies: it is missing, and everything else is as it should be."""
    names = {system.system: system.name for system in report.systems}
    for (system, stream), rows in inventory.state.odd.items():
        who = names.get(system) or (f"Account {system[1:]}" if system.startswith("@") else "")
        if rows and who:
            odd = odd_reports(rows)
            why = "; ".join(told_stream.reason for told_stream in odd[:2])
            yield Problem(
                "odd",
                f"{system}.{stream}",
                f"{who}: {stream}: {many(len(rows), 'value')} could not be read ({why}), for example {odd[0].sample}",
                "Everything else was read; these are asked for once more when they are settled. If they stay so, tell "
                "the vendor",
                min(told_stream.since for told_stream in odd),
            )


def crowds(inventory: Inventory) -> Iterator[Problem]:
    """Lists of systems that have no end, or none that is plausible."""
    for account in inventory.settings.accounts:
        pair = inventory.pairs.get((listing(account), SYSTEMS.name))
        if pair and pair.reason and not pair.state:
            remedy = "Name those that are wanted under `systems:` in the configuration"
            yield Problem("crowd", account, f"Account {account}: {pair.reason}", remedy)


def no_system(account: str) -> Problem:
    """The cloud was asked for the systems of an account, and has none."""
    sentence = f"Account {account}: {access.OWNS_NONE}"
    remedy = f"{access.OWN_ONE[0].upper()}{access.OWN_ONE[1:]}. The owner authorizes it: `ingest auth login {account}`"
    return Problem("no_system", account, sentence, remedy)


def empty_lists(inventory: Inventory) -> Iterator[Problem]:
    """Accounts that were asked for their systems, and have none."""
    if inventory.settings.systems is not None:
        return
    owners = {row.account for row in inventory.systems.values()}
    for account in inventory.settings.accounts:
        pair = inventory.pairs.get((listing(account), SYSTEMS.name))
        if account not in owners and pair and pair.asked_at is not None and not pair.state:
            yield no_system(account)


def cloud(report: Report, inventory: Inventory) -> Iterator[Problem]:
    """The cloud as a whole: it does not answer, or refuses whatever is asked."""
    remedy = "Nothing is lost: what is missing is read when it answers. If it stays so, run `ingest doctor`"
    quota = report.quota
    if quota.weather:
        again = f"in {span_words(quota.paused_until - report.now)}" if quota.paused_until else "with the next reading"
        yield Problem("cloud", "", f"The cloud does not answer ({quota.weather}); asked again {again}", remedy)
        return
    failing = [pair for pair, *_ in _pairs(report, inventory, (Kind.BUSY, Kind.GARBLED))]
    if len(failing) < 2:
        return
    if not any((pair.asked_at or 0) > report.now - DAY for pair, *_ in _pairs(report, inventory, ("",))):
        since = max((pair.asked_at or 0 for pair in failing), default=0) or None
        yield Problem("cloud", "", f"The cloud refuses every call ({failing[0].reason})", remedy, since)
