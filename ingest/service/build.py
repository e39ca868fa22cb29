"""Builds a pipeline and its senders from the settings. Nothing starts yet."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ingest
from ingest.auth.accounts import Accounts
from ingest.auth.authorizer import Authorizer, Login
from ingest.auth.token_files import TokenFiles
from ingest.config import Settings, SinkEntry
from ingest.core.errors import ConfigError
from ingest.core.http import Transport
from ingest.deliver.sender import Sender
from ingest.deliver.sink import Sink, Target, open_sink
from ingest.enphase.endpoints import has_tokens
from ingest.enphase.oauth import App, user_id
from ingest.enphase.requests import ApiTarget
from ingest.plan import quota
from ingest.service.clock import Clock
from ingest.service.identity import CloudIdentity
from ingest.service.pipeline import Pipeline
from ingest.store import outbox
from ingest.store.database import Store

if TYPE_CHECKING:
    from ingest.simulator import SimulatedServer


def authorizer(settings: Settings, cloud: CloudIdentity, clock: Clock, transport: Transport) -> Authorizer:
    """What obtains and renews the tokens of this installation."""
    app = App(cloud.base_url, cloud.client_id, cloud.client_secret, cloud.redirect_uri)
    logins = {
        name: Login(account.username, account.password.get_secret_value())
        for name, account in settings.accounts.items()
        if account.username and account.password
    }
    files = TokenFiles(settings.state_dir / "tokens")
    return Authorizer(app, files, transport, clock.now, logins, clock.observe)


def network(clock: Clock) -> Transport:
    """The real network."""
    from ingest.fetch.transport import HttpTransport  # noqa: PLC0415 - what does not ask the cloud starts without it

    return HttpTransport(clock.sleep, f"enphase-ingest/{ingest.__version__}")


def pipeline(
    settings: Settings,
    cloud: CloudIdentity,
    store: Store,
    clock: Clock,
    transport: Transport,
    pool: Executor,
) -> Pipeline:
    """The machine of one application, ready to tick."""
    api = ApiTarget(settings.api.version, cloud.base_url, cloud.key)
    auth = authorizer(settings, cloud, clock, transport) if has_tokens(api.version) else None
    accounts = Accounts(settings.accounts, user_ids(settings), auth)
    return Pipeline(settings, api, store, clock, accounts, transport, pool)


def fetch_pool(settings: Settings) -> ThreadPoolExecutor:
    """Workers that fetch: one, or a few where the plan is large."""
    return ThreadPoolExecutor(quota.workers(settings.plan), thread_name_prefix="fetch")


def user_ids(settings: Settings) -> dict[str, str]:
    """The user ids of the accounts of API v2, by account."""
    found = {}
    for name, account in settings.accounts.items():
        if account.user_id:
            found[name] = account.user_id.get_secret_value()
        elif account.enlighten_id:
            found[name] = user_id(account.enlighten_id)
    return found


def senders(
    settings: Settings,
    store: Store,
    opener: Callable[[Target], Sink] = open_sink,
    reload: Callable[[], Settings] | None = None,
) -> list[Sender]:
    """One sender for each sink of the settings; a new or changed target gets the whole archive.

    `reload` reads the settings again, for a secret that is changed while the service runs.
    """
    senders = []
    for name, entry in settings.sinks.items():
        source = SinkSource(name, target_of(entry), opener, reload or (lambda: settings))
        sink = opener(source.target)
        with store.transaction() as db:
            row = outbox.register(db, name, sink.fingerprint)
        senders.append(Sender(name, sink, store.reader(), row.cursor, source.changed))
    return senders


@dataclass
class SinkSource:
    """Opens a sink of the settings again when its secret is another than before."""

    name: str
    target: Target
    opener: Callable[[Target], Sink]
    reload: Callable[[], Settings]

    def changed(self) -> Sink | None:
        """The sink by its new secret; None while there is none. Another database takes a restart."""
        try:
            entry = self.reload().sinks.get(self.name)
        except ConfigError:
            return None  # a file that is being changed: the next failure looks again
        target = target_of(entry) if entry else self.target
        secret = replace(target, token=self.target.token, password=self.target.password)
        if target == self.target or secret != self.target:
            return None
        self.target = target
        return self.opener(target)


def target_of(entry: SinkEntry) -> Target:
    """The plain form of a sink's settings."""
    values: Mapping[str, object] = dict(entry)
    words = {name: value for name, value in values.items() if isinstance(value, str)}
    secrets = {
        name: getattr(entry, name).get_secret_value()
        for name in ("token", "password")
        if getattr(entry, name, None) is not None
    }
    return Target(**{**words, **secrets})


def simulator(settings: Settings) -> "SimulatedServer":
    """The built-in simulator behind a port of its own, with the plan of the settings. Not started yet."""
    from ingest.simulator import Cloud as Vendor  # noqa: PLC0415
    from ingest.simulator import SimulatedServer, demo_sites  # noqa: PLC0415

    plan = settings.api.plan
    sites = demo_sites(int(time.time()))
    return SimulatedServer(Vendor(sites, clock=time.time, plan=(plan.per_minute, plan.per_month)))


def consent_to_simulator(auth: Authorizer, accounts: Iterable[str], consent: Callable[[], str]) -> None:
    """The simulator has no person to ask: where its consent is missing or lapsed, it is given."""
    for account in accounts:
        stored = auth.stored(account)
        if stored is None or stored.dead or stored.current.lapses_at < time.time():
            auth.by_code(account, consent())
