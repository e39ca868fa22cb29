"""Memory that was used once, by several threads, does not stay with the program."""

import ctypes
import gc
import subprocess
import sys
from typing import Any

import pytest

from ingest.service.garbage import seldom_searched

PROGRAM = """
import re, sys, threading
from pathlib import Path
from ingest.service.garbage import be_frugal

def held():
    return int(re.findall(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[0]) // 1024

def work():
    for _ in range(20):
        together.wait()  # or a quick machine is done with one before the next begins
        large, small = [bytearray(300_000) for _ in range(20)], [bytes(3000) for _ in range(1000)]
        kept.append(small[-1])
        del large, small

if sys.argv[1] == "frugal":
    be_frugal()
together = threading.Barrier(8)
kept, threads, before = [], [threading.Thread(target=work) for _ in range(8)], held()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(held() - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_what_threads_have_freed_is_given_back() -> None:
    grown = [
        int(subprocess.run([sys.executable, "-c", PROGRAM, way], capture_output=True, text=True, check=True).stdout)
        for way in ("as it is", "frugal")
    ]
    assert grown[1] < 0.5 * grown[0], grown


def full_searches() -> int:
    """How many full searches for cycles there are while as much is kept as of hundreds of systems."""
    found: list[int] = []

    def heard(phase: str, told: dict[str, Any]) -> None:
        if phase == "start":
            found.append(told["generation"])

    gc.callbacks.append(heard)
    kept = [[number] for number in range(300_000)]
    gc.callbacks.remove(heard)
    del kept
    return found.count(2)


def test_a_large_memory_is_not_searched_while_the_service_runs() -> None:
    ours, usual = gc.get_threshold(), (700, 10, 10)
    gc.set_threshold(*usual)
    try:
        assert full_searches() > 0
        with seldom_searched():
            assert full_searches() == 0
        assert gc.get_threshold() == usual
    finally:
        gc.set_threshold(*ours)
