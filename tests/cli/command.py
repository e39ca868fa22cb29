"""A command of an installation, run in this process at the time of the simulated cloud."""

from click.testing import CliRunner, Result

from ingest.cli import cli
from ingest.cli.context import Context
from ingest.service.clock import Clock
from tests.stories.program import Program, Vendor


def call(program: Program, vendor: Vendor, *words: str) -> Result:
    """The command; to wait takes no time but the cloud's."""
    program.write()

    def sleep(seconds: float) -> None:
        vendor.at += seconds

    context = Context(clock=Clock(lambda: vendor.at, lambda: vendor.at, sleep))
    return CliRunner().invoke(cli, ["--config", str(program.config), *words], obj=context)
