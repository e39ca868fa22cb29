"""The flow of an installation, put together: consents, and the one call that shows what a new consent opened."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from ingest.auth.consent import ConsentFlow, Seen
from ingest.config import Settings
from ingest.core.errors import AuthBusy, ConfigError
from ingest.core.http import Transport
from ingest.core.span import Span
from ingest.enphase import access
from ingest.enphase.call import Purpose, Task
from ingest.enphase.oauth import TokenPair
from ingest.enphase.replies import Kind
from ingest.enphase.requests import ApiTarget, request
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch.worker import Outcome, fetch
from ingest.plan.inventory import listing
from ingest.service import build, identity
from ingest.service.clock import Clock
from ingest.service.counted_call import CountedCall, end, is_minute_full, refusal, reserve
from ingest.service.identity import CloudIdentity
from ingest.service.single_call import keep
from ingest.store.database import Store
from ingest.store.ownership import is_owned


def flow(settings: Settings, clock: Clock, transport: Transport, cloud: CloudIdentity | None = None) -> ConsentFlow:
    """Where the accounts of these settings are authorized. Raises `ConfigError` when credentials are missing.

    `cloud` is given where the settings name the simulator, which has its address only once it runs.
    """
    cloud = cloud or identity.cloud_of(settings)
    authorizer = build.authorizer(settings, cloud, clock, transport)
    kinds = {name: account.kind for name, account in settings.accounts.items()}
    lookup = SystemsLookup(settings, cloud, clock, transport)
    return ConsentFlow(authorizer, kinds, clock.now, lookup.see, lookup.enter)


@dataclass(frozen=True)
class SystemsLookup:
    """Sees which systems a token opens, for one call that is entered in the ledger before it is sent."""

    settings: Settings
    cloud: CloudIdentity
    clock: Clock
    transport: Transport

    def enter(self, account: str) -> Callable[[], None]:
        """Enter the exchange of a code; raises `AuthBusy` where the minute is full. What it returns is called after."""
        with contextlib.closing(identity.open_store(self.settings, self.cloud)) as store:
            if is_minute_full(self.settings, store, self.clock.now()):
                raise AuthBusy(f"account {account}: the calls of this minute are used up; try again in a minute")
            number = reserve(self.settings, store, self.clock.now(), listing(account), "token", "token")

        def ended() -> None:
            with contextlib.closing(identity.open_store(self.settings, self.cloud)) as store:
                end(store, number, self.clock.now(), CountedCall("ok"))

        return ended

    def see(self, account: str, token: TokenPair) -> Seen:
        """The systems of an account. What hinders the call is told; a state of others raises `ConfigError`."""
        with contextlib.closing(identity.open_store(self.settings, self.cloud)) as store:
            return self._seen(store, account, token)

    def _seen(self, store: Store, account: str, token: TokenPair) -> Seen:
        now = self.clock.now()
        if why := refusal(self.settings, store, now):
            trouble = f"{why}, so the runner lists the systems later"
            return Seen(trouble=trouble, first_poll=self._first_poll())
        call = reserve(self.settings, store, now, listing(account), SYSTEMS.name, Purpose.LIVE.value)
        task = Task(account, listing(account), SYSTEMS, Span(now, now), Purpose.LIVE)
        api = ApiTarget(self.settings.api.version, self.cloud.base_url, self.cloud.key)
        asked = request(api, task, token.access)
        outcome = fetch(task, call, asked, api.version, token.access, None, self.transport, now)
        self.clock.observe(outcome.date_at)
        keep(self.settings, store, outcome, self.clock.now())
        return self._told(account, outcome)

    def _told(self, account: str, outcome: Outcome) -> Seen:
        verdict = outcome.verdict
        what = access.remedy(verdict, SYSTEMS.group, account, self.settings.api.version)
        if verdict.kind is Kind.WRONG_KEY:
            raise ConfigError(f"{self.settings.config_path}: {what}")
        trouble = ""
        if verdict.kind is not Kind.OK:
            trouble = (
                f"the systems could not be listed ({verdict.reason}); {what or 'the runner tries again by itself'}"
            )
        elif not outcome.systems:
            trouble = f"{access.OWNS_NONE}; {access.OWN_ONE}"
        names = tuple(f"{info.name} ({info.system})" for info in outcome.systems)
        return Seen(names, trouble, self._first_poll())

    def _first_poll(self) -> str:
        if is_owned(self.settings.state_dir):
            return "The first poll is within a minute, by the runner that is at work."
        return "The first poll is as soon as a runner starts: `ingest run`"
