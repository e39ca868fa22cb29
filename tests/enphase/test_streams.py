"""Reading what the cloud sends: numbers, times, names, pages."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.core.point import Point, decode, encode, encode_columns, encode_fields
from ingest.core.span import Span
from ingest.core.units import DAY
from ingest.enphase.streams import BY_NAME, STREAMS
from ingest.enphase.streams.base import Odd, SystemInfo
from ingest.enphase.streams.interval_rows import rows
from ingest.enphase.streams.readers import UNREADABLE, answered_to, identity, moment, moments_in, number, numbers_in
from ingest.enphase.streams.site import SUMMARY

anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())


@given(anything)
def test_a_number_is_finite_or_absent_or_refused(value: object) -> None:
    try:
        read = number(value)
    except ValueError:
        return
    assert read is None or (type(read) is float and math.isfinite(read))


def test_null_is_absent_not_zero_and_minus_one_is_a_value() -> None:
    assert number(None) is None
    assert [number(value) for value in (-3, -2, -1, -1.0, 0)] == [-3.0, -2.0, -1.0, -1.0, 0.0]


@pytest.mark.parametrize("value", [True, "1", [1], {}, math.nan, math.inf, 10**30])
def test_what_is_not_a_reading_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        number(value)


odd_or_not = st.integers(-2, 5) | st.floats(0, 5) | st.integers(1_750_000_000, 1_760_000_000) | anything


@given(st.lists(odd_or_not, max_size=4))
@example([math.nan, 10**400])
@example([1, math.nan, 2.0])
@example([1, 2.5, -1])
def test_all_numbers_of_a_list_are_each_what_it_is_by_itself(values: list[object]) -> None:
    rows = [{"end_at": value} for value in values]
    many: tuple[tuple[Callable[[], Sequence[float]], Callable[[object], float | None]], ...] = (
        (lambda: numbers_in(rows, ("end_at",)), number),
        (lambda: moments_in(rows, "end_at"), moment),
    )
    for all_of, one_of in many:
        try:
            found = all_of()
        except UNREADABLE:
            continue
        each = [{"value": one} for value in values if (one := one_of(value)) is not None]
        assert found == [fields["value"] for fields in each]
        assert encode_columns({"value": found}) == [encode_fields(fields) for fields in each]


@pytest.mark.parametrize("value", [None, 0, -5, True, "1750000500", 1_750_000_500_000, math.nan])
def test_what_is_not_a_time_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a time"):
        moment(value)


@given(st.text(max_size=6) | st.integers())
def test_a_device_is_named_by_what_a_line_can_hold(name: object) -> None:
    try:
        tags = identity(("meter", name))
    except ValueError:
        return
    line = f"m,{tags[0][0]}=x v=1.0 0"
    assert decode(line)._replace(tags=tags) == decode(encode(decode(line)._replace(tags=tags)))


nested = st.recursive(st.builds(lambda n: {"n": n}, st.integers()), lambda inner: st.lists(inner, max_size=3))


@given(st.lists(nested, max_size=4))
def test_nested_lists_are_read_in_order(value: list[object]) -> None:
    def flat(item: object) -> list[object]:
        return [row for part in item for row in flat(part)] if isinstance(item, list) else [item]

    assert flat(value) == list(rows(value))


@pytest.mark.parametrize(
    ("echoed", "expected"), [(None, 900), (600, 600), (5 * DAY, DAY)], ids=["not said", "sooner", "more than honoured"]
)
def test_a_window_is_answered_as_far_as_was_said_and_is_honoured(echoed: int | None, expected: int) -> None:
    reply = {} if echoed is None else {"end_at": 1000 + echoed}
    assert 1000 + expected == answered_to(reply, Span(1000, 1900), DAY)


@pytest.mark.parametrize("echoed", [5, 999, 1000])
@pytest.mark.parametrize(("shown", "expected"), [(0, 1900), (1600, 1600)], ids=["no row", "rows"])
def test_an_echo_that_is_not_after_the_start_says_nothing(echoed: int, shown: int, expected: int) -> None:
    assert expected == answered_to({"end_at": echoed}, Span(1000, 1900), DAY, lambda: shown)


def following(version: str, page: dict[str, object]) -> str:
    pages = BY_NAME["systems"].route(version).pages
    assert pages
    return pages.following(page)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({"total": 201, "current_page": 1, "size": 100, "systems": [{}]}, "2"),
        ({"total": 200, "current_page": 2, "size": 100, "systems": [{}]}, ""),
        ({"total": 500, "current_page": 2, "size": 100, "systems": []}, ""),
        ({"systems": [{}]}, ""),
        ({"total": None, "size": 100, "systems": [{}] * 100}, "2"),
        ({"total": "250", "current_page": 2, "size": 100, "systems": [{}] * 100}, "3"),
        ({"total": 0, "current_page": 1, "size": 100, "systems": [{}] * 100}, "2"),
        ({"total": 5, "current_page": 1, "size": 100, "systems": [{}] * 100}, "2"),
        ({"total": 0, "current_page": 1, "size": 100, "systems": [{}] * 30}, ""),
        ({"systems": [{}] * 100, "cursor": "3"}, "4"),
        ({"total": 25, "systems": [{}] * 10, "cursor": "2"}, "3"),
        ({"total": None, "size": 10, "systems": [{}] * 10}, "2"),
    ],
)
def test_pages_go_on_until_the_total_is_read(page: dict[str, object], expected: str) -> None:
    assert expected == following("v4", page)


@pytest.mark.parametrize(("name", "expected"), [("4e7a", "4e7a"), (None, ""), (7, "")])
def test_v2_names_the_next_page_itself(name: object, expected: str) -> None:
    assert expected == following("v2", {"systems": [], "next": name})


def test_two_grains_never_share_a_measurement() -> None:
    grains: dict[str, set[int]] = {}
    for stream in STREAMS:
        for name in stream.fields:
            grains.setdefault(name, set()).add(stream.grain)
    assert [name for name, found in grains.items() if len(found) > 1] == []


def test_no_two_streams_share_a_name() -> None:
    assert len(BY_NAME) == len(STREAMS)


ROWS: dict[str, dict[str, object]] = {
    "stats": {"enwh": 1, "devices_reporting": 1},
    "rgm_stats": {"wh_del": 1, "devices_reporting": 1},
    "consumption": {"enwh": 1, "devices_reporting": 1},
    "grid_import": {"wh_imported": 1},
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("odd", [None, 7, {"end_at": "soon"}])
@pytest.mark.parametrize("places", [{0}, {2}, {5}, {0, 1, 2}, {0, 5}])
def test_a_row_without_a_time_has_that_of_its_place(name: str, odd: object, places: set[int]) -> None:
    """At the beginning of a list, too: else it would be forgotten with the next reply."""
    stream = BY_NAME[name]
    ends = [1_750_000_500 - 1_750_000_500 % stream.grain + stream.grain * number for number in range(6)]
    rows = [odd if number in places else ROWS[name] | {"end_at": end} for number, end in enumerate(ends)]
    found = list(stream.read("42", {"intervals": rows, "meter_intervals": []}))
    assert [at.time for at in found if isinstance(at, Odd)] == [
        ends[number] - stream.grain for number in sorted(places)
    ]
    assert len(found) == 6


@pytest.mark.parametrize(("name", "key"), [*((name, next(iter(row))) for name, row in ROWS.items())])
def test_a_row_without_its_energy_is_counted_and_null_is_not(name: str, key: str) -> None:
    end = 1_750_000_500 - 1_750_000_500 % 900
    row = ROWS[name] | {"end_at": end, "channel": 1}
    lacking = {at: value for at, value in row.items() if at != key} | {f"{key}_new": 1}
    grain = BY_NAME[name].grain

    def told(row: dict[str, object]) -> list[tuple[str, int | None]]:
        meters = [{"meter_serial_number": "M", "intervals": [row]}] if name == "rgm_stats" else []
        found = BY_NAME[name].read("42", {"intervals": [row], "meter_intervals": meters})
        return [(at.reason, at.time) for at in found if isinstance(at, Odd)]

    assert set(told(lacking)) == {(f"missing '{key}'", end - grain)}
    assert len(told(lacking)) == (2 if name == "rgm_stats" else 1)
    assert told(row | {key: None}) == []


measured = st.none() | st.integers(-5, 3000) | st.floats(0, 3000)


@given(st.lists(st.tuples(st.integers(1, 3), measured, measured), max_size=9), st.sampled_from([None, 24, 24.5]))
@example([(1, None, None), (1, 84, 1008), (2, None, None), (1, 85.5, 1008)], 24)
def test_intervals_read_together_are_each_what_it_is_by_itself(rows: list[tuple[int, Any, Any]], total: Any) -> None:
    """Of three channels of a meter, some without a sensor, and of the site."""
    of_meter = [
        {"channel": channel, "end_at": 1_750_000_500 + 900 * at, "wh_del": energy, "curr_w": power}
        for at, (channel, energy, power) in enumerate(rows)
    ]
    of_site = [row | {"devices_reporting": row.pop("channel")} for row in map(dict, of_meter)]

    def read(meter: Sequence[object], site: Sequence[object]) -> list[Point | Odd]:
        meters = [{"meter_serial_number": "M", "intervals": meter}]
        reply = {"intervals": site, "meter_intervals": meters, "total_devices": total}
        return list(BY_NAME["rgm_stats"].read("42", reply))

    alone = [read([], [row])[0] for row in of_site] + [point for row in of_meter for point in read([row], [])]
    assert Counter(map(repr, map(_as_floats, read(of_meter, of_site)))) == Counter(map(repr, map(_as_floats, alone)))


def _as_floats(point: Point | Odd) -> Point:
    assert isinstance(point, Point)
    return decode(encode(point))


SNAPSHOTS: dict[str, tuple[str, dict[str, object]]] = {
    "production_meter_readings": ("meter_readings", {"serial_number": "M", "value": 5, "read_at": 0}),
    "storage_meter_readings": (
        "meter_readings",
        {"serial_num": "M", "value_charged": 5, "value_discharged": 5, "read_at": 0},
    ),
    "latest": ("devices", {"name": "production", "channel": 1, "power": 5, "last_report_at": 0}),
    "ev_charger_sessions": ("sessions", {"energy_added": 5, "start_time": 0}),
}


@pytest.mark.parametrize("name", SNAPSHOTS)
@pytest.mark.parametrize(("time", "read"), [(1_750_000_000, Point), (12, Odd), (None, Odd), ("soon", Odd)])
def test_a_snapshot_has_a_time_at_which_it_can_have_been_taken(name: str, time: object, read: type) -> None:
    key, row = SNAPSHOTS[name]
    rows = [{**row, next(reversed(row)): time}]
    reply = {key: {"meters": rows} if name == "latest" else rows, "device": "C0"}
    (found,) = BY_NAME[name].read("42", reply)
    assert type(found) is read


@pytest.mark.parametrize("change", [{"power": "n/a"}, {"last_report_at": None}, {"last_report_at": "soon"}])
def test_a_power_of_which_a_part_cannot_be_read_is_not_that_of_the_rest(change: dict[str, object]) -> None:
    made = {"name": "production", "power": 500, "last_report_at": 1_750_000_000}
    used = {**made, "name": "consumption"}
    found = list(BY_NAME["latest"].read("42", {"devices": {"meters": [made, made | change, made, used]}}))
    assert [at.tags[0][1] for at in found if isinstance(at, Point)] == ["consumption"]
    assert len([at for at in found if isinstance(at, Odd)]) == 1


@pytest.mark.parametrize(
    ("change", "fields", "reason"),
    [
        ({"soc": {"percent": "97%"}}, ["charged_wh", "discharged_wh"], "'97%' is not a number"),
        ({"charge": 5}, ["discharged_wh", "soc_percent"], "int where an object is due"),
        ({"charge": {"wh": 5}, "soc": "full"}, ["discharged_wh"], "missing 'enwh'"),
        ({"charge": None, "soc": {"percent": None}}, ["discharged_wh"], ""),
        ({"charge": "n/a", "discharge": "n/a", "soc": "n/a"}, [], "str where an object is due"),
    ],
)
def test_a_quantity_that_cannot_be_read_costs_no_other(
    change: dict[str, object], fields: list[str], reason: str
) -> None:
    """Of a row; a row without a key counts too, and each row once."""
    row = {"end_at": 1_750_000_500, "charge": {"enwh": 5}, "discharge": {"enwh": 0}, "soc": {"percent": 97}}
    found = list(BY_NAME["battery"].read("42", {"intervals": [row | change]}))
    assert [sorted(at.fields) for at in found if isinstance(at, Point)] == [fields] * bool(fields)
    assert [(at.reason, at.time) for at in found if isinstance(at, Odd)] == [(reason, 1_749_999_600)] * bool(reason)
    del row["soc"]
    kept = [at for at in BY_NAME["battery"].read("42", {"intervals": [row]}) if isinstance(at, Point)]
    assert [sorted(at.fields) for at in kept] == [["charged_wh", "discharged_wh"]]


def test_half_a_reading_of_a_battery_stands() -> None:
    row = {"serial_num": "M", "value_charged": "n/a", "value_discharged": 7, "read_at": 1_750_000_500}
    wrong, read = BY_NAME["storage_meter_readings"].read("42", {"meter_readings": [row]})
    assert isinstance(wrong, Odd)
    assert isinstance(read, Point)
    assert read.fields == {"reading_discharged_wh": 7}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"cleared": "false"}, "open"),
        ({"cleared": "no", "alarm_end_time": ""}, "open"),
        ({"cleared": False, "alarm_end_time": None}, "open"),
        ({}, "open"),
        ({"cleared": "True"}, "closed"),
        ({"cleared": True}, "closed"),
        ({"cleared": 1}, "closed"),
        ({"cleared": "false", "alarm_end_time": 1_750_000_900}, "closed"),
    ],
)
def test_an_alarm_is_over_when_something_says_so(said: dict[str, object], state: str) -> None:
    row = {"event_type_id": 5, "alarm_start_time": 1_750_000_000, **said}
    (found,) = BY_NAME["alarms"].read("42", {"alarms": [row]})
    assert isinstance(found, Point)
    assert found.fields["state"] == state


@pytest.mark.parametrize(("said", "source"), [("Meter", "meter"), ("Microinverters ", "microinverters"), ("x", "x")])
def test_the_source_of_production_is_a_word_in_any_case(said: str, source: str) -> None:
    systems = BY_NAME["summary"].systems
    assert systems
    (found,) = systems("42", {"system_id": 42, "source": said})
    assert not isinstance(found, Odd)
    assert found.fields["production_source"] == source


def test_rows_of_which_none_has_a_time_have_none() -> None:
    found = list(BY_NAME["stats"].read("42", {"intervals": [None] * 3}))
    assert [at.time for at in found] == [None] * 3


class _Counted(dict[str, object]):
    """A row that knows how often something was looked up in it."""

    looks = 0

    def get(self, key: str, default: object = None) -> object:
        type(self).looks += 1
        return super().get(key, default)


@pytest.mark.parametrize("name", ROWS)
def test_a_long_list_without_times_is_read_once(name: str) -> None:
    """A hostile cloud sends a hundred thousand such rows; a tick that reads them must not last a minute."""
    _Counted.looks, many = 0, 1000
    found = list(BY_NAME[name].read("42", {"intervals": [_Counted(ROWS[name]) for _ in range(many)]}))
    assert len(found) == many
    assert _Counted.looks < 5 * many


@pytest.mark.parametrize(
    ("size", "modules", "is_told"), [(6.0, 16, False), (6.0, None, True), (0, 16, True), (350, 1, True)]
)
def test_a_size_that_no_panels_can_have_is_odd(size: float, modules: int | None, is_told: bool) -> None:  # noqa: FBT001
    assert SUMMARY.systems
    reply = {"system_id": 1, "size_w": size, "modules": modules}
    found = [*SUMMARY.systems("1", reply)]
    assert any(isinstance(each, Odd) for each in found) is not is_told
    assert [each.fields.get("size_w") for each in found if isinstance(each, SystemInfo)] == [size if is_told else None]
