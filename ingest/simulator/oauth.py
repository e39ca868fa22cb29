"""Consent in a browser and the token endpoint (reference section 2)."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from ingest.simulator import pages
from ingest.simulator.answers import Answer, Json, RefusedError, as_html, as_json, redirect
from ingest.simulator.noise import mix
from ingest.simulator.tokens import ACCESS_LIFE, IssuedToken, TokenBook
from ingest.simulator.users import Application, enlighten_id, v2_code

CODE_LIFE = 300
"""Seconds in which a code can be exchanged: "valid for minutes" (2.1)."""
_LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class _Code(NamedTuple):
    owner: str
    redirect_uri: str | None
    expires: float


def oauth_error(status: int, name: str, text: str) -> Answer:
    """The body of OAuth errors: `error` and `error_description` (2.3)."""
    return as_json({"error": name, "error_description": text}, status)


class OAuth:
    """The authorization server of one application."""

    def __init__(self, application: Application, book: TokenBook, seed: int) -> None:
        self.application = application
        self.book = book
        self._seed = seed
        self._codes: dict[str, _Code] = {}
        self._made = 0

    def consent(self, owner: str, now: float, redirect_uri: str | None = None) -> str:
        """A new code, as if the owner had approved; None as address fits any address at the exchange."""
        self._made += 1
        number = mix(self._seed, 7, self._made, int(now))
        code = "".join(_LETTERS[number // len(_LETTERS) ** place % len(_LETTERS)] for place in range(6))
        self._codes[code] = _Code(owner, redirect_uri, now + CODE_LIFE)
        return code

    def authorize(self, method: str, query: str, form: Mapping[str, str], now: float) -> Answer:
        """GET shows the question, POST is the answer of the person (2.1)."""
        asked = dict(parse_qsl(query, keep_blank_values=True))
        target = asked.get("redirect_uri", "")
        wrong = self._wrong_request(asked, target)
        if wrong:
            return as_html(pages.show_error(*wrong), 400)
        if method != "POST":
            return as_html(pages.consent(query))
        reply = {"state": asked["state"]} if "state" in asked else {}
        if form.get("decision") == "approve":
            reply["code"] = self.consent(form.get("user") or "owner", now, target)
        else:
            reply |= {"error": "access_denied", "error_description": "User denied access"}
        return redirect(target + ("&" if urlsplit(target).query else "?") + urlencode(reply))

    def _wrong_request(self, asked: Mapping[str, str], target: str) -> tuple[str, str] | None:
        registered = self.application.redirect_uris
        if asked.get("client_id") != self.application.client_id:
            return "invalid_client", "Unknown client_id."
        if not target:
            return "invalid_request", "A redirect_uri must be supplied."
        if registered is not None and target not in registered:
            return "invalid_grant", "Invalid redirect: it does not match one of the registered values."
        if asked.get("response_type") != "code":
            return "unsupported_response_type", "Unsupported response type."
        return None

    def enlighten(self, method: str, query: str, form: Mapping[str, str]) -> Answer:
        """The page of v2 that tells an application the user id of an owner (8)."""
        if method != "POST":
            return as_html(pages.consent(query))
        target = dict(parse_qsl(query)).get("redirect", "")
        code = v2_code(enlighten_id(form.get("user") or "owner"))
        if form.get("decision") != "approve":
            return as_html(pages.page("Not authorized", "<p>You rejected the application.</p>"))
        if not target:
            return as_html(pages.show_code(code))
        return redirect(target + ("&" if urlsplit(target).query else "?") + urlencode({"user_id": code}))

    def token(self, method: str, headers: Mapping[str, str], given: Mapping[str, str], now: float) -> Answer:
        """POST /oauth/token; `given` is query and form together (2.1). `headers` have lower-case names."""
        if method != "POST":
            return oauth_error(405, "method_not_allowed", f"Request method '{method}' not supported")
        if not self._is_client(headers.get("authorization", "")):
            return oauth_error(401, "invalid_client", "Bad client credentials")
        grants = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh,
            "password": self._by_password,
        }
        grant = grants.get(given.get("grant_type", ""))
        if grant is None:
            return oauth_error(400, "unsupported_grant_type", "Unsupported grant type")
        try:
            return as_json(grant(given, now))
        except RefusedError as refused:
            return refused.answer

    def _is_client(self, authorization: str) -> bool:
        scheme, _, coded = authorization.partition(" ")
        try:
            plain = b64decode(coded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        known = f"{self.application.client_id}:{self.application.client_secret}"
        return scheme.lower() == "basic" and plain == known

    def _by_code(self, given: Mapping[str, str], now: float) -> Json:
        code = self._codes.pop(given.get("code", ""), None)
        if code is None or now >= code.expires:
            raise _invalid_grant(f"Invalid authorization code: {given.get('code', '')}")
        if code.redirect_uri is not None and given.get("redirect_uri") != code.redirect_uri:
            raise _invalid_grant("Redirect URI mismatch.")
        return _reply(code.owner, "system", self.book.first(code.owner, "system", now))

    def _by_refresh(self, given: Mapping[str, str], now: float) -> Json:
        renewed = self.book.refresh(given.get("refresh_token", ""), now)
        if renewed is None:
            raise _invalid_grant("Invalid refresh token")
        token, pair = renewed
        return _reply(token.owner, token.app_type, pair)

    def _by_password(self, given: Mapping[str, str], now: float) -> Json:
        known = (self.application.partner_user, self.application.partner_password)
        if (given.get("username"), given.get("password")) != known:
            raise _invalid_grant("Bad credentials")
        return _reply(known[0], "partner", self.book.first(known[0], "partner", now))

    def bearer(self, authorization: str, now: float) -> IssuedToken | None:
        """The valid access token in an Authorization header, if there is one."""
        scheme, _, text = authorization.partition(" ")
        return self.book.check(text, "access", now) if scheme.lower() == "bearer" else None


def _invalid_grant(text: str) -> RefusedError:
    return RefusedError(oauth_error(400, "invalid_grant", text))


def _reply(owner: str, app_type: str, made: tuple[str, str, str]) -> Json:
    access, refresh, jti = made
    return {
        "access_token": access,
        "token_type": "bearer",
        "refresh_token": refresh,
        "expires_in": ACCESS_LIFE,
        "scope": "read write",
        "enl_uid": str(enlighten_id(owner)),
        "enl_cid": "5",
        "enl_password_last_changed": "1638870641",
        "is_internal_app": False,
        "app_type": app_type,
        "jti": jti,
        "app_Id": "1409612345678",
    }
