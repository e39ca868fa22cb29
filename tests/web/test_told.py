"""What the page says of how far things were read is what an owner understands, in every state of a stream."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.store import progress
from ingest.web import Source, create_app
from tests.world import DAY, World
from tests.worlds import SITE

CELLS = re.compile(r'<rect class="(\w+)" data-day="([\d-]+)".*?<title>(.*?)</title>')


def page(world: World, path: str = "/") -> str:
    now = int(world.time.true)
    source = Source(world.settings, world.store, lambda: now, lambda: now)
    return create_app(source).test_client().get(path).get_data(as_text=True)


def bare(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def caption(text: str, stream: str) -> str:
    (found,) = re.findall(rf"<figcaption><strong[^>]*>{stream}</strong>(.*?)</figcaption>", text)
    return bare(found)


def figure(text: str, stream: str) -> str:
    (found,) = re.findall(rf"<strong[^>]*>{stream}</strong>.*?</figure>", text, re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """History is being read backwards."""
    systems = [{"id": SITE.system_id, "since": "15d"}]
    made = World(tmp_path_factory.mktemp("told"), [SITE], web={"listen": "127.0.0.1:0"}, systems=systems)
    made.run(90)
    yield made
    made.end()


def set_state(world: World, stream: str, state: str, reason: str = "of a test") -> None:
    with world.store.transaction() as db:
        pair = progress.pairs(db)[str(SITE.system_id), stream]
        progress.save_pair(db, replace(pair, state=state, reason=reason))


def test_a_calendar_says_from_when_to_when_its_stream_is_complete(world: World) -> None:
    """Read backwards, the newest week is complete; where history begins, nothing is."""
    text = page(world)
    told = caption(text, "rgm_stats")
    found = re.search(r"complete from (\S+ \S+) to (\S+ \S+) · 45\.\d %", told)
    assert found, told
    whole = [day for kind, day, _ in CELLS.findall(figure(text, "rgm_stats")) if kind == "complete"]
    assert found[1][:10] <= whole[0] <= whole[-1] < found[2][:10], "between both days the squares are complete"
    assert (whole[-1], found[2][:10]) == ("2026-06-29", "2026-06-30")


def test_what_was_never_asked_is_queued_and_the_system_is_known(tmp_path: Path) -> None:
    new = World(tmp_path, [SITE], web={"listen": "127.0.0.1:0"}, systems=[{"id": SITE.system_id}])
    text = page(new)
    assert "No system is known" not in text
    assert "Nothing has been asked of the cloud yet" in text
    kinds = {(kind, why.partition(": ")[2]) for kind, _, why in CELLS.findall(text) if kind != "outside"}
    assert kinds == {("queued", "not asked yet")}
    new.end()


def test_final_up_to_leaves_out_what_is_not_there_and_says_what_is_refused(tmp_path: Path) -> None:
    """A meter that was taken away, or a right, years ago: the rest is final up to yesterday."""
    held = World(tmp_path, [SITE], web={"listen": "127.0.0.1:0"})
    held.run(DAY)
    plain = re.search(r"final up to (.*?) Today", bare(page(held)))
    held.cloud.faults.denied_groups = {"consumption"}
    held.run(DAY)
    final = re.search(r"final up to (\S+ \S+) , without consumption: not allowed Today", bare(page(held)))
    assert plain
    assert final
    assert final[1][:10] > plain[1][:10], "what is refused does not hold it back"
    set_state(held, "consumption", "no_meter")
    without = re.search(r"final up to (\S+ \S+) Today", bare(page(held)))
    assert without
    assert without[1] == final[1], "nor does what is not there, and of that nothing is said"
    held.end()


def test_a_stream_that_never_had_a_value_is_neither_complete_nor_missing(world: World) -> None:
    set_state(world, "consumption", "no_points")
    text = page(world)
    assert caption(text, "consumption") == "never had a value"
    assert {kind for kind, _, _ in CELLS.findall(figure(text, "consumption"))} == {"outside"}
    set_state(world, "consumption", "")


def test_no_gap_is_counted_of_a_stream_that_never_had_a_value(tmp_path: Path) -> None:
    held = World(tmp_path, [SITE], web={"listen": "127.0.0.1:0"}, systems=[{"id": SITE.system_id, "since": "15d"}])
    held.run(90)
    before = gaps(held)
    set_state(held, "consumption", "no_points")
    assert gaps(held) == before - 1
    held.end()


def gaps(world: World) -> int:
    (row,) = re.findall(r"<tr><th scope=\"row\">.*?</tr>", page(world, "/systems"))
    return int(re.findall(r"<td>(\d+)</td></tr>", row)[0])
