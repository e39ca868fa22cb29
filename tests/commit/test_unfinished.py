"""A window that several calls read: what becomes of it when one of them fails."""

from dataclasses import replace
from typing import Any

import pytest

from ingest.commit.changes import Changes, Loaded
from ingest.commit.decide import decide
from ingest.commit.unfinished import skip_failed_device
from ingest.core.span import Span
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.enphase.call import Purpose, Task, unfinished
from ingest.enphase.replies import Kind, Verdict
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch.worker import Outcome
from ingest.plan.state import Pair, Snapshot
from tests.commit.test_decide import AT, CLASSES, NOW, known, outcome

PAIR = Pair("1", "encharges")


def of_battery(number: int, kind: Kind = Kind.OK, *, begun_at: int = 0, many: int = 2, **more: Any) -> Outcome:
    """The reply about one of several batteries, which are asked one after the other."""
    serials = tuple(f"B{each}" for each in range(many))
    purpose, missed = more.pop("purpose", Purpose.LIVE), more.pop("missed", 0)
    at = f"{number + 1} {NOW - DAY}-{NOW}-{begun_at}-{purpose} {serials[number]}" if begun_at else ""
    task = Task(
        "home",
        "1",
        BY_NAME["encharges"],
        Span(NOW - DAY, NOW),
        purpose,
        at,
        reach=DAY,
        devices=serials,
        begun_at=begun_at,
        missed=missed,
    )
    following = serials[number + 1] if number + 1 < many else ""
    verdict = more.pop("verdict", Verdict(kind, "words"))
    return Outcome(task, 1, verdict, answered_end=more.pop("end", NOW), date_at=NOW, cursor=following, **more)


def round_of(*kinds: Kind, purpose: Purpose = Purpose.LIVE, **pair: Any) -> Changes:
    """What has become of the pair when the cloud said so of each battery."""
    state: Snapshot = known()
    now = Pair("1", "encharges", **pair)
    changes = Changes(Loaded(state))
    for number, kind in enumerate(kinds):
        state.pairs["1", "encharges"] = now
        begun = unfinished(now.cursor)
        missed, begun_at = (begun.missed, begun.begun_at) if begun else (0, 0)
        reply = of_battery(number, kind, begun_at=begun_at, many=len(kinds), purpose=purpose, missed=missed)
        changes = decide(Loaded(state), skip_failed_device(reply, now), AT)
        now = changes.pairs["1", "encharges"]
    return changes


def read(changes: Changes) -> tuple[Span, ...]:
    return changes.settled("1", "encharges", CLASSES.settle)


def test_a_window_is_read_once_all_of_its_calls_are_made() -> None:
    first = decide(Loaded(known()), of_battery(0), AT)
    assert read(first) == ()
    pair = first.pairs["1", "encharges"]
    assert pair.cursor.endswith(" B1")
    assert (begun := unfinished(pair.cursor)) is not None
    assert begun[:4] == (Span(NOW - DAY, NOW), NOW, Purpose.LIVE, 0)
    assert pair.asked_at is None
    last = decide(Loaded(known()), of_battery(1, begun_at=NOW - HOUR), AT)
    assert last.pairs["1", "encharges"].cursor == ""
    (span,) = read(last)
    assert span.start == NOW - DAY
    assert span.end <= NOW - HOUR - CLASSES.settle, "what was young when the first call was made is not settled by it"


def test_of_all_calls_the_one_that_reaches_least_far_counts() -> None:
    first = decide(Loaded(known()), of_battery(0, end=NOW - 12 * HOUR), AT)
    assert first.pairs["1", "encharges"].cursor.split()[1].startswith(f"{NOW - DAY}-{NOW - 12 * HOUR}-{NOW}-live")


@pytest.mark.parametrize("end", [NOW - DAY, NOW - 2 * DAY])
def test_a_battery_whose_reply_ends_before_the_window_has_nothing_there_and_the_others_are_asked(end: int) -> None:
    first = decide(Loaded(known()), of_battery(0, end=end), AT)
    cursor = first.pairs["1", "encharges"].cursor
    assert cursor.startswith(f"2 {NOW - DAY}-{NOW}-{NOW}-live-")
    assert cursor.endswith(" B1")
    last = decide(Loaded(known()), of_battery(1, begun_at=NOW - MINUTE, end=end), AT)
    assert last.pairs["1", "encharges"].asked_at == NOW
    assert read(last) != ()


def test_a_page_that_ends_before_the_window_is_not_asked_for_again_at_once() -> None:
    page = replace(outcome(stream="micros"), answered_end=NOW - DAY, cursor="2")
    pair = decide(Loaded(known()), page, AT).pairs["1", "micros"]
    assert (pair.cursor, pair.asked_at) == ("", NOW)


