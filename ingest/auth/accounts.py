"""The grants of all accounts, held in memory by the owner: what calls are made with, and when to renew it."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ingest.auth.authorizer import Authorizer
from ingest.auth.standing import days_left
from ingest.auth.token_files import StoredTokens
from ingest.core.backoff import backoff
from ingest.core.errors import AuthBusy, AuthNeeded, IngestError, StateError
from ingest.core.units import HOUR, MINUTE, NEVER
from ingest.enphase.oauth import TokenPair
from ingest.enphase.replies import Kind, Verdict
from ingest.fetch.worker import FAILED, Outcome
from ingest.logs import TransitionLog

log = logging.getLogger(__name__)

FRESH_S = 10 * MINUTE
"""A token this young that is called expired is not expired: something else is refused."""
MIN_PAUSE = MINUTE
"""Between two renewals of an account, also when the cloud says that a token lives for a second."""


@dataclass(frozen=True)
class Renewal:
    """What came of renewing an account's tokens."""

    account: str
    call: int
    token: TokenPair | None = field(default=None, repr=False)
    error: IngestError | None = None


@dataclass
class _State:
    token: TokenPair | None = None
    stale: str = ""
    renewing: bool = False
    fails: int = 0
    rest_until: int = 0
    needed: str = ""
    stamp: tuple[int, int] | None = None


class Accounts:
    """The accounts of an installation. With v2 a grant is a user id that never ends; with v4 an access token."""

    def __init__(self, names: Iterable[str], user_ids: Mapping[str, str], authorizer: Authorizer | None) -> None:
        self._user_ids = user_ids
        self._authorizer = authorizer
        self._states = {name: _State() for name in names}
        self._transitions = TransitionLog(log)

    def grant(self, account: str, now: int) -> str:
        """What to call with; empty while there is nothing valid."""
        if account in self._user_ids:
            return self._user_ids[account]
        state = self._states[account]
        token = state.token
        return token.access if token and not state.renewing and not state.stale and now < token.expires_at else ""

    def due(self, now: int) -> list[str]:
        """The accounts whose tokens should be renewed now. Heeds the files, which another program may have written."""
        if self._authorizer is None:
            return []
        return [name for name in self._states if self._is_due(name, self._authorizer, now)]

    def _is_due(self, name: str, authorizer: Authorizer, now: int) -> bool:
        if self._states[name].renewing or name in self._user_ids:
            return False
        state = self._look(name, authorizer)
        if state.needed or state.rest_until > now:
            return False
        token = state.token
        return token is None or bool(state.stale) or now >= token.renew_at()

    def clamp_future(self, now: int) -> None:
        """The clock was set: no pause that was reckoned from the wrong time is longer than the longest."""
        for state in self._states.values():
            state.rest_until = min(state.rest_until, now + HOUR)

    def _look(self, name: str, authorizer: Authorizer) -> _State:
        """Take what is on the disk, when that has changed: a person may have authorized, or said good-bye."""
        state = self._states[name]
        stamp = authorizer.files.stamp(name)
        if stamp == state.stamp:
            return state
        try:
            stored = authorizer.stored(name)
        except StateError:
            return state
        state.stamp = stamp
        if why := authorizer.why_person_needed(name, stored):
            state.token = self._remnant(stored, state.stale)
            self._need(name, state, why)
        elif stored is None:
            state.token = None
        elif not stored.dead and stored.current.access != state.stale and stored.current != state.token:
            self._states[name] = state = _State(token=stored.current, stamp=stamp)
            self._transitions.good(f"consent.{name}", f"account {name} is authorized")
        return state

    @staticmethod
    def _remnant(stored: StoredTokens | None, stale: str) -> TokenPair | None:
        """The access token outlives a dead refresh token by some hours."""
        return stored.current if stored is not None and stored.current.access != stale else None

    def _need(self, name: str, state: _State, sentence: str) -> None:
        """Note that only a person can help; told here unless a renewal has told it."""
        if not state.needed:
            self._transitions.bad(f"consent.{name}", sentence)
        state.needed = sentence

    def begin(self, account: str) -> None:
        """Note that a worker is renewing."""
        self._states[account].renewing = True

    @property
    def renewing(self) -> int:
        """How many renewals are under way."""
        return sum(state.renewing for state in self._states.values())

    def renew(self, account: str, call: int) -> Renewal:
        """Run by a worker: the network part of a renewal."""
        state = self._states[account]
        stale = state.stale or (state.token.access if state.token else "")
        if self._authorizer is None:
            return Renewal(account, call, error=AuthNeeded(f"account {account} has no tokens that could be renewed"))
        try:
            return Renewal(account, call, token=self._authorizer.renew(account, stale))
        except IngestError as error:
            return Renewal(account, call, error=error)
        except Exception:  # a fault of ours must not leave the account renewing for ever
            log.exception("event=renewal_failed account=%s", account)
            return Renewal(account, call, error=AuthBusy(f"account {account}: {FAILED}; trying again later"))

    def finish(self, renewal: Renewal, now: int) -> None:
        """Take the result of a renewal."""
        state = self._states[renewal.account]
        state.renewing = False
        if renewal.token is not None:
            self._states[renewal.account] = _State(token=renewal.token, rest_until=now + MIN_PAUSE)
            return
        state.fails += 1
        state.rest_until = now + backoff(MINUTE, HOUR, state.fails)
        if isinstance(renewal.error, AuthNeeded):
            state.needed = str(renewal.error)

    def judge(self, outcome: Outcome, now: int) -> Outcome:
        """An expired token is renewed once. One that was just issued is not expired: the call is denied."""
        if outcome.verdict.kind is not Kind.EXPIRED:
            return outcome
        state = self._states.get(outcome.task.account)
        if state is None or state.token is None or state.token.access != outcome.grant:
            return outcome
        if 0 <= now - state.token.issued_at < FRESH_S:  # before 0 it was issued by a clock that was wrong
            reason = f"{outcome.verdict.reason}, with a token that was just issued"
            return replace(outcome, verdict=Verdict(Kind.DENIED, reason))
        state.stale = state.token.access
        return outcome

    def needed(self) -> dict[str, str]:
        """The accounts that only a person can authorize, with the sentence that says how."""
        return {name: state.needed for name, state in self._states.items() if state.needed}

    def days_left(self, now: int) -> dict[str, float]:
        """Days until each account needs a person, by what was last seen; accounts without a pair are absent."""
        held = {name: state.token for name, state in self._states.items() if name not in self._user_ids}
        return {name: days_left(token, now) for name, token in held.items() if token is not None}

    def next_at(self, now: int) -> int:
        """When the next renewal is due (epoch seconds)."""
        times = [NEVER]
        for name, state in self._states.items():
            if name not in self._user_ids and not state.renewing and not state.needed:
                renew_at = now if state.token is None or state.stale else state.token.renew_at()
                times.append(max(renew_at, state.rest_until, now + 1))
        return min(times)
