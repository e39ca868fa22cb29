"""The data set of Parquet files is exactly the archive, whoever reads it, and whatever interrupts its writing."""

import contextlib
import random
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.core.errors import ConfigError, SinkDown
from ingest.core.point import Point, Tags, Value, decode_fields, encode, parse_series
from ingest.core.tally import FieldTotal, MeasuredSystem
from ingest.deliver import lake_tables
from ingest.deliver.lake import ParquetSink
from ingest.deliver.sender import Sender
from ingest.deliver.verify import all_periods, differences
from ingest.store import archive, outbox
from ingest.store.archive import Filter
from tests.world import DAY, HOUR, START, World
from tests.worlds import SITE

Rows = dict[tuple[str, Tags, int], Mapping[str, Value]]
FIELDS = ("a_wh", "b_wh", "label", "month")


class Killed(BaseException):
    """The process ends here."""


def some_points(dice: random.Random, count: int) -> list[Point]:
    """Points of a few systems within three months."""
    found = {}
    for _ in range(count):
        measurement = dice.choice(["energy", "device"])
        tags = (("meter", dice.choice("xy")),) * (dice.random() < 0.5) + (("system", dice.choice("123")),)
        time = START + dice.randrange(90 * 24) * HOUR
        names = dice.sample(FIELDS, dice.randrange(1, 4))
        fields = {name: 'über, "so"' if name in ("label", "month") else float(dice.randrange(100)) for name in names}
        found[measurement, tags, time] = Point(measurement, tags, time, fields)
    return list(found.values())


def by_duckdb(folder: Path) -> Rows:
    """What DuckDB reads, one query for each measurement."""
    found: Rows = {}
    for place in sorted(folder.glob("measurement=*")):
        query = f"SELECT *, epoch(time)::BIGINT AS at FROM read_parquet('{place}/*/*.parquet')"  # noqa: S608
        with duckdb.connect() as engine:
            table = engine.execute(query)
            names = [column[0] for column in table.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in table.fetchall()]
        found |= as_rows(place.name.partition("=")[2], rows)
    return found


