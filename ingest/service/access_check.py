"""Whether each access control of the application is ticked: one call each, asked while a person is at the portal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest.config import Settings
from ingest.core.http import Transport
from ingest.core.span import Span, floor_to
from ingest.core.units import DAY
from ingest.enphase import access, catalogue
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, verdict
from ingest.enphase.requests import ApiTarget, request
from ingest.enphase.streams import BY_NAME
from ingest.enphase.streams.base import Stream
from ingest.enphase.streams.site import SYSTEMS
from ingest.plan import parts
from ingest.plan.inventory import Inventory
from ingest.plan.state import SystemRow
from ingest.plan.stream_choice import AUTO
from ingest.plan.work import Work
from ingest.service.check import BAD, OK, SKIPPED, Check
from ingest.service.clock import Clock
from ingest.service.counted_call import counted, refusal
from ingest.service.identity import CloudIdentity
from ingest.store import snapshot
from ingest.store.database import Store


@dataclass(frozen=True)
class AccessCheck:
    """Asks for a day of one stream of each access control."""

    settings: Settings
    cloud: CloudIdentity
    clock: Clock
    transport: Transport

    def streams(self) -> Mapping[str, Stream]:
        """The stream by which each access control is tried; the list of systems has tried that of its own."""
        entries = self.settings.systems
        lists = [catalogue.DEFAULTS] if entries is None else [entry.streams for entry in entries]
        names = [name for chosen in lists for name in (catalogue.DEFAULTS if chosen == AUTO else chosen)]
        version = self.settings.api.version
        wanted = [BY_NAME[name] for name in names if BY_NAME[name].is_served(version) and BY_NAME[name].grain]
        wanted.sort(key=lambda stream: bool(stream.route(version).asks_each))  # these can be asked only once known
        found = {stream.group: stream for stream in reversed(wanted) if stream.group != SYSTEMS.group}
        return dict(sorted(found.items())) if version == "v4" else {}

    def look(self, store: Store, account: str, grant: str) -> Iterator[Check]:
        """What the cloud says of each access control, on a system of an account."""
        system = next((row for row in snapshot.load(store.db).systems.values() if row.account == account), None)
        for group, stream in self.streams().items():
            name = f'access control "{group}"'
            if system is None:
                yield Check(name, SKIPPED, f"not asked yet: no system of account {account} is known")
            elif why := refusal(self.settings, store, self.clock.now()):
                yield Check(name, SKIPPED, f"not asked yet: {why}", "Ask later with `ingest doctor --groups`")
            elif stream.v4.asks_each and not parts.devices(stream.v4, system):
                lacking = parts.words(stream.v4.asks_each)
                yield Check(name, SKIPPED, f"not asked yet: no {lacking} of system {system.system} is known")
            else:
                yield self._ask(store, name, stream, (account, system, grant))

    def _ask(self, store: Store, name: str, stream: Stream, whom: tuple[str, SystemRow, str]) -> Check:
        account, row, grant = whom
        system, devices = row.system, parts.devices(stream.v4, row)
        version = self.settings.api.version
        end = floor_to(self.clock.now(), stream.route(version).step or stream.grain)
        task = Task(account, system, stream, Span(end - DAY, end), Purpose.LIVE, devices=devices)
        asked = request(ApiTarget(version, self.cloud.base_url, self.cloud.key), task, grant)
        with counted(self.settings, store, self.clock, system, stream.name, "doctor") as call:
            reply = self.transport.send(asked)
            answer = verdict(reply, version, task.window)
            call.verdict, call.was_sent = answer.kind.value, reply.sent
        if answer.kind in (Kind.OK, Kind.NOTHING, Kind.OUTSIDE, Kind.AHEAD):
            return Check(name, OK, f"is ticked: system {system} may be asked for {stream.name}")
        remedy = access.remedy(answer, stream.group, account, version) or "the vendor has trouble; ask again later"
        found = f"system {system}: {stream.name} is not allowed" if answer.kind is Kind.DENIED else "no answer to that"
        return Check(name, BAD, f"{found} ({answer.reason})", f"{remedy[0].upper()}{remedy[1:]}")


def unasked(settings: Settings, store: Store, now: int) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """The access controls, the streams and the systems of which the cloud was not asked yet."""
    works = Inventory(settings, snapshot.load(store.db)).works(now)
    asked = {work.stream.group for work in works if _is_asked(work)}
    groups = {work.stream.group for work in works} - asked
    streams = {work.stream.name for work in works if work.stream.grain and not _is_asked(work)}
    systems = {work.system for work in works if not work.profile.rhythm.looked_at and work.stream.grain}
    return sorted(groups), sorted(streams), sorted(systems)


def _is_asked(work: Work) -> bool:
    return work.asked_at is not None or bool(work.pair.state or work.pair.history_fails)
