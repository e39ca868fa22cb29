"""What `--system` may name: the systems that are known, and the homes."""

from collections.abc import Iterable

from ingest.cli.context import Context
from ingest.core.errors import ConfigError
from ingest.plan.homes import with_homes
from ingest.plan.state import SystemRow
from ingest.store import progress
from ingest.store.database import Store


def known_system(known: Iterable[str], system: str | None) -> None:
    """Raise `ConfigError` for a --system that nobody has."""
    names = list(known)
    if system is not None and system not in names:
        raise ConfigError(f"no system {system} is known here; known: {', '.join(names) or 'none yet'}")


def known_places(store: Store, context: Context) -> dict[str, SystemRow]:
    """The systems and homes that are known, by what `--system` calls them."""
    return with_homes(progress.systems(store.db), context.settings.home_members)
