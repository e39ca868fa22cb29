"""The contract of a sink, the same for every kind, against real servers."""

import re
import time
from collections.abc import Iterator
from itertools import count, product

import pytest

from ingest.core.errors import SinkDown, SinkRefused
from ingest.core.point import Point, encode
from ingest.deliver.influx_v1 import InfluxV1Sink
from ingest.deliver.sink import Sink, Target, VerifiableSink, open_sink
from tests.influxd import Influxd
from tests.servers.places import TOKEN, V1, V2, Place, Proxied, Strict
from tests.servers.strict_v2 import StrictV2
from tests.servers.v2_proxy import V2Proxy

NOON = 1_700_000_000
names = (f"home {number}" for number in count())


@pytest.fixture(scope="module")
def strict() -> Iterator[StrictV2]:
    with StrictV2(TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(guarded_influxd: Influxd) -> Iterator[V2Proxy]:
    with V2Proxy(guarded_influxd, TOKEN) as server:
        yield server


@pytest.fixture(params=["influx_v1", "influx_like_1.8", "influx_strict_2.x", "influx_2.x"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "influx_2.x":
        return V2(next(names), request.getfixturevalue("ready_influxd2"))
    if request.param == "influx_strict_2.x":
        return Strict(next(names), request.getfixturevalue("strict"))
    guarded: Influxd = request.getfixturevalue("guarded_influxd")
    if request.param == "influx_v1":
        return V1(next(names), guarded)
    return Proxied(next(names), guarded, request.getfixturevalue("proxy"))


@pytest.fixture
def sink(place: Place) -> Iterator[Sink]:
    place.make()
    sink = place.sink()
    yield sink
    sink.close()


def test_writing_again_changes_nothing(place: Place, sink: Sink) -> None:
    lines = [f"energy,system=1 produced_wh={n}.5 {NOON + n}" for n in range(3)]
    assert sink.write(lines) == 0
    once = place.rows("energy")
    assert sink.write(lines) == 0
    assert place.rows("energy") == once
    assert [(row["time"], row["produced_wh"]) for row in once] == [(NOON + n, n + 0.5) for n in range(3)]


def test_field_sets_merge_and_new_values_win(place: Place, sink: Sink) -> None:
    sink.write([f"energy,system=1 a=1.0,b=2.0 {NOON}"])
    sink.write([f"energy,system=1 b=3.0,c=4.0 {NOON}"])
    assert place.rows("energy") == [{"time": NOON, "system": "1", "a": 1.0, "b": 3.0, "c": 4.0}]


def test_a_poison_line_is_refused_and_halving_saves_the_others(place: Place, sink: Sink) -> None:
    sink.write([f"energy,system=1 a=1.0 {NOON}"])
    lines = [f"energy,system=1 a={n}.0 {NOON + n}" for n in range(1, 8)]
    lines[3] = f'energy,system=1 a="text" {NOON + 4}'
    refused = _halve(sink, lines)
    assert refused == [lines[3]]
    assert [row["a"] for row in place.rows("energy")] == [1.0, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0]


def test_a_line_that_is_none_is_refused_with_the_reason(place: Place, sink: Sink) -> None:
    with pytest.raises(SinkRefused, match="unable to parse 'garbage': missing fields"):
        sink.write(["garbage"])
    assert _halve(sink, ["garbage", f"energy a=1.0 {NOON}"]) == ["garbage"]
    assert len(place.rows("energy")) == 1


def test_what_is_older_than_the_database_keeps_is_counted(place: Place) -> None:
    place.make(days=1)
    now = int(time.time())
    lines = [f"energy a=1.0 {NOON}", f"energy a=2.0 {now}", f"energy a=3.0 {NOON + 1}"]
    assert place.sink().write(lines) == 2
    assert [row["a"] for row in place.rows("energy")] == [2.0]


@pytest.mark.parametrize("days", [3, None])
def test_how_long_the_database_keeps_points_is_known(place: Place, days: int | None) -> None:
    """What is older was dropped rightly: nobody is told that the database does not hold what was sent."""
    place.make(days)
    sink = place.sink()
    assert isinstance(sink, VerifiableSink)
    assert sink.kept_from(NOON) == (NOON - days * 86400 if days else 0)


def test_wrong_credentials_are_down_and_stay_secret(place: Place) -> None:
    place.make()
    sink = place.sink(secret="not-the-secret")
    for attempt in (lambda: sink.write([f"energy a=1.0 {NOON}"]), sink.ping):
        with pytest.raises(SinkDown, match=r"40[13].*(token|password)") as error:
            attempt()
        assert "not-the-secret" not in str(error.value)


def test_a_killed_server_is_down_and_works_when_it_is_back(place: Place, sink: Sink) -> None:
    sink.write([f"energy a=1.0 {NOON}"])
    place.kill()
    try:
        with pytest.raises(SinkDown, match="is it running"):
            sink.write([f"energy a=2.0 {NOON + 1}"])
        with pytest.raises(SinkDown, match="is it running"):
            sink.ping()
    finally:
        place.start()
    sink.write([f"energy a=2.0 {NOON + 1}"])
    assert [row["a"] for row in place.rows("energy")] == [1.0, 2.0]


def test_many_lines_are_cut_into_requests(place: Place, sink: Sink) -> None:
    assert sink.write([f"energy a={n}.0 {NOON + n}" for n in range(12_000)]) == 0
    assert len(place.rows("energy")) == 12_000
    if isinstance(place, Strict):
        sizes = [asked.body.count(b"\n") + 1 for asked in place.server.asked[-3:]]
        assert sizes == [5_000, 5_000, 2_000]


def test_nothing_to_write_is_no_request(sink: Sink) -> None:
    assert sink.write([]) == 0


TEXTS = [
    'say "hi"',
    "a,b=c d",
    "back\\slash",
    "ends in \\",
    "two\nlines\n",
    "\r\n",
    "Zürich ☀ 日本",
    "",
    "\t",
    "\\n",
]


def test_text_comes_back_as_it_was(place: Place, sink: Sink) -> None:
    points = [Point("system_info", (), NOON + n, {"label": text}) for n, text in enumerate(TEXTS)]
    sink.write([encode(point) for point in points])
    assert [row["label"] for row in place.rows("system_info")] == TEXTS


def test_odd_tags_come_back_as_they_were(place: Place, sink: Sink) -> None:
    values = ["".join(letters) for size in (1, 2, 3) for letters in product('a\\,= "é#', repeat=size)]
    values = [value for value in values if not re.search(r"\\([,= ]|$)", value)]
    points = [
        Point("energy", (("value", value), (value, "key")), NOON + n, {"produced_wh": 1.0})
        for n, value in enumerate(values)
    ]
    assert sink.write([encode(point) for point in points]) == 0
    rows = place.rows("energy")
    assert [(row["value"], row[row["value"]]) for row in rows] == [(value, "key") for value in values]


def test_ping_names_the_version(place: Place, sink: Sink) -> None:
    assert sink.ping().startswith(place.version)


def test_a_missing_bucket_is_down_with_the_command_that_makes_it(place: Place) -> None:
    sink = place.sink(name="not there")
    if isinstance(place, Proxied):
        remedy = 'CREATE DATABASE "not there"'
    elif isinstance(place, Strict | V2):
        remedy = "influx bucket create --name 'not there' --org home"
    else:
        return  # it is made, see below
    with pytest.raises(SinkDown, match=remedy):
        sink.write([f"energy a=1.0 {NOON}"])
    with pytest.raises(SinkDown, match=remedy):
        sink.ping()


@pytest.mark.parametrize("name", ["plain", 'odd "name"; é'])
def test_a_missing_database_is_made_by_the_first_write_only(influxd: Influxd, name: str) -> None:
    sink = open_sink(Target("influxdb_v1", influxd.url, database=name))
    assert sink.ping().startswith("InfluxDB 1.6.7")
    assert name not in _databases(influxd)
    sink.write([f"energy a=1.0 {NOON}"])
    assert name in _databases(influxd)
    assert len(influxd.query(name, 'SELECT * FROM "energy"')) == 1


def test_a_name_that_the_server_does_not_take_is_explained(influxd: Influxd) -> None:
    sink = open_sink(Target("influxdb_v1", influxd.url, database="back\\slash"))
    with pytest.raises(SinkDown, match="invalid name"):
        sink.write([f"energy a=1.0 {NOON}"])


def test_a_user_who_may_not_is_told_what_the_administrator_runs(guarded_influxd: Influxd) -> None:
    guarded_influxd.execute("CREATE USER \"wrîter\" WITH PASSWORD 'pä:ss'")
    sink = InfluxV1Sink(guarded_influxd.url, "mine", "wrîter", "pä:ss")
    with pytest.raises(SinkDown, match='run as an administrator: CREATE DATABASE "mine"'):
        sink.write([f"energy a=1.0 {NOON}"])
    guarded_influxd.execute('CREATE DATABASE "mine"')
    with pytest.raises(SinkDown, match='run as an administrator: GRANT ALL ON "mine" TO "wrîter"'):
        sink.write([f"energy a=1.0 {NOON}"])
    guarded_influxd.execute('GRANT WRITE ON "mine" TO "wrîter"')
    assert sink.write([f"energy a=1.0 {NOON}"]) == 0


def test_a_retention_policy_can_be_chosen_and_must_exist(influxd: Influxd) -> None:
    influxd.execute('CREATE DATABASE "kept"')
    sink = InfluxV1Sink(influxd.url, "kept", retention_policy="long", sleep=lambda _: None)
    with pytest.raises(SinkDown, match="CREATE RETENTION POLICY"):
        sink.write([f"energy a=1.0 {NOON}"])
    influxd.execute('CREATE RETENTION POLICY "long" ON "kept" DURATION INF REPLICATION 1')
    sink.write([f"energy a=1.0 {NOON}"])
    assert len(influxd.query("kept", 'SELECT * FROM "long"."energy"')) == 1


def test_a_server_before_1_8_needs_the_other_type(influxd: Influxd) -> None:
    sink = open_sink(Target("influxdb", influxd.url, bucket="home"))
    with pytest.raises(SinkDown, match="influxdb_v1"):
        sink.write([f"energy a=1.0 {NOON}"])


def test_a_batch_that_is_too_large_is_refused() -> None:
    with StrictV2(TOKEN, body_limit=100) as server:
        server.buckets["enphase"] = None
        sink = open_sink(Target("influxdb", server.url, TOKEN, "home", "enphase"))
        assert _halve(sink, [f"energy a={n}.0 {NOON + n}" for n in range(20)]) == []
        assert len(server.rows("enphase", "energy")) == 20


def _halve(sink: Sink, lines: list[str]) -> list[str]:
    try:
        sink.write(lines)
    except SinkRefused:
        half = len(lines) // 2
        return _halve(sink, lines[:half]) + _halve(sink, lines[half:]) if half else lines
    return []


def _databases(server: Influxd) -> list[str]:
    return [row["name"] for row in server.query("", "SHOW DATABASES")]
