"""Commands that work: run, once, simulate."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

import ingest
from ingest.cli.context import Context
from ingest.cli.waiting import wait_for_credentials
from ingest.config import seconds
from ingest.core.errors import IngestError
from ingest.logs import event
from ingest.report import build_report
from ingest.service import build, identity, onboarding
from ingest.service.garbage import be_frugal
from ingest.service.monitor import Progress, ReportJob
from ingest.service.once import OneRun
from ingest.service.pipeline import Pipeline
from ingest.store import runner
from ingest.store.database import Store
from ingest.web import Source, serve

if TYPE_CHECKING:
    from flask import Blueprint

    from ingest.notify.notifier import Notifier

log = logging.getLogger(__name__)
TOLD_S = 5.0
"""How long a receiver is waited for at the end."""
P = ParamSpec("P")
T = TypeVar("T")


class AtOnce(Executor):
    """Does the work in the caller's thread: `once` needs no other."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The work, done."""
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@contextlib.contextmanager
def machine(context: Context, pool: Callable[[], Executor]) -> Iterator[tuple[Store, Pipeline]]:
    """The pipeline of the settings, owning its state; with the simulator beside it where that is the cloud."""
    be_frugal()
    settings, clock = context.settings, context.clock
    with contextlib.ExitStack() as stack:
        transport = build.network(clock)
        simulator = None
        if settings.is_simulated:
            simulator = stack.enter_context(build.simulator(settings))
            cloud = identity.simulated_cloud(simulator.url)
        else:
            cloud = identity.cloud_of(settings)
        store = identity.open_store(settings, cloud, own=True)
        stack.callback(store.close)
        store.compact()
        if simulator is not None:
            auth = build.authorizer(settings, cloud, clock, transport)
            build.consent_to_simulator(auth, settings.accounts, simulator.cloud.consent)
        workers = pool()
        stack.callback(workers.shutdown, wait=False, cancel_futures=True)
        yield store, build.pipeline(settings, cloud, store, clock, transport, workers)


@click.command()
@click.pass_obj
def run(context: Context) -> None:
    """The service: poll, archive and deliver until told to stop."""
    from ingest.service.scheduler import Service  # noqa: PLC0415 - only what works needs the scheduler

    if context.settings.missing_credentials() and not wait_for_credentials(context):
        return
    settings = context.settings
    with machine(context, lambda: build.fetch_pool(settings)) as (store, pipeline):
        senders = build.senders(settings, store, reload=context.reload)
        teller, progress = _teller(context, store, pipeline, stays=True), Progress(pipeline)
        watch = ReportJob(pipeline, teller.consider) if teller else ReportJob(pipeline)

        def ticked() -> None:
            watch.record()
            if teller:
                teller.record(pipeline.clock.now())
            progress()

        runner.begin(store, pipeline.clock.now(), runner.SERVICE)
        service = Service(pipeline, senders, watch.look, ticked)
        if teller:
            teller.wake = service.wake
        beat, at_hand = (lambda: service.last_tick_at), pipeline.inventory.frozen
        source = Source(settings, store, pipeline.clock.now, beat, context.command, at_hand)
        page = serve(source, consent_pages(context, pipeline))
        greet(context, context.address(page))
        try:
            service.run()
        finally:
            if teller:
                teller.finish(TOLD_S, pipeline.clock.now())
            if page:
                page.stop()
            for sender in senders:
                sender.close()
        abandoned = pipeline.in_flight
    if abandoned:
        # A worker that waits for an answer cannot be interrupted, and would hold up the end by a minute.
        logging.shutdown()
        os._exit(0)


def consent_pages(context: Context, pipeline: Pipeline) -> "list[Blueprint]":
    """The routes by which an owner consents, where there is a page at all."""
    settings = context.settings
    if settings.web is None:
        return []
    from ingest.web import authorize  # noqa: PLC0415 - only the page needs Flask

    cloud = identity.simulated_cloud(pipeline.api.base_url) if settings.is_simulated else identity.cloud_of(settings)
    flow = onboarding.flow(settings, context.clock, pipeline.transport, cloud)
    return [authorize.blueprint(flow, lambda *_: pipeline.wake())]


