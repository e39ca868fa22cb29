"""Power at this moment is of all parts of a kind, or there is none."""

from typing import Any

import pytest

from ingest.core.units import DAY, MINUTE
from ingest.enphase.streams.base import Odd
from ingest.enphase.streams.latest import STREAM

NOW = 1_782_864_000


def channel(power: Any = 500, at: Any = NOW, name: str = "production") -> dict[str, Any]:
    return {"name": name, "power": power, "last_report_at": at}


@pytest.mark.parametrize(
    ("third", "power", "odd"),
    [
        (channel(), 1500.0, 0),
        (channel(at=NOW - 15 * MINUTE), 1500.0, 0),
        (channel(None), 1000.0, 0),
        (channel(None, None), 1000.0, 0),
        (channel(0, None), 1000.0, 0),
        (channel(at=NOW - 6 * DAY), None, 1),
        (channel("n/a"), None, 1),
        (channel(at="soon"), None, 1),
        (channel(at=None), None, 1),
    ],
)
def test_a_part_is_never_told_as_the_whole(third: dict[str, Any], power: float | None, odd: int) -> None:
    meters = [channel(), third, channel(), channel(70, name="consumption")]
    found = list(STREAM.read("1", {"devices": {"meters": meters, "encharges": [{"power": -9, "last_report_at": NOW}]}}))
    good = [each for each in found if not isinstance(each, Odd)]
    points = {dict(each.tags)["meter"]: (each.time, each.fields["power_w"]) for each in good}
    others = {"consumption": (NOW, 70.0), "storage": (NOW, -9.0)}
    assert points == others | ({} if power is None else {"production": (NOW, power)})
    assert sum(isinstance(each, Odd) for each in found) == odd, "and it is counted"


@pytest.mark.parametrize("row", [None, 7, {"power": "n/a"}])
def test_a_part_that_may_be_of_any_kind_leaves_no_sum_of_its_list(row: object) -> None:
    lists = {"meters": [channel(), row, channel(70, name="consumption")], "encharges": [channel(-9, name="x")]}
    points = [each for each in STREAM.read("1", {"devices": lists}) if not isinstance(each, Odd)]
    assert [dict(each.tags)["meter"] for each in points] == ["storage"]
