"""Writes `grafana/dashboards/*.json`."""

import json
from pathlib import Path

from boards import changed, fleet, grid, health, history, now, pipeline

FOLDER = Path(__file__).parents[1] / "grafana/dashboards"
BOARDS = {
    "now": now.board,
    "history": history.board,
    "health": health.board,
    "grid": grid.board,
    "fleet": fleet.board,
    "pipeline": pipeline.board,
    "changed": changed.board,
}


def texts() -> dict[Path, str]:
    """What each file holds."""
    return {
        FOLDER / f"{name}.json": json.dumps(make(), indent=2, ensure_ascii=False) + "\n"
        for name, make in BOARDS.items()
    }


def main() -> None:
    """Write them."""
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
