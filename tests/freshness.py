"""How fresh a world's archive was, against the best that the same number of calls could do; and calls in vain."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.fetch.worker import Outcome
from ingest.simulator import Cloud
from ingest.store import journal, progress
from tests.world import DAY, World

MINUTE = 60
GRAIN = {"production_micro": 300, "rgm_stats": 900, "consumption_meter": 900}
"""Length of an interval of each endpoint."""
SLEEPERS = ("production_micro", "rgm_stats")


@dataclass
class Useful:
    """Answered calls, and those of them that changed no row, advanced no coverage and gave no total to audit by."""

    calls: int = 0
    vain: int = 0

    @property
    def share(self) -> float:
        return self.vain / max(self.calls, 1)


def watch(world: World) -> Useful:
    """Count from now on which answers were of use."""
    found, pipeline = Useful(), world.pipeline
    record = pipeline._record_outcome

    def counted(outcome: Outcome) -> None:
        before = _state(world, outcome)
        record(outcome)
        found.calls += 1
        found.vain += before == _state(world, outcome)

    pipeline._record_outcome = counted  # type: ignore[method-assign]
    return found


def _state(world: World, outcome: Outcome) -> object:
    db, (system, stream) = world.store.db, outcome.task.pair
    audited = db.execute("SELECT count(*), sum(wh), sum(reads) FROM totals WHERE system = ?", (system,)).fetchone()
    return journal.next_seq(db), progress.coverage(db).get((system, stream)), audited


def awake(cloud: Cloud, system: int, endpoint: str, start: int, end: int) -> list[tuple[int, int]]:
    """The hours in which a stream should be asked, from the true light of each local day."""
    if endpoint not in SLEEPERS:
        return [(start, end)]
    site = cloud.history(system).site
    days: dict[object, list[int]] = defaultdict(list)
    for row in cloud.truth(system, "stats", start, end):
        if row["enwh"]:
            days[site.local_date(row["end_at"] - 300)].append(row["end_at"])
    return [(max(start, min(ends) - 2100), min(end, max(ends) + 1800)) for ends in days.values()]


def mean_age(looks: Sequence[int], newest: Sequence[int], hours: Sequence[tuple[int, int]]) -> float:
    """Mean over the minutes of `hours` of the age of the newest interval; `newest[i]` is what look `i` showed."""
    total = count = 0
    for start, end in hours:
        for at in range(start, end, MINUTE):
            index = bisect_right(looks, at) - 1
            if index >= 0:
                total, count = total + at - newest[index], count + 1
    return total / max(count, 1)


def ratio(world: World, start: int, end: int) -> float:
    """The mean age of the newest archived interval, over all pairs and awake minutes, relative to that which as many
    calls a pair would give if each were made at the very moment of every k-th upload.
    """
    ours = best = 0.0
    for site in world.cloud.sites:
        for endpoint, grain in GRAIN.items():
            looks = [
                int(call.at)
                for call in world.cloud.calls
                if call.status == 200 and f"/{site.system_id}/" in call.path and call.path.endswith(endpoint)
                if _is_live(call.params, call.at)
            ]
            hours = awake(world.cloud, site.system_id, endpoint, start, end)
            ours += mean_age(looks, [_newest(world, site.system_id, at, grain) for at in looks], hours)
            ideal = _ideal(world, site.system_id, hours, looks)
            best += mean_age(ideal, [_newest(world, site.system_id, at, grain) for at in ideal], hours)
    return ours / best


def _is_live(params: dict[str, str], at: float) -> bool:
    length = DAY if params.get("granularity") == "day" else 7 * DAY
    end = int(params.get("end_at", int(params["start_at"]) + length))
    return end > at - 1000


def _newest(world: World, system: int, at: int, grain: int) -> int:
    report = world.cloud.last_report_at(system, at) or 0
    return report - report % grain


def _ideal(world: World, system: int, hours: Sequence[tuple[int, int]], looks: Sequence[int]) -> list[int]:
    """As many moments, each day, as there were looks, at every k-th upload from the one before the day begins."""
    gateway = world.cloud.history(system).gateway
    period, phase = gateway.site.upload_every, gateway.phase
    found: list[int] = []
    for start, end in hours:
        uploads = range(start - (start - phase) % period, end, period)
        calls = min(len(uploads), sum(uploads[0] <= at < end for at in looks))
        found += [uploads[index * len(uploads) // calls] for index in range(calls)]
    return found
