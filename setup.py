"""Puts the files of the stack into the wheel, as `ingest/shipped`; everything else is in pyproject.toml."""

import shutil
import tomllib
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithStack(build_py):
    """Builds the package, and copies beside it what `[tool.enphase-ingest]` names."""

    def run(self) -> None:
        """Build; an editable installation uses the checkout itself."""
        super().run()
        if self.editable_mode:
            return
        patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["enphase-ingest"]["stack"]
        for path in (
            path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file() and path.suffix != ".pyc"
        ):
            target = Path(self.build_lib, "ingest", "shipped", path.relative_to(ROOT))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


setup(cmdclass={"build_py": BuildWithStack})
