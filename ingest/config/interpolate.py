"""`${NAME}`, `${NAME:-default}`, `${file:PATH}` and `$${` in the values of a configuration."""

import contextlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath

from ingest.config.document import Document, Tree, read
from ingest.config.errors import Path, shown

CREDENTIALS = frozenset({("api", "key"), ("api", "client_id"), ("api", "client_secret")})

_PART = re.compile(r"\$\$\{|\$\{(?P<inner>[^{}]*)\}|\$\{")
_NAME = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-.*)?", re.DOTALL)


class _UnsetError(Exception):
    """A variable is not set and has no default."""


class _WrongError(Exception):
    """A `${...}` cannot be understood, or its file cannot be read."""


def interpolate(document: Document, environ: Mapping[str, str]) -> Tree:
    """Return the tree with every `${...}` replaced; what fails is noted in the document and becomes None."""
    fill = _Fill(environ, FilePath(document.file).parent)

    def scalar(text: str, path: Path) -> str | None:
        try:
            return fill(text)
        except _UnsetError as error:
            if path not in CREDENTIALS:
                document.complain(path, f"{error}; set it, or write a default as ${{NAME:-default}}")
        except _WrongError as error:
            document.complain(path, str(error))
        return None

    return _mapped(document.tree, (), scalar)


def secret_files(path: FilePath, environ: Mapping[str, str]) -> list[FilePath]:
    """The files that a configuration takes values from. Raises `ConfigError` where it is none."""
    fill = _Fill(environ, path.absolute().parent)

    def scalar(text: str, _: Path) -> None:
        with contextlib.suppress(_UnsetError, _WrongError):
            fill(text)

    _mapped(read(path).tree, (), scalar)
    return fill.files


def _mapped(tree: Tree, path: Path, scalar: Callable[[str, Path], str | None]) -> Tree:
    if isinstance(tree, dict):
        return {key: _mapped(value, (*path, key), scalar) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_mapped(item, (*path, index), scalar) for index, item in enumerate(tree)]
    return None if tree is None else scalar(tree, path)


class _Fill:
    def __init__(self, environ: Mapping[str, str], folder: FilePath) -> None:
        self._environ = environ
        self._folder = folder
        self.files: list[FilePath] = []

    def __call__(self, text: str) -> str:
        return _PART.sub(self._part, text)

    def _part(self, match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        inner = match["inner"]
        if inner is None:
            raise _WrongError("a ${ is not closed, or holds braces itself; write $${ for the characters ${")
        if inner.startswith("file:"):
            name = inner.removeprefix("file:")
            return self._content(self._folder / FilePath(name), f"the file {shown(name, 200)}")
        return self._variable(inner)

    def _variable(self, inner: str) -> str:
        match = _NAME.fullmatch(inner)
        if match is None:
            raise _WrongError("what stands between ${ and } must be NAME, NAME:-default or file:PATH")
        value = self._looked_up(match["name"])
        if match["default"] is not None:
            return value or match["default"].removeprefix(":-")
        if value is None:
            raise _UnsetError(f"the environment variable {shown(match['name'])} is not set")
        return value

    def _looked_up(self, name: str) -> str | None:
        value = self._environ.get(name)
        file = self._environ.get(f"{name}_FILE")
        return self._content(FilePath(file), f"the file that {name}_FILE names") if file and not value else value

    def _content(self, path: FilePath, what: str) -> str:
        try:
            self.files.append(path.expanduser())
            return self.files[-1].read_text("utf-8-sig").removesuffix("\n")
        except UnicodeDecodeError as error:
            raise _WrongError(f"{what} is not UTF-8 text") from error
        except (OSError, ValueError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or "not a usable file name"
            raise _WrongError(f"{what} cannot be read: {why}") from error
