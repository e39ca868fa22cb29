"""The application registered with the simulated vendor, and the numbers of its users."""

from base64 import b64encode
from dataclasses import dataclass
from zlib import crc32

CLIENT_ID = "simulated-client-id"
CLIENT_SECRET = "simulated-client-secret"  # noqa: S105 - not a secret: opens only the simulator
API_KEY = "simulated-api-key"
PARTNER_USER = "installer@example.com"
PARTNER_PASSWORD = "simulated-password"  # noqa: S105 - as above


@dataclass(frozen=True)
class Application:
    """What the developer portal knows; `redirect_uris` None accepts any address."""

    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    api_key: str = API_KEY
    partner_user: str = PARTNER_USER
    partner_password: str = PARTNER_PASSWORD
    redirect_uris: tuple[str, ...] | None = None


def enlighten_id(owner: str) -> int:
    """The number of a user (`enl_uid` of 2.1)."""
    return 100_000 + crc32(owner.encode()) % 900_000


def v2_code(number: int) -> str:
    """The form in which v2 writes a user id or cursor: hex of base64 and a newline; 247 is 4d6a51330a (8)."""
    return (b64encode(str(number).encode()) + b"\n").hex()
