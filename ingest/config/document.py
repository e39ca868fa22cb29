"""A YAML file as plain text, with the line of every key.

Scalars keep their source text (`0123`, `true`, `1e5` and `12:30` stay what was written); the models turn text
into numbers where they want numbers. So a password never changes by looking like something else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath

import yaml

from ingest.config.errors import ConfigProblem, Path, config_error, shown
from ingest.core.errors import ConfigError

# `${NAME}` must survive inside `{...}` of YAML: its braces are exchanged for these while YAML is read.
_OPEN, _CLOSE = "\ue0f0", "\ue0f1"
_BRACES = re.compile(r"\$\{([^{}\n]*)\}")
_COMMON = {
    r"'\t'": "there is a tab where YAML wants spaces; replace it by spaces",
    "mapping values are not allowed": "there is a `: ` too many; quote the value, or mend the indentation",
    "undefined alias": "a value begins with *, which has a meaning in YAML; put it in quotes",
    "another document": "there is a second document after ---; only one is read, so remove the line",
}
_STANDARD = "tag:yaml.org,2002:"
_SCALARS = {_STANDARD + name for name in ("str", "int", "float", "bool", "null", "timestamp", "value")}

Tree = None | str | list["Tree"] | dict[str, "Tree"]


@dataclass
class Document:
    """The content of one file: text, lists and mappings; the line of every path; what is wrong so far."""

    file: str
    tree: Tree = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of a path, or of the nearest part of it that is written in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def complain(self, path: Path, text: str) -> None:
        """Note one problem at a path."""
        self.problems.append(ConfigProblem(self.line(path), path, text))

    def at(self, path: Path) -> Tree:
        """Return what is written at a path; None where nothing is."""
        here: Tree = self.tree
        for step in path:
            if isinstance(here, dict) and isinstance(step, str):
                here = here.get(step)
            elif isinstance(here, list) and isinstance(step, int) and 0 <= step < len(here):
                here = here[step]
            else:
                return None
        return here


def read(path: FilePath) -> Document:
    """Read a YAML file; everything wrong with the file as such is a ConfigError."""
    document = Document(str(path))
    try:
        node = _compose(document.file, _text(path))
        document.tree = _Walker(document).mapping(node, ()) if isinstance(node, yaml.MappingNode) else None
    except RecursionError as error:
        raise _error(document.file, 1, "is nested too deeply") from error
    if node is not None and not isinstance(node, yaml.MappingNode) and not _is_null(node):
        raise _error(document.file, node.start_mark.line + 1, "must be `key: value` lines, such as `api:`")
    return document


def _text(path: FilePath) -> str:
    try:
        return _decoded(path, path.read_bytes())
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file; check --config and $INGEST_CONFIG") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: is a folder; name the file in it") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{shown(str(path), 300)}: cannot be read: {_why(error)}") from error


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "not a usable file name"


def _decoded(path: FilePath, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _error(str(path), line, "is not UTF-8 text; save the file as UTF-8") from error
    for private in (_OPEN, _CLOSE):
        if private in text:
            line = text.count("\n", 0, text.index(private)) + 1
            raise _error(str(path), line, f"the private character U+{ord(private):04X} cannot be used")
    return text


def _compose(file: str, text: str) -> yaml.Node | None:
    guarded = _BRACES.sub(rf"${_OPEN}\1{_CLOSE}", text)
    try:
        return yaml.compose(guarded, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _error(file, line, "holds a character that YAML does not allow") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _error(file, mark.line + 1 if mark else 1, _syntax(error)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _error(file, 1, "is not YAML") from error


def _syntax(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "cannot be understood"
    for sign, text in _COMMON.items():
        if sign in problem:
            return text
    problem = re.sub(r"'(?!<[a-z ]+>')[^']{2,}'|\"[^\"]{2,}\"", "…", problem)
    return f"is not YAML: {shown(problem, 120)}; values with : # {{ }} [ ] & * ! % @ ` belong in quotes"


def _error(file: str, line: int, text: str) -> ConfigError:
    return config_error(file, [ConfigProblem(line, (), text)])


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _STANDARD + "null"


class _Walker:
    """Turns nodes into plain values."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in found:
                self._complain(
                    key_node,
                    (*path, key),
                    f"is there twice (first in line {self._document.line((*path, key))}); remove one",
                )
                continue
            self._document.lines[(*path, key)] = key_node.start_mark.line + 1
            found[key] = self._value(value_node, (*path, key))
        return found

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            return _plain(node)
        merge = node.tag == _STANDARD + "merge"
        text = "merging by << is not supported; write the keys out" if merge else "a key must be a plain word"
        self._complain(node, path, text)
        return None

    def _value(self, node: yaml.Node, path: Path) -> Tree:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return list(self._items(node, path))
        if _is_null(node):
            return None
        if node.tag not in _SCALARS:
            self._complain(node, path, "YAML tags (a value that begins with !) are not supported; use quotes")
        return _plain(node)

    def _items(self, node: yaml.SequenceNode, path: Path) -> Iterator[Tree]:
        for index, item in enumerate(node.value):
            self._document.lines[(*path, index)] = item.start_mark.line + 1
            yield self._value(item, (*path, index))

    def _complain(self, node: yaml.Node, path: Path, text: str) -> None:
        self._document.problems.append(ConfigProblem(node.start_mark.line + 1, path, text))


def _plain(node: yaml.Node) -> str:
    return str(node.value).replace(_OPEN, "{").replace(_CLOSE, "}")
