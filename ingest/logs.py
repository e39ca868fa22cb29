"""One line an event, in logfmt, without secrets.

`2026-11-20T10:15:00Z level=info logger=pipeline event=tick calls=3 points=288`

Everything that leaves through the handler is redacted, tracebacks and lines of libraries included. What is
written as `key=…`, `code=…`, `token=…` and the like is taken for a secret: give other fields other names.
"""

import json
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import TextIO

HIDDEN = "***"
TELLING = "notify-"
"""How the names of threads begin in which a receiver is told."""
MIN_SECRET = 4
MAX_PASSING = 100
"""Tokens that are hidden by their value: of fifty accounts the pair in use, or of one those of a month and more."""
QUIET = ("urllib3", "requests", "apscheduler", "influxdb_client", "Rx", "werkzeug", "waitress", "asyncio")

_NAMES = r"(?:key|token|password|passwd|secret|user_id|userid)|code|username"
_STATUS = r"(?!(?<=code)\\*[\"']\s*:\s*\\*[\"']?\d{3}\b)"  # `"code": 401` is no secret
_VALUE = r"""(?:\\*"(?:\\.|[^"\\])*"?|\\*'(?:\\.|[^'\\])*'?|[^\s&,;"'<>)\]}\\]+)"""
_PATTERNS = [
    # the query of an address, a form, or `name=value` in text
    (
        re.compile(rf"(?i)(?:(?<![a-z0-9_])|(?<=%3f|%26))((?:[a-z0-9]+_)*{_NAMES})(=|%3d)(?!\s){_VALUE}"),
        rf"\1\2{HIDDEN}",
    ),
    # JSON, or the repr of a dict
    (
        re.compile(
            rf"""(?i)(\\*["'](?:(?:[a-z0-9]+[_-])*{_NAMES}){_STATUS}\\*["']\s*:\s*)(?!null|none)(?:b(?=["']))?{_VALUE}"""
        ),
        rf'\1"{HIDDEN}"',
    ),
    (
        re.compile(
            r"""(?i)(authorization\\*["']?\s*[:=,]\s*(?:b(?=["']))?\\*["']?)(?:(?:bearer|basic|token)\s+)?[^\s"',}\\]+"""
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[a-z0-9._~+/=-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"\b((?:Basic|Token)\s+)(?=\S*\d)[A-Za-z0-9._~+/=-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"), HIDDEN),
    (re.compile(r"""(://)[^/\s"'<>?#]*@"""), rf"\1{HIDDEN}@"),
]
_FIELD = re.compile(rf"(?i)(?:[a-z0-9]+_)*{_NAMES}")


def _spelled(char: str) -> str:
    """Return a pattern for a character as it is, escaped for JSON or Python (more than once, too), or for URLs."""
    if char.isascii() and (char.isalnum() or char in "-._~"):  # those that no URL encodes (RFC 3986, 2.3) and no JSON
        return re.escape(char)
    code, encoded = ord(char), char.encode("utf-8", "surrogatepass")
    percent = "".join(rf"%(?:25)*{byte:02x}" for byte in encoded)
    units = char.encode("utf-16-be", "surrogatepass")  # JSON escapes what lies beyond 16 bits as a pair
    escaped = "".join(rf"\\+u{units[index : index + 2].hex()}" for index in range(0, len(units), 2))
    ways = [r"\\*" + re.escape(char), rf"(?i:\\+(?:u|x)?0*{code:x})", f"(?i:{escaped})", rf"(?i:{percent})"]
    ways += [r"\+"] if char == " " else [r"\\+"] if char == "\\" else []
    return f"(?:{'|'.join(ways)})"


class _Secrets:
    """The values that must never be printed: those of the configuration, and the newest of those that change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lasting: dict[str, re.Pattern[str]] = {}
        self._passing: dict[str, re.Pattern[str]] = {}
        self._longest_first: tuple[re.Pattern[str], ...] = ()

    def add(self, value: str, *, passing: bool) -> None:
        if len(value) < MIN_SECRET:
            return
        with self._lock:
            held = self._passing if passing else self._lasting
            pattern = held.pop(value, None) or re.compile("".join(map(_spelled, value)))
            held[value] = pattern
            for oldest in list(self._passing)[:-MAX_PASSING]:
                del self._passing[oldest]
            patterns = self._passing | self._lasting
            self._longest_first = tuple(patterns[secret] for secret in sorted(patterns, key=len, reverse=True))

    def hide(self, text: str) -> str:
        for pattern in self._longest_first:
            text = pattern.sub(HIDDEN, text)
        return text


_SECRETS = _Secrets()


def register_secret(value: str) -> None:
    """Hide a value of the configuration from now on wherever it appears."""
    _SECRETS.add(value, passing=False)


def register_token(value: str) -> None:
    """Hide a token or code that was just obtained; a service obtains thousands, so the newest are held."""
    _SECRETS.add(value, passing=True)


def redact(text: str, *secrets: str) -> str:
    """Return the text without secrets: registered values, these, and whatever looks like one."""
    text = _SECRETS.hide(text)
    for secret in (secret for secret in secrets if len(secret) >= MIN_SECRET):
        text = re.sub("".join(map(_spelled, secret)), HIDDEN, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def event(logger: logging.Logger, level: int, name: str, /, **fields: object) -> None:
    """Log one event with its fields; a field that is None is left out."""
    logger.log(level, name, extra={"logfmt": fields}, stacklevel=2)


class TransitionLog:
    """Logs one line when a thing goes bad and one when it is good again, however often it is told."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lock = threading.Lock()
        self._bad: dict[str, str] = {}

    def sentence(self, key: str) -> str:
        """What was last said of a thing that is bad; empty while it is good."""
        return self._bad.get(key, "")

    def bad(self, key: str, sentence: str) -> bool:
        """Say that a thing is bad; returns whether that is new, and so was logged."""
        with self._lock:
            is_new = key not in self._bad
            self._bad[key] = sentence
        if is_new:
            event(self._logger, logging.WARNING, "bad", what=key, why=sentence)
        return is_new

    def good(self, key: str, sentence: str) -> bool:
        """Say that a thing is good; returns whether it was bad before, and so was logged."""
        with self._lock:
            is_new = key in self._bad
            self._bad.pop(key, None)
        if is_new:
            event(self._logger, logging.INFO, "good", what=key, why=sentence)
        return is_new


def setup(
    verbose: bool,  # noqa: FBT001
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
    wording: Callable[[str], str] = str,
) -> None:
    """Send all logging to one stream (stderr), redacted; `verbose` adds DEBUG and the lines of libraries.

    `wording` is the last to change a text, such as the commands in it to how they are called here.
    """
    for secret in secrets:
        register_secret(secret)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(handler)
    handler = _Handler(stream if stream is not None else sys.stderr)
    handler.setFormatter(_Logfmt(wording))
    handler.addFilter(_is_ours)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    _quiet(verbose=verbose)


def _quiet(*, verbose: bool) -> None:
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET if verbose else logging.WARNING)
    # Headers that cannot be read come with a traceback; what follows from them is told as an outcome. That a tick is
    # due while one runs and one waits is no news.
    for name in ("urllib3.connection", "apscheduler.scheduler"):
        logging.getLogger(name).setLevel(logging.NOTSET if verbose else logging.ERROR)


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a line may be printed: what libraries say where a receiver is told may hold its address, a secret."""
    return record.name.startswith("ingest") or not (record.threadName or "").startswith(TELLING)


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Stay silent when the stream is gone: the default prints the arguments, secrets included."""


