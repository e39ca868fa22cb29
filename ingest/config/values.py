"""The kinds of value a configuration holds: durations, shares, addresses, dates, names."""

import math
import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from ingest.core.units import DAY, WEEK, YEAR
from ingest.core.when import LONGEST, UNITS, When, day
from ingest.logs import MIN_SECRET

SIMULATOR = "simulator"

SLOT: dict[str, Any] = {"type": "string", "pattern": r"\$\{"}


def word_error(words: Iterable[str]) -> PydanticCustomError:
    """Return the error for a value that is none of `words`; the nearest one is named when it is shown."""
    expected = ", ".join(f"'{word}'" for word in words)
    return PydanticCustomError("word", "is none of {expected}", {"expected": expected})


MIN_KEPT = YEAR
"""What is younger is read again, and plants are held against the year before."""


def one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    """Return a check that lets only `words` pass."""

    def check(word: str) -> str:
        if word not in words:
            raise word_error(words)
        return word

    return check


def seconds(value: object) -> int:
    """Read a duration: `90s`, `15m`, `6h`, `4d`, `2w`; only 0 needs no unit. An int is a default, in seconds."""
    if isinstance(value, int):
        return value
    match = re.fullmatch(r"(\d{1,12})\s*([smhdw]?)", str(value).strip(), re.ASCII)
    if match is None:
        raise ValueError("is not a duration; write it like 90s, 15m, 6h or 4d")
    if int(match[1]) and not match[2]:
        raise ValueError(f"has no unit; write {match[1]}s, {match[1]}m, {match[1]}h or {match[1]}d")
    result = int(match[1]) * UNITS[match[2] or "s"]
    if result > LONGEST:
        raise ValueError("is longer than a hundred years")
    return result


def kept(value: object) -> int | None:
    """Read how long something is kept (s), such as `2y` or `180d`; None for `all`. No less than `MIN_KEPT`."""
    text = str(value).strip()
    if text == "all":
        return None
    match = re.fullmatch(r"(\d{1,5})\s*([dwy])", text, re.ASCII)
    if match is None:
        raise ValueError("must be all, or how long, such as 2y or 500d")
    result = int(match[1]) * {"d": DAY, "w": WEEK, "y": YEAR}[match[2]]
    if result < MIN_KEPT:
        raise ValueError("must not be shorter than a year, which is read again and compared with; write 1y or more")
    if result > LONGEST:
        raise ValueError("is longer than a hundred years; write all")
    return result


def share(value: object) -> float:
    """Read a share: `10%` or `0.1`."""
    match = re.fullmatch(r"(\d{1,20}(?:\.\d{0,20})?)\s*(%?)", str(value).strip(), re.ASCII)
    result = float(match[1]) / (100 if match[2] else 1) if match else math.inf
    if result > 1:
        raise ValueError("is not a share; write it like 10% or 0.1")
    return result


def web_address(text: str) -> str:
    """Check an http(s) address without user, password, query or fragment; a slash at the end is dropped."""
    parts = _split(text)
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("must have nothing after ? or #")
    return text.rstrip("/")


def redirect_address(text: str) -> str:
    """Check an http(s) address without user, password or fragment."""
    if _split(text).fragment:
        raise ValueError("must have nothing after #")
    return text


def api_address(text: str) -> str:
    """Check the address of the cloud, or the word `simulator`."""
    if text == SIMULATOR:
        return text
    if "/" not in text:
        raise ValueError(f'is neither an address (https://…) nor the word "{SIMULATOR}"')
    return web_address(text)


def listen_address(text: str) -> str:
    """Check `ADDRESS:PORT`."""
    match = re.fullmatch(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})", text, re.ASCII)
    if match is None or int(match[1]) > 65_535:
        raise ValueError("is not an address and port; write it like 127.0.0.1:8080 or 0.0.0.0:8080")
    return text


