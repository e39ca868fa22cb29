"""What sinks make of answers, addresses and settings; nothing is sent."""

import sys
from subprocess import run

import pytest

from ingest.core.errors import ConfigError, SinkDown, SinkRefused
from ingest.deliver.answers import NO_USE, UNREACHABLE, SinkAnswer, Words, judge, reason
from ingest.deliver.connection import parse_address, unreachable
from ingest.deliver.sink import SINK_TYPES, Target, open_sink

WORDS = Words("http://db:8086", lambda status, why: f"remedy for {status}", ("s3cret/",))


def test_fingerprints_differ_by_target_only() -> None:
    targets = [
        Target("influxdb", "http://DB:8086/", "one", "home", "b"),
        Target("influxdb", "http://me:x@db:8086", "two", "home", "b"),
        Target("influxdb", "http://db:8086", "one", "home", "c"),
        Target("influxdb", "http://db:8086", "one", "office", "b"),
        Target("influxdb_v1", "http://db:8086", database="b"),
    ]
    prints = [open_sink(target).fingerprint for target in targets]
    assert prints[0] == prints[1] == "http://db:8086 org=home bucket=b"
    assert len(set(prints)) == 4


@pytest.mark.parametrize("kind", ["influx", *SINK_TYPES])
def test_a_target_that_cannot_be_a_sink_is_a_configuration_error(kind: str) -> None:
    with pytest.raises(ConfigError):
        open_sink(Target(kind, "http://db:8086"))


@pytest.mark.parametrize("url", ["", "db:8086", "localhost", "ftp://db", "http://", "http://db:port", "http://[::1"])
def test_what_is_no_address_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match="looks like"):
        parse_address(url)


@pytest.mark.parametrize(
    ("url", "shown", "where"),
    [
        ("http://localhost:8086/", "http://localhost:8086", "here"),
        ("http://127.0.0.2", "http://127.0.0.2", "here"),
        ("http://u:p@[::1]:8086", "http://[::1]:8086", "here"),
        ("https://Pi.Example/influx/", "https://pi.example/influx", "elsewhere"),
        ("http://192.168.1.2:8086?x=y", "http://192.168.1.2:8086", "elsewhere"),
    ],
)
def test_an_address_is_taken_apart(url: str, shown: str, where: str) -> None:
    address = parse_address(url)
    assert (address.url, address.local) == (shown, where == "here")


OLD_WORDS = "partial write: points beyond retention policy dropped=3"
PARTIAL_V2 = "failure writing points to database: partial write: "
UNEXPECTED = "unexpected error writing points to database: "
IN_BUCKET = " for database: 9f282d63c7d3a5c0 for retention policy: autogen"
BOUND = "at 1970-01-01T00:00:01Z dropped because it violates a Retention Policy Lower Bound at 2025-05-20T19:06:17Z"
LONG = (
    "dropped 4 points outside retention policy of duration 24h0m0s - "
    f"oldest point home,dropped=9 {BOUND}, newest point home {BOUND} dropped=4"
)


@pytest.mark.parametrize(
    ("status", "said", "older"),
    [
        (400, OLD_WORDS, 3),
        (422, f"failure writing points to database: {OLD_WORDS}", 3),
        (500, UNEXPECTED + OLD_WORDS, 3),
        (
            400,
            "partial write: points beyond retention policy or outside permissible write window dropped=2",
            2,
        ),
        (422, PARTIAL_V2 + LONG + IN_BUCKET, 4),
        (400, f"partial write: {LONG} for database: home for retention policy: autogen", 4),
    ],
)
def test_retention_is_counted_in_the_words_of_every_version(status: int, said: str, older: int) -> None:
    assert judge(SinkAnswer(status, f'{{"message":"{said}"}}'), WORDS) == older


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "partial write: field type conflict: input field a on m is type string dropped=1"),
        (422, f"{PARTIAL_V2}field type conflict dropped=1{IN_BUCKET}"),
        (500, f"{UNEXPECTED}partial write: field type conflict dropped=1"),
        (400, f"unable to parse '{OLD_WORDS}': missing fields"),
        (413, "Request Entity Too Large"),
        (201, "partial write of line protocol occurred"),
    ],
)
def test_a_line_that_the_database_never_takes_is_refused_with_its_words(status: int, said: str) -> None:
    with pytest.raises(SinkRefused, match="the database at http://db:8086 refuses this batch: ") as error:
        judge(SinkAnswer(status, f'{{"error":"{said}"}}'), WORDS)
    assert said in str(error.value)


@pytest.mark.parametrize("status", [*range(100, 204), *range(205, 600, 7), UNREACHABLE, NO_USE])
@pytest.mark.parametrize("body", ["", "<html>", "[]", "null", '"x"', '{"data":[]}', '{"data":3}', "s3cret/ s3cret%2F"])
def test_every_answer_has_a_verdict_without_secrets(status: int, body: str) -> None:
    with pytest.raises((SinkDown, SinkRefused)) as error:
        judge(SinkAnswer(status, body), WORDS)
    assert "s3cret" not in str(error.value)


def test_the_line_that_influxdb_3_refused_is_named() -> None:
    body = '{"error":"partial write of line protocol occurred","data":[{"error_message":"bad","line_number":2}]}'
    assert reason(body) == "partial write of line protocol occurred: bad"


def test_the_cause_of_a_failure_is_found_below_its_wrappers() -> None:
    wrapper = RuntimeError("Token tok-secret")
    wrapper.__cause__ = TimeoutError("timed out")
    answer = unreachable(wrapper)
    assert answer.status == NO_USE
    assert answer.body.startswith("does not answer in time")


def test_a_run_without_the_client_does_not_load_it() -> None:
    program = "import sys, ingest.deliver.influx, ingest.deliver.influx_v1; sys.exit('influxdb_client' in sys.modules)"
    assert run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
