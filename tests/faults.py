"""What goes wrong, how it is brought about, and how it must be called everywhere."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ingest.config import load
from ingest.core.errors import SinkRefused
from ingest.core.http import Reply, Request
from ingest.deliver.proof import NOT_SAID
from ingest.fetch.worker import TOO_MANY
from ingest.service.underperformance import look
from ingest.store import backfills, ledger, notifications, outbox, progress, runner
from ingest.store.backfills import BackfillRequest
from ingest.store.notifications import Outage
from ingest.store.outbox import Verified
from tests.world import DAY, HOUR, START, World
from tests.worlds import SITE, clear_days


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, how it is brought about, the words that must be said, and doctor's name for it."""

    name: str
    kind: str
    bring: Callable[[World], None]
    words: tuple[str, ...]
    remedy: str
    check: str


def gateway_offline(world: World) -> None:
    world.cloud.put(replace(SITE, offline=((int(world.time.true), int(world.time.true) + 5 * DAY),)))
    world.run(DAY)


def stream_denied(world: World) -> None:
    world.cloud.faults.denied_groups = {"consumption"}
    world.run(8 * HOUR)


def quota_used_up(world: World) -> None:
    now = int(world.time.true)
    with world.store.transaction() as db:
        for _ in range(1000):
            ledger.end(db, ledger.reserve(db, world.pipeline.app, now, ("1", "stats", "live")), now, "ok")


def token_dead(world: World) -> None:
    world.cloud.revoke("owner")
    world.run(30 * HOUR)


def database_down(world: World) -> None:
    world.database.down = True
    world.run(HOUR)


def points_refused(world: World) -> None:
    """One line of the next hours has a conflict of types."""
    take, poison = world.database.write, set[str]()

    def refuse(lines: Sequence[str]) -> int:
        if not poison:
            poison.update(line for line in lines[:1])
        if poison & set(lines):
            raise SinkRefused("field type conflict: energy_wh is an integer there")
        return take(lines)

    world.database.write = refuse  # type: ignore[method-assign]
    world.run(3 * HOUR)


def disk_full(world: World) -> None:
    """Brought about by the `small` disk of the test."""


def clock_wrong(world: World) -> None:
    world.time.wrong_by = 3600
    world.crash()
    world.run(HOUR)


def application_key(world: World) -> None:
    world.cloud.faults.wrong_key = 1.0
    world.run(6 * HOUR)


def application_client(world: World) -> None:
    world.cloud.faults.unknown_client = 1.0
    world.run(DAY)


def token_endpoint_down(world: World) -> None:
    world.cloud.faults.token_down = "500"
    world.run(30 * HOUR)


def no_answer(world: World) -> None:
    world.cloud.faults.timeout = 1.0
    world.run(6 * HOUR)


def redirected(world: World) -> None:
    world.cloud.faults.redirect = 1.0
    world.run(6 * HOUR)


def refuses_everything(world: World) -> None:
    world.cloud.faults.not_implemented = 1.0
    world.run(30 * HOUR)


def not_shared(world: World) -> None:
    world.cloud.put(replace(SITE, shared=False))
    world.run(6 * HOUR)


def no_such_system(world: World) -> None:
    world.cloud.faults.unknown_system = 1.0
    world.run(6 * HOUR)


def meddle(world: World, part: str, old: bytes, new: bytes, times: int = -1) -> None:
    """From now on a part of every reply of one stream is another."""
    send = world.wire.send

    def changed(request: Request) -> Reply:
        reply = send(request)
        return replace(reply, body=reply.body.replace(old, new, times)) if part in request.url else reply

    world.wire.send = changed  # type: ignore[method-assign]


def one_stream_unreadable(world: World) -> None:
    meddle(world, "consumption_meter", b'"intervals"', b'"gaps"')
    world.run(6 * HOUR)


