"""Log lines can be parsed, and hold no secret."""

import base64
import io
import json
import logging
import tracemalloc
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import logs
from ingest.core.words import localized

LOGGER = logging.getLogger("ingest.pipeline")


def fail(text: str) -> None:
    raise ValueError(text)


class Log:
    """The log of one test."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def setup(self, *secrets: str, verbose: bool = False) -> None:
        logs.setup(verbose, secrets, self.stream)

    @property
    def text(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(logs, "_SECRETS", logs._Secrets())
    root = logging.getLogger()
    before = root.handlers[:], root.level
    log = Log()
    log.setup()
    yield log
    root.handlers[:], root.level = before
    logs._quiet(verbose=True)


def test_an_event_is_one_line_of_logfmt(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_795_169_700.0)
    monkeypatch.setattr("time.time_ns", lambda: 1_795_169_700_000_000_000)
    fields = {"calls": 3, "ok": True, "why": 'two "words"\nand more', "empty": "", "none": None, "ratio": 0.5}
    logs.event(LOGGER, logging.INFO, "tick", **fields)
    said = 'event=tick calls=3 ok=true why="two \\"words\\"\\nand more" empty="" ratio=0.5\n'
    assert log.text == f"2026-11-20T10:15:00Z level=info logger=pipeline {said}"


def test_other_lines_carry_a_message(log: Log) -> None:
    LOGGER.warning("%d of %d", 1, 2)
    wrong = logging.makeLogRecord({"msg": "%d of nothing", "args": ("x",), "name": "ingest.pipeline"})
    assert 'level=warning logger=pipeline msg="1 of 2"\n' in log.text
    assert logs._Logfmt().format(wrong).endswith('logger=pipeline msg="%d of nothing"')


def test_control_characters_cannot_forge_lines_or_colour_terminals(log: Log) -> None:
    try:
        fail("a\n2026-01-01T00:00:00Z level=info forged\x1b[31m\x85\u2028")
    except ValueError:
        logs.event(LOGGER, logging.ERROR, "x", a="b\r\nc\x1b[31m\x9b")
        LOGGER.exception("failed")
    lines = log.text.split("\n")[:-1]
    assert all(line.startswith("  ") or " level=error logger=pipeline " in line for line in lines)
    assert not any(char in log.text for char in "\x1b\x9b\x85\u2028\r")


def test_verbose_adds_debug_and_libraries(log: Log) -> None:
    for verbose in (False, True):
        log.setup(verbose=verbose)
        LOGGER.debug("mine %s", verbose)
        logging.getLogger("urllib3.connectionpool").debug("theirs %s", verbose)
        logging.getLogger("apscheduler.scheduler").warning("also theirs %s", verbose)  # a tick waits for another
    assert [line.rpartition('"')[0].rpartition('"')[2] for line in log.text.splitlines()] == [
        "mine True",
        "theirs True",
        "also theirs True",
    ]


SECRET = "s3cr=t/+ \"v'lue\\&éπ\N{LOCK}end"
SPELLINGS = [SECRET, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), json.dumps(SECRET), repr(SECRET)]


@pytest.mark.parametrize("text", SPELLINGS)
def test_registered_secrets_in_every_spelling(log: Log, text: str) -> None:
    log.setup(SECRET)
    logs.event(LOGGER, logging.INFO, "x", a=text, b=f"before{text}after")
    LOGGER.info("%s", {"a": text})
    LOGGER.info(json.dumps({"a": text}))
    for part in ("s3cr", "lue", "v'l", "end"):
        assert part not in log.text
    assert "before" in log.text


def test_a_secret_that_comes_later(log: Log) -> None:
    logs.register_secret("later-token")
    logs.register_secret("abc")
    LOGGER.info("later-token abc")
    assert 'msg="*** abc"' in log.text


LEAKS = [
    "GET /api/v4/systems?key=HIDE&user_id=HIDE HTTP/1.1",
    "https://user:HIDE@host:8086/write?u=x&p=1&password=HIDE",
    "https://HIDE@host/",
    "https://u:HI@HIDE@host/",
    "grant_type=refresh_token&refresh_token=HIDE",
    "code=HIDE&redirect_uri=x",
    "http://localhost:8080/oauth/callback?code=HIDE&state=abc",
    '{"access_token": "HIDE", "refresh_token":"HIDE", "expires_in": 1}',
    '{"user_id": "HIDE", "client_secret": "HI\\"DE"}',
    "{'password': 'HIDE', 'code': 'HIDE'}",
    '{"user_id": 123456HIDE}',
    '{"user_id": 123, "password": 456}Bearer HIDEHIDE',
    "Authorization: Bearer HIDE",
    "authorization: basic HIDE==",
    "{'Authorization': 'Token HIDE'}",
    "{'Authorization': b'Basic HIDE'}",
    "headers=[('Authorization', 'Bearer HIDE')]",
    "send: b'GET / HTTP/1.1\\r\\nAuthorization: Bearer HIDE\\r\\n'",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.HIDE",
    "sent Bearer abcdefgh12345HIDE",
    "INFLUXDB_TOKEN=HIDE api_key=HIDE",
    '"{\\"access_token\\": \\"HIDE\\"}"',
    "x-api-key=HIDE {'x-api-key': 'HIDE'}",
    "a%3Fkey%3DHIDE",
    "Connection to HTTPSConnectionPool(host='x'): Max retries exceeded with url: /api?key=HIDE (Caused by x)",
]


@pytest.mark.parametrize("leak", LEAKS)
def test_what_looks_like_a_secret(log: Log, leak: str) -> None:
    log.setup(verbose=True)
    text = leak.replace("HIDE", "Zq9Zq9")
    logs.event(LOGGER, logging.INFO, text, url=text)
    logging.getLogger("urllib3").debug(text)
    logging.getLogger("urllib3").debug("%r", text)
    try:
        fail(text)
    except ValueError:
        LOGGER.exception("failed")
    assert "Zq9" not in log.text
    assert log.text.count("***") >= 5


def test_fields_named_like_secrets_are_hidden(log: Log) -> None:
    logs.event(LOGGER, logging.INFO, "x", code="abc", access_token="def", key=123, token_days_left=5)
    assert "event=x code=*** access_token=*** key=*** token_days_left=5\n" in log.text


@pytest.mark.parametrize(
    "text",
    ["config/local.yaml:3: api.key: is empty", '{"code": 401, "reason": "401"}', "the token expired", "status=401",
     "http://influx:8086/api/v2/write?org=home&bucket=b", "mail me@example.org", "tokens: 5", "token_days_left=5"],
)  # fmt: skip
@pytest.mark.usefixtures("log")  # what other tests have registered is none of its secrets
def test_plain_words_stay(text: str) -> None:
    assert logs.redact(text) == text


@given(st.text(), st.text(min_size=4).filter(lambda text: text.strip() and "*" not in text))
def test_no_registered_secret_survives(text: str, secret: str) -> None:
    secrets = logs._Secrets()
    secrets.add(secret, passing=False)
    assert secret not in secrets.hide(text + secret + text).replace(logs.HIDDEN, "\0")


def test_basic_authorization_is_hidden_as_sent() -> None:
    sent = base64.b64encode(b"client:secret-of-the-client").decode()
    assert sent[:6] not in logs.redact(f"Authorization: Basic {sent}")


def test_long_lines_are_quick() -> None:
    for text in (
        "a_" * 50_000,
        "x-key" * 20_000,
        '\\"' * 50_000,
        "://" * 30_000,
        "eyJaaaaa." * 10_000,
        "key=" * 20_000,
    ):
        logs.redact(text)


def test_a_closed_stream_is_silent(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    log.stream.close()
    LOGGER.info("secret %s", "x")
    assert capsys.readouterr().err == ""


def test_a_change_is_said_once(log: Log) -> None:
    changes = logs.TransitionLog(LOGGER)
    assert not changes.good("sink.influx", "writes again")
    assert changes.bad("sink.influx", "connection refused")
    assert not changes.bad("sink.influx", "connection refused")
    assert changes.bad("sink.other", "bucket missing")
    assert changes.good("sink.influx", "writes again")
    assert not changes.good("sink.influx", "writes again")
    assert [line.split("logger=pipeline ")[1] for line in log.text.splitlines()] == [
        'event=bad what=sink.influx why="connection refused"',
        'event=bad what=sink.other why="bucket missing"',
        'event=good what=sink.influx why="writes again"',
    ]


def test_commands_in_a_line_are_written_as_they_are_called_here() -> None:
    stream = io.StringIO()
    logs.setup(verbose=False, stream=stream, wording=lambda text: localized(text, "docker compose exec ingest ingest"))
    transitions = logs.TransitionLog(logging.getLogger("ingest.x"))
    transitions.bad("consent.home", "not authorized yet; run `ingest auth login home`")
    assert "run `docker compose exec ingest ingest auth login home`" in stream.getvalue()


def test_tokens_of_years_take_no_more_memory_than_those_of_a_month(log: Log) -> None:
    """A service obtains two tokens a day for ever; what the configuration holds stays hidden beside them."""
    configured = "key-of-the-configuration"
    logs.register_secret(configured)
    tokens = [f"{number:06d}-{'opaque.token_~' * 6}" for number in range(1500)]
    tracemalloc.start()
    used = []
    for token in tokens:
        logs.register_token(token)
        used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert used[-1] < 1.2 * used[699]  # Python itself remembers 512 patterns
    for secret in (configured, *tokens[-2:]):
        assert secret not in logs.redact(f"sent {secret} to the cloud")
