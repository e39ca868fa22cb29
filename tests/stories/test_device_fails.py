"""One of several batteries gives no answer for some hours: the other goes on, and afterwards nothing is missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from ingest.core.http import Reply, Request
from ingest.simulator import batteries
from tests.stories.test_devices_alone import KILOWATT, SINCE, SITE, reported, series
from tests.world import DAY, START, Wire, World

CUT = Reply(200, b'{"serial_number": "12', START)
REFUSED = Reply(400, b'{"message": "Bad request", "details": "Requested resource is invalid"}', START)
FAILING = Reply(503, b"", START)


@pytest.mark.parametrize("answer", [CUT, REFUSED, FAILING], ids=["cut", "refused", "failing"])
def test_what_a_battery_did_not_tell_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Reply
) -> None:
    ill, well = SITE.battery_serials
    healthy, until = Wire.send, START + DAY // 4

    def send(wire: Wire, request: Request) -> Reply:
        reply = healthy(wire, request)
        is_ill = ill in request.url and wire.time.true < until
        return replace(answer, date_at=reply.date_at) if is_ill else reply

    monkeypatch.setattr(Wire, "send", send)
    wanted = {"id": SITE.system_id, "streams": ["encharges"], "since": "1d"}
    made = World(tmp_path, [SITE], systems=[wanted], api=KILOWATT)
    made.run(DAY // 4)
    assert set(series(made, "battery_unit", "battery")) == {well}, "the other one is read meanwhile"
    made.run(3 * DAY)
    found = series(made, "battery_unit", "battery")
    history = made.cloud.history(SITE.system_id)
    for number, serial in enumerate(SITE.battery_serials):
        times = [row["end_at"] - 900 for row in batteries.intervals(history, number, SINCE, reported(made))]
        missing = [at for at in times if at not in found[serial]]
        assert not missing, (serial, len(missing))
    made.end()
