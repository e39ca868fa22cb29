"""A file that is there whole or not at all, whatever was in its place."""

import contextlib
import glob
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A free name beside `target`, for writing to; what is there at the end takes its place, or goes."""
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield fresh
        fresh.replace(target)
    finally:
        for left in target.parent.glob(f"{glob.escape(fresh.name)}*"):  # a journal, or a part of it
            left.unlink(missing_ok=True)
