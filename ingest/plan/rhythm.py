"""When a gateway reports: learned from its past report times, and used to call just after the next one.

A gateway uploads every 15 min by cable or Wi-Fi, every 6 h by radio (reference 9), always at about the same phase.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from ingest.core.backoff import lot
from ingest.core.units import DAY, HOUR, MINUTE
from ingest.plan.coverage import Advance

PERIODS = (15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR, DAY, 5 * MINUTE)
"""The rhythms (s) that are tried, in this order: the shortest that agrees with what was seen is taken."""
UPLOAD_MARGIN = 30
"""Seconds after an upload is expected at which it is looked for."""
SEEN = 8
"""Uploads that are looked back on."""
SILENT_AFTER = 2 * HOUR
"""Seconds beyond its rhythm after which a gateway that has not reported is silent."""
LATEST = 3 * HOUR


class Rhythm(NamedTuple):
    """What was learned of a gateway: it uploads every `period` s (0: not known), and the cloud shows an upload `late`
    s after. `waits` are the times (s) for which the last few reports were known to be the newest, `looked_at` when
    the cloud was last asked for it (epoch s).
    """

    period: int = 0
    late: int = 0
    looked_at: int = 0
    waits: tuple[int, ...] = ()

    @property
    def silent_after(self) -> int:
        """Seconds without a report after which expected uploads have certainly been missed."""
        return SILENT_AFTER + (self.period if self.period > HOUR else 0)

    @property
    def was_silent(self) -> bool:
        """Whether the newest report ended a silence."""
        return bool(self.waits) and self.waits[-1] > self.silent_after


NO_RHYTHM = Rhythm()


def look(rhythm: Rhythm, log: Sequence[Advance], now: int, *, is_new: bool) -> Rhythm:
    """The rhythm after a look at `now`; `log` holds what it showed, `is_new` whether that was new."""
    if not is_new or not log:
        return rhythm._replace(looked_at=now)
    late = max(rhythm.late * 7 // 8, _lateness(rhythm, log))
    waits = rhythm.waits
    if len(log) > 1:
        waits = (*waits, max(0, rhythm.looked_at - log[-2].reported_at))[-SEEN:]
    return Rhythm(_period(log, waits, rhythm.period), late, now, waits)


def _lateness(rhythm: Rhythm, log: Sequence[Advance]) -> int:
    """How much later (s) than hoped the newest report came: uploaded late, or shown late although we had looked."""
    if len(log) < 2 or not rhythm.period:
        return 0
    reported, gap = log[-1].reported_at, log[-1].reported_at - log[-2].reported_at
    uploaded = gap - round(gap / rhythm.period) * rhythm.period
    shown = rhythm.looked_at - reported if reported < rhythm.looked_at < reported + LATEST else 0
    return max(0, shown, uploaded if uploaded < rhythm.period / 4 else 0)


def _period(log: Sequence[Advance], waits: Sequence[int], old: int) -> int:
    """The shortest rhythm that agrees with the reports and with the time that nothing came; the old one if it does.

    Looks at every third upload cannot tell three uploads from one: there the shortest is right, or the one which
    was learned when looks were closer together.
    """
    gaps = [later.reported_at - one.reported_at for one, later in pairwise(log[-SEEN - 1 :])]
    if len(gaps) < 2:
        return old
    quiet = sorted(waits)[len(waits) // 2] if waits else 0
    if old and quiet <= old * 1.2 and _fits(gaps, old):
        return old
    return next((period for period in PERIODS if period >= 0.9 * quiet and _fits(gaps, period)), 0)


def _fits(gaps: Sequence[int], period: int) -> bool:
    allowed = max(45, period // 12)
    good = sum(1 for gap in gaps if abs(gap - round(gap / period) * period) <= allowed and gap > period / 2)
    return good >= 0.75 * len(gaps)


def next_look(rhythm: Rhythm, reported_at: int | None, asked_at: int, cadence: float, salt: str) -> int:
    """When to ask again, `cadence` s being the mean wanted: just after an upload, at every k-th one.

    Where the cadence is no whole number of uploads, k is one of two numbers, by lot, so that the mean is right; `salt`
    gives each pair lots of its own. The same question always has the same answer.
    """
    period, margin = rhythm.period, UPLOAD_MARGIN + rhythm.late
    if not period or reported_at is None:
        return asked_at + int(cadence)
    passed = (asked_at - margin - reported_at) // period
    if asked_at >= reported_at:
        passed = max(passed, 0)
    if passed >= 1 and period >= 2 * HOUR:
        return asked_at + period // 8
    wanted = max(1.0, cadence / period)
    whole = int(wanted)
    chance = lot(f"{salt} {reported_at // period + passed}")
    return reported_at + (passed + whole + (chance < wanted - whole)) * period + margin


def look_from(rhythm: Rhythm, reported_at: int | None, at: int) -> int:
    """The first moment not before `at` that is just after an upload."""
    period, margin = rhythm.period, UPLOAD_MARGIN + rhythm.late
    if not period or reported_at is None:
        return at
    return at + (reported_at + margin - at) % period
