"""Named checks of an installation, each with its remedy. They change nothing, and spend only the calls announced."""

import contextlib
import socket
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ingest.auth.token_files import TokenFiles
from ingest.config import Settings
from ingest.core.errors import IngestError, StateError
from ingest.core.http import Reply, Request, Transport
from ingest.core.span import Span
from ingest.core.words import many, size_words
from ingest.deliver.sink import Sink, Target, open_sink
from ingest.enphase import access
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind, verdict
from ingest.enphase.requests import ApiTarget, request
from ingest.enphase.streams.site import SYSTEMS
from ingest.plan.inventory import listing
from ingest.report import Problem, Report, build_report
from ingest.report.problems import credentials, wrong_clock
from ingest.report.refusals import no_system
from ingest.service.access_check import AccessCheck, unasked
from ingest.service.check import BAD, OK, SKIPPED, WARN, Check
from ingest.service.clock import TOLERANCE_S, Clock
from ingest.service.counted_call import CountedCall, counted, refusal
from ingest.service.identity import CloudIdentity
from ingest.service.sink_checks import keeping_checks, sink_checks
from ingest.store.database import Store, state_failed

UNREADABLE = "not known: the state cannot be read"


@dataclass(frozen=True)
class CloudLine:
    """A line to the cloud; `grant` gives what to call an account with, empty where there is nothing."""

    cloud: CloudIdentity
    transport: Transport
    grant: Callable[[str], str]


