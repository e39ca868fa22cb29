"""The catalogue decides: what the rest of the program knows of a stream, it reads from the stream."""

from pathlib import Path

import pytest

from ingest.enphase import catalogue
from ingest.enphase.__main__ import table
from ingest.enphase.streams import BY_NAME, STREAMS
from ingest.enphase.streams.base import Stream

ROOT = Path(__file__).parents[2]
each_stream = pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)


def test_the_table_of_the_guide_is_the_catalogue() -> None:
    assert table() in (ROOT / "docs/streams.md").read_text("utf-8"), "put in what `python -m ingest.enphase` prints"


def test_the_defaults_are_what_was_promised() -> None:
    assert catalogue.DEFAULTS == ("stats", "rgm_stats", "production_meter_readings", "consumption")


def test_where_there_is_a_meter_it_is_what_counts() -> None:
    assert list(catalogue.PRODUCTION.items()) == [("production_rgm", 900), ("production_micro", 300)]


@each_stream
def test_an_energy_is_a_field_that_the_stream_fills(stream: Stream) -> None:
    for flow in stream.flows:
        assert flow.field in stream.fields[flow.measurement]


@each_stream
def test_daily_totals_are_held_against_a_stream_that_measures_the_same(stream: Stream) -> None:
    for series in stream.series:
        assert (catalogue.measured_by(series) is None) == (not series.stream)
        assert not series.stream or BY_NAME[series.stream].grain


@each_stream
def test_a_case_keeps_a_reply_of_every_stream_with_points(stream: Stream) -> None:
    kept = [folder.name for folder in (ROOT / "tests/cases").glob(f"{stream.name}-v[24]-*")]
    assert kept or stream.series or stream.meters, f"no folder tests/cases/{stream.name}-v4-…"
