"""`make bench`: every figure that is claimed, measured. Exit code 1 when one is missed."""

import sys

from bench import beside, footprint, growth, page, planner, speed, writes

MEASURES = (
    speed.commit_speed,
    speed.delivery_speed,
    footprint.footprint,
    *page.MEASURES,
    writes.writes,
    *planner.MEASURES,
    *growth.MEASURES,
    beside.ticks_beside_a_report,
)

if __name__ == "__main__":
    missed = [measure for measure in MEASURES if not measure()]
    sys.exit(1 if missed else 0)
