"""A data set of Parquet files that DuckDB, Dask, Spark and Trino read: the archive, by measurement and month.

One file a month of a measurement (`measurement=…/month=…/data.parquet`), replaced as a whole, so that a reader sees
the month before or after a change. All files of a measurement have the same columns.
"""

import contextlib
import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest.core.errors import ConfigError, SinkDown
from ingest.core.point import Point, decode
from ingest.core.tally import FieldTotal, MeasuredSystem, Tally

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "data.parquet"
REST_S = 900
"""Seconds between two rewritings of a month at least: what is read meanwhile is written together."""
BATCH = 200_000
"""How many points are written together."""
INSTALL = "a sink of type parquet needs pyarrow: pip install 'enphase-ingest[parquet]'"

Part = tuple[str, str]
"""A measurement and a month, such as 2026-07."""


class ParquetSink:
    """The data set below a folder, or below an address that pyarrow's file systems know, such as `s3://bucket/prefix`.

    Raises `ConfigError` where pyarrow is missing or does not know the address.
    """

    rest_s = REST_S
    batch = BATCH

    def __init__(self, path: str) -> None:
        try:
            from pyarrow import fs  # noqa: PLC0415 - 60 MB, for those who have a lake

            from ingest.deliver import lake_tables  # noqa: PLC0415
        except ImportError as error:
            raise ConfigError(INSTALL) from error
        try:
            self._fs, self._root = fs.FileSystem.from_uri(path)
        except (ValueError, OSError) as error:
            raise ConfigError(f"a sink of type parquet cannot be at {path!r}: {error}") from error
        self._local = isinstance(self._fs, fs.LocalFileSystem)
        self.fingerprint = f"parquet {path.rstrip('/')}"
        self._tables = lake_tables
        self._schemas: dict[str, pa.Schema] = {}

    def write(self, lines: Sequence[str]) -> int:
        """Bring rows in; of the same tags and time new values win, and what a row omits stays. Raises `SinkDown`."""
        parts: dict[Part, list[Point]] = defaultdict(list)
        for line in lines:
            point = decode(line)
            parts[point.measurement, month_of(point.time)].append(point)
        with self._plain_words():
            for part, points in sorted(parts.items()):
                self._merge(part, self._tables.of_points(points))
        return 0

    def _merge(self, part: Part, fresh: "pa.Table") -> None:
        """Bring rows into a month."""
        schema = self._widened(part[0], fresh.schema)
        held = self._read(part)
        whole = self._tables.in_order(fresh) if held is None else self._tables.merged(held, fresh)
        self._replace(part, self._tables.with_columns(whole, schema))

    def _widened(self, measurement: str, more: "pa.Schema") -> "pa.Schema":
        """The columns of every file of a measurement; a field that appears is added to those there are."""
        known = self._schemas.get(measurement)
        if known is not None and set(more.names) <= set(known.names):
            return known
        held = {part: self._schema(part) for part in self._parts((measurement,))}
        wanted = self._tables.widest([*held.values(), *([known] if known else []), more])
        for part, schema in held.items():
            if schema.names != wanted.names and (table := self._read(part)) is not None:
                self._replace(part, self._tables.with_columns(table, wanted))
        self._schemas[measurement] = wanted
        return wanted

    def ping(self) -> str:
        """Prove that files can be written there; returns what it is in words. Raises `SinkDown`."""
        import pyarrow as pa  # noqa: PLC0415

        with self._plain_words():
            self._fs.create_dir(self._root, recursive=True)
            probe = f"{self._root}/_probe-{secrets.token_hex(4)}"
            with self._fs.open_output_stream(probe) as out:
                out.write(b"enphase-ingest")
            self._fs.delete_file(probe)
        return f"a Parquet data set (pyarrow {pa.__version__})"

    def prove_reading(self) -> None:
        """Prove that what is stored can be read. Raises `SinkDown`."""
        with self._plain_words():
            for part in self._parts()[:1]:
                self._schema(part)

    def tally(self, measurements: Sequence[str], start: int, end: int) -> Tally:
        """Counts and sums of what is stored with `start <= time < end`. Raises `SinkDown`."""
        found: dict[MeasuredSystem, Mapping[str, FieldTotal]] = {}
        with self._plain_words():
            for part in self._parts(measurements):
                if month_of(start) <= part[1] <= month_of(end - 1) and (table := self._read(part)) is not None:
                    for system, totals in self._tables.totals(self._tables.between(table, start, end)).items():
                        place = MeasuredSystem(part[0], system)
                        found[place] = self._tables.added(found.get(place, {}), totals)
        return found

    def kept_from(self, now: int) -> int:  # noqa: ARG002 - of the protocol
        """Files are kept for ever."""
        return 0

    def forgets(self, now: int) -> str:  # noqa: ARG002
        """Files are kept for ever; a rule of an object store that removes old ones is its owner's to leave out."""
        return ""

    def delete(self, measured: MeasuredSystem, start: int, end: int) -> None:
        """Remove the rows of a place with `start <= time < end`; a month without rows vanishes. Raises `SinkDown`."""
        with self._plain_words():
            for part in self._parts((measured.measurement,)):
                if month_of(start) <= part[1] <= month_of(end - 1) and (table := self._read(part)) is not None:
                    rest = self._tables.without(table, measured.system, start, end)
                    if not rest.num_rows:
                        self._fs.delete_file(self._path(part))
                    elif rest.num_rows < table.num_rows:
                        self._replace(part, rest)

    def close(self) -> None:
        """Nothing is held open."""

    # ── files ─────────────────────────────────────────────────────────────────────────────────────────

    def _path(self, part: Part) -> str:
        return f"{self._root}/measurement={part[0]}/month={part[1]}/{FILE}"

    def _parts(self, measurements: Sequence[str] | None = None) -> list[Part]:
        """The months that there are, of some measurements."""
        from pyarrow import fs  # noqa: PLC0415

        found = self._fs.get_file_info(fs.FileSelector(self._root, recursive=True, allow_not_found=True))
        parts = (_part(entry.path) for entry in found if entry.is_file and entry.base_name == FILE)
        return sorted(part for part in parts if part and (measurements is None or part[0] in measurements))

    def _schema(self, part: Part) -> "pa.Schema":
        from pyarrow import parquet  # noqa: PLC0415

        with self._fs.open_input_file(self._path(part)) as file:
            return parquet.read_schema(file)

    def _read(self, part: Part) -> "pa.Table | None":
        """The rows of a month; None where it is not there."""
        from pyarrow import parquet  # noqa: PLC0415

        try:
            with self._fs.open_input_file(self._path(part)) as file:
                return parquet.read_table(file)
        except FileNotFoundError:
            return None

    def _replace(self, part: Part, table: "pa.Table") -> None:
        """Put a month in the place of the one before: a file is renamed when it is whole and on the disk, an object
        appears when it is whole.
        """
        path = self._path(part)
        folder = path.rpartition("/")[0]
        self._fs.create_dir(folder, recursive=True)
        if not self._local:
            self._tables.store(table, self._fs, path)
            return
        self._sweep(folder)
        fresh = f"{folder}/.{FILE}.{secrets.token_hex(4)}"
        self._tables.store(table, self._fs, fresh)
        self._tables.on_disk(fresh)
        self._fs.move(fresh, path)
        self._tables.on_disk(folder)

    def _sweep(self, folder: str) -> None:
        """Remove what a write left that was killed."""
        from pyarrow import fs  # noqa: PLC0415

        for entry in self._fs.get_file_info(fs.FileSelector(folder)):
            if entry.base_name.startswith(f".{FILE}."):
                self._fs.delete_file(entry.path)

    @contextlib.contextmanager
    def _plain_words(self) -> Iterator[None]:
        """What hinders, as a sentence."""
        import pyarrow as pa  # noqa: PLC0415

        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise SinkDown(f"the data set at {self._root} cannot be written or read: {error}") from error


def month_of(time: int) -> str:
    """The calendar month (UTC) of a moment, such as 2026-07."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m")


def _part(path: str) -> Part | None:
    """The measurement and month of a file, by its folders."""
    names = path.split("/")[-3:-1]
    if len(names) != 2 or not names[0].startswith("measurement=") or not names[1].startswith("month="):
        return None
    return names[0].partition("=")[2], names[1].partition("=")[2]
