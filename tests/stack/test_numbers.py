"""The numbers on the boards against the simulator's truth, also on days of 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ingest.simulator import Site
from tests.stack.boards import EVERYTHING, expand, target
from tests.stack.seed import NOW, QUARTER, SINCE, SITES, Seeded
from tests.world import DAY, HOUR

MESA, LAKE, BAY = SITES
ODD_DAYS = [(MESA, date(2026, 11, 1), 25), (LAKE, date(2026, 10, 25), 25), (BAY, date(2026, 10, 4), 23)]
PLAIN_DAYS = [(site, date(2026, 10, 15), 24) for site in SITES]
NAMES = {"produced_wh": "Produced", "consumed_wh": "Consumed", "self_consumed_wh": "Self-consumed"}

each_site = pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
each_day = pytest.mark.parametrize(("site", "day", "hours"), [*ODD_DAYS, *PLAIN_DAYS])


def ask(
    seeded: Seeded, site: Site, board: str, title: str, ref: str = "A", *, days: int = 30, now: int = NOW
) -> list[dict[str, object]]:
    return seeded.query(expand(target(board, title, ref), site, days, now))


def number(rows: list[dict[str, object]], column: str = "") -> float:
    """The one number of the one row."""
    (row,) = rows
    values = {name: value for name, value in row.items() if name not in ("time", "system")}
    value = values[column] if column else next(iter(values.values()))
    assert isinstance(value, int | float)
    return float(value)


def edge(seeded: Seeded, site: Site) -> int:
    """The end of the newest quarter of an hour that was read."""
    (row,) = ask(seeded, site, "now", "Age of the data")
    end = int(str(row["time"])) + QUARTER
    assert NOW - HOUR <= end <= NOW
    return end


def known(seeded: Seeded, site: Site) -> int:
    """The end of the newest quarter of an hour of which the production was read."""
    return int(str(ask(seeded, site, "now", "Production")[0]["time"])) + QUARTER


@each_site
def test_now(site: Site, seeded: Seeded) -> None:
    """Each from the newest quarter of an hour in which it is known."""
    for title in ("Production", "Consumption", "Net"):
        rows = ask(seeded, site, "now", title)
        start = int(str(rows[0]["time"]))
        assert NOW - 6 * HOUR <= start < edge(seeded, site)  # production is not asked for at night
        truth = seeded.sums(site, start, start + QUARTER)
        watts = {"Production": truth["produced_wh"] * 4, "Consumption": truth["consumed_wh"] * 4}
        watts["Net"] = watts["Production"] - watts["Consumption"]
        assert number(rows) == watts[title]


def at(site: Site, day: date, hour: int) -> int:
    """A moment of a local day."""
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=site.zone).astimezone(UTC).timestamp())


@each_day
@pytest.mark.parametrize("title", ["Produced today", "Consumed today"])
def test_today_and_yesterday(title: str, site: Site, day: date, hours: int, seeded: Seeded) -> None:
    field = title.split(maxsplit=1)[0].lower() + "_wh"
    begin, end = site.midnight(day), site.midnight(day + timedelta(days=1))
    assert end - begin == hours * HOUR
    evening, noon = at(site, day, 20), at(site, day + timedelta(days=1), 12)
    assert number(ask(seeded, site, "now", title, now=evening - 1)) == seeded.sums(site, begin, evening)[field]
    assert number(ask(seeded, site, "now", title, now=noon - 1)) == seeded.sums(site, end, noon)[field]
    assert number(ask(seeded, site, "now", title, "B", now=noon - 1)) == seeded.sums(site, begin, noon - DAY)[field]
    assert number(ask(seeded, site, "now", title, "C", now=noon - 1)) == seeded.day(site, day)[field]


def test_before_the_first_data_of_a_day_today_is_empty_and_not_yesterday(seeded: Seeded) -> None:
    tomorrow = at(MESA, date(2026, 11, 6), 0) + 60
    assert "sum" not in ask(seeded, MESA, "now", "Produced today", now=tomorrow)[0]
    yesterday = number(ask(seeded, MESA, "now", "Produced today", "C", now=tomorrow))
    read = seeded.sums(MESA, MESA.midnight(date(2026, 11, 5)), known(seeded, MESA))
    assert yesterday == read["produced_wh"]


@each_day
def test_shares_and_net_of_today(site: Site, day: date, hours: int, seeded: Seeded) -> None:
    del hours
    evening = at(site, day, 20)
    truth = seeded.sums(site, site.midnight(day), evening)
    net = number(ask(seeded, site, "now", "Net today", now=evening - 1))
    assert net == truth["produced_wh"] - truth["consumed_wh"]
    used = number(ask(seeded, site, "now", "Self-consumption today", now=evening - 1))
    assert used == pytest.approx(truth["self_consumed_wh"] / truth["produced_wh"])
    own = number(ask(seeded, site, "now", "Self-sufficiency today", now=evening - 1))
    assert own == pytest.approx(truth["self_consumed_wh"] / truth["consumed_wh"])


@each_day
def test_the_last_seven_days(site: Site, day: date, hours: int, seeded: Seeded) -> None:
    del hours
    rows = ask(seeded, site, "now", "Last seven days", now=at(site, day + timedelta(days=3), 12))
    by_time = {int(str(row["time"])): row for row in rows}
    for back in range(-2, 3):
        local = day + timedelta(days=back)
        truth = seeded.day(site, local)
        assert {name: by_time[site.midnight(local)][shown] for name, shown in NAMES.items()} == truth


@each_site
def test_the_power_curve_is_the_mean_and_has_the_energy_of_the_day(site: Site, seeded: Seeded) -> None:
    day = date(2026, 10, 20)
    rows = ask(seeded, site, "now", "Power", days=1, now=site.midnight(day + timedelta(days=1)) - 1)
    assert len(rows) in (96, 97)
    energy = sum(float(str(row["Produced"])) for row in rows[-96:]) / 4
    assert energy == pytest.approx(seeded.day(site, day)["produced_wh"])


@each_site
def test_days_and_their_totals(site: Site, seeded: Seeded) -> None:
    truth = {site.midnight(day): wh for day, wh in seeded.daily(site).items() if site.midnight(day) >= NOW - 30 * DAY}
    rows = ask(seeded, site, "history", "Days")
    assert {int(str(row["time"])): row["Produced"] for row in rows} == {
        at: wh["produced_wh"] for at, wh in truth.items()
    }
    (total,) = ask(seeded, site, "history", "In the time shown")
    assert total["Produced"] == sum(wh["produced_wh"] for wh in truth.values())
    assert total["Consumed"] == sum(wh["consumed_wh"] for wh in truth.values())
    running = ask(seeded, site, "history", "Cumulative")
    assert number(running[-1:]) == total["Produced"]
    best = number(ask(seeded, site, "history", "Records"))
    assert best == max(wh["produced_wh"] for wh in truth.values())


@each_site
def test_months(site: Site, seeded: Seeded) -> None:
    truth = {site.midnight(month): wh["produced_wh"] for month, wh in seeded.monthly(site).items()}
    for title in ("Year over year", "Month by year", "Years"):
        rows = ask(seeded, site, "history", title)
        assert {int(str(row["time"])): row["Produced"] for row in rows} == truth
    assert len(truth) == 26


@each_site
def test_self_sufficiency_and_money_count_only_days_that_are_whole(site: Site, seeded: Seeded) -> None:
    daily, days = seeded.daily(site), 365
    whole = [day for day in daily if day >= SINCE and site.midnight(day) >= NOW - days * DAY]
    own = sum(seeded.day(site, day)["self_consumed_wh"] for day in whole)
    made, used = (sum(daily[day][name] for day in whole) for name in ("produced_wh", "consumed_wh"))
    (shares,) = ask(seeded, site, "history", "Self-consumption and self-sufficiency", days=days)
    assert shares["Self-consumption"] == pytest.approx(own / made)
    assert shares["Self-sufficiency"] == pytest.approx(own / used)
    (money,) = ask(seeded, site, "history", "Bought, sold, saved", days=days)
    bought, sold = (used - own) / 1000 * 0.30, (made - own) / 1000 * 0.08
    assert money["Bought"] == pytest.approx(bought)
    assert money["Sold"] == pytest.approx(sold)
    assert money["Saved"] == pytest.approx(own / 1000 * 0.30)
    assert money["Cost"] == pytest.approx(bought - sold)


@pytest.mark.parametrize(("site", "day", "hours"), ODD_DAYS)
def test_the_hours_of_an_odd_day(site: Site, day: date, hours: int, seeded: Seeded) -> None:
    end = site.midnight(day + timedelta(days=1))
    rows = ask(seeded, site, "history", "Hour by day, kWh", days=1, now=end - 1)
    rows = [row for row in rows if int(str(row["time"])) >= site.midnight(day)]
    assert len(rows) == min(hours, 24)  # the board shows the last 24 hours
    for row in rows:
        start = int(str(row["time"]))
        whole = seeded.sums(site, start, start + HOUR)["produced_wh"] / 1000
        assert row["Produced"] == pytest.approx(whole) or start == int(str(rows[0]["time"]))


def test_the_fleet_in_the_zone_of_its_table(seeded: Seeded) -> None:
    for site in SITES:
        every = {"system": EVERYTHING}
        rows = seeded.query(expand(target("fleet", "Systems of $zone", "A"), site, more=every))
        assert [row["system"] for row in rows] == [str(site.system_id)]
        today = seeded.query(expand(target("fleet", "Systems of $zone", "C"), site, more=every))
        (mine,) = [row for row in today if row["system"] == str(site.system_id)]
        midnight = site.midnight(site.local_date(NOW))
        assert mine["Today"] == seeded.sums(site, midnight, known(seeded, site))["produced_wh"]
        yesterday = seeded.query(expand(target("fleet", "Systems of $zone", "D"), site, more=every))
        by_system = {row["system"]: row["Yesterday"] for row in yesterday}
        assert (
            by_system[str(site.system_id)]
            == seeded.daily(site)[site.local_date(NOW) - timedelta(days=1)]["produced_wh"]
        )


@each_site
def test_specific_yield(site: Site, seeded: Seeded) -> None:
    rows = ask(seeded, site, "health", "Specific yield")
    last = site.local_date(NOW) - timedelta(days=1)
    assert number(rows[-1:]) == pytest.approx(seeded.daily(site)[last]["produced_wh"] / site.size_w)


def test_the_odometer_runs_in_parallel_with_what_it_was_seeded_with(seeded: Seeded) -> None:
    readings = ask(seeded, MESA, "health", "Odometer against intervals")
    where = f"WHERE \"system\" = '{MESA.system_id}'"
    raw = seeded.query(f'SELECT first("reading_wh"), last("reading_wh") FROM "production_meter_reading" {where}')  # noqa: S608
    assert number(readings[-1:]) == float(str(raw[0]["last"])) - float(str(raw[0]["first"]))
    intervals = ask(seeded, MESA, "health", "Odometer against intervals", "B")
    start = int(str(intervals[0]["time"]))
    truth = seeded.sums(MESA, start, int(str(intervals[-1]["time"])) + HOUR if len(intervals) < 1000 else NOW)
    assert number(intervals[-1:]) == pytest.approx(truth["produced_wh"], rel=0.01)
    channels = ask(seeded, MESA, "health", "Power by meter and channel", days=1)
    assert {row["channel"] for row in channels} == {"1", "2"}
