"""Rows are kept without the names of their fields and read as they were, those of a former version too."""

import contextlib
from datetime import date
from itertools import chain

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.core.derive import calendar
from ingest.core.point import Point, decode_fields, encode_fields, line_fields, series_key
from ingest.store import archive, meta
from ingest.store.archive import Filter
from ingest.store.database import in_memory
from ingest.store.packing import NAMES, Packer, Unpacker
from tests.core.test_point import field_sets

NUMBERS = {"devices_reporting": 20.0, "energy_wh": 123.0, "power_w": 492.5}


@given(st.lists(field_sets, min_size=1, max_size=5))
@example([{"3:a": 1.0}, {"b": 2.0}, {"3": 5.0}])
@example([{"a:b": 1.0}, {"a": 2.0}])
def test_what_is_kept_is_read_as_it_was(many: list[dict[str, float | str]]) -> None:
    with contextlib.closing(in_memory()) as db:
        for time, fields in enumerate(many):
            archive.upsert(db, [Point("energy", (), time, fields)])
        rows = {time: decode_fields(row) for _, time, row in archive.select(db, Filter())}
        assert rows == dict(enumerate(many))


@given(field_sets)
def test_a_row_is_the_field_set_of_a_line(fields: dict[str, float | str]) -> None:
    assert decode_fields(line_fields(encode_fields(fields))) == fields


def test_the_names_of_fields_stand_once_for_all_rows() -> None:
    with contextlib.closing(in_memory()) as db:
        archive.upsert(db, [Point("energy", (), time, NUMBERS) for time in range(100)])
        archive.upsert(db, [Point("energy", (), 100, {"label": "roof", "wh": 1.0})])
        kept = [text for (text,) in db.execute("SELECT fields FROM points ORDER BY time")]
        assert set(kept) == {"0:20;123;492.5,", '1:"roof",1;'}
        assert db.execute("SELECT value FROM meta WHERE key = 'names'").fetchall() == [
            ("devices_reporting,energy_wh,power_w\nlabel,wh",)
        ]


words = st.sampled_from(
    ["2026-11-05", "", "a:b", "1:", "a=b", "ok; sort of", "one, two", 'say "hi"', "\\", "line\nbreak"]
)
named = st.dictionaries(
    st.sampled_from(["date", "wh", "power_w", "3", "b c"]),
    st.one_of(words, st.floats(allow_nan=False, allow_infinity=False)),
    min_size=1,
)


@given(st.lists(named, min_size=1, max_size=5))
def test_a_row_with_words_is_the_same_text_once_it_was_kept(many: list[dict[str, float | str]]) -> None:
    with contextlib.closing(in_memory()) as db:
        for time, fields in enumerate(many):
            archive.upsert(db, [Point("energy_daily", (), time, fields)])
        rows = [row for _, _, row in archive.select(db, Filter())]
        assert rows == [encode_fields(fields) for fields in many]


def test_a_day_takes_less_room_than_the_names_of_its_fields() -> None:
    quantities = ("produced", "consumed", "self_consumed", "imported", "exported")
    row: dict[str, float | str] = dict.fromkeys((f"{name}_wh" for name in quantities), 12345.25)
    row |= dict.fromkeys((f"{name}_days" for name in quantities), 1.0)
    day = encode_fields(row | calendar("energy_daily", date(2026, 11, 5)))
    assert len(day) > 250
    assert len(Packer("").pack(day)) < 130


def test_names_that_another_connection_added_meanwhile_are_known() -> None:
    with contextlib.closing(in_memory()) as db:
        archive.upsert(db, [Point("energy", (), 0, NUMBERS)])
        unpack = Unpacker(db)
        assert unpack("0:20;123;492.5,") == encode_fields(NUMBERS)
        archive.upsert(db, [Point("energy", (), 1, {"soc_percent": 5.0})])
        assert unpack("1:7;") == "soc_percent:7;"


@given(field_sets)
@example(NUMBERS)
@example({"date": "2026-11-05", "wh": 84.0})
def test_a_row_of_a_former_version_is_equal_to_what_the_cloud_says_again(fields: dict[str, float | str]) -> None:
    with contextlib.closing(in_memory()) as db:
        archive.upsert(db, [Point("energy", (), 0, fields)])
        line = line_fields(encode_fields(fields))
        db.execute("UPDATE points SET fields = ?", (f"={line}" if line[:1].isdigit() else line,))
        done = archive.upsert(db, [Point("energy", (), 0, fields)])
        assert (done.added, done.revised) == (0, 0)
        assert list(archive.select(db, Filter())) == [(series_key("energy", ()), 0, encode_fields(fields))]


@given(st.lists(st.lists(named | field_sets, max_size=3), max_size=3).map(lambda lists: [*chain(*lists, *lists)]))
@example([{"a": 1.0}, {"a:b": 2.0}])
def test_many_rows_at_once_are_kept_and_read_as_each_by_itself(many: list[dict[str, float | str]]) -> None:
    rows = [encode_fields(fields) if fields else "" for fields in many]
    packer, alone = Packer(""), Packer("")
    kept = [*packer.pack_texts(rows)]
    assert kept == [alone.pack(row) for row in rows]
    with contextlib.closing(in_memory()) as db:
        meta.write(db, NAMES, packer.names)
        assert [*Unpacker(db).all(kept)] == rows


def test_what_was_withdrawn_stays_empty() -> None:
    assert Packer("").pack("") == ""
    with contextlib.closing(in_memory()) as db:
        assert Unpacker(db)("") == ""
