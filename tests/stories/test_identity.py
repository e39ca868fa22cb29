"""Simulated data and real ones, one application and another: never in one state."""

import contextlib
import hashlib
import time
from pathlib import Path

import pytest

from ingest.simulator import API_KEY, Application, demo_sites
from ingest.store.database import Store
from tests.stories import stored
from tests.stories.program import Program, Vendor
from tests.world import HOUR, START

NOWHERE = {"base_url": "http://127.0.0.1:9", "key": "a-real-key", "client_id": "real-client", "client_secret": "secret"}


def digest(folder: Path) -> dict[str, str]:
    """What is in a folder, but for the lock and SQLite's own scratch files."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix in (".db", ".json")]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An installation as shipped, with a little simulated data."""
    program = Program(tmp_path_factory.mktemp("demo"), api={"base_url": "simulator", "plan": "partner"})
    del program.document["state_dir"]
    program.run("once", "--max-calls", "6")
    return program


def test_simulated_data_live_in_a_folder_of_their_own(demo: Program) -> None:
    held = demo.folder / "state" / "demo"
    assert stored.ask(held, "SELECT count(*) FROM points")[0][0] > 100
    assert (held / "tokens" / "home.json").exists()
    assert not (demo.folder / "state" / "state.db").exists()


def test_a_real_account_after_the_demo_begins_with_nothing(demo: Program) -> None:
    real = Program(demo.folder, api=NOWHERE)
    del real.document["state_dir"]
    before = digest(demo.folder / "state" / "demo")
    assert "`" in real.run("once", code=3).sentence, "nobody has authorized the real account"
    assert stored.ask(demo.folder / "state", "SELECT count(*) FROM points") == [(0,)]
    assert digest(demo.folder / "state" / "demo") == before
    demo.run("status")


@pytest.mark.parametrize(
    "command", [("once",), ("run",), ("status",), ("export", "--format", "lp"), ("replay", "--sink", "db")]
)
def test_a_real_address_on_simulated_data_is_refused(demo: Program, command: tuple[str, ...]) -> None:
    held = demo.folder / "state" / "demo"
    sinks = {"db": {"type": "influxdb_v1", "url": "http://127.0.0.1:9", "database": "d"}}
    mixed = Program(demo.folder / "mixed", api=NOWHERE, state_dir=str(held), sinks=sinks)
    before = digest(held)
    sentence = mixed.run(*command, code=2).sentence
    assert "simulator" in sentence
    assert "127.0.0.1:9" in sentence
    assert "state_dir" in sentence
    assert "--state-dir" in sentence
    assert digest(held) == before


def test_simulated_data_on_a_real_state_are_refused(tmp_path: Path) -> None:
    with Vendor(demo_sites(START), START) as vendor:
        program = Program(tmp_path, api=vendor.api)
        program.consent(vendor)
        program.run("once", "--max-calls", "3")
        before = digest(program.state)
        program.document["api"] = {"base_url": "simulator"}
        assert "must not mix" in program.run("once", code=2).sentence
        assert digest(program.state) == before


def test_another_application_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with Vendor(demo_sites(START), START) as vendor:
        program = Program(tmp_path, api=vendor.api)
        program.consent(vendor)
        program.run("once", "--max-calls", "3")
        before, calls = digest(program.state), len(vendor.cloud.calls)
        program.document["api"] = vendor.api | {"client_id": "another"}
        sentence = program.run("once", code=2).sentence
        assert "client_id" in sentence
        assert "former settings" in sentence
        assert (digest(program.state), len(vendor.cloud.calls)) == (before, calls)


def test_a_new_key_of_the_same_application_starts_a_ledger_of_its_own(tmp_path: Path) -> None:
    now = int(time.time())
    with Vendor(demo_sites(now), now) as vendor:
        program = Program(tmp_path, api=vendor.api)
        program.consent(vendor)
        program.run("once", "--max-calls", "5")
        before = stored.ask(program.state, "SELECT count(*) FROM points")[0][0]
        assert used(program) == 5
    with Vendor(demo_sites(now), now + HOUR, application=Application(api_key="a-new-key")) as vendor:
        # The simulator has another port after its restart, which is another address: the state is told so.
        with contextlib.closing(Store(program.state)) as store, store.transaction() as db:
            db.execute("UPDATE meta SET value = ? WHERE key = 'base_url'", (vendor.web.url,))
        program.document["api"] = vendor.api | {"key": "a-new-key"}
        assert used(program) == 0
        program.run("once", "--max-calls", "2")
        assert used(program) == 2
        assert stored.ask(program.state, "SELECT count(*) FROM points")[0][0] > before, "the archive is the same"
        assert stored.ask(program.state, "SELECT count(DISTINCT app) FROM calls") == [(2,)]
        assert API_KEY not in (program.state / "state.db").read_bytes().decode("latin-1")


def used(program: Program) -> int:
    return int(program.json("status")["quota"]["used_month"])