@pytest.mark.parametrize("reason", ["HTTP 404: Encharge not found", "HTTP 401: access this resource"])
def test_a_device_that_is_unknown_is_passed_over_and_a_group_that_is_not_ticked_is_not(reason: str) -> None:
    refused = of_battery(0, verdict=Verdict(Kind.DENIED, reason))
    passed = skip_failed_device(refused, PAIR)
    assert (passed is refused) == ("404" not in reason)
    if passed is not refused:
        changes = decide(Loaded(known()), passed, AT)
        assert changes.pairs["1", "encharges"].cursor.endswith("B1")
        assert [row.sample for row in changes.odd["1", "encharges"].values()] == ["B0"]
    alone = of_battery(0, many=1, verdict=Verdict(Kind.DENIED, reason))
    assert skip_failed_device(alone, PAIR) is alone, "the only one is not passed over: nothing would be asked"


def test_a_clock_that_was_fast_settles_nothing_too_early() -> None:
    changes = decide(Loaded(known()), of_battery(1, begun_at=NOW + 30 * DAY), AT)
    assert all(span.end <= NOW - CLASSES.settle for span in read(changes))


def test_what_a_new_device_measured_before_it_was_listed_is_read() -> None:
    state = known()
    row = state.systems["1"]
    state.systems["1"] = replace(row, profile=replace(row.profile, serials={"battery": ("B0",), "ev_charger": ()}))
    state.coverage["1", "encharges"] = {CLASSES.settle: (Span(NOW - 40 * DAY, NOW - DAY),)}
    devices = outcome(stream="devices", window=Span(0, 0), serials={"battery": ("B0", "B1")})
    changes = decide(Loaded(state), devices, AT)
    assert changes.systems["1"].profile.serials["battery"] == ("B0", "B1")
    assert read(changes) == (Span(NOW - 40 * DAY, NOW - 14 * DAY),)
    same = decide(Loaded(state), outcome(stream="devices", window=Span(0, 0), serials={"battery": ("B0",)}), AT)
    assert read(same) == (Span(NOW - 40 * DAY, NOW - DAY),)


# ── a device that gives no answer ─────────────────────────────────────────────────────────────────────────

OK, BAD, BUSY = Kind.OK, Kind.GARBLED, Kind.BUSY


@pytest.mark.parametrize("kinds", [(BAD, OK, OK), (OK, BAD, OK), (OK, OK, BAD), (BAD, BAD, OK)])
def test_a_reply_that_cannot_be_read_never_counts_as_read(kinds: tuple[Kind, ...]) -> None:
    live = round_of(*kinds)
    assert read(live) == ()
    assert live.pairs["1", "encharges"].cursor == ""
    assert live.pairs["1", "encharges"].asked_at == NOW
    past = round_of(*kinds, purpose=Purpose.HISTORY)
    assert read(past) == ()
    (entry,) = past.deferred["1", "encharges"]
    assert (entry.span, entry.fails) == (Span(NOW - DAY, NOW), 1)
    assert f"{kinds.count(BAD)} of 3 devices" in entry.reason
    assert past.pairs["1", "encharges"].history_from == NOW + HOUR


@pytest.mark.parametrize(
    ("life", "purpose", "is_read"),
    [
        (Span(NOW, NOW + 9 * DAY), Purpose.HISTORY, False),
        (Span(NOW - 9 * DAY, NOW + DAY), Purpose.HISTORY, False),
        (Span(NOW - 9 * DAY, NOW + DAY), Purpose.LIVE, True),
        (Span(NOW + 2 * DAY, NOW + 9 * DAY), Purpose.HISTORY, True),
        (Span(NOW - 9 * DAY, NOW - HOUR), Purpose.HISTORY, True),
        (None, Purpose.HISTORY, True),
    ],
    ids=["at its oldest", "amid", "live", "before it began", "after it died", "never seen"],
)
def test_a_device_that_has_nothing_in_the_midst_of_its_life_is_missed(
    life: Span | None,
    purpose: Purpose,
    is_read: bool,  # noqa: FBT001
) -> None:
    reply = skip_failed_device(of_battery(1, Kind.NOTHING, begun_at=NOW, purpose=purpose), PAIR, life)
    changes = decide(Loaded(known()), reply, AT)
    assert bool(read(changes)) is is_read
    assert bool(changes.deferred.get(("1", "encharges"))) is not is_read


