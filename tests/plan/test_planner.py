"""What is planned: never what is read, never too much, and nobody starves."""

from math import ceil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.core.span import NONE, Span, Spans, floor_to, intersect, subtract, total, union
from ingest.core.units import DAY, HOUR, MINUTE, WEEK
from ingest.enphase.call import Purpose, Task
from ingest.enphase.streams import BY_NAME
from ingest.plan import coverage
from ingest.plan.coverage import Advance, Log, edge
from ingest.plan.pacing import Factors
from ingest.plan.planner import due_at, history_tasks, live_tasks
from ingest.plan.windows import DEBT_PATIENCE, history_windows, live_window, served_from
from ingest.plan.work import Classes, Work
from tests.works import a_work, changed

CLASSES = Classes(6 * HOUR, 4 * DAY)
NOW = 1_750_000_500
STREAMS = [BY_NAME[name] for name in ("stats", "rgm_stats", "consumption")]


def work(name: str = "stats", version: str = "v4", **changes: object) -> Work:
    """A pair whose gateway reports as it goes, nothing read yet, a month wanted."""
    stream = BY_NAME[name]
    reported = (Advance(NOW - 60 * DAY, NOW - 60 * DAY), *(Advance(NOW - i * HOUR, NOW - i * HOUR) for i in (24, 6, 1)))
    return changed(a_work(stream, version, floor=NOW - 30 * DAY, log=reported), **changes)


