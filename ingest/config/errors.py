"""One thing that is wrong with the configuration, and the sentence that says so."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from ingest.core.errors import ConfigError

Path = tuple[str | int, ...]
MAX_SHOWN = 50


@dataclass(frozen=True)
class ConfigProblem:
    """What is wrong at one line and key. Never holds a secret."""

    line: int
    path: Path
    text: str


def dotted(path: Path) -> str:
    """Write a path as users do: `systems[0].since`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{shown(step, 40)}" for step in path)
    return "".join(steps).removeprefix(".")


def shown(text: str, most: int = 60) -> str:
    """Return text safe to print on one line: nothing unprintable, and not too long."""
    clean = "".join(char if char.isprintable() else "?" for char in text[: most + 1])
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the one of `words` that was most probably meant."""
    return next(iter(difflib.get_close_matches(word.lower()[:60], list(words), n=1, cutoff=0.5)), None)


def hint(word: str, words: Iterable[str]) -> str:
    """Say which of `words` was probably meant, or else which there are."""
    known = list(words)
    close = nearest(word, known)
    return f'did you mean "{close}"?' if close else f"known here: {', '.join(known)}"


def config_error(file: str, problems: Iterable[ConfigProblem]) -> ConfigError:
    """Make one error of all problems, a line each, in the order of the file."""
    lines = [_line(file, problem) for problem in sorted(dict.fromkeys(problems), key=lambda problem: problem.line)]
    more = len(lines) - MAX_SHOWN
    tail = [f"{file}: and {more} more"] if more > 0 else []
    return ConfigError("\n".join(lines[:MAX_SHOWN] + tail))


def _line(file: str, problem: ConfigProblem) -> str:
    key = dotted(problem.path)
    return f"{file}:{problem.line}: {key}: {problem.text}" if key else f"{file}:{problem.line}: {problem.text}"
