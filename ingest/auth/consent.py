"""Consents begun and concluded, by the commands and by the page alike.

A `state` goes out with the link and must come back with the code: it works once, expires, and is signed, so that the
link printed by one process can be answered in another.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ingest.auth.authorizer import Authorizer
from ingest.auth.private_file import write_private
from ingest.auth.token_files import TokenFiles
from ingest.core.errors import AuthNeeded, ConfigError, StateError
from ingest.core.units import DAY, HOUR
from ingest.enphase import oauth
from ingest.enphase.oauth import ConsentAnswer, TokenPair

SHORT, LONG = HOUR, 7 * DAY
"""How long a link on a page is good for, and one that is printed and may be sent to an owner."""
MAX_USED_STATES = 2000
"""Used states kept; the oldest give way, whose codes are long dead."""


@dataclass(frozen=True)
class Pending:
    """One state: the account it was made for, and until when it is good (epoch seconds)."""

    account: str
    until: int


class StateRefused(AuthNeeded):
    """A `state` that is unknown, expired, used, or of another account."""


class States:
    """The states that are on their way. Each carries what it says, signed with a key of this installation, so that no
    number of further ones can end it; only those that were used are kept, in a file of the token folder, as digests.
    """

    def __init__(self, files: TokenFiles) -> None:
        self._files = files
        self._path = files.folder / ".consents.json"
        self._key_path = files.folder / ".consents.key"

    def issue(self, account: str, now: int, life: int) -> str:
        """A new state, random and good for `life` seconds."""
        claim = f"{secrets.token_urlsafe(18)}.{now + life}.{account}"
        with self._files.lock(".consents"):
            return f"{claim}.{self._signature(claim)}"

    def redeem(self, state: str, now: int) -> str:
        """The account that a state was made for; it is used up by this. Raises `StateRefused`."""
        with self._changing(now) as used:
            found = self._read_state(state)
            again = _digest(state) in used
            if found is not None and not again and found.until > now:
                used[_digest(state)] = found.until
                return found.account
        if found is None:
            raise StateRefused("this link is unknown or expired")
        if again:
            raise StateRefused("this answer was used already; if the account is authorized, all is well")
        raise StateRefused("this answer came too late: its link has expired")

    def _read_state(self, state: str) -> Pending | None:
        """What a state says; None when it was not made here."""
        claim, _, signature = state.rpartition(".")
        _, _, rest = claim.partition(".")
        until, _, account = rest.partition(".")
        made_here = hmac.compare_digest(signature.encode("utf-8", "replace"), self._signature(claim).encode())
        return Pending(account, int(until)) if made_here else None

    def _signature(self, claim: str) -> str:
        mac = hmac.new(self._key(), claim.encode("utf-8", "replace"), hashlib.sha256)
        return base64.urlsafe_b64encode(mac.digest()).decode().rstrip("=")

    def _key(self) -> bytes:
        """The key of this installation; made when it is first needed. The caller holds the lock."""
        try:
            if not self._key_path.exists():
                write_private(self._key_path, secrets.token_hex(32))
            return self._key_path.read_text("ascii").encode()
        except (OSError, ValueError) as error:
            raise StateError(f"{self._key_path}: {error}; no link can be made, so none is given") from None

    @contextlib.contextmanager
    def _changing(self, now: int) -> Iterator[dict[str, int]]:
        """Digests of the used states and when they expire, under their lock; written back without those long over."""
        with self._files.lock(".consents"):
            used = self._read()
            before = dict(used)
            yield used
            if used != before:
                fresh = {name: until for name, until in used.items() if now - DAY < until < now + LONG + DAY}
                self._write(dict(sorted(fresh.items(), key=lambda item: item[1])[-MAX_USED_STATES:]))

    def _read(self) -> dict[str, int]:
        try:
            body = json.loads(self._path.read_text("utf-8"))
            return {str(name): int(until) for name, until in body.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self, used: Mapping[str, int]) -> None:
        try:
            write_private(self._path, json.dumps(used))
        except OSError as error:
            raise StateError(
                f"{self._path}: {error.strerror}; the answer cannot be noted, so it is not taken"
            ) from None


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class Seen:
    """What can be said once an account is authorized: its systems by name, and when the first poll is."""

    systems: tuple[str, ...] = ()
    trouble: str = ""
    first_poll: str = ""


class ConsentFlow:
    """Where an account is authorized. `kinds` says of each account how (consent, login or user).

    `see` makes the one call that lists the systems of a new token. `enter` counts the exchange of a code before it is
    made, or raises `AuthBusy` where the minute is full; what it returns is called afterwards.
    """

    def __init__(
        self,
        authorizer: Authorizer,
        kinds: Mapping[str, str],
        now: Callable[[], int],
        see: Callable[[str, TokenPair], Seen],
        enter: Callable[[str], Callable[[], None]] = lambda _: lambda: None,
    ) -> None:
        self.authorizer, self.kinds, self.see = authorizer, kinds, see
        self.states = States(authorizer.files)
        self._now, self._enter = now, enter

    def ask(self, account: str, life: int = SHORT) -> tuple[str, str]:
        """The vendor's page on which the owner of `account` consents, and the state in it."""
        state = self.states.issue(account, self._now(), life)
        return oauth.authorize_url(self.authorizer.app, state), state

    def redeem(self, answer: ConsentAnswer) -> str:
        """The account that a redirect belongs to. Raises `StateRefused`."""
        return self.states.redeem(answer.state, self._now())

    def conclude(self, account: str, answer: ConsentAnswer) -> TokenPair:
        """A pair for the code of an answer whose state was checked. Raises `AuthNeeded`, `AuthBusy`, `ConfigError`."""
        if answer.error:
            raise AuthNeeded(self._not_granted(account, answer))
        if not answer.code:
            raise AuthNeeded(self._no_code(account, answer))
        ended = self._enter(account)
        try:
            return self.authorizer.by_code(account, answer.code)
        finally:
            ended()

    def pasted(self, account: str, text: str) -> TokenPair:
        """A pair for what a person pasted: a code, or a whole address, whose state is then checked. Raises alike."""
        answer = oauth.read_answer(text)
        if answer.state and (answer.code or answer.error):
            self._own(account, answer)
        return self.conclude(account, answer)

    def check_form(self, account: str, state: str, answer: ConsentAnswer) -> None:
        """Use up the state of our own page, and that of an address pasted into it, which may be the same."""
        self._own(account, ConsentAnswer(state=state))
        if answer.state and answer.state != state:
            self._own(account, answer)

    def _own(self, account: str, answer: ConsentAnswer) -> None:
        again = f"begin again with `ingest auth login {account}`"
        try:
            owner = self.redeem(answer)
        except StateRefused as refused:
            raise StateRefused(f"account {account}: {refused}; {again}") from None
        if owner != account:
            raise StateRefused(f"account {account}: this address answers the question of account {owner}; {again}")

    def _not_granted(self, account: str, answer: ConsentAnswer) -> str:
        again = f"`ingest auth login {account}`"
        if answer.error == "access_denied":
            return (
                f"account {account}: the owner refused; nothing was changed. To try again run {again}, and choose to "
                "approve"
            )
        about = f": {answer.about}" if answer.about else ""
        return f"account {account}: the cloud answered {answer.error}{about}; begin again with {again}"

    def _no_code(self, account: str, answer: ConsentAnswer) -> str:
        again = f"`ingest auth login {account}`"
        if answer.user_id:
            return f"account {account}: a user_id belongs to API v2; with v4 a code is needed: begin again with {again}"
        return (
            f"account {account}: there is no code in what was pasted; paste the code that the page shows after you "
            f"approved, or the whole address that the browser ended at. To begin again: {again}"
        )


def only_account(kinds: Mapping[str, str], named: str | None) -> str:
    """The account meant: the one that is named, or the only one. Raises `ConfigError`."""
    known = ", ".join(kinds)
    if named is None and len(kinds) > 1:
        raise ConfigError(f"there are several accounts; name one of: {known}")
    if named is not None and named not in kinds:
        raise ConfigError(f"no account is called {named!r}; known: {known}")
    return named or next(iter(kinds))
