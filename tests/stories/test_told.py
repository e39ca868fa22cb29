"""Whatever goes wrong reaches each receiver once, in the words of the status; so does its end, over restarts too."""

import shutil
import time
from pathlib import Path

import pytest

from tests.faults import FAULTS, Fault
from tests.notify.receiver import Receiver
from tests.notify.told import Told
from tests.stories.program import Program, Vendor
from tests.stories.test_faults_agree import Usage
from tests.world import DAY, HOUR, START
from tests.worlds import SITE, lived

MENDED = {
    "gateway_offline",
    "stream_denied",
    "quota_used_up",
    "token_dead",
    "database_down",
    "disk_full",
    "clock_wrong",
}
"""Those that can be taken away again."""
STOPS = ("quota", "auth", "disk")
ALIKE = {"gateway_offline", "disk_full", "clock_wrong"}
"""Those that are told as others here are."""


def mend(told: Told, fault: Fault) -> None:
    """Take the fault away again."""
    world = told.world
    world.cloud.put(SITE)
    world.cloud.faults.denied_groups = set()
    world.database.down = False
    if fault.kind == "quota":
        world.time.true = float(1_785_542_400 + HOUR)  # the next month
    if fault.kind == "auth":
        world.consent()
    if fault.kind == "clock":
        world.time.wrong_by = 0
    told.restart()


def test_a_run_from_cron_beats_and_tells_at_its_end(tmp_path: Path, receiver: Receiver, beats: Receiver) -> None:
    address = receiver.url.replace("http", "json", 1)
    with Vendor([SITE], time.time()) as vendor:
        heartbeat = f"{beats.url}/uuid"
        program = Program(tmp_path / "home", api=vendor.api, heartbeat=heartbeat, notify={"to": [address]})
        program.consent(vendor)
        program.run("once", "--max-calls", "5")
        assert beats.paths == ["/uuid"]
        beats.stop()
        program.run("once", "--max-calls", "1")
        heart = next(at for at in program.json("status")["receivers"] if at["receiver"] == "heartbeat")
        assert heart["error"] == "cannot connect"
    assert receiver.messages == []


def test_a_service_beats_and_ends_at_once_although_a_receiver_hangs(tmp_path: Path, beats: Receiver) -> None:
    beats.hangs = True
    with Vendor([SITE], START) as vendor:
        program = Program(tmp_path / "home", api=vendor.api, heartbeat=f"{beats.url}/uuid")
        program.consent(vendor)
        with program.start("run", hurry="scheduler.TICK_S = 1") as process:
            deadline = time.monotonic() + 90
            while not beats.asked and time.monotonic() < deadline:
                time.sleep(0.1)
            process.terminate()
            process.communicate(timeout=60)
        assert process.returncode == 0
    assert beats.paths == ["/uuid"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, id=name, marks=[pytest.mark.long] if name in ALIKE else [])
        for fault in FAULTS
        if (name := fault.bring.__name__) in MENDED
    ],
)
def test_each_fault_is_told_once_and_its_end_once(
    tmp_path: Path, fault: Fault, receiver: Receiver, beats: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = receiver.url.replace("http", "json", 1)
    told = Told(lived(tmp_path, [SITE], DAY, notify={"to": [address]}, heartbeat=f"{beats.url}/uuid"))
    told.look()
    with monkeypatch.context() as patch:
        if fault.kind == "disk":
            patch.setattr(shutil, "disk_usage", lambda _: Usage(2**33, 2**33, 50 * 2**20))
        fault.bring(told.world)
        told.begin()
        for step in range(30):
            told.look(HOUR)
            if step % 5 == 0:
                told.restart()
        begun = [message["message"] for message in receiver.messages]
        assert len([text for text in begun if all(word in text for word in fault.words)]) == 1, begun
        assert len(begun) == len(set(begun))
        assert (beats.paths[-1] == "/uuid/fail") == (fault.kind in STOPS)
    mend(told, fault)
    for step in range(30):
        told.look(6 * HOUR if fault.kind == "denied" else HOUR)  # asked again after some days
        if step % 5 == 0:
            told.restart()
    ended = [message["message"] for message in receiver.messages][len(begun) :]
    over = [line for text in ended for line in text.split("\n\n") if line.startswith("Over: ")]
    assert len(over) == sum(len(text.split("\n\n")) for text in begun), (begun, ended)
    assert beats.paths[-1] == "/uuid"
    told.world.end()
