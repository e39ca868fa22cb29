"""One call that a person asks for: with the account's token, within the plan, and entered in the ledger first."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.auth.authorizer import Authorizer
from ingest.commit import record
from ingest.commit.context import CommitContext
from ingest.config import Settings
from ingest.core.errors import AuthNeeded, IngestError, StateLocked
from ingest.core.http import Transport
from ingest.core.span import Span
from ingest.core.words import local_words
from ingest.enphase import access
from ingest.enphase.call import Purpose, Task
from ingest.enphase.endpoints import Endpoint
from ingest.enphase.replies import Kind, Verdict, verdict
from ingest.enphase.requests import ApiTarget, address, request
from ingest.enphase.streams.base import Stream
from ingest.fetch.worker import Outcome, fetch, without_secrets
from ingest.plan import quota
from ingest.plan.inventory import listing
from ingest.service.clock import Clock
from ingest.service.counted_call import CountedCall, counted, end, reserve
from ingest.store import ledger, meta, snapshot
from ingest.store.database import Store

QueryPairs = Sequence[tuple[str, str]]
MAX_PAGES = 100
"""Pages of a list that are asked for in one command."""
PURPOSE = "asked"
"""Said in the ledger of a call that a person made."""
LISTS = ("systems", "devices", "sessions", "events")
"""The keys of lists that come in pages."""
SIZE = 100
"""The most rows that the cloud puts on a page (reference 1)."""


@dataclass
class SingleCall:
    """What makes a call: `authorizer` is None with API v2 and v1, where `user_ids` are how each account is called."""

    settings: Settings
    api: ApiTarget
    store: Store
    clock: Clock
    transport: Transport
    authorizer: Authorizer | None
    user_ids: Mapping[str, str] = field(default_factory=dict)

    def left(self) -> int:
        """Calls of this month that the plan still admits, the reserve included: that is for people."""
        usage = ledger.usage(self.store.db, self.settings.ledger_name, self.clock.now())
        return max(0, self.settings.plan.per_month - usage.month)

    def ask(self, account: str, system: str, endpoint: Endpoint, path: str, params: QueryPairs) -> Any:
        """The JSON of one reply. An expired token is renewed once.

        Raises `AuthNeeded`, `AuthBusy` or `ConfigError` as the authorizer does, `IngestError` when the plan admits no
        call or the cloud does not answer with JSON.
        """
        grant = self._grant(account, "")
        answer = self._sent(account, system, path, params, grant)
        if answer.kind is Kind.EXPIRED and self.authorizer is not None:
            answer = self._sent(account, system, path, params, self._grant(account, grant))
        if answer.kind is not Kind.OK:
            what = access.remedy(answer, endpoint.group, account, self.api.version)
            raise IngestError(f"{path}: {answer.reason}" + (f"; {what}" if what else ""))
        return answer.data

    def pages(self, account: str, system: str, endpoint: Endpoint, path: str, params: QueryPairs) -> Iterator[Any]:
        """The replies of a list, page after page, until one is not full. Raises as `ask` does."""
        given: QueryPairs = params
        for _ in range(MAX_PAGES):
            reply = self.ask(account, system, endpoint, path, given)
            yield reply
            following = next_page(self.api.version, reply, given)
            if following is None:
                return
            given = following

    def read(self, account: str, system: str, stream: Stream, cursor: str = "") -> Outcome:
        """Ask for a stream that is a snapshot, and write what comes of it into the state where no runner owns that.

        Raises as `ask` does; what the cloud refuses is in the outcome.
        """
        task = Task(account, system, stream, Span(0, 0), Purpose.SNAPSHOT, cursor)
        outcome = self._read(task, self._grant(account, ""))
        if outcome.verdict.kind is Kind.EXPIRED and self.authorizer is not None:
            outcome = self._read(task, self._grant(account, outcome.grant))
        return outcome

    def _read(self, task: Task, grant: str) -> Outcome:
        self._wait_for_room()
        now = self.clock.now()
        call = reserve(self.settings, self.store, now, task.system, task.stream.name, PURPOSE)
        outcome = fetch(task, call, request(self.api, task, grant), self.api.version, grant, None, self.transport, now)
        self.clock.observe(outcome.date_at)
        keep(self.settings, self.store, outcome, self.clock.now())
        return outcome

    def _sent(self, account: str, system: str, path: str, params: QueryPairs, grant: str) -> Verdict:
        self._wait_for_room()
        asked = address(self.api, path, {}, grant, more=params)
        with counted(self.settings, self.store, self.clock, system or listing(account), "api", PURPOSE) as call:
            reply = without_secrets(self.transport.send(asked), asked, grant)
            self.clock.observe(reply.date_at)
            answer = verdict(reply, self.api.version, lists=True)
            call.verdict, call.was_sent = answer.kind.value, reply.sent
        return answer

    def _grant(self, account: str, stale: str) -> str:
        """What to call an account with, other than `stale`; renewed where it has run out, for a call."""
        if self.authorizer is None:
            return self.user_ids[account]
        stored = self.authorizer.stored(account)
        if why := self.authorizer.why_person_needed(account, stored):
            raise AuthNeeded(why)
        token = stored.current if stored and not stored.dead else None
        if token and token.access != stale and self.clock.now() < token.expires_at:
            return token.access
        self._wait_for_room()
        with counted(self.settings, self.store, self.clock, listing(account), "token", PURPOSE) as call:
            call.verdict = "no_token"
            renewed = self.authorizer.renew(account, token.access if token else "")
            call.verdict = "ok"
        return renewed.access

    def _wait_for_room(self) -> None:
        """Wait for a place in the minute. Raises `IngestError` when the month has no more."""
        plan, name = self.settings.plan, self.settings.ledger_name
        self._not_paused()
        if not self.left():
            raise IngestError(f"the {plan.per_month:,} calls of this month are used up; see `ingest plan`")
        while (at := quota.open_at(plan, ledger.usage(self.store.db, name, self.clock.now()), self.clock.now())) > (
            now := self.clock.now()
        ):
            self.clock.sleep(at - now)

    def _not_paused(self) -> None:
        until = int(meta.read(self.store.db, "paused_until") or 0)
        if until > self.clock.now():
            raise IngestError(f"the cloud asked for a pause until {local_words(until, 'UTC')} (UTC); try again then")


def keep(settings: Settings, store: Store, outcome: Outcome, now: int) -> None:
    """Write an outcome into the state where nobody owns it, so that the first runner need not ask again; else into the
    ledger only.
    """
    try:
        own = Store(settings.state_dir, own=True)
    except StateLocked:
        end(store, outcome.call, now, CountedCall(outcome.verdict.kind.value, outcome.sent))
        return
    with contextlib.closing(own), own.transaction() as db:
        accounts = frozenset(settings.accounts)
        context = CommitContext(now, settings.ages, 0, outcome.task.account, settings.version, accounts=accounts)
        record.record(db, snapshot.load(db), outcome, context)


def next_page(version: str, reply: Any, params: QueryPairs) -> QueryPairs | None:
    """The parameters of the page that follows a reply; None where that was the last, or no page at all."""
    given = dict(params)
    if version != "v4":
        cursor = reply.get("next") if isinstance(reply, dict) else None
        known = isinstance(cursor, str) and cursor and cursor != given.get("next")
        return [*((key, value) for key, value in params if key != "next"), ("next", str(cursor))] if known else None
    rows, counter = list_of(reply), "page"
    if rows is None:
        return None
    size = _number(reply, "size", "page_size") or _number(given, "size", "limit") or (20 if "offset" in given else 10)
    total = _number(reply, "total", "total_devices")
    if "offset" in given or "limit" in given:
        counter, at = "offset", (_number(given, "offset") or 0) + len(rows)
    else:
        at = (_number(reply, "current_page", "page") or _number(given, "page") or 1) + 1
    begins = at if counter == "offset" else (at - 1) * size
    if not rows or (begins >= total if total else len(rows) < size):
        return None
    return [*((key, value) for key, value in params if key != counter), (counter, str(at))]


def list_of(reply: Any) -> list[Any] | None:
    """The list that a reply is a page of; None where it holds none."""
    if isinstance(reply, list):  # an entry a gateway, each with a page of its panels
        return [
            row for entry in reply for row in (entry.get("micro_inverters") or () if isinstance(entry, dict) else ())
        ]
    name = _name_of_list(reply)
    return list(reply[name]) if name else None


def joined(replies: Sequence[Any]) -> Any:
    """The pages of a list as one reply: the first, with the rows of all."""
    first = replies[0]
    if isinstance(first, list):
        return [entry for reply in replies for entry in reply]
    name = _name_of_list(first)
    if not name:
        return first
    rows = [row for reply in replies for row in reply[name]]
    return {**first, name: rows} | ({"count": len(rows)} if "count" in first else {})


def _name_of_list(reply: Any) -> str:
    """The key of the list in a reply; empty where there is none."""
    names = LISTS if isinstance(reply, dict) else ()
    return next((name for name in names if isinstance(reply.get(name), list)), "")


def _number(values: Any, *names: str) -> int:
    """The first of some keys that holds a whole number; 0 where none does."""
    found = [str(values.get(name)) for name in names] if isinstance(values, dict) else []
    return next((int(value) for value in found if value.isdigit()), 0)
