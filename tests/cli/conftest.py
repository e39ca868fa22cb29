"""What tests of the commands share."""

from pathlib import Path

import pytest

from tests.stories.program import Program, Vendor


@pytest.fixture
def program(vendor: Vendor, tmp_path: Path) -> Program:
    """An installation that may ask the cloud of the test's own fixture `vendor`, and has not yet."""
    installed = Program(tmp_path / "program", api=vendor.api)
    installed.consent(vendor)
    return installed
