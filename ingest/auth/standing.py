"""The authorization state of each account, read from its token file without a call."""

from dataclasses import dataclass

from ingest.auth.token_files import TokenFiles
from ingest.config import Settings
from ingest.core.errors import StateError
from ingest.core.units import DAY
from ingest.enphase.oauth import TokenPair

WORRYING = 10 * DAY
"""A refresh token is renewed daily; with this little left, renewing has failed for weeks."""


@dataclass(frozen=True)
class Standing:
    """How an account stands. `kind` is consent, login or user; `state` is ok, missing, dead, lapsed or unreadable.

    Times are epoch seconds; `days_left` counts until a person must consent again, None where nobody ever must or
    where there is nothing left to count. `sentence` says what to do, empty when all is well.
    """

    account: str
    kind: str
    state: str
    days_left: float | None = None
    access_ends_at: int | None = None
    refresh_ends_at: int | None = None
    sentence: str = ""


def standing(settings: Settings, now: int) -> list[Standing]:
    """How every account stands, read from the token files; spends no call."""
    files = TokenFiles(settings.state_dir / "tokens")
    return [_standing(files, name, account.kind, now) for name, account in settings.accounts.items()]


def days_left(token: TokenPair, now: int) -> float:
    """Days until the refresh token dies; never negative."""
    return round(max(0, token.lapses_at - now) / DAY, 2)


def _standing(files: TokenFiles, account: str, kind: str, now: int) -> Standing:
    if kind == "user":
        return Standing(account, kind, "ok")
    try:
        stored = files.read(account)
    except StateError as error:
        return Standing(account, kind, "unreadable", sentence=str(error))
    alone = kind == "login"
    if stored is None:
        sentence = "" if alone else f"account {account} is not authorized yet; run `ingest auth login {account}`"
        return Standing(account, kind, "missing", sentence=sentence)
    pair = stored.current
    ends = {"access_ends_at": pair.expires_at, "refresh_ends_at": pair.lapses_at}
    if stored.dead:
        return Standing(account, kind, "dead", **ends, sentence="" if alone else stored.dead)
    left = days_left(pair, now)
    if not left:
        sentence = (
            f"account {account}: the authorization was not renewed for 30 days and has lapsed; "
            f"run `ingest auth login {account}`"
        )
        return Standing(account, kind, "lapsed", 0.0, **ends, sentence="" if alone else sentence)
    return Standing(account, kind, "ok", left, **ends, sentence=_worry(account, pair, now, alone=alone))


def _worry(account: str, pair: TokenPair, now: int, *, alone: bool) -> str:
    left = pair.lapses_at - now
    if alone or left >= WORRYING:
        return ""
    return (
        f"account {account}: not renewed for {(now - pair.issued_at) // DAY} days; within {max(1, left // DAY)} days "
        "a runner must reach the cloud, or a person must consent again"
    )
