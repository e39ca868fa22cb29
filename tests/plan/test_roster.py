"""Systems that come, go and change one by one are polled as if all had been known from the beginning."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.config import Settings
from ingest.plan.inventory import Inventory
from ingest.plan.state import Pair, Snapshot, SystemRow
from tests.plan.test_planner import NOW
from tests.world import settings

EXAMPLES = 60 if os.environ.get("INGEST_LONG") else 12
"""Each makes ten choices."""
PLANS = ({"per_minute": 10, "per_month": 1_000}, {"per_minute": 50, "per_month": 10_000})
KINDS = st.sampled_from([None, (), ("micro",), ("micro", "production"), ("battery", "consumption", "grid", "micro")])
ROWS = st.builds(
    lambda system, account, zone, kinds, panels, cars: row(str(system), account, zone, kinds, panels, cars),
    st.integers(1, 6),
    st.sampled_from(["one", "two", "gone"]),
    st.sampled_from(["", "Europe/Berlin"]),
    KINDS,
    st.sampled_from([None, 20.0, 450.0]),
    st.integers(0, 3),
)


def row(system: str, account: str, zone: str, kinds: Any, panels: float | None, cars: int) -> SystemRow:
    """A system as its list and the list of its devices tell of it."""
    found = SystemRow(system, account, f"House {system}", zone, info={"modules": panels} if panels else {})
    serials = {"ev_charger": tuple(f"car{number}" for number in range(cars))}
    return replace(found, profile=replace(found.profile, meters=kinds, serials=serials))


CONFIGURED = [
    {"id": 1, "account": "one", "streams": "auto"},
    {"id": 2, "account": "two", "streams": ["stats", "consumption"], "until": "2026-05-01"},
    {"id": 7, "account": "two", "streams": "auto"},
]


@pytest.mark.parametrize("configured", [None, CONFIGURED], ids=["all that are listed", "configured"])
@pytest.mark.parametrize("plan", PLANS, ids=["ten calls a minute", "fifty"])
def test_one_by_one_is_as_all_at_once(configured: Any, plan: dict[str, int], tmp_path: Path) -> None:
    more = {"systems": configured} if configured else {}
    accounts: dict[str, Any] = {"one": {}, "two": {}}
    made = settings(tmp_path, accounts=accounts, api={"plan": plan}, default_streams="auto", **more)
    check(made)


def check(made: Settings) -> None:
    """For systems that come, change and go as they like."""

    @hypothesis.settings(max_examples=EXAMPLES)
    @given(rows=st.lists(ROWS, min_size=1, max_size=9), leaves=st.integers(0, 6))
    def one_by_one(rows: list[SystemRow], leaves: int) -> None:
        compare(made, rows, leaves)

    one_by_one()


def compare(made: Settings, rows: list[SystemRow], leaves: int) -> None:
    """Hold an inventory that followed each change against one that is made of what came of them."""
    followed = Inventory(made, Snapshot())
    for at in rows:
        followed.systems[at.system] = at
        followed.follow([at.system])
    if str(leaves) in followed.systems:
        del followed.systems[str(leaves)]
        followed.follow([str(leaves)])
    anew = Inventory(made, Snapshot(systems=dict(followed.systems)))
    assert asked(followed) == asked(anew)
    assert followed.chosen.is_alike(anew.chosen)
    # the same numbers, added up in another order
    assert {name: replace(choice, calls=0.0) for name, choice in followed.chosen.choices.items()} == {
        name: replace(choice, calls=0.0) for name, choice in anew.chosen.choices.items()
    }
    assert [choice.calls for choice in followed.chosen.choices.values()] == pytest.approx(
        [choice.calls for choice in anew.chosen.choices.values()]
    )


def asked(inventory: Inventory) -> list[tuple[str, str, str, int]]:
    """What is asked of whom, through which account and how often."""
    return sorted((work.system, work.stream.name, work.account, work.every) for work in inventory.works(NOW))


def test_what_is_frozen_stays_while_its_owner_goes_on(tmp_path: Path) -> None:
    owner = Inventory(settings(tmp_path, default_streams="auto"), Snapshot())
    account = next(iter(owner.settings.accounts))
    owner.systems["1"] = row("1", account, "Europe/Berlin", None, None, 0)
    owner.follow(["1"])
    frozen, before = owner.frozen(), asked(owner)
    owner.systems["2"] = row("2", account, "Europe/Berlin", ("micro",), None, 0)
    owner.systems["1"] = replace(owner.systems["1"], account="gone")
    owner.state.pairs["2", "stats"] = Pair("2", "stats", asked_at=NOW)
    owner.follow(["1", "2"])
    assert asked(frozen) == before != asked(owner)
    assert not frozen.pairs
    assert list(frozen.systems) == ["1"]
