"""The identity of an installation: the cloud and application of its settings, to which its state is bound."""

from dataclasses import dataclass

from ingest.config import SIMULATOR, Settings, fingerprint
from ingest.core.errors import ConfigError
from ingest.report.problems import credentials
from ingest.store.database import Store


@dataclass(frozen=True)
class CloudIdentity:
    """The cloud that is asked: its address, and the credentials of our application there."""

    base_url: str
    key: str
    client_id: str
    client_secret: str
    redirect_uri: str


def cloud_of(settings: Settings) -> CloudIdentity:
    """The cloud that the settings name. Raises `ConfigError` when credentials are missing."""
    if problem := next(credentials(settings), None):
        raise ConfigError(problem.text)
    api = settings.api
    secrets = [value.get_secret_value() if value else "" for value in (api.key, api.client_secret)]
    return CloudIdentity(api.base_url, secrets[0], api.client_id or "", secrets[1], api.redirect_uri)


def open_store(settings: Settings, cloud: CloudIdentity | None, *, own: bool = False) -> Store:
    """The state of an installation, bound to its cloud and application. Raises as `Store` does."""
    store = Store(settings.state_dir, own=own)
    if cloud is not None:
        application = cloud.client_id or cloud.key
        base = SIMULATOR if settings.is_simulated else settings.api.base_url
        try:
            store.claim(base, fingerprint(application))
        except BaseException:
            store.close()
            raise
    return store


def simulated_cloud(base_url: str) -> CloudIdentity:
    """The built-in simulator as the cloud."""
    from ingest.simulator import API_KEY, CLIENT_ID, CLIENT_SECRET  # noqa: PLC0415 - only the simulated run needs it

    return CloudIdentity(base_url, API_KEY, CLIENT_ID, CLIENT_SECRET, f"{base_url}/oauth/redirect_uri")
