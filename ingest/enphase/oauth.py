"""The OAuth exchanges as values: what to ask, and what a reply means. Reference: section 2.

Secrets travel in the form body, never in the address: addresses end up in logs.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard
from urllib.parse import parse_qsl, urlencode, urlsplit

from ingest.core.http import Reply, Request
from ingest.core.units import DAY
from ingest.enphase.replies import fields_of, one_line, sent_on, words

REFRESH_LIFE = 30 * DAY
"""Refresh tokens live a month (reference 2.2)."""
EARLY = 0.2
"""A token is renewed when this share of its life is left."""
LONGEST_UNRENEWED = 3 * DAY
"""A pair is renewed this often at least, however long its access token may live."""
VENDOR = "https://api.enphaseenergy.com"
VENDOR_PAGE = f"{VENDOR}/oauth/redirect_uri"
"""The vendor's own redirect address: a page that only displays the code."""
ENLIGHTEN = "https://enlighten.enphaseenergy.com"


@dataclass(frozen=True)
class App:
    """An application of the developer portal: where it asks, and who it says it is."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str = VENDOR_PAGE


@dataclass(frozen=True)
class TokenPair:
    """A pair of tokens. `issued_at` and `expires_at` (of the access token) are epoch seconds."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    issued_at: int
    expires_at: int

    @property
    def lapses_at(self) -> int:
        """When the refresh token dies and a person must consent again."""
        return self.issued_at + REFRESH_LIFE

    def renew_at(self) -> int:
        """When it is time to renew the pair, well ahead of its end."""
        early = int(self.expires_at - EARLY * (self.expires_at - self.issued_at))
        return min(early, self.issued_at + LONGEST_UNRENEWED)


@dataclass(frozen=True)
class ConsentAnswer:
    """What a consent ended with: a code or the vendor's `error`, and the `state` of the question, if it came along.

    `user_id` is what the page of v2 ends with.
    """

    code: str = field(default="", repr=False)
    state: str = field(default="", repr=False)
    error: str = ""
    about: str = ""
    user_id: str = field(default="", repr=False)


@dataclass(frozen=True)
class Refused:
    """No token. `dead` says that this grant will never work again; otherwise the failure is temporary. `of_client`:
    client id or secret may be wrong; `unknown_client`: they are.
    """

    reason: str
    dead: bool = False
    unknown_client: bool = False
    of_client: bool = False


def authorize_url(app: App, state: str) -> str:
    """The page where an owner consents; without `redirect_uri` the vendor refuses it (reference 2.1)."""
    query = {"response_type": "code", "client_id": app.client_id, "redirect_uri": app.redirect_uri, "state": state}
    return f"{app.base_url}/oauth/authorize?{urlencode(query)}"


def enlighten_url(base_url: str, app_id: str, redirect: str) -> str:
    """The page of v2 that shows the owner's user_id after access was allowed (reference 8)."""
    host = ENLIGHTEN if base_url == VENDOR else base_url
    return f"{host}/app_user_auth/new?{urlencode({'app_id': app_id, 'redirect': redirect})}"


def local_port(app: App) -> tuple[str, int, str] | None:
    """Host, port and path of a redirect address on this very machine, which we can catch.

    None where the address is elsewhere, or is the page of the cloud itself that displays the code.
    """
    parts = urlsplit(app.redirect_uri)
    if app.redirect_uri == f"{app.base_url}/oauth/redirect_uri":
        return None
    if parts.scheme != "http" or parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        return None
    return parts.hostname, parts.port or 80, parts.path or "/"


_BARE = re.compile(r"[A-Za-z0-9._~+/=-]{1,1000}")


def read_answer(text: str) -> ConsentAnswer:
    """What a person pasted: a bare code, or the whole address that the browser ended at.

    Nothing usable gives an answer without code and error.
    """
    text = text.strip().strip("\"'<>").strip()
    if len(text) > 8000:
        return ConsentAnswer()
    if not re.search(r"[?&]|://|^(?:code|error|user_id)=", text):
        return ConsentAnswer(code=text) if _BARE.fullmatch(text) else ConsentAnswer()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ConsentAnswer()
    query = parts.query or ("" if parts.scheme else text.lstrip("?"))
    return answer_of(dict(parse_qsl(query, keep_blank_values=True)))