def one_value_unreadable(world: World) -> None:
    meddle(world, "consumption_meter", b'"enwh":', b'"enwh":"x","was":', times=1)
    world.run(6 * HOUR)


def zone_unknown(world: World) -> None:
    meddle(world, "/systems", b'"Europe/Berlin"', b'"Mars/Olympus"')
    world.run(30 * HOUR)


def zone_not_said(world: World) -> None:
    """The list of systems says nothing of it from the beginning: there is no day yet."""
    with world.store.transaction() as db:
        for row in world.pipeline.inventory.systems.values():
            progress.save_system(db, replace(row, timezone=""))
    world.crash()
    meddle(world, "/systems", b'"Europe/Berlin"', b"null")
    world.run(HOUR)


def home_of_strangers(world: World) -> None:
    """A home is configured of which one system is none that the account shows."""
    file = world.settings.config_path
    document = json.loads(file.read_text())
    document.pop("systems", None)
    file.write_text(json.dumps(document | {"homes": {"ranch": [SITE.system_id, 999]}}))
    world.settings = load(file, {})
    world.crash()
    world.run(HOUR)


def database_may_forget(world: World) -> None:
    """Intervals are to leave the archive, but the database does not say how long it keeps them."""
    file = world.settings.config_path
    file.write_text(json.dumps(json.loads(file.read_text()) | {"archive": {"keep": "2y"}}))
    world.settings = load(file, {})
    world.crash()
    world.run(HOUR)
    now = int(world.time.true)
    with world.store.transaction() as db:
        outbox.save_verification(db, "db", Verified(now, now + DAY, forgets=NOT_SAID))


def too_many_systems(world: World) -> None:
    pairs = world.pipeline.inventory.pairs
    pairs["@home", "systems"] = pair = replace(pairs["@home", "systems"], reason=TOO_MANY)
    with world.store.transaction() as db:
        progress.save_pair(db, pair)


def no_runner(world: World) -> None:
    runner.begin(world.store, int(world.time.true), runner.SERVICE)
    world.store._release()
    world.time.true += DAY


def nobody_is_told(world: World) -> None:
    with world.store.transaction() as db:
        notifications.save(db, {}, {"heartbeat": Outage("no answer in time", int(world.time.true) - HOUR)})


def credentials_missing(world: World) -> None:
    """The configuration lost them."""
    path = world.settings.config_path
    document = json.loads(path.read_text())
    del document["api"]["key"]
    path.write_text(json.dumps(document))
    world.settings = load(path, {})


def day_refused(world: World) -> None:
    """Whatever would hold a moment of one day of history fails."""
    send, bad = world.wire.send, START - 12 * DAY
    lengths = {"day": DAY, "week": 7 * DAY}

    def refused(request: Request) -> Reply:
        reply = send(request)
        if "production_micro" not in request.url:
            return reply
        start = int(request.params["start_at"])
        holds = start < bad + DAY and start + lengths[request.params["granularity"]] > bad
        return replace(reply, status=500, body=b'{"message": "please try again later"}') if holds else reply

    world.wire.send = refused  # type: ignore[method-assign]
    with world.store.transaction() as db:
        backfills.ask(db, BackfillRequest(bad - DAY, bad + 2 * DAY, stream="stats"), int(world.time.true))
    world.run(2 * DAY)


def string_lost(world: World) -> None:
    clear_days(world.store, SITE, int(world.time.true), 0.7)
    look(world.store, world.pipeline.inventory.systems, int(world.time.true))


def _anew(world: World) -> None:
    """The state is lost, and only the tokens are there."""
    world.end()
    for path in world.settings.state_dir.glob("state.db*"):
        path.unlink()
    world.begin()


def nothing_asked(world: World) -> None:
    _anew(world)


def owns_none(world: World) -> None:
    """Somebody has consented who has no system."""
    world.authorizer().by_code("home", world.cloud.consent("stranger"))
    _anew(world)
    world.run(HOUR)