class _Logfmt(logging.Formatter):
    def __init__(self, wording: Callable[[str], str] = str) -> None:
        super().__init__()
        self._wording = wording

    def format(self, record: logging.LogRecord) -> str:
        pairs = (self._pair(key, value) for key, value in self._fields(record).items() if value is not None)
        return "\n".join([" ".join([_time(record.created), *pairs]), *self._trace(record)])

    def _fields(self, record: logging.LogRecord) -> dict[str, object]:
        fields = getattr(record, "logfmt", None)
        head = {"level": record.levelname.lower(), "logger": record.name.removeprefix("ingest.")}
        what = {"msg": _message(record)} if fields is None else {"event": record.msg, **fields}
        error = record.exc_info[1] if record.exc_info else None
        return {**head, **what, **({"error": f"{type(error).__name__}: {error}"} if error else {})}

    def _pair(self, key: str, value: object) -> str:
        """Render a field; redacted first, since quoting would change how a secret is spelled."""
        if isinstance(value, bool):
            return f"{key}={str(value).lower()}"
        text = HIDDEN if _FIELD.fullmatch(key) else self._wording(redact(str(value)))
        plain = text and not re.search(r'[\s"=\\]', text) and text.isprintable()
        return f"{key}={text if plain else _printable(json.dumps(text, ensure_ascii=False))}"

    def _trace(self, record: logging.LogRecord) -> list[str]:
        text = self.formatException(record.exc_info) if record.exc_info and record.exc_info[1] else ""
        text += f"\n{record.stack_info}" if record.stack_info else ""
        return [f"  {_printable(line)}" for line in redact(text).splitlines()]


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return str(record.msg)


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