def reads(step: int) -> st.SearchStrategy[dict[int, Spans]]:
    """Coverage of the last forty days with holes of every size, aligned to `step`."""
    ends = st.integers(0, 40 * DAY // step).map(lambda steps: floor_to(NOW, step) - steps * step)
    spans = st.lists(st.tuples(ends, ends).map(lambda pair: Span(min(pair), max(pair))), max_size=8).map(union)
    return st.fixed_dictionaries({}, optional={CLASSES.settle: spans, CLASSES.look_again: spans})


@st.composite
def works(draw: st.DrawFn) -> Work:
    """Any pair: each stream and dialect, any floor, end, gateway and coverage."""
    stream = draw(st.sampled_from(STREAMS))
    version = draw(st.sampled_from(["v2", "v4"]))
    unit = draw(st.sampled_from([1, 900, HOUR]))  # whole quarters are where windows and debts end together
    seen = sorted(draw(st.sets(st.integers(0, 45 * DAY // unit), max_size=6)), reverse=True)
    log: list[Advance] = []
    for ago in seen:
        reported = NOW - (ago + draw(st.integers(0, 2 * DAY // unit))) * unit
        if not log or reported > log[-1].reported_at:
            log.append(Advance(NOW - ago * unit, reported))
    return a_work(
        stream,
        version,
        floor=NOW - draw(st.integers(-DAY, 800 * DAY) | st.integers(0, 40 * DAY)),
        until=draw(st.none() | st.integers(-40 * DAY, DAY).map(lambda ago: NOW + ago)),
        read=draw(reads(stream.grain)),
        log=tuple(log),
    )


def _debts(pair: Work, now: int, *, ripe: bool) -> Spans:
    """What each class owes, said again in words of the design: wanted, served, known for the age, not read."""
    found: list[Spans] = []
    for age in CLASSES.ages:
        limit = edge(pair.log, now, age)
        if limit is None:
            continue
        finished = pair.until is not None and limit >= pair.until
        finished = finished or pair.log[-1].seen_at <= now - age - DEBT_PATIENCE  # nothing new in sight
        last = min(limit, pair.until) if pair.until is not None else limit
        wanted = Span(served_from(pair, now), floor_to(last, pair.route.step))
        owes = subtract((wanted,), coverage.covered(pair.read, age))
        found.append(owes if finished or not ripe else intersect(owes, Span(0, limit - DEBT_PATIENCE)))
    return union(*found)


def _fewest(spans: Spans, reach: int) -> int:
    """The least number of windows of `reach` that cover some spans: the greedy choice is the best on a line."""
    count = 0
    while spans:
        count += 1
        spans = subtract(spans, (Span(spans[0].start, spans[0].start + reach),))
    return count


# ── history ───────────────────────────────────────────────────────────────────────────────────────────


@given(works())
@example(work())
def test_history_never_asks_for_what_is_read(pair: Work) -> None:
    ripe = _debts(pair, NOW, ripe=True)
    for window in history_windows(pair, NOW, CLASSES):
        assert intersect(ripe, window), f"{window} holds nothing that is owed and ripe"


@given(works())
@example(work())
def test_history_asks_for_everything_that_is_ripe(pair: Work) -> None:
    assert subtract(_debts(pair, NOW, ripe=True), union(history_windows(pair, NOW, CLASSES))) == NONE


@given(works())
@example(work())
def test_history_windows_are_such_as_the_cloud_answers(pair: Work) -> None:
    for start, end in history_windows(pair, NOW, CLASSES):
        assert 0 < end - start <= pair.route.reach
        assert (start % pair.route.step, end % pair.route.step) == (0, 0)
        assert served_from(pair, NOW) <= start
        assert end <= NOW


@given(works())
@example(work())
def test_history_takes_hardly_more_calls_than_the_least_possible(pair: Work) -> None:
    calls = len(list(history_windows(pair, NOW, CLASSES)))
    assert _fewest(_debts(pair, NOW, ripe=True), pair.route.reach) <= calls
    assert calls <= _fewest(_debts(pair, NOW, ripe=False), pair.route.reach) + 1


@given(works())
@example(work())
def test_history_goes_from_the_newest_to_the_oldest(pair: Work) -> None:
    starts = [window.start for window in history_windows(pair, NOW, CLASSES)]
    assert sorted(starts, reverse=True) == starts


@given(works())
@example(work())
def test_a_history_task_reads_something_ripe(pair: Work) -> None:
    for task in history_tasks([pair], NOW, CLASSES):
        assert intersect(_debts(pair, NOW, ripe=True), task.window)
        assert task.window.length <= pair.route.reach
        assert task.purpose is Purpose.HISTORY


def test_what_is_about_to_leave_the_cloud_goes_first() -> None:
    leaving = work("rgm_stats", floor=0, system="2")
    normal = work("rgm_stats")
    first, second = history_tasks([normal, leaving], NOW, CLASSES)
    assert (leaving.key, normal.key) == (first.pair, second.pair)
    assert served_from(leaving, NOW) == first.window.start


def test_history_newest_first_across_systems() -> None:
    done = {age: (Span(NOW - 10 * DAY, NOW),) for age in CLASSES.ages}
    behind = work(read=done)
    assert [task.system for task in history_tasks([behind, work(system="2")], NOW, CLASSES)] == ["2", "1"]


@pytest.mark.parametrize(
    "paused", [work(rest_until=NOW + 1), work(history_from=NOW + 1)], ids=["everything", "history alone"]
)
def test_a_paused_pair_gets_no_history(paused: Work) -> None:
    assert history_tasks([paused], NOW, CLASSES) == []
    assert len(history_tasks([paused], NOW + 1, CLASSES)) == 1


def test_a_snapshot_has_no_history() -> None:
    assert history_tasks([work("production_meter_readings")], NOW, CLASSES) == []


@pytest.mark.parametrize("name", ["stats", "rgm_stats"])
def test_the_last_day_of_a_gateway_that_died_is_read_too(name: str) -> None:
    died = floor_to(NOW - 30 * DAY, 15 * MINUTE)
    dead = work(name, log=(Advance(NOW - 10 * DAY, died),), floor=died - 10 * DAY)
    assert union(history_windows(dead, NOW, CLASSES)) == (Span(died - 10 * DAY, died),)


def test_a_gateway_that_never_reported_owes_nothing() -> None:
    assert history_tasks([work(log=())], NOW, CLASSES) == []


def test_a_debt_smaller_than_a_day_waits_for_more() -> None:
    read = {CLASSES.settle: (Span(NOW - 40 * DAY, NOW),), CLASSES.look_again: (Span(NOW - 40 * DAY, NOW - 5 * DAY),)}
    steady = tuple(Advance(NOW - 6 * DAY + i * HOUR, NOW - 6 * DAY + i * HOUR) for i in range(6 * 24 + 1))
    assert history_tasks([work(read=read, log=steady)], NOW, CLASSES) == []
    assert len(history_tasks([work(read=read, log=steady)], NOW + HOUR, CLASSES)) == 1


# ── live ──────────────────────────────────────────────────────────────────────────────────────────────


@given(works())
def test_a_live_window_ends_now_and_is_within_reach(pair: Work) -> None:
    window = live_window(pair, NOW, CLASSES)
    if window is not None:
        assert floor_to(NOW, pair.route.step) == window.end
        assert 0 < window.length <= pair.route.reach
        assert window.start % pair.route.step == 0
        assert window.start >= served_from(pair, NOW)


@given(works())
def test_a_live_window_reads_all_that_is_unsettled_within_reach(pair: Work) -> None:
    window = live_window(pair, NOW, CLASSES)
    if window is not None:
        end = floor_to(NOW, pair.route.step)
        within = Span(max(served_from(pair, NOW), end - pair.route.reach), end)
        unsettled = subtract((within,), coverage.covered(pair.read, CLASSES.settle))
        assert subtract(unsettled, (window,)) == NONE


@given(works())
def test_a_finished_system_gets_no_live_call(pair: Work) -> None:
    over = changed(pair, until=NOW)
    assert live_window(over, NOW, CLASSES) is None
    assert live_tasks([over, work("production_meter_readings", until=NOW)], NOW, CLASSES) == []


@pytest.mark.parametrize(
    ("state", "fails", "is_short"),
    [("denied", 1, True), ("denied", 2, False), ("busy", 1, False), ("busy", 3, True), ("ahead", 3, False)],
)
def test_after_a_refusal_a_live_call_asks_for_today_alone(state: str, fails: int, is_short: bool) -> None:  # noqa: FBT001
    """Where an older day of the window is what is refused, the stream lives."""
    window = live_window(work("rgm_stats", state=state, fails=fails), NOW, CLASSES)
    assert window is not None
    assert (window.length <= 2 * DAY) is is_short


def test_a_second_look_of_half_a_day_rides_in_a_live_call() -> None:
    read = {CLASSES.settle: (Span(0, NOW - DAY),), CLASSES.look_again: (Span(0, floor_to(NOW, 900) - 5 * DAY),)}
    steady = tuple(Advance(NOW - i * HOUR, NOW - i * HOUR) for i in range(7 * 24, -1, -1))
    window = live_window(work("consumption", read=read, log=steady), NOW, CLASSES)
    assert window is not None
    assert floor_to(NOW, 900) - 5 * DAY == window.start


def test_a_second_look_of_less_waits_for_more() -> None:
    read = {CLASSES.settle: (Span(0, NOW - DAY),), CLASSES.look_again: (Span(0, NOW - 4 * DAY - 11 * HOUR),)}
    steady = tuple(Advance(NOW - i * HOUR, NOW - i * HOUR) for i in range(7 * 24, -1, -1))
    window = live_window(work("consumption", read=read, log=steady), NOW, CLASSES)
    assert window is not None
    assert floor_to(NOW - DAY, 900) == window.start


def _order(*pairs: Work, stretch: float = 1.0) -> list[tuple[str, str]]:
    return [task.pair for task in live_tasks(pairs, NOW, CLASSES, Factors(stretch))]


def test_the_most_overdue_goes_first_relative_to_its_cadence() -> None:
    late = work("production_meter_readings", asked_at=NOW - DAY - 6 * HOUR)
    later = work("stats", asked_at=NOW - 15 * MINUTE - 6 * MINUTE)
    last = work("rgm_stats", asked_at=NOW - 15 * MINUTE)
    assert [later.key, late.key, last.key] == _order(last, late, later)


def test_the_list_of_systems_goes_before_everything() -> None:
    never = work("stats", asked_at=None)
    listed = work("systems", asked_at=NOW - DAY)
    assert [listed.key, never.key] == _order(never, listed)


def test_a_pair_is_not_asked_before_it_is_due() -> None:
    assert _order(work(asked_at=NOW - 15 * MINUTE + 1)) == []
    assert _order(work(asked_at=NOW - 15 * MINUTE)) == [("1", "stats")]


def test_a_stretched_cadence_waits_longer() -> None:
    assert _order(work(asked_at=NOW - 15 * MINUTE), stretch=1.5) == []
    assert _order(work(asked_at=NOW - 15 * MINUTE * 3 // 2), stretch=1.5) == [("1", "stats")]


def test_what_is_asked_once_a_day_is_not_stretched() -> None:
    daily = work("production_meter_readings", asked_at=NOW - DAY)
    assert [daily.key] == _order(daily, stretch=4.0)


def test_a_resting_pair_is_left_alone() -> None:
    assert _order(work(rest_until=NOW + 1), work("systems", rest_until=NOW + 1, cursor="2")) == []
    assert _order(work(rest_until=NOW)) == [("1", "stats")]


def test_the_next_page_of_a_list_is_due_at_once() -> None:
    (task,) = live_tasks([work("systems", asked_at=NOW, cursor="2")], NOW, CLASSES)
    assert task.cursor == "2"


def test_a_silent_system_gets_one_probe_for_all_its_streams() -> None:
    silent = [work(stream.name, probe_at=0) for stream in STREAMS]
    assert len(live_tasks(silent, NOW, CLASSES)) == 1


def test_the_silence_of_one_system_does_not_delay_another() -> None:
    silent = [work(stream.name, probe_at=0) for stream in STREAMS]
    awake = [work(stream.name, system="2") for stream in STREAMS]
    systems = [task.system for task in live_tasks([*silent, *awake], NOW, CLASSES)]
    assert sorted(systems) == ["1", "2", "2", "2"]


@given(st.lists(works(), max_size=4), st.sets(st.sampled_from(["1", "2", "3"])), st.floats(1, 5))
def test_nothing_is_planned_for_a_pair_twice(pairs: list[Work], silent: set[str], factor: float) -> None:
    several = {
        one.key: one
        for index, pair in enumerate(pairs)
        for one in [changed(pair, system=str(index % 3), probe_at=0 if str(index % 3) in silent else None)]
    }
    for tasks in (
        live_tasks(several.values(), NOW, CLASSES, Factors(factor)),
        history_tasks(several.values(), NOW, CLASSES),
    ):
        planned = [task.pair for task in tasks]
        assert len(set(planned)) == len(planned)


def test_a_page_is_due_at_once_and_a_new_pair_after_its_pause() -> None:
    assert due_at(work(cursor="2", asked_at=NOW)) == 0
    assert due_at(work(rest_until=NOW + 5)) == NOW + 5


# ── a month in a toy cloud ────────────────────────────────────────────────────────────────────────────


def _answered(pair: Work, task: Task, now: int) -> Work:
    """The pair after a full answer: what may be trusted is covered, for each class."""
    read = dict(pair.read)
    for age in CLASSES.ages:
        span = coverage.trusted(pair.log, now, age, task.window)
        whole = Span(span.start, floor_to(span.end, pair.stream.grain))
        read[age] = union(read.get(age, ()), [whole])
    return changed(pair, read=read, asked_at=pair.asked_at if task.purpose is Purpose.HISTORY else now)


def _simulate(name: str, days: int, lag: int = 300, reports: int = 1) -> tuple[Work, list[tuple[int, Task]]]:
    """A pair asked every quarter of an hour for some days, its gateway reporting every `reports` quarters."""
    pair = work(name, log=(), floor=NOW - DAY)
    calls: list[tuple[int, Task]] = []
    log: list[Advance] = []
    for quarter in range(days * 96):
        now = NOW + quarter * 900
        if quarter % reports == 0:
            log.append(Advance(now, now - lag))
        pair = pair._replace(log=Log(log))
        for plan in (_live, _history):
            for task in plan(pair, now):
                calls.append((now, task))
                pair = _answered(pair, task, now)
    return pair, calls


def _live(pair: Work, now: int) -> list[Task]:
    return live_tasks([pair], now, CLASSES)


def _history(pair: Work, now: int) -> list[Task]:
    return history_tasks([pair], now, CLASSES)


@pytest.mark.parametrize("lag", [0, 299, 300])
@pytest.mark.parametrize("reports", [1, 4, 24], ids=["quarterly", "hourly", "cellular"])
def test_a_stream_of_one_day_a_call_is_looked_at_again_once_a_day(lag: int, reports: int) -> None:
    _, calls = _simulate("stats", 30, lag, reports)
    later = [now for now, task in calls if task.purpose is Purpose.HISTORY and now >= NOW + WEEK]
    assert 20 <= len(later) <= ceil(1.1 * 23)


@pytest.mark.parametrize("name", ["rgm_stats", "consumption"])
def test_second_looks_ride_in_live_calls_where_a_call_holds_a_week(name: str) -> None:
    _, calls = _simulate(name, days=30)
    assert [task for _, task in calls if task.purpose is Purpose.HISTORY] == []


@pytest.mark.parametrize("name", ["stats", "rgm_stats"])
def test_after_a_month_everything_old_was_looked_at_again(name: str) -> None:
    pair, calls = _simulate(name, days=30)
    now = calls[-1][0]
    waits = now - CLASSES.look_again - DEBT_PATIENCE - HOUR
    wanted = Span(served_from(pair, now), waits)
    assert subtract((wanted,), coverage.covered(pair.read, CLASSES.look_again)) == NONE
    assert total(_debts(pair, now, ripe=True)) == 0
