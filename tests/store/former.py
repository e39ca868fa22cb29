"""An archive as the version before the compact one wrote it: the names of the fields in every row."""

import contextlib
import random
import sqlite3
from pathlib import Path

from ingest.store import migrations

VERSION = 12
START = 1_782_864_000


def write(folder: Path, rows: int, cursor: int, seed: int = 1) -> None:
    """A `state.db` of some series, of which a sink has taken the changes up to `cursor`."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(folder / "state.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        for step in migrations.MIGRATIONS[:VERSION]:
            if isinstance(step, str):
                db.executescript(step)
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("BEGIN")
        for number, name in enumerate(("production_micro", "consumption", "energy_daily"), 1):
            db.execute("INSERT INTO series VALUES (?, ?, ?, '1')", (number, f"{name},system=1", name))
        numbers = list(range(1, rows + 1))
        chance.shuffle(numbers)
        db.executemany(
            "INSERT INTO points VALUES (?, ?, ?, ?)",
            (
                (1 + at % 3, START + 300 * (at // 3), _row(1 + at % 3, chance), number)
                for at, number in enumerate(numbers)
            ),
        )
        db.executemany("INSERT INTO meta VALUES (?, ?)", [("seq", str(rows + 1)), ("points", str(rows))])
        db.execute("INSERT INTO systems VALUES ('1', 'home', 'Home', 'US/Mountain', NULL, '{}', 0, NULL, '{}')")
        db.executemany(
            "INSERT INTO calls VALUES (?, 'app', ?, ?, '1', 'stats', 'live', 'ok')", ((n, n, n) for n in range(500))
        )
        db.execute("INSERT INTO sinks (name, fingerprint, cursor, sent) VALUES ('db', 'f', ?, ?)", (cursor, cursor))
        db.execute("COMMIT")
    (folder / "state.db").chmod(0o600)


def _row(series: int, chance: random.Random) -> str:
    energy = float(chance.randrange(3000))
    if series == 3:
        return f'date="2026-07-01",produced_wh={energy!r}' if chance.random() < 0.9 else ""
    return f"devices_reporting=20.0,devices_total=20.0,energy_wh={energy!r},power_w={energy * 12.3!r}"