FAULTS = [
    Fault("no runner at work", "runner", no_runner, ("No runner has been at work for",), "Start it with", "runner"),
    Fault("credentials not filled in", "credentials", credentials_missing, ("api.key not filled in yet",),
          "ingest init", "configuration"),
    Fault("consent withdrawn or lapsed", "auth", token_dead, ("home is no longer authorized",), "auth login home",
          "account home"),
    Fault("token endpoint down", "renewal", token_endpoint_down, ("cannot be renewed", "500"), "ingest doctor",
          "account home"),
    Fault("wrong client id or secret", "application", application_client, ("does not know this application",),
          "ingest init", "application"),
    Fault("key of another application", "application", application_key, ("key belongs to another application",),
          "ingest init", "application"),
    Fault("cloud down", "cloud", no_answer, ("The cloud does not answer (no answer in time)",), "Nothing is lost",
          "streams"),
    Fault("a redirect in place of the API", "cloud", redirected, ("a redirect to https://login.example/begin",),
          "Nothing is lost", "streams"),
    Fault("every call refused", "cloud", refuses_everything, ("The cloud refuses every call (HTTP 501",),
          "Nothing is lost", "streams"),
    Fault("calls used up", "quota", quota_used_up, ("calls of this month are used up",),
          "goes on by itself on 1 August", "calls"),
    Fault("wrong clock", "clock", clock_wrong, ("clock is 1 h ahead of",), "timedatectl set-ntp true", "clock"),
    Fault("disk full", "disk", disk_full, ("disk is nearly full", "50 MB"), "Free some space", "disk space"),
    Fault("database down", "sink", database_down, ("db does not accept writes", "the database is down"),
          "Nothing is lost", "sink db"),
    Fault("points refused", "refused", points_refused, ("Sink db refuses",), "replay --sink db", "sink db"),
    Fault("a database that may forget", "keep", database_may_forget, ("No interval leaves the archive",),
          "Let it keep points for ever", "archive"),
    Fault("access control not ticked", "denied", stream_denied, ("consumption is not allowed",), "developer portal",
          "access groups"),
    Fault("owner has not given access", "denied", not_shared, ("is not allowed (HTTP 403",), "not given access",
          "access groups"),
    Fault("no such system", "denied", no_such_system, ("is not allowed (HTTP 404",), "knows no such system",
          "access groups"),
    Fault("gateway offline", "gateway", gateway_offline, ("has not reported for",), "internet connection", "gateways"),
    Fault("unknown structure of replies", "stream", one_stream_unreadable, ("an answer could not be read",), "doctor",
          "streams"),
    Fault("a day of history refused", "days", day_refused, ("the cloud refuses stats of", "please try again later"),
          "asked for again by themselves", "streams"),
    Fault("time zone unknown here", "zone", zone_unknown, ("does not know the time zone Mars/Olympus",),
          "Update the program", "time zones"),
    Fault("time zone not said", "zone", zone_not_said, ("does not say its time zone",), "tell the vendor",
          "time zones"),
    Fault("a home of unknown systems", "home", home_of_strangers, ("Home ranch: no account shows system 999",),
          "and start the program again", "homes"),
    Fault("endless list of systems", "crowd", too_many_systems, ("the list goes on",), "systems:", "streams"),
    Fault("an owner without systems", "no_system", owns_none, ("the cloud shows no system to this account",),
          "Whoever consented must own one", "account home"),
    Fault("unreadable values", "odd", one_value_unreadable, ("could not be read",), "tell the vendor", "streams"),
    Fault("panels that make less", "behind", string_lost, ("less than its own clear days of this season",),
          "Look for shade", "production"),
    Fault("message not delivered", "receiver", nobody_is_told, ("Nothing reaches heartbeat",), "Check the address",
          "receivers"),
    Fault("nothing asked yet", "start", nothing_asked, ("No system is known yet",), "ingest run", "runner"),
]  # fmt: skip
"""Causes before what they may cause."""
