"""Lists of systems that have no end, or no plausible one: bounded, and said."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.commit import system_rows
from ingest.core.http import Reply, Request
from ingest.core.span import Span
from ingest.core.units import HOUR, MINUTE
from ingest.enphase.call import Purpose, Task
from ingest.enphase.replies import Kind
from ingest.enphase.requests import ApiTarget, request
from ingest.enphase.streams.site import SYSTEMS
from ingest.fetch import worker
from ingest.fetch.worker import fetch
from ingest.report import build_report
from ingest.simulator import API_KEY, Cloud, Faults, demo_sites, enlighten_id, v2_code
from tests.world import START, Time, Wire, World

HOUSES = demo_sites(START, 1, 10)


def world_of(folder: Path, version: str) -> World:
    account = {"home": {"enlighten_id": enlighten_id("owner")} if version == "v2" else {}}
    plan = {"per_minute": 100, "per_month": 9000}
    return World(folder, HOUSES, api={"plan": plan, "version": version}, accounts=account)


@pytest.mark.parametrize(("version", "page", "following"), [
    ("v4", "99 99", "100"), ("v4", "100 100", ""), ("v2", "99 more98", "more99"), ("v2", "100 more99", "")
])  # fmt: skip
def test_a_list_of_systems_without_an_end_is_left_after_a_hundred_pages(
    version: str, page: str, following: str
) -> None:
    time = Time()
    cloud = Cloud(HOUSES, clock=lambda: time.true, faults=Faults(endless_systems=1.0))
    grant = cloud.tokens.first("owner", "system", START)[0] if version == "v4" else v2_code(enlighten_id("owner"))
    task = Task("home", "@home", SYSTEMS, Span(0, 0), Purpose.LIVE, cursor=page)
    asked = request(ApiTarget(version, "https://cloud.example", API_KEY), task, grant)
    outcome = fetch(task, 1, asked, version, grant, None, Wire(cloud, time))
    assert (outcome.verdict.kind, len(outcome.systems)) == (Kind.OK, 100)
    assert outcome.cursor == following


LISTS: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "v4": ("v4", lambda asked: {"total": 10**9, "current_page": int(asked["page"])}),
    "v4 that turns back": ("v4", lambda asked: {"total": 10**9, "current_page": 1 if asked["page"] == "3" else 2}),
    "v2": ("v2", lambda asked: {"next": asked.get("next", "") + "x"}),
    "v2 in a circle": ("v2", lambda asked: {"next": "b" if asked.get("next") == "a" else "a"}),
}


@pytest.mark.parametrize("kind", LISTS if os.environ.get("INGEST_LONG") else ["v4", "v2 in a circle"])
def test_a_list_of_systems_without_an_end_is_said(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever way it has none: page after page, the same ones again, and in either dialect."""
    monkeypatch.setattr(worker, "MAX_PAGES", 20)  # fewer than the hundred that are read, so that it takes less
    version, more = LISTS[kind]
    world = world_of(tmp_path, version)
    send = world.wire.send

    def endless(request: Request) -> Reply:
        if not request.url.endswith("/systems"):
            return send(request)
        kept = {name: value for name, value in request.params.items() if name not in ("page", "next")}
        reply = send(replace(request, params=kept))
        return replace(reply, body=json.dumps(json.loads(reply.body) | more(request.params)).encode())

    world.wire.send = endless  # type: ignore[method-assign]
    world.run(10 * MINUTE)
    (problem,) = build_report(world.settings, world.store.db, int(world.time.true)).problems
    assert problem.kind == "crowd"
    is_circle = kind in ("v2 in a circle", "v4 that turns back")
    said = worker.CIRCLE if is_circle else "only the first 10,000 systems of its list are read, and the list goes on"
    assert problem.sentence == f"Account home: {said}"
    assert "`systems:`" in problem.remedy
    pages = sum(call.path.endswith("/systems") for call in world.cloud.calls)
    assert pages <= 4 if is_circle else pages == 20
    world.run(HOUR)
    assert sum(call.path.endswith("/systems") for call in world.cloud.calls) == pages


@pytest.mark.parametrize("place", [worker, system_rows])
@pytest.mark.parametrize("version", ["v4", "v2"])
def test_an_absurd_number_of_systems_on_one_page_is_bounded_and_said(
    tmp_path: Path, version: str, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what a page may hold, and by what an account may have in all."""
    # fewer than the 1,000 and the 10,000 that are read, so that it takes no minute
    monkeypatch.setattr(place, "MAX_ON_PAGE" if place is worker else "MAX_SYSTEMS", 300)
    world = world_of(tmp_path, version)
    send, more = world.wire.send, [{"system_id": number} for number in range(1, 400)]

    def crowded(request: Request) -> Reply:
        reply = send(request)
        if not request.url.endswith("/systems"):
            return reply
        document = json.loads(reply.body)
        return replace(reply, body=json.dumps(document | {"systems": document["systems"] + more}).encode())

    world.wire.send = crowded  # type: ignore[method-assign]
    world.step(world.time.true + MINUTE)
    assert world.store.db.execute("SELECT count(*) FROM systems").fetchone() == (300,)
    kinds = [problem.kind for problem in build_report(world.settings, world.store.db, int(world.time.true)).problems]
    assert "crowd" in kinds