def by_dask(folder: Path) -> Rows:
    """What Dask reads, in one process."""
    import dask.dataframe as dd  # noqa: PLC0415 - seconds

    found: Rows = {}
    for place in sorted(folder.glob("measurement=*")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Dask uses what pandas is about to drop
            frame = dd.read_parquet(str(place)).compute(scheduler="synchronous")
        frame["at"] = frame["time"].astype("int64") // 10 ** {"ms": 3, "us": 6, "ns": 9}[frame["time"].dtype.unit]
        rows = [
            {name: None if value is None or value != value else value for name, value in row.items()}  # noqa: PLR0124
            for row in frame.astype(object).to_dict("records")
        ]
        found |= as_rows(place.name.partition("=")[2], rows)
    return found


def as_rows(measurement: str, rows: list[dict[str, Any]]) -> Rows:
    named = ("account", "app", "channel", "inverter", "meter", "sink", "source", "stream", "system", "type")
    tags = sorted((*named, "device") if measurement in ("device", "event") else named)
    found: Rows = {}
    for row in rows:
        labels = tuple((name, str(row[name])) for name in tags if row.get(name) is not None)
        fields = {
            name.removeprefix("field_"): value
            for name, value in row.items()
            if value is not None and name not in (*tags, "time", "at", "measurement", "month")
        }
        key = measurement, labels, int(row["at"])
        assert key not in found, f"{key} is there twice"
        found[key] = fields
    return found


def points_of(table: Any, measurement: str) -> list[Point]:
    """The points of a table of a data set."""
    tags = [column.name for column in table.schema if lake_tables.is_tag(column)]
    fields = [
        column.name for column in table.schema if not lake_tables.is_tag(column) and column.name != lake_tables.TIME
    ]
    times = table[lake_tables.TIME].cast("int64").to_pylist()
    return [
        Point(
            measurement,
            tuple((name, row[name]) for name in tags if row[name] is not None),
            time // 1000,
            {lake_tables.field_name(name): row[name] for name in fields if row[name] is not None},
        )
        for time, row in zip(times, table.to_pylist(), strict=True)
    ]


def held(sink: ParquetSink) -> Rows:
    """What is stored, by our own reader."""
    return {
        (point.measurement, point.tags, point.time): point.fields
        for part in sink._parts()
        if (table := sink._read(part)) is not None
        for point in points_of(table, part[0])
    }


@pytest.mark.parametrize("seed", range(6))
def test_revisions_and_deletions_leave_what_they_should_to_every_reader(seed: int, tmp_path: Path) -> None:
    dice, wanted = random.Random(seed), Rows()
    sink = ParquetSink(str(tmp_path / "lake"))
    for _ in range(8):
        points = some_points(dice, 60)
        assert sink.write([encode(point) for point in points]) == 0
        for point in points:  # as every other database does: what a point omits stays
            key = point.measurement, point.tags, point.time
            wanted[key] = {**wanted.get(key, {}), **point.fields}
        if dice.random() < 0.4:
            place, start = MeasuredSystem("energy", dice.choice("123")), START + dice.randrange(80) * DAY
            sink.delete(place, start, start + 20 * DAY)
            wanted = {
                (name, tags, time): fields
                for (name, tags, time), fields in wanted.items()
                if (name, dict(tags)["system"]) != place or not start <= time < start + 20 * DAY
            }
    assert held(sink) == wanted
    assert by_duckdb(tmp_path / "lake") == wanted
    if seed == 0:
        assert by_dask(tmp_path / "lake") == wanted


def test_counts_and_sums_are_those_of_the_rows(tmp_path: Path) -> None:
    sink = ParquetSink(str(tmp_path))
    points = some_points(random.Random(1), 200)
    sink.write([encode(point) for point in points])
    start, end = START + 10 * DAY, START + 70 * DAY
    for (name, system), totals in sink.tally(["energy"], start, end).items():
        mine = [point for point in points if (point.measurement, dict(point.tags)["system"]) == (name, system)]
        inside = [point.fields for point in mine if start <= point.time < end]
        values = [fields["a_wh"] for fields in inside if "a_wh" in fields]
        assert totals["a_wh"] == FieldTotal(len(values), sum(value for value in values if isinstance(value, float)))
        assert totals["label"].number == sum("label" in fields for fields in inside)


@pytest.mark.parametrize("step", range(6))
def test_killed_in_the_middle_of_a_month_it_is_the_one_before_or_the_one_after(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, dice = ParquetSink(str(tmp_path)), random.Random(step)
    before = [Point("energy", (("system", "1"),), START + at * HOUR, {"a_wh": 1.0}) for at in range(100)]
    after = [point._replace(fields={"a_wh": 2.0, "b_wh": 3.0}) for point in before]
    sink.write([encode(point) for point in before])
    steps = iter(range(100))

    def dies(name: str, real: Any) -> Any:
        def act(*args: Any) -> None:
            at = next(steps)
            if at == step:
                if name == "store":
                    Path(args[2]).write_bytes(bytes(dice.randrange(256) for _ in range(50)))
                raise Killed
            real(*args)

        return act

    with monkeypatch.context() as patched:
        for name in ("store", "on_disk"):
            patched.setattr(lake_tables, name, dies(name, getattr(lake_tables, name)))
        with contextlib.suppress(Killed):
            sink.write([encode(point) for point in after])
    found = by_duckdb(tmp_path)
    whole = [
        {(point.measurement, point.tags, point.time): point.fields for point in points} for points in (before, after)
    ]
    assert found in whole, step
    again = ParquetSink(str(tmp_path))
    again.write([encode(point) for point in after])
    assert by_duckdb(tmp_path) == whole[1]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["data.parquet"]


WRITER = """
import random, sys
from ingest.core.point import encode
from ingest.deliver.lake import ParquetSink
from tests.deliver.test_lake import some_points
sink, dice = ParquetSink(sys.argv[1]), random.Random(int(sys.argv[2]))
for number in range(60):
    sink.write([encode(point) for point in some_points(dice, 40)])
    print(number, flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_process_that_is_killed_loses_nothing_that_it_had_written(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed + 100)
    command = [sys.executable, "-c", WRITER, str(tmp_path), str(seed)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=root, env={"PYTHONPATH": str(root)}
    ) as process:
        assert process.stdout is not None
        done = max(int(process.stdout.readline()) for _ in range(chance.randrange(1, 20)))
        process.send_signal(signal.SIGKILL)
        done = max(done, *map(int, process.stdout.read().split()), -1)
    dice = random.Random(seed)
    batches = [some_points(dice, 40) for _ in range(60)]
    found = by_duckdb(tmp_path)
    written: Rows = {}
    for points in batches[: done + 1]:
        written |= {(point.measurement, point.tags, point.time): point.fields for point in points}
    under_way = {(point.measurement, point.tags, point.time): point.fields for points in batches for point in points}
    for key in written:
        assert key in found, (seed, key)
    assert found.keys() <= under_way.keys()
    ParquetSink(str(tmp_path)).write([encode(point) for points in batches for point in points])
    assert len(by_duckdb(tmp_path)) == len(under_way)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, [SITE])
    yield made
    made.end()


def deliver(world: World, sink: ParquetSink) -> None:
    """Send what waits for a sink called lake."""
    with world.store.transaction() as db:
        row = outbox.register(db, "lake", sink.fingerprint)
    sender = Sender("lake", sink, world.store.reader(), row.cursor)
    while (done := sender.step()) is not None:
        assert not done.error, done.error
        world.pipeline.events.put(done)
        world.pipeline.record()
    sender.close()


def archived(world: World) -> Rows:
    return {
        (*parse_series(key), time): decode_fields(fields)
        for key, time, fields in archive.select(world.store.db, Filter())
    }


def test_the_data_set_is_the_archive_also_after_revisions_and_when_files_were_lost(
    world: World, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    sink = ParquetSink(str(lake))
    for _ in range(2):
        world.run(DAY)
        deliver(world, sink)
    wanted = archived(world)
    assert len(wanted) > 500
    assert by_duckdb(lake) == wanted
    assert by_dask(lake) == wanted
    now = int(world.time.true)
    assert list(differences(world.store.db, sink, "lake", all_periods(world.store.db), now)) == []
    lost = next(lake.glob("measurement=energy/*/data.parquet"))
    lost.unlink()
    found = list(differences(world.store.db, sink, "lake", all_periods(world.store.db), now))
    assert {(item.measured.measurement, item.stored) for item in found} == {("energy", 0)}


def test_a_wrong_address_and_a_folder_that_cannot_be_written_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be at"):
        ParquetSink("gopher://x/y")
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkDown, match="cannot be written or read"):
        ParquetSink(str(tmp_path / "file" / "lake")).ping()


def test_without_pyarrow_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'enphase-ingest\[parquet\]'"):
        ParquetSink("/data/lake")