@dataclass
class Doctor:
    """What is needed to look at everything. `store` is None where there is no state yet, `line` where the cloud is not
    asked, `broken` says why a state that is there cannot be used. `groups`: spend a call on each access control, too.
    Calls count also while a runner owns the state.
    """

    settings: Settings
    clock: Clock
    store: Store | None = None
    line: CloudLine | None = None
    opener: Callable[[Target], Sink] = open_sink
    groups: bool = False
    broken: str = ""
    _report: Report | None = field(default=None, init=False)

    def checks(self) -> Iterator[Check]:
        """Every check, one after the other; one that breaks says so and the next one follows."""
        for name, look in self._all():
            try:
                yield from look()
            except sqlite3.DatabaseError as error:
                yield self._unreadable(name, state_failed(error, self.settings.state_dir / "state.db"))
            except StateError as error:
                yield self._unreadable(name, error)
            except (IngestError, OSError) as error:
                yield Check(name, BAD, str(error))

    def _unreadable(self, name: str, error: StateError) -> Check:
        """A state that fails when it is read is said once; what depends on it could not be looked at."""
        if self.broken:
            return Check(name, SKIPPED, UNREADABLE)
        self.broken = str(error)
        return Check("state", BAD, self.broken)

    def calls(self) -> int:
        """How many calls the checks will spend."""
        each = 1 + (len(self._access(self.line).streams()) if self.line and self.groups and self.store else 0)
        return each * len(self.settings.accounts) if self.line else 0

    def _access(self, line: CloudLine) -> AccessCheck:
        return AccessCheck(self.settings, line.cloud, self.clock, line.transport)

    def _all(self) -> Sequence[tuple[str, Callable[[], Iterator[Check]]]]:
        return (
            ("configuration", self._configuration),
            ("file modes", self._modes),
            ("state", self._state),
            ("disk space", self._disk),
            ("runner", self._runner),
            ("time zones", self._zones),
            ("cloud", self._cloud),
            ("accounts", self._accounts),
            ("access groups", self._groups),
            ("calls", self._quota),
            ("gateways", self._gateways),
            ("production", self._production),
            ("receivers", self._receivers),
            ("sinks", self._sinks),
            ("archive", lambda: keeping_checks(self.settings, self.store, self.opener, self.clock.now())),
        )

    def _state_report(self) -> Report | None:
        """The account of the state, from which `status` and the page are made too."""
        if self._report is None and self.store is not None:
            self._report = build_report(self.settings, self.store.db, self.clock.now())
        return self._report

    def _from_report(
        self, name: str, kinds: Sequence[str], good: str, unasked: Sequence[str] = (), remedy: str = ""
    ) -> Iterator[Check]:
        """What the report says of some kinds of problems; `unasked` is what the cloud was not asked about yet."""
        current = self._state_report()
        if current is None:
            no_data = Check(name, SKIPPED, "there is no data yet", "Start with `ingest run`")
            yield Check(name, SKIPPED, UNREADABLE) if self.broken else no_data
            return
        found = [problem for problem in current.problems if problem.kind in kinds]
        yield from (_bad(name, problem) for problem in found)
        if not found and unasked:
            more = f" and {len(unasked) - 3} more" if len(unasked) > 3 else ""
            yield Check(name, SKIPPED, f"not asked yet: {', '.join(unasked[:3])}{more}", remedy)
        elif not found:
            yield Check(name, OK, good)

    # ── this machine ──────────────────────────────────────────────────────────────────────────────────

    def _configuration(self) -> Iterator[Check]:
        missing = [_bad("configuration", problem) for problem in credentials(self.settings)]
        yield from missing
        if not missing:
            yield Check("configuration", OK, f"{self.settings.config_path} is valid")

    def _modes(self) -> Iterator[Check]:
        files = TokenFiles(self.settings.state_dir / "tokens")
        secret = [path for path in (files.folder, *map(files.path, self.settings.accounts)) if path.exists()]
        if self._holds_secrets():
            secret.append(self.settings.config_path)
        open_to_all = [path for path in secret if path.stat().st_mode & 0o077]
        for path in open_to_all:
            yield Check("file modes", BAD, f"others on this machine can read {path}", f"Close it: `chmod go= {path}`")
        if not open_to_all:
            yield Check("file modes", OK, "secrets are readable for this user alone")

    def _holds_secrets(self) -> bool:
        """Whether a secret stands in the configuration itself, not in the environment or a file of its own."""
        text = self.settings.config_path.read_text("utf-8", "replace")
        return any(secret in text for secret in self.settings.secrets() if len(secret) > 3)

    def _disk(self) -> Iterator[Check]:
        current = self._state_report()
        left = size_words(current.disk_free) if current and current.disk_free is not None else "enough"
        yield from self._from_report("disk space", ("disk",), f"{left} free at {self.settings.state_dir}")

    def _state(self) -> Iterator[Check]:
        if self.broken:
            yield Check("state", BAD, self.broken)
            return
        if self.store is None:
            yield Check("state", WARN, f"nothing at {self.settings.state_dir} yet", "Start with `ingest run`")
            return
        answer = self.store.check()
        if answer != "ok":
            self.broken = f"{self.store.path} is damaged: {answer}"
            yield Check("state", BAD, self.broken, "Put a backup in its place with `ingest restore FILE`")
            return
        current = self._state_report()
        yield Check("state", OK, f"{self.store.path} is whole, {many(current.points if current else 0, 'point')}")

    def _runner(self) -> Iterator[Check]:
        if self.store is not None:
            yield from self._from_report("runner", ("runner", "start"), "none is missed")

    def _zones(self) -> Iterator[Check]:
        yield from self._from_report("time zones", ("zone",), "those of all systems are known")
        if self.settings.homes:
            yield from self._from_report("homes", ("home",), "the systems of each can be summed up")

    # ── the cloud ─────────────────────────────────────────────────────────────────────────────────────

    def _cloud(self) -> Iterator[Check]:
        if self.line is None:
            yield Check("cloud", SKIPPED, "not asked")
            yield from self._from_report("clock", ("clock",), "no difference from the cloud's is known")
            return
        base_url = self.line.cloud.base_url
        host = urlsplit(base_url).hostname or ""
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            yield Check("cloud", BAD, f"the name {host} is not known", "Check the network, its DNS, and api.base_url")
            return
        wall = self.clock.now() + self.clock.wrong_by
        reply = self.line.transport.send(Request("GET", f"{base_url}/"))
        if reply.status == 0:
            remedy = "Check the network, a proxy or firewall between, and api.base_url"
            yield Check("cloud", BAD, f"{base_url}: {reply.failure}", remedy)
            return
        yield Check("cloud", OK, f"{base_url} answers")
        yield self._clock(reply, wall)

    def _clock(self, reply: Reply, wall: int) -> Check:
        if reply.date_at is None:
            return Check("clock", WARN, "the cloud does not tell its time")
        wrong = wall - reply.date_at
        self.clock.observe(reply.date_at)
        if abs(wrong) <= TOLERANCE_S:
            return Check("clock", OK, "this machine's clock agrees with the cloud's")
        return _bad("clock", wrong_clock(wrong))

    def _accounts(self) -> Iterator[Check]:
        current = self._state_report()
        kinds = ("auth", "renewal") if self.line else ("auth", "renewal", "no_system")
        listed = current.problems if current else ()
        problems = {problem.subject: problem for problem in listed if problem.kind in kinds}
        for account in self.settings.accounts:
            name = f"account {account}"
            grant = self.line.grant(account) if self.line else ""
            if account in problems:
                yield _bad(name, problems[account])
            elif self.line and grant:
                yield self._account(self.line, account, grant)
                if self.groups and self.store:
                    yield from self._access(self.line).look(self.store, account, grant)
            elif self.line:
                yield Check(name, BAD, "is not authorized", f"Run `ingest auth login {account}`")
            else:
                tokens = current.tokens if current else ()
                left = next((token.days_left for token in tokens if token.account == account), None)
                found = f"authorized for {left:.0f} more days" if left else "not asked"
                yield Check(name, OK if left else SKIPPED, found)

    def _account(self, line: CloudLine, account: str, grant: str) -> Check:
        """The one call: the list of systems, as the runner asks for it."""
        name, version = f"account {account}", self.settings.api.version
        task = Task(account, listing(account), SYSTEMS, Span(0, 0), Purpose.SNAPSHOT)
        asked = request(ApiTarget(version, line.cloud.base_url, line.cloud.key), task, grant)
        with contextlib.ExitStack() as stack:
            call = CountedCall()
            if self.store:
                if why := refusal(self.settings, self.store, self.clock.now()):
                    return Check(name, SKIPPED, f"not asked: {why}", "See `ingest plan`")
                call = stack.enter_context(
                    counted(self.settings, self.store, self.clock, task.system, SYSTEMS.name, "doctor")
                )
            reply = line.transport.send(asked)
            answer = verdict(reply, version)
            call.verdict, call.was_sent = answer.kind.value, reply.sent
        if answer.kind is Kind.OK:
            seen = len(answer.data.get("systems", ()))
            good = Check(name, OK, f"key and token are good; it sees {many(seen, 'system')}")
            return good if seen else _bad(name, no_system(account))
        if answer.kind is Kind.THROTTLED:
            remedy = "The calls are used up for now; see `ingest plan`"
        else:
            remedy = access.remedy(answer, SYSTEMS.group, account, version)
            remedy = f"{remedy[:1].upper()}{remedy[1:]}" or "Try again later; the vendor has trouble"
        found = f"the cloud refuses: {answer.kind.value.replace('_', ' ')}: {answer.reason}"
        return Check(name, BAD, found, remedy)

    def _groups(self) -> Iterator[Check]:
        groups, streams, _ = self._unasked()
        remedy = "Find out for a call each: `ingest doctor --groups`"
        yield from self._from_report("application", ("application",), "the cloud accepts it")
        yield from self._from_report("access groups", ("denied",), "no stream is refused", groups, remedy)
        kinds = ("stream", "cloud", "days", "crowd", "odd")
        yield from self._from_report("streams", kinds, "every stream answers", streams)

    def _unasked(self) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
        return unasked(self.settings, self.store, self.clock.now()) if self.store else ((), (), ())

    def _quota(self) -> Iterator[Check]:
        current = self._state_report()
        good = f"{current.quota.left:,} of {current.quota.per_month:,} are left this month" if current else ""
        yield from self._from_report("calls", ("quota",), good)

    def _gateways(self) -> Iterator[Check]:
        yield from self._from_report("gateways", ("gateway",), "every gateway reports", self._unasked()[2])

    def _production(self) -> Iterator[Check]:
        yield from self._from_report("production", ("behind",), "no system falls behind what is usual for it")

    def _receivers(self) -> Iterator[Check]:
        if self.settings.receivers():
            yield from self._from_report("receivers", ("receiver",), "everybody who is told can be reached")

    def _sinks(self) -> Iterator[Check]:
        current = self._state_report()
        problems = current.problems if current else ()
        known = {problem.subject: problem for problem in problems if problem.kind in ("sink", "refused")}
        yield from sink_checks(self.settings.sinks, self.store, self.opener, known)


def _bad(name: str, problem: Problem) -> Check:
    return Check(name, BAD, problem.sentence, problem.remedy)
