"""OAuth tokens that carry their own facts, signed with the seed: a restarted simulator knows them again."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from hashlib import sha256
from uuid import UUID

from ingest.simulator.noise import mix

ACCESS_LIFE = 86399
"""Seconds an access token lives (2.1, 2.2)."""
REFRESH_LIFE = 30 * 86400
"""Seconds a refresh token lives (2.2)."""
_HEADER = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()


@dataclass(frozen=True)
class IssuedToken:
    """What a token says: `family` is one consent, `generation` how often it was refreshed since."""

    kind: str
    owner: str
    app_type: str
    iat: float
    exp: float
    family: str
    generation: int
    jti: str


class TokenBook:
    """Issues tokens and knows which are dead.

    Rotation (2.2, sources disagree): lenient, a refresh token works until its successor is first used for a
    refresh; strict, it is dead as soon as the successor exists. This and revocation live in memory only.
    """

    def __init__(self, seed: int, *, strict: bool) -> None:
        self.strict = strict
        self._seed = seed
        self._secret = f"simulated cloud {seed}".encode()
        self._issued = 0
        self._least: dict[str, int] = {}
        self._revoked: dict[str, float] = {}
        self._renewed: set[tuple[str, str]] = set()

    def first(self, owner: str, app_type: str, now: float) -> tuple[str, str, str]:
        """Access token, refresh token and `jti` of a new consent."""
        family = self._unique(now)
        if owner in self._revoked:
            self._renewed.add((owner, family))
        return self._pair(owner, app_type, now, family, 0)

    def refresh(self, text: str, now: float) -> tuple[IssuedToken, tuple[str, str, str]] | None:
        """The next pair in exchange for a refresh token, None if that is dead."""
        token = self.check(text, "refresh", now)
        if token is None or token.generation < self._least.get(token.family, 0):
            return None
        following = token.generation + 1
        self._least[token.family] = following if self.strict else token.generation
        return token, self._pair(token.owner, token.app_type, now, token.family, following)

    def check(self, text: str, kind: str, now: float) -> IssuedToken | None:
        """What the token says if it is genuine, of this kind, not expired and not revoked."""
        head, _, signature = text.rpartition(".")
        if not head.startswith(_HEADER + ".") or not hmac.compare_digest(signature, self._sign(head)):
            return None
        body = head.rpartition(".")[2]
        token = IssuedToken(**json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4))))
        if token.kind != kind or now >= token.exp or self._is_revoked(token):
            return None
        return token

    def revoke(self, owner: str, now: float) -> None:
        """The owner withdraws the consent: all his tokens are dead."""
        self._revoked[owner] = now
        self._renewed = {(name, family) for name, family in self._renewed if name != owner}

    def _is_revoked(self, token: IssuedToken) -> bool:
        revoked = self._revoked.get(token.owner)
        renewed = (token.owner, token.family) in self._renewed
        return revoked is not None and token.iat <= revoked and not renewed

    def _pair(self, owner: str, app_type: str, now: float, family: str, generation: int) -> tuple[str, str, str]:
        jti = self._unique(now)
        access = IssuedToken("access", owner, app_type, now, now + ACCESS_LIFE, family, generation, jti)
        refresh = IssuedToken("refresh", owner, app_type, now, now + REFRESH_LIFE, family, generation, jti)
        return self._write(access), self._write(refresh), jti

    def _write(self, token: IssuedToken) -> str:
        body = urlsafe_b64encode(json.dumps(asdict(token)).encode()).rstrip(b"=").decode()
        head = f"{_HEADER}.{body}"
        return f"{head}.{self._sign(head)}"

    def _sign(self, head: str) -> str:
        digest = hmac.new(self._secret, head.encode(), sha256).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _unique(self, now: float) -> str:
        self._issued += 1
        high, low = (mix(self._seed, part, self._issued, int(now * 1e6)) for part in (1, 2))
        return str(UUID(int=high << 64 | low))
