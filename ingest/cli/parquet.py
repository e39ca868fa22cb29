"""The archive as a data set of Parquet files, the same that a sink of type parquet keeps."""

import shutil
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from ingest.core.errors import IngestError
from ingest.deliver.lake import BATCH, ParquetSink


def write_data_set(lines: Iterable[str], folder: Path) -> None:
    """Write points (lines of line protocol) into a folder that is new or empty; it is there whole or not at all. Raises
    `IngestError`.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise IngestError(f"{folder}: is not an empty folder; choose another one with -o")
    fresh = folder.absolute() / ".part"
    try:
        sink, rest = ParquetSink(str(fresh)), iter(lines)
        sink.ping()
        while some := list(islice(rest, BATCH)):
            sink.write(some)
        for part in fresh.iterdir():
            part.rename(folder / part.name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
