"""Several systems that are one house: the section `homes` of the configuration."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator

from ingest.config import values
from ingest.config.errors import Path, dotted

MIN_MEMBERS = 2


def _name(text: str) -> str:
    if text.isdigit():
        raise ValueError("is a number, like that of a system; give the home a name of its own")
    return text


def _members(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if len(numbers) < MIN_MEMBERS:
        raise ValueError("must list two systems or more; a single one needs no home, so leave it out")
    return numbers


Members = Annotated[tuple[values.Count, ...], AfterValidator(_members)]
Homes = Mapping[Annotated[values.Name, AfterValidator(_name)], Members]


def strangers(homes: Mapping[str, tuple[int, ...]], listed: set[int]) -> Iterator[tuple[Path, str]]:
    """What is wrong with homes where the systems are `listed` (empty: all that there are)."""
    first: dict[int, Path] = {}
    for home, members in homes.items():
        for index, number in enumerate(members):
            path = ("homes", home, index)
            if listed and number not in listed:
                yield path, f"{number} is none of the systems; add it there, or take it out here"
            if first.setdefault(number, path) != path:
                yield path, f"{number} is there twice; see {dotted(first[number])}: a system is part of one home"
