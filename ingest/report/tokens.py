"""The authorizations of the accounts, read from their files; no token is ever shown."""

from ingest.auth.standing import Standing, standing
from ingest.config import Settings
from ingest.report.model import TokenReport


def tokens(settings: Settings, now: int) -> list[TokenReport]:
    """How each account is authorized, and for how long."""
    return [_token(one) for one in standing(settings, now, "auth login {}".format)]


def _token(one: Standing) -> TokenReport:
    state, reason = one.state, ""
    if one.kind == "user":
        state = "user"
    elif one.kind == "login" and state != "unreadable":
        state = "login"
    elif state in ("dead", "lapsed"):
        state, reason = "dead", "it lapsed" if one.state == "lapsed" else "it was withdrawn, or lapsed"
    elif state == "unreadable":
        reason = one.sentence
    left = None if one.days_left is None else round(one.days_left, 1)
    return TokenReport(one.account, state, left, one.refresh_ends_at, reason)