def host_name(text: str) -> str:
    """Check a host name, without scheme and port."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", text, re.ASCII):
        raise ValueError("is not a host name; write it like solar.example.org")
    return text.lower()


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\\\"<>]", text):
        raise ValueError("is not an address; write it like http://host:8086")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or password; they have keys of their own")
    return parts


def clean(text: str) -> str:
    """Check text that is not empty and can be printed."""
    if not text.strip():
        raise ValueError("is empty")
    if not text.isprintable():
        raise ValueError("holds a line break or another character that cannot be printed")
    return text


def _clean_secret(secret: SecretStr) -> SecretStr:
    _long_enough(clean(secret.get_secret_value()))
    return secret


def _long_enough(text: str) -> str:
    if len(text) < MIN_SECRET:
        raise ValueError(f"is shorter than {MIN_SECRET} characters: too short to be kept out of logs and messages")
    return text


def _sendable(secret: SecretStr) -> SecretStr:
    text = clean(secret.get_secret_value()).strip()
    if not text.isascii():
        raise ValueError("holds a character that cannot be sent (only plain letters, digits and signs can)")
    return SecretStr(_long_enough(text))


def _stripped(text: str | None) -> str | None:
    return None if text is None else clean(text).strip()


def _stripped_token(secret: SecretStr | None) -> SecretStr | None:
    return None if secret is None else _sendable(secret)


def _or_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _account_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]{1,64}", text, re.ASCII):
        raise ValueError("is not usable as a name: only a-z, 0-9, _ and - (it becomes a file name)")
    return text


def words_schema(words: Iterable[str]) -> dict[str, Any]:
    """Return the JSON Schema of a value that is one of `words`, or `${...}`."""
    return {"anyOf": [{"enum": list(words)}, SLOT]}


def _scalar(*types: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", *types], **more})


def _patterned(pattern: str, *types: str) -> WithJsonSchema:
    return _scalar(*types, pattern=rf"^\s*(?:{pattern})\s*$|{SLOT['pattern']}")


ANY = _scalar("number", "boolean")
SWITCH = WithJsonSchema({"type": ["boolean", "string"]})
SPAN = rf"^\s*(?:0+|\d+\s*[smhdw])\s*$|{SLOT['pattern']}"
_DATE = r"\d{4}-\d\d?-\d\d?"
Text = Annotated[str, AfterValidator(clean), ANY]
Name = Annotated[str, AfterValidator(_account_name)]
Host = Annotated[str, AfterValidator(host_name), ANY]
Listen = Annotated[str, AfterValidator(listen_address), ANY]
Secret = Annotated[SecretStr, AfterValidator(_clean_secret), ANY]
Token = Annotated[SecretStr, AfterValidator(_sendable), ANY]
UnsetText = Annotated[str | None, BeforeValidator(_or_none), AfterValidator(_stripped), ANY]
UnsetToken = Annotated[SecretStr | None, BeforeValidator(_or_none), AfterValidator(_stripped_token), ANY]
Url = Annotated[str, AfterValidator(web_address), _scalar()]
ApiUrl = Annotated[str, AfterValidator(api_address), _scalar()]
RedirectUrl = Annotated[str, AfterValidator(redirect_address), _scalar()]
Seconds = Annotated[int, BeforeValidator(seconds), _scalar("integer", pattern=SPAN, minimum=0, maximum=0)]
Kept = Annotated[int | None, BeforeValidator(kept), _patterned(r"all|\d+\s*[dwy]")]
Share = Annotated[float, BeforeValidator(share), _patterned(r"\d+(\.\d*)?\s*%?", "number")]
Count = Annotated[int, Field(ge=1, le=10**12), _scalar("number")]
Degrees = Annotated[float, Field(allow_inf_nan=False), _scalar("number")]
Since = Annotated[When, BeforeValidator(When.parse), _patterned(rf"all|\d+[hdwy]|{_DATE}")]
Day = Annotated[date, BeforeValidator(day), _patterned(_DATE)]