def greet(context: Context, url: str) -> None:
    """Say what is running, where its data are, and what to do next."""
    settings = context.settings
    context.say(f"enphase-ingest {ingest.__version__}, data in {settings.state_dir}")
    if url:
        context.say(f"Open {url}")
    if settings.is_simulated:
        context.say("SIMULATED DATA: three invented systems, to look around.")
        context.say("See what is there: `ingest status`")
        context.say("See the points: `ingest export --format csv`")
        context.say(f"Connect your own system: {context.localized(settings.connect()).replace('`', '')}")


@click.command()
@click.option("--max-calls", type=click.IntRange(min=1), metavar="N", help="Make at most N calls.")
@click.option("--patience", default="5m", show_default=True, metavar="5m", help="Total time to wait for the cloud.")
@click.pass_obj
def once(context: Context, max_calls: int | None, patience: str) -> None:
    """Poll and read history until pacing allows nothing more, deliver, and exit; 1 when something could not be read."""
    try:
        longest = seconds(patience)
    except ValueError as error:
        raise click.UsageError(f"--patience {patience!r} {error}") from None
    with machine(context, AtOnce) as (store, pipeline):
        runner.begin(store, pipeline.clock.now(), runner.ONCE)
        senders = build.senders(context.settings, store)
        one_run = OneRun(pipeline, senders, longest)
        try:
            calls = one_run.run(max_calls)
        finally:
            for sender in senders:
                sender.close()
        store.touch(pipeline.clock.now())
        _tell(context, store, pipeline)
        event(log, logging.INFO, "once", calls=calls)
        one_run.raise_failure()


def _tell(context: Context, store: Store, pipeline: Pipeline) -> None:
    """Messages and the heartbeat of a run that ends; nobody is waited for for long."""
    teller = _teller(context, store, pipeline, stays=False)
    if teller:
        teller.consider(build_report(context.settings, store.db, pipeline.clock.now()))
        teller.finish(TOLD_S, pipeline.clock.now())


def _teller(context: Context, store: Store, pipeline: Pipeline, *, stays: bool) -> "Notifier | None":
    """Whoever is to be told; None where nobody is: nothing of it is loaded then. Only what `stays` has a broker."""
    settings = context.settings
    if not settings.receivers():
        return None
    from ingest.notify.wiring import broker, notifier  # noqa: PLC0415 - a tenth of a second on a small machine

    line = broker(settings) if stays else None
    return notifier(settings, store, pipeline.transitions, build.network(pipeline.clock), context.command, line)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="0 takes a free one.")
@click.option("--systems", type=click.IntRange(1, 5000), default=3, show_default=True)
@click.option("--days", type=click.IntRange(1, 730), default=14, show_default=True, help="Days of intervals.")
@click.option("--plan", default="watt", show_default=True, help="watt, kilowatt, megawatt or partner.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--fault", "faults", multiple=True, metavar="NAME=RATE",
              help="Such as error_5xx=0.1; repeatable. `--fault list` names them all.")  # fmt: skip
@click.pass_obj
def simulate(
    context: Context, port: int, systems: int, days: int, plan: str, seed: int, faults: tuple[str, ...]
) -> None:
    """The simulated cloud as a server of its own, to point a configuration at."""
    from ingest.simulator import API_KEY, CLIENT_ID, CLIENT_SECRET, FAULTS, serve  # noqa: PLC0415 - only this needs it

    if "list" in faults:
        click.echo("\n".join(f"{name:<20}{about}" for name, about in FAULTS.items()))
        return
    try:
        rates = {name: float(rate or 1) for name, _, rate in (fault.partition("=") for fault in faults)}
        server = serve(port, systems, days, plan, seed, rates)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise IngestError(f"port {port}: {error.strerror}; choose another with --port, or 0 for a free one") from None
    click.echo(f"simulated cloud at {server.url}; in the configuration:")
    click.echo(
        f"api: {{base_url: {server.url!r}, key: {API_KEY}, client_id: {CLIENT_ID}, client_secret: {CLIENT_SECRET}, "
        f"redirect_uri: {f'{server.url}/oauth/redirect_uri'!r}, plan: {plan}}}"
    )
    context.show(f"or, asked for the same: `ingest init --base-url {server.url}`")
    try:
        while True:
            context.clock.sleep(3600)
    except KeyboardInterrupt:
        server.stop()