@pytest.mark.parametrize("purpose", [Purpose.LIVE, Purpose.HISTORY])
def test_where_no_device_gives_an_answer_the_stream_is_refused(purpose: Purpose) -> None:
    changes = round_of(BAD, BAD, BAD, purpose=purpose)
    pair = changes.pairs["1", "encharges"]
    assert pair.cursor == ""
    assert read(changes) == ()
    assert (pair.state == "garbled") == (purpose is Purpose.LIVE)
    assert bool(changes.deferred.get(("1", "encharges"))) == (purpose is Purpose.HISTORY)


@pytest.mark.parametrize("purpose", [Purpose.LIVE, Purpose.HISTORY])
def test_a_device_on_which_the_cloud_fails_for_ever_holds_up_no_other(purpose: Purpose) -> None:
    state, fails = known(), 0
    state.pairs["1", "encharges"] = now = Pair("1", "encharges")
    while not now.cursor:
        reply = of_battery(0, BUSY, purpose=purpose)
        changes = decide(Loaded(state), skip_failed_device(reply, now), AT)
        state.pairs["1", "encharges"] = now = changes.pairs["1", "encharges"]
        assert not changes.deferred.get(("1", "encharges")), "nothing is given up while it may be chance"
        fails += 1
        assert fails <= 3
    assert now.cursor.startswith(f"2 {NOW - DAY}-{NOW}-{NOW}-{purpose}-1-")
    assert now.cursor.endswith(" B1")
    assert now.rest_until == 0
    last = decide(Loaded(state), of_battery(1, begun_at=NOW, purpose=purpose, missed=1), AT)
    assert read(last) == ()
    assert last.pairs["1", "encharges"].fails == 0


def test_a_connection_that_fails_is_no_fault_of_the_device() -> None:
    reply = replace(of_battery(0, BUSY), sent=False)
    assert skip_failed_device(reply, replace(PAIR, state="busy", fails=9)) is reply


@pytest.mark.parametrize("purpose", [Purpose.LIVE, Purpose.HISTORY])
def test_a_page_that_fails_is_asked_for_three_times_before_all_is(purpose: Purpose) -> None:
    cursor = f"2 {NOW - DAY}-{NOW}-{NOW - HOUR}-{purpose} 2"
    now, kept = replace(PAIR, stream="micros", cursor=cursor), []
    for _ in range(3):
        state = known()
        state.pairs["1", "micros"] = now
        changes = decide(Loaded(state), outcome(BUSY, "micros", purpose), AT)
        now = changes.pairs["1", "micros"]
        kept.append(now.cursor)
    assert kept == [cursor, cursor, ""]
    assert bool(changes.deferred.get(("1", "micros"))) == (purpose is Purpose.HISTORY)
    if purpose is Purpose.LIVE:
        state.pairs["1", "micros"] = now
        first = decide(Loaded(state), replace(outcome(stream="micros"), cursor="2"), AT)
        assert first.pairs["1", "micros"].fails == 3, "a first page is no proof that the window can be had"


def test_a_snapshot_of_several_devices_knows_which_gave_no_answer() -> None:
    task = Task("home", "1", BY_NAME["ev_charger_sessions"], Span(0, 0), Purpose.SNAPSHOT, devices=("C0", "C1"))
    reply = skip_failed_device(Outcome(task, 1, Verdict(BAD, "words")), PAIR)
    pair = decide(Loaded(known()), reply, AT).pairs["1", "ev_charger_sessions"]
    begun = unfinished(pair.cursor)
    assert begun is not None
    second = replace(task, cursor=pair.cursor, missed=begun.missed)
    assert second.device == "C1"
    refused = Outcome(second, 2, Verdict(BAD, "words"))
    assert skip_failed_device(refused, PAIR) is refused, "none of them gave an answer"


@pytest.mark.parametrize("kind", [BUSY, BAD])
def test_a_page_of_a_list_that_fails_for_long_is_asked_for_more_and_more_seldom(kind: Kind) -> None:
    task = Task("home", "@home", SYSTEMS, Span(0, 0), Purpose.SNAPSHOT, "3 3")
    now, rests = Pair("@home", "systems", cursor="3 3"), []
    for _ in range(6):
        state = known()
        state.pairs["@home", "systems"] = now
        changes = decide(Loaded(state), Outcome(task, 1, Verdict(kind, "words")), AT)
        now = changes.pairs["@home", "systems"]
        rests.append(now.rest_until)
        assert now.cursor == "3 3"
    assert len(set(rests[:4])) == 4
    assert rests == sorted(rests)


def test_the_reply_of_one_device_that_cannot_be_read_is_kept_with_its_reason() -> None:
    reply = replace(of_battery(0, BAD), body=b"{")
    sample = decide(Loaded(known()), skip_failed_device(reply, PAIR), AT).sample
    assert sample is not None
    assert (sample.reason, sample.body) == ("words", b"{")
