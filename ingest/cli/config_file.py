"""The configuration file that `init` writes: read as plain text values, changed, and put back whole."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ingest import config
from ingest.auth.private_file import write_private
from ingest.config.document import Tree, read
from ingest.core.errors import ConfigError, IngestError

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@-]*|https?://[A-Za-z0-9_./:@?=&%~+-]*[A-Za-z0-9_/]")
_WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}


@dataclass
class Local:
    """A configuration file and what is to be in it. Scalars are text, as in the file; `${...}` stays as it is."""

    path: Path
    tree: dict[str, Tree]
    old: str = ""

    @classmethod
    def open(cls, path: Path) -> "Local":
        """Read the file, if there is one. Raises `ConfigError` when it is no configuration at all."""
        if not path.exists():
            return cls(path, {})
        tree = read(path).tree
        return cls(path, tree if isinstance(tree, dict) else {}, path.read_text("utf-8"))

    def check(self) -> None:
        """Raise `ConfigError` unless the program could use the file; the file itself is not touched."""
        trial = self.path.with_name(f".{self.path.name}.trial")
        try:
            self._put(trial, emit(self.tree))
            config.load(trial)
        except ConfigError as error:
            raise ConfigError(str(error).replace(str(trial), str(self.path))) from None
        finally:
            trial.unlink(missing_ok=True)

    def write(self, headline: str) -> Path | None:
        """Put the file in its place at once and whole. Returns where the former one is kept, if it was hand-written."""
        text = f"{headline}\n{emit(self.tree)}"
        former = None
        if self.old and self._is_hand_written(headline):
            former = self._free_name()
            self._put(former, self.old)
        self._put(self.path, text)
        return former

    def _is_hand_written(self, headline: str) -> bool:
        """Whether anything in the file would be lost but values: comments, an order, a manner."""
        return self.old != f"{headline}\n{emit(read(self.path).tree)}"

    def _free_name(self) -> Path:
        names = (self.path.with_name(f"{self.path.name}.bak{number or ''}") for number in range(1000))
        return next(name for name in names if not name.exists())

    def _put(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_private(path, text)
        except OSError as error:
            raise IngestError(f"{path}: {error.strerror}; give this user the right to write there") from None


def emit(tree: Tree, indent: int = 0) -> str:
    """A tree as YAML, one key a line."""
    if not isinstance(tree, dict):
        return f"{' ' * indent}{_flow(tree)}\n"
    lines = []
    for key, value in tree.items():
        nested = isinstance(value, dict) and bool(value)
        head = f"{' ' * indent}{_scalar(key)}:"
        if nested:
            lines.append(f"{head}\n{emit(value, indent + 2)}")
        elif isinstance(value, list) and value:
            items = "".join(f"{' ' * (indent + 2)}- {_flow(item)}\n" for item in value)
            lines.append(f"{head}\n{items}")
        else:
            lines.append(f"{head}{'' if value is None else ' ' + _flow(value)}\n")
    return "".join(lines)


def _flow(tree: Tree) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(_flow(item) for item in tree) + "]"
    return "null" if tree is None else _scalar(tree)


def _scalar(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
