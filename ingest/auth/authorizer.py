"""Obtaining and renewing tokens: received, put on the disk, only then used.

A refresh token is spent only under the lock of its file, after the file was read again inside the lock: two programs
never spend the same one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ingest.auth.token_files import StoredTokens, TokenFiles
from ingest.core.errors import AuthBusy, AuthNeeded, ConfigError, IngestError, StateError
from ingest.core.http import Reply, Request, Transport
from ingest.enphase import oauth
from ingest.enphase.oauth import App, Refused, TokenPair
from ingest.logs import redact, register_token


@dataclass(frozen=True)
class Login:
    """A partner's login, with which a dead refresh token needs no person."""

    username: str
    password: str


class Authorizer:
    """Tokens of all accounts of one application. `now` gives epoch seconds, `observe` takes the cloud's own time."""

    def __init__(
        self,
        app: App,
        files: TokenFiles,
        transport: Transport,
        now: Callable[[], int],
        logins: Mapping[str, Login],
        observe: Callable[[int | None], None] = lambda _: None,
    ) -> None:
        self.app, self.files = app, files
        self._transport, self._now, self._logins = transport, now, logins
        self._observe = observe
        self._unwritten: dict[str, StoredTokens] = {}

    def stored(self, account: str) -> StoredTokens | None:
        """What is on the disk for an account."""
        return self.files.read(account)

    def why_person_needed(self, account: str, stored: StoredTokens | None) -> str:
        """The sentence that says what a person must do, where no request could help; else empty."""
        can_renew = account in self._logins or (stored is not None and not stored.dead)
        return "" if can_renew else self._not_authorized_sentence(account, stored)

    def by_code(self, account: str, code: str) -> TokenPair:
        """Exchange the code of a consent. Raises `AuthNeeded`, `AuthBusy` or `ConfigError`."""
        register_token(code)
        with self.files.lock(account):
            return self._ask(account, oauth.by_code(self.app, code), None)

    def log_in(self, account: str) -> TokenPair:
        """A new pair by a partner's login. Raises as `by_code` does."""
        with self.files.lock(account):
            return self._log_in(account, AuthNeeded(self._not_authorized_sentence(account, None)))

    def renew(self, account: str, stale: str) -> TokenPair:
        """A pair whose access token is not `stale`, renewing at most once.

        Raises `AuthNeeded` when only a person can help, `AuthBusy` when it is worth trying later, `ConfigError` when
        the application itself is refused.
        """
        with self.files.lock(account):
            stored = self._held(account)
            if stored is not None and stored.current.access != stale and not stored.dead:
                return stored.current
            if stored is not None and not stored.dead:
                try:
                    return self._ask(account, oauth.by_refresh(self.app, stored.current.refresh), stored.current)
                except AuthNeeded as refused:
                    return self._second_chance(account, stored, refused)
            return self._log_in(account, AuthNeeded(self._not_authorized_sentence(account, stored)))

    def _held(self, account: str) -> StoredTokens | None:
        """The pair to go on from. One that a full disk refused is written first: the file's own may be spent."""
        stored = self.files.recover(account)
        unwritten = self._unwritten.pop(account, None)
        if unwritten is None or stored is None or unwritten.previous != stored.current:
            return stored
        self._write(account, unwritten)
        return unwritten

    def _second_chance(self, account: str, stored: StoredTokens, refused: AuthNeeded) -> TokenPair:
        """The pair before this one may still be good, if the vendor's last answer never reached us."""
        if stored.previous is not None:
            try:
                return self._ask(account, oauth.by_refresh(self.app, stored.previous.refresh), stored.current)
            except AuthNeeded:
                pass
        self.files.write(account, replace(stored, dead=str(refused)))
        return self._log_in(account, refused)

    def _log_in(self, account: str, refused: AuthNeeded) -> TokenPair:
        login = self._logins.get(account)
        if login is None:
            raise refused
        return self._ask(account, oauth.by_password(self.app, login.username, login.password), None)

    def _ask(self, account: str, request: Request, before: TokenPair | None) -> TokenPair:
        reply = self._transport.send(request)
        self._observe(reply.date_at)
        form = request.form or {}
        answer = oauth.read_token(_without_secrets(reply, form), self._now(), form.get("refresh_token", ""))
        if isinstance(answer, TokenPair):
            _hide(answer)
            self._write(account, StoredTokens(answer, before))
            return answer
        raise self._error(account, answer, form.get("grant_type", ""))

    def _write(self, account: str, stored: StoredTokens) -> None:
        try:
            self.files.write(account, stored)
        except StateError:
            self._unwritten[account] = stored
            raise
        self._unwritten.pop(account, None)

    def _error(self, account: str, refused: Refused, grant: str) -> IngestError:
        reason = refused.reason
        compare = "compare api.client_id and api.client_secret with the developer portal"
        if refused.unknown_client:
            return ConfigError(f"the cloud does not know this application ({reason}); {compare}")
        if not refused.dead:
            trouble = f"account {account}: the token endpoint has trouble ({reason}); trying again later"
            return AuthBusy(f"{trouble}; if it stays so, {compare}" if refused.of_client else trouble)
        if grant == "authorization_code":
            return AuthNeeded(self._bad_code(account, reason))
        if grant == "password":
            return AuthNeeded(
                f"account {account}: the cloud refuses the login ({reason}); correct accounts.{account}.username and "
                f".password in the configuration, then run `ingest auth login {account}`"
            )
        return AuthNeeded(
            f"account {account}: the authorization is no longer valid ({reason}); run "
            f"`ingest auth login {account}`. Data already read is kept"
        )

    def _bad_code(self, account: str, reason: str) -> str:
        if "redirect" in reason.lower():
            return (
                f"account {account}: the redirect address does not match ({reason}); api.redirect_uri is "
                f"{self.app.redirect_uri}, and must be the same while asking and while pasting: begin again with "
                f"`ingest auth login {account}`"
            )
        return (
            f"account {account}: the code was not taken ({reason}); a code works once, and for a few minutes only: "
            f"begin again with `ingest auth login {account}`"
        )

    def _not_authorized_sentence(self, account: str, stored: StoredTokens | None) -> str:
        if stored is not None:
            return stored.dead
        return f"account {account} is not authorized yet; run `ingest auth login {account}`"


def _without_secrets(reply: Reply, form: Mapping[str, str]) -> Reply:
    """A refusal may quote what was sent ("Invalid refresh token: ..."), and its words end up in logs and messages."""
    if reply.status == 200:
        return reply
    sent = [form[name] for name in ("code", "refresh_token", "username", "password") if form.get(name)]
    return replace(reply, body=redact(reply.body.decode("utf-8", "replace"), *sent).encode())


def _hide(token: TokenPair) -> None:
    """Logs never show these; those that look like a JWT are known to the redaction by their form."""
    for word in (token.access, token.refresh):
        if not word.startswith("eyJ"):
            register_token(word)
