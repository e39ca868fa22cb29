"""The Docker stack, the boards and the examples, written to a folder from what the program carries."""

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import ingest
from ingest.config import SHIPPED
from ingest.core.errors import IngestError
from ingest.store.whole_file import whole_file

PACKAGE = Path(ingest.__file__).parent


def write_stack(folder: Path) -> None:
    """Write the files, and the program itself, from which the stack builds its image.

    What is there already stays where it is the same, else the new file stands beside it with `.new` at its end: a file
    that somebody changed is never overwritten. Raises `IngestError` where the folder cannot be written.
    """
    try:
        for source, name in (*_files(), *_package()):
            _write(source, folder / name)
    except OSError as error:
        raise IngestError(f"{error.filename}: {error.strerror}; name another folder with --stack") from None


def _files() -> Iterator[tuple[Path, Path]]:
    """The files of the stack, and where they belong: from the wheel, or from the checkout."""
    if SHIPPED.is_dir():
        found = [path for path in SHIPPED.rglob("*") if path.is_file()]
        yield from ((path, path.relative_to(SHIPPED)) for path in found)
        return
    root = PACKAGE.parent
    patterns = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["enphase-ingest"]["stack"]
    for path in (path for pattern in patterns for path in root.glob(pattern) if path.is_file()):
        yield path, path.relative_to(root)


def _package() -> Iterator[tuple[Path, Path]]:
    for path in PACKAGE.rglob("*"):
        inside = path.relative_to(PACKAGE)
        if path.is_file() and "__pycache__" not in inside.parts and inside.parts[0] != SHIPPED.name:
            yield path, Path("ingest") / inside


def _write(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not target.is_file():
        raise IngestError(f"{target}: is not a plain file; name another folder with --stack")
    if target.exists() and target.read_bytes() != source.read_bytes():
        target = target.with_name(f"{target.name}.new")
    with whole_file(target) as fresh:
        shutil.copy(source, fresh)
