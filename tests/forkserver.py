"""Commands to their end without the half second in which Python and the program start.

A process that has imported the program forks for each command. What is asked of a command that is still running, of its
process or of its first import is asked of a real one (`subprocess`), as most stories do too.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]


class ForkServer:
    """One process that forks for one command at a time. Whoever finds it at work starts a process of his own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(
        self, words: Sequence[str], env: Mapping[str, str], cwd: Path, timeout: float
    ) -> "subprocess.CompletedProcess[str] | None":
        """`ingest WORDS` with this environment alone; None while another command runs. Raises TimeoutError."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            with TemporaryDirectory() as folder:
                said = [Path(folder) / "out", Path(folder) / "err"]
                code = self._ask(
                    {"words": [*words], "env": {**env}, "cwd": str(cwd), "said": [*map(str, said)]}, timeout
                )
                return subprocess.CompletedProcess(words, code, *(path.read_text() for path in said))
        finally:
            self._lock.release()

    def _ask(self, request: dict[str, Any], timeout: float) -> int:
        process = self._process
        if process is None or process.poll() is not None:
            command = [sys.executable, "-m", "tests.forkserver"]
            process = self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, bufsize=1
            )
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(timeout):
                process.kill()
                raise TimeoutError(f"{request['words']}: not done after {timeout} s")
        return int(process.stdout.readline())


def serve() -> None:
    """Fork for each request of stdin; its exit code goes to stdout. A child leaves the loop and ends as a program."""
    import ingest  # noqa: PLC0415 - the other side imports this module too

    for module in pkgutil.walk_packages(ingest.__path__, "ingest."):
        if module.name.rpartition(".")[2] != "__main__":
            importlib.import_module(module.name)
    gc.freeze()
    for line in sys.stdin:
        if not (child := os.fork()):
            return _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return None


def _become(request: dict[str, Any]) -> None:
    from ingest.cli import main  # noqa: PLC0415

    for number, path in enumerate([os.devnull, *request["said"]]):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["ingest", *request["words"]]
    with contextlib.suppress(BrokenPipeError):
        main()


if __name__ == "__main__":
    serve()
