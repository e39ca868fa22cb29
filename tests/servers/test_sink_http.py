"""How sinks behave towards servers that are ill, busy, or no InfluxDB at all."""

from collections.abc import Callable, Iterator

import pytest

from ingest.core.errors import SinkDown, SinkRefused
from ingest.deliver.influx import InfluxSink
from ingest.deliver.influx_v1 import InfluxV1Sink
from ingest.deliver.sink import Sink, Target, open_sink
from tests.servers.places import TOKEN
from tests.servers.strict_v2 import StrictV2
from tests.servers.web import Asked, Reply, Web

LINE = "energy a=1.0 1700000000"
STORED = Reply(204, headers=(("X-Influxdb-Version", "1.8.10"),))


class Scripted(Web):
    """Answers what it was told, one by one, then that all is stored."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__()
        self.replies = list(replies)

    def answer(self, asked: Asked) -> Reply:
        return self.replies.pop(0) if self.replies else STORED


Opener = Callable[..., Sink]


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture(params=["influx", "influx_v1"])
def opened(request: pytest.FixtureRequest, pauses: list[float]) -> Iterator[Opener]:
    sinks: list[Sink] = []

    def opener(url: str, *, gzip: bool | None = None) -> Sink:
        if request.param == "influx":
            sinks.append(InfluxSink(url, "tok-secret", None, "b", gzip=gzip, sleep=pauses.append))
        else:
            sinks.append(InfluxV1Sink(url, "b", "u", "tok-secret", gzip=gzip, sleep=pauses.append))
        return sinks[-1]

    yield opener
    for sink in sinks:
        sink.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_passes_by_itself_is_asked_again(opened: Opener, pauses: list[float], status: int) -> None:
    with Scripted(Reply(status), Reply(status)) as server:
        assert opened(server.url).write([LINE]) == 0
    assert pauses == [0.2, 0.4]


def test_what_does_not_pass_is_down_after_three_attempts(opened: Opener) -> None:
    with Scripted(*[Reply(503, b"engine is closed")] * 9) as server:
        with pytest.raises(SinkDown, match="503 engine is closed"):
            opened(server.url).write([LINE])
        assert len(server.asked) == 3


def test_a_short_retry_after_is_kept(opened: Opener, pauses: list[float]) -> None:
    with Scripted(Reply(503, headers=(("Retry-After", "2"),))) as server:
        assert opened(server.url).write([LINE]) == 0
    assert pauses == [2.0]


def test_a_long_retry_after_is_left_to_the_sender(opened: Opener, pauses: list[float]) -> None:
    with Scripted(*[Reply(503, headers=(("Retry-After", "30"),))] * 2) as server:
        with pytest.raises(SinkDown, match="asks for 30 s"):
            opened(server.url).write([LINE])
        assert len(server.asked) == 1
    assert pauses == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422])
def test_what_never_passes_is_asked_once(opened: Opener, status: int) -> None:
    with Scripted(*[Reply(status, b'{"error":"no tok-secret"}')] * 9) as server:
        with pytest.raises(SinkRefused if status in (400, 413, 422) else SinkDown) as error:
            opened(server.url).write([LINE])
        assert len(server.asked) == 1
    assert "no ***" in str(error.value)


def test_a_redirect_is_not_followed(opened: Opener) -> None:
    with Scripted() as elsewhere:
        moved = Reply(307, headers=(("Location", f"{elsewhere.url}/write"),))
        with Scripted(moved) as server, pytest.raises(SinkDown, match=r"307.*check the `url`"):
            opened(server.url).write([LINE])
        assert elsewhere.asked == []


def test_the_page_of_a_portal_is_not_taken_for_success(opened: Opener) -> None:
    with Scripted(Reply(200, b"<html>Welcome"), Reply(200, b"<html>Welcome")) as server:
        sink = opened(server.url)
        with pytest.raises(SinkDown, match=r"200.*check the `url`"):
            sink.write([LINE])


def test_an_answer_that_is_no_text_is_down(opened: Opener) -> None:
    with Scripted(Reply(403, b"\xff\xfe")) as server, pytest.raises(SinkDown):
        opened(server.url).write([LINE])


def test_a_connection_that_breaks_is_tried_again(opened: Opener, pauses: list[float]) -> None:
    with Scripted() as server:
        url = server.url
    with pytest.raises(SinkDown, match=f"the database at {url} refuses connections: is it running"):
        opened(url).write([LINE])
    assert len(pauses) == 2


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_batches_are_packed_when_wished(opened: Opener, coding: str) -> None:
    with Scripted() as server:
        opened(server.url, gzip=coding == "gzip").write([LINE, LINE])
    assert server.asked[0].headers.get("Content-Encoding", "identity") == coding
    assert server.asked[0].body.decode() == f"{LINE}\n{LINE}"
    assert server.asked[0].params["precision"] == "s"


def test_the_credentials_of_the_url_are_used_and_never_shown() -> None:
    with Scripted(Reply(401), Reply(401)) as server:
        url = server.url.replace("//", "//me:p%40ss@")
        for target in (Target("influxdb", url, bucket="b"), Target("influxdb_v1", url, database="b")):
            sink = open_sink(target)
            with pytest.raises(SinkDown) as error:
                sink.write([LINE])
            assert not any(part in str(error.value) + sink.fingerprint + repr(target) for part in ("p@ss", "p%40"))
    assert [asked.headers["Authorization"] for asked in server.asked] == [
        "Token me:p@ss",
        "Basic bWU6cEBzcw==",
    ]


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_the_proxy_of_the_environment_is_for_the_internet(
    opened: Opener, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    with Scripted() as server:
        assert opened(server.url).write([LINE]) == 0


def test_ping_names_the_version(opened: Opener) -> None:
    with Scripted() as server:
        assert opened(server.url).ping() == "InfluxDB 1.8.10"


def test_a_wrong_organization_is_named() -> None:
    with StrictV2(TOKEN, org="office") as server:
        sink = open_sink(Target("influxdb", server.url, TOKEN, "home", "enphase"))
        with pytest.raises(SinkDown, match=r"check the `org` of the sink.*influx org create --name home"):
            sink.write([LINE])


def test_retention_is_counted_in_the_words_of_older_servers() -> None:
    with StrictV2(TOKEN, modern=False) as server:
        server.buckets["enphase"] = 86400
        sink = open_sink(Target("influxdb", server.url, TOKEN, "home", "enphase"))
        assert sink.write([LINE]) == 1
