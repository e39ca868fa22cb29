"""What the page says of how far things were read is what an owner understands, in every state of a stream."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.core.words import percent
from ingest.report import Report, build_report
from ingest.report.fleet import fleet_totals
from ingest.report.gaps import rounded
from ingest.report.problems import summary
from ingest.report.worth import Worth
from ingest.store import progress
from ingest.web import Source, create_app
from ingest.web.earnings import days_known
from tests.world import DAY, START, World
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


def told(world: World, made: Report, path: str = "/") -> str:
    """The page of a report."""
    now = int(world.time.true)
    source = Source(world.settings, world.store, lambda: now, lambda: now)
    source.report()
    source._made = 1e18, made
    return bare(create_app(source).test_client().get(path).get_data(as_text=True))


def test_the_share_that_is_read_is_one_number_in_lists_cards_and_banner(world: World) -> None:
    made = build_report(world.settings, world.store.db, int(world.time.true))
    (row,) = made.systems
    share = percent(made.backfill.ratio)
    assert min(at.ratio for at in row.streams) < row.read < max(at.ratio for at in row.streams)
    assert abs(row.read - made.backfill.ratio) < 1e-4
    assert percent(row.read) == percent(fleet_totals(made).ratio) == share
    assert f"History is being read: {share}% done" in told(world, made)
    assert f"History {share} % read" in told(world, made)
    many_of = told(world, made, "/systems")
    assert f"Read {share} %" in many_of
    assert re.search(rf" {share} \d+ enphase", many_of), "the row of the system"


def test_nothing_is_read_to_100_percent_while_anything_is_missing() -> None:
    assert percent(1.0) == "100"
    assert percent(0.99996) == percent(0.9994) == "99.9"
    assert percent(0.729) == "72.9"
    assert percent(0.0386) == "3.9"
    assert rounded(9_999_999, 10_000_000, 4) < 1.0


def test_history_that_waits_for_calls_says_when_it_goes_on(world: World) -> None:
    made = build_report(world.settings, world.store.db, int(world.time.true))
    assert re.search(r"done, about .* left", summary(made))
    ends_at = made.quota.month_ends_at
    waits = replace(made, backfill=replace(made.backfill, goes_on_at=ends_at))
    assert "it goes on on 1 August (UTC)" in summary(waits)
    assert "left" not in summary(waits)
    assert "to make; it goes on on 2026-08-01" in told(world, waits)
    assert {"since", "goes_on_at"}.isdisjoint(made.document()["backfill"])


def test_what_a_silent_gateway_keeps_is_not_said_to_be_here(tmp_path: Path) -> None:
    site = replace(SITE, offline=((START + DAY, START + 30 * DAY),))
    held = World(tmp_path, [site], web={"listen": "127.0.0.1:0"})
    held.run(DAY)
    assert re.search(r"Everything that was wanted is here since 2026-06-2\d ?:", bare(page(held)))
    held.run(DAY)
    text = bare(page(held))
    assert "Everything that was wanted" not in text
    assert re.search(
        r"Everything that was reported is here since 2026-06-2\d ?: .* waiting for the gateway, which", text
    )
    held.end()


def test_what_is_refused_takes_until_it_may_be_asked_again(world: World) -> None:
    """A call that nobody may make before tomorrow is not made in six seconds."""
    now = int(world.time.true)
    set_state(world, "consumption", "denied")
    with world.store.transaction() as db:
        pair = progress.pairs(db)[str(SITE.system_id), "consumption"]
        progress.save_pair(db, replace(pair, rest_until=now + DAY))
    made = build_report(world.settings, world.store.db, now)
    assert made.backfill.calls
    assert made.backfill.done_at
    assert made.backfill.done_at >= now + DAY
    assert "What is not allowed is asked for again by itself." in told(world, made)
    with world.store.transaction() as db:
        progress.save_pair(db, replace(pair, state="", reason="", rest_until=0))


def test_each_key_of_the_calls_is_of_its_own_number(world: World) -> None:
    made = build_report(world.settings, world.store.db, int(world.time.true))
    text = page(world)
    assert re.search(rf'calls-used"></span>used</dt><dd>{made.quota.used_month:,}</dd>', text)
    assert re.search(rf"<dt>of these, for history</dt><dd>{made.quota.history_month:,}</dd>", text)


def test_the_tiles_are_of_today_whatever_day_is_chosen(world: World) -> None:
    assert "<h2>Today</h2>" in page(world, f"/?system={SITE.system_id}&day=2026-06-25")


def test_the_sums_of_a_list_are_those_of_what_was_found(world: World) -> None:
    made = build_report(world.settings, world.store.db, int(world.time.true))
    (row,) = made.systems
    others = [replace(row, system=str(9000 + at), name=f"Barn {at}", today_wh=1000.0 * at) for at in range(1, 4)]
    text = told(world, replace(made, systems=[row, *others]), "/systems?q=barn")
    assert re.search(r"Systems 3 .* Produced today 6\.0 kWh", text)


def test_money_of_a_part_of_a_month_says_of_how_many_days() -> None:
    month = Worth(1.0, 1.0, 1.0, 4.5 * 24)
    assert days_known(month, 9, 12 * 3600) == "5 of 9 days"
    assert days_known(replace_hours(month, 8.4 * 24), 9, 12 * 3600) == ""
    assert days_known(replace_hours(month, 0.0), 1, 3600) == ""


def replace_hours(month: Worth, hours: float) -> Worth:
    return month._replace(hours=hours)