def answer_of(query: Mapping[str, str]) -> ConsentAnswer:
    """The answer in the query of a redirect. An address that still asks for consent holds none."""
    names = ("code", "state", "error", "user_id")
    code, state, error, user = (query.get(name, "")[:2000] for name in names)
    about = one_line(query.get("error_description", ""))[:200]
    return ConsentAnswer(code, state, one_line(error)[:60], about, user)


def by_code(app: App, code: str) -> Request:
    """Exchange the code of a consent; `redirect_uri` must be the very text used in `authorize_url`."""
    return _token_request(app, grant_type="authorization_code", code=code, redirect_uri=app.redirect_uri)


def by_refresh(app: App, refresh: str) -> Request:
    """Renew a pair. The reply holds a new refresh token; the old one may be dead from then on."""
    return _token_request(app, grant_type="refresh_token", refresh_token=refresh)


def by_password(app: App, username: str, password: str) -> Request:
    """A partner's login; needs no person."""
    return _token_request(app, grant_type="password", username=username, password=password)


def _token_request(app: App, **form: str) -> Request:
    basic = (app.client_id, app.client_secret)
    return Request("POST", f"{app.base_url}/oauth/token", form=form, basic=basic)


def read_token(reply: Reply, now: int, refresh: str = "") -> TokenPair | Refused:
    """The new pair, or why there is none. Unknown keys are ignored; `expires_in` is seconds from now.

    `refresh` is the refresh token that was sent: it stays valid when the answer holds no new one (RFC 6749, section 6).
    """
    body = fields_of(reply.body) if reply.status else None
    text = reply.body[:2000].decode("utf-8", "replace")
    if reply.status == 200 and body is not None:
        return _pair(body, now, refresh)
    if body is not None and (reply.status in (400, 401) or (reply.status == 403 and body.get("error"))):
        return _refusal(reply.status, body, text)
    if 300 <= reply.status < 400:
        return Refused(sent_on(reply.status, reply.location))
    return Refused(one_line(reply.failure)[:200] or f"HTTP {reply.status}: {words(text)}")


def _pair(body: dict[str, object], now: int, sent: str) -> TokenPair | Refused:
    access, refresh, life = body.get("access_token"), body.get("refresh_token") or sent, body.get("expires_in")
    if not (_is_token(access) and _is_token(refresh)):
        return Refused("the token endpoint's answer holds no pair of tokens")
    return TokenPair(access, refresh, now, now + _seconds(life))


def _is_token(text: object) -> TypeGuard[str]:
    """Whether this can be a token: printable ASCII alone (RFC 6749, appendix A), so that it can stand in a header."""
    return isinstance(text, str) and text != "" and text.isascii() and text.isprintable()


def _seconds(life: object) -> int:
    """`expires_in`, which some servers send as text; a day, as documented, where it makes no sense."""
    if isinstance(life, str) and life.isascii() and life.isdigit():
        life = int(life[:9])
    if isinstance(life, int | float) and not isinstance(life, bool) and 1 <= life < 10**8:
        return int(life)
    return DAY


def _refusal(status: int, body: dict[str, object], text: str) -> Refused:
    """Only two words of RFC 6749 and 6750 end an authorization. Servers say the rest, "unauthorized" above all, of a
    client whose secret is wrong, of a missing header, or at their error page.
    """
    error = one_line(str(body.get("error") or ""))[:60]
    about = one_line(str(body.get("error_description") or ""))[:200] or words(text)
    reason = f"{error}: {about}" if error else about
    dead, unknown = error in ("invalid_grant", "invalid_token"), error in ("invalid_client", "unauthorized_client")
    return Refused(reason, dead=dead, unknown_client=unknown, of_client=not dead and (status == 401 or unknown))


def user_id(enlighten_id: int) -> str:
    """The v2 `user_id` of an Enlighten id: hex of base64 of the decimal number, newline included (reference 8)."""
    return base64.encodebytes(str(enlighten_id).encode()).hex()
