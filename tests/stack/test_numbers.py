"""The numbers on the boards against the simulator's truth, also on days of 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ingest.core.point import encode
from ingest.deliver.influx_v1 import InfluxV1Sink
from ingest.simulator import Site
from tests.stack.boards import HALF, expand, target
from tests.stack.seed import CABIN, CABIN_DATABASE, NOW, QUARTER, SINCE, SITES, Seeded
from tests.stack.situations import points
from tests.world import DAY, HOUR

MESA, LAKE, BAY = SITES
KWH = 1000
ODD_DAYS = [(MESA, date(2026, 11, 1), 25), (LAKE, date(2026, 10, 25), 25), (BAY, date(2026, 10, 4), 23)]
PLAIN_DAYS = [(site, date(2026, 10, 15), 24) for site in SITES]
PRICED = "Money, estimated, in the prices' currency"
POWER, OWN = "Power, newest of production and consumption", "Used by the house and any battery, today"

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
    (row,) = ask(seeded, site, "now", "Newest data, of production or consumption")
    end = int(str(row["time"])) + QUARTER
    assert NOW - HOUR <= end <= NOW
    return end


def known(seeded: Seeded, site: Site) -> int:
    """The end of the newest quarter of an hour of which the production was read."""
    rows = seeded.world.rows("energy", site.system_id)
    return max(start for start, row in rows.items() if "produced_wh" in row and start < NOW) + QUARTER


@each_site
def test_now(site: Site, seeded: Seeded) -> None:
    """All of one quarter of an hour; at night production is none."""
    shown = {ref: number(ask(seeded, site, "now", POWER, ref)) for ref in "ABC"}
    newest = edge(seeded, site) - QUARTER
    truth = seeded.sums(site, newest, newest + QUARTER)
    assert shown == {
        "A": truth["produced_wh"] * 4,
        "B": truth["consumed_wh"] * 4,
        "C": (truth["produced_wh"] - truth["consumed_wh"]) * 4,
    }


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
    for start, stop in ((begin, evening), (end, noon)):
        made = number(ask(seeded, site, "now", title, now=stop - 1)) * KWH
        assert made == pytest.approx(seeded.sums(site, start, stop)[field], abs=5), "it is rounded as it is shown"
    before = seeded.sums(site, end - DAY, noon - DAY)[field]
    assert number(ask(seeded, site, "now", title, "B", now=noon - 1)[-1:]) * KWH == pytest.approx(before)


def test_before_the_first_data_of_a_day_today_is_empty_and_not_yesterday(seeded: Seeded) -> None:
    tomorrow = at(MESA, date(2026, 11, 6), 0) + 60
    assert "Today so far" not in ask(seeded, MESA, "now", "Produced today", now=tomorrow)[0]


@each_site
@pytest.mark.parametrize(("title", "field"), [("Produced today", "produced_wh"), ("Consumed today", "consumed_wh")])
def test_yesterday_ends_where_today_does(title: str, field: str, site: Site, seeded: Seeded) -> None:
    """Both are over the same quarters of an hour, of which the newest is older than the moment of looking."""
    day = site.local_date(NOW)
    begin = site.midnight(day)
    rows = seeded.world.rows("energy", site.system_id)
    end = max(start for start, row in rows.items() if field in row and begin <= start < NOW) + QUARTER
    assert end < NOW
    (today,) = ask(seeded, site, "now", title)
    assert today["Today so far"] * KWH == pytest.approx(seeded.sums(site, begin, end)[field], abs=5)  # type: ignore[operator]
    assert today["Hours of today"] == sum(field in row for start, row in rows.items() if begin <= start < end) / 4
    before = seeded.sums(site, begin - DAY, end - DAY)[field]
    assert number(ask(seeded, site, "now", title, "B")[-1:]) * KWH == pytest.approx(before)


@each_day
def test_shares_and_net_of_today(site: Site, day: date, hours: int, seeded: Seeded) -> None:
    del hours
    evening = at(site, day, 20)
    truth = seeded.sums(site, site.midnight(day), evening)
    net = number(ask(seeded, site, "now", "Net today: produced less consumed", "B", now=evening - 1), "by day")
    assert net * KWH == pytest.approx(truth["produced_wh"] - truth["consumed_wh"], abs=10)
    used = number(ask(seeded, site, "now", OWN, now=evening - 1))
    assert used == pytest.approx(truth["self_consumed_wh"] / truth["produced_wh"])
    own = number(ask(seeded, site, "now", OWN, "C", now=evening - 1))
    assert own == pytest.approx(truth["self_consumed_wh"] / truth["consumed_wh"])


@each_site
def test_the_last_seven_days(site: Site, seeded: Seeded) -> None:
    truth = seeded.daily(site)
    for ref, name in (("A", "Produced"), ("B", "Consumed")):
        rows = ask(seeded, site, "now", "The last seven days", ref)
        found = {site.local_date(int(str(row["time"]))): row[name] for row in rows}
        assert found == {day: truth[day][f"{name.lower()}_wh"] / KWH for day in sorted(truth)[-7:]}


@each_site
def test_the_power_curve_is_the_mean_and_has_the_energy_of_the_day(site: Site, seeded: Seeded) -> None:
    day = date(2026, 10, 20)
    rows = ask(seeded, site, "now", "Power · browser's clock", days=1, now=site.midnight(day + timedelta(days=1)) - 1)
    assert len(rows) in (96, 97)
    energy = sum(float(str(row["mean"])) for row in rows[-96:]) / 4 * KWH
    assert energy == pytest.approx(seeded.day(site, day)["produced_wh"])


@each_site
def test_days_and_their_totals(site: Site, seeded: Seeded) -> None:
    truth = {day: wh for day, wh in seeded.daily(site).items() if site.midnight(day) >= NOW - 30 * DAY - HALF}
    rows = ask(seeded, site, "history", "Days")
    found = {site.local_date(int(str(row["time"]))): row.get("Produced") for row in rows}
    assert found == {day: wh["produced_wh"] / KWH for day, wh in truth.items()}, "today has not ended"
    titles = {"Produced": "Produced in the time shown", "Consumed": "Consumed and net, on the days known"}
    for name, title in titles.items():
        (total,) = ask(seeded, site, "history", title)
        assert total[name] == pytest.approx(sum(wh[f"{name.lower()}_wh"] for wh in truth.values()) / KWH, abs=0.5)
        assert total["Days"] == len(truth)
    (most,) = ask(seeded, site, "history", "Most used in a day that was read")
    assert most["Consumed"] == max(wh["consumed_wh"] for wh in seeded.daily(site).values()) / KWH


@each_site
def test_months(site: Site, seeded: Seeded) -> None:
    truth = {f"{month:%Y-%m}": wh["produced_wh"] for month, wh in seeded.monthly(site).items()}
    whole = {month: wh for month, wh in truth.items() if month not in ("2024-10", "2026-11")}
    for title in ("Whole months, year over year", "Whole months by year, kWh"):
        rows = ask(seeded, site, "history", title)
        assert {f"{row['Year']}-{row['Month']}": row["Produced"] for row in rows} == whole, (
            "not the first, nor this one"
        )
    assert len(whole) == 24
    (running,) = ask(seeded, site, "history", "Months", "C", days=366)
    assert running["Some days only"] == truth["2026-11"] / KWH


@each_site
def test_the_last_thirty_days_and_the_same_a_year_ago(site: Site, seeded: Seeded) -> None:
    title = "Produced in the last 30 days, and a year ago"
    (row,) = ask(seeded, site, "history", title)
    daily = {day: wh["produced_wh"] for day, wh in seeded.daily(site).items()}
    days = [day for day in daily if NOW - 31 * DAY <= site.midnight(day) <= NOW - DAY]
    assert row["Last 30 days"] == pytest.approx(sum(daily[day] for day in days) / KWH)
    assert row["A year ago"] == pytest.approx(sum(daily[day - timedelta(days=365)] for day in days) / KWH)
    assert row["Days"] == len(days) == 30


def test_a_day_that_is_missing_is_left_out_of_both_years(seeded: Seeded) -> None:
    """Whether it is of this year or of the one before."""
    lost = {date(2026, 10, 20), date(2026, 10, 25) - timedelta(days=365)}
    held = [one for one in points(seeded) if one.measurement == "energy_daily"]
    mine = [one for one in held if dict(one.tags)["system"] == str(LAKE.system_id)]
    seeded.server.execute('CREATE DATABASE "two_lost"')
    sink = InfluxV1Sink(seeded.server.url, "two_lost")
    sink.write([encode(one) for one in mine if LAKE.local_date(one.time) not in lost])
    sink.close()
    title = "Produced in the last 30 days, and a year ago"
    (row,) = seeded.server.query("two_lost", expand(target("history", title), LAKE))
    daily = {day: wh["produced_wh"] for day, wh in seeded.daily(LAKE).items()}
    days = [day for day in daily if NOW - 31 * DAY <= LAKE.midnight(day) <= NOW - DAY]
    both = [day for day in days if not {day, day - timedelta(days=365)} & lost]
    assert row["Days"] == len(both) == 28
    assert row["Last 30 days"] == pytest.approx(sum(daily[day] for day in both) / KWH)
    assert row["A year ago"] == pytest.approx(sum(daily[day - timedelta(days=365)] for day in both) / KWH)


@each_site
def test_self_sufficiency_and_money_count_only_days_that_are_whole(site: Site, seeded: Seeded) -> None:
    daily, days = seeded.daily(site), 365
    whole = [day for day in daily if day >= SINCE]
    own = sum(seeded.day(site, day)["self_consumed_wh"] for day in whole)
    made, used = (sum(daily[day][name] for day in whole) for name in ("produced_wh", "consumed_wh"))
    (shares,) = ask(seeded, site, "history", "Used by house and any battery, on days known", days=days)
    assert shares["Self-consumption"] == pytest.approx(own / made)
    sufficiency = ask(seeded, site, "history", "Used by house and any battery, on days known", "C", days=days)
    assert number(sufficiency) == pytest.approx(own / used)
    (money,) = ask(seeded, site, "history", PRICED, days=days)
    bought, sold = (used - own) / 1000 * 0.30, (made - own) / 1000 * 0.08
    assert money["Cost"] == pytest.approx(bought)
    assert money["Earned"] == pytest.approx(sold)
    assert money["Saved"] == pytest.approx(own / 1000 * 0.30)
    assert money["Days"] == shares["Days"] == len(whole)


def priced(seeded: Seeded, database: str, days: int = 365) -> dict[str, object]:
    """What the house with a battery bought, sold and saved."""
    (row,) = seeded.server.query(database, expand(target("history", PRICED), CABIN, days))
    return row


def test_what_a_battery_loses_is_not_saved(seeded: Seeded) -> None:
    """What was bought and sold is what the grid meter counted, as on the board of the grid."""
    names = ("imported_wh", "exported_wh", "consumed_wh", "self_consumed_wh")
    rows = seeded.cabin.rows("energy_daily", CABIN.system_id).values()
    days = [day for day in rows if {*names} <= day.keys()]
    bought, sold, used, own = (sum(day[name] for day in days) for name in names)
    money = priced(seeded, CABIN_DATABASE)
    assert money["Cost"] == pytest.approx(bought / 1000 * 0.30)
    assert money["Earned"] == pytest.approx(sold / 1000 * 0.08)
    assert money["Saved"] == pytest.approx((used - bought) / 1000 * 0.30)
    assert used - own != pytest.approx(bought, rel=0.01)
    assert money["Days metered"] == money["Days"]
    (on_grid,) = seeded.server.query(CABIN_DATABASE, expand(target("grid", PRICED), CABIN, 10))
    assert on_grid == priced(seeded, CABIN_DATABASE, 10), "one rule on both boards"
    by_month = target("history", "Money by month, estimated, prices' currency")
    months = seeded.server.query(CABIN_DATABASE, expand(by_month, CABIN, 365))
    assert len(months) == money["Days"]
    assert sum(float(str(row["Cost"])) for row in months) == pytest.approx(money["Cost"])


def test_a_day_whose_grid_was_not_read_is_worked_out(seeded: Seeded) -> None:
    """Beside days whose exchange was metered, each counts once."""
    found = [one for one in points(seeded, CABIN_DATABASE) if one.measurement == "energy_daily"]
    days = [one for one in found if {"imported_wh", "consumed_wh", "self_consumed_wh"} <= one.fields.keys()]
    half = sorted(one.time for one in days)[len(days) // 2]
    bought, held = 0.0, []
    for day in days:
        fields = dict(day.fields)
        if day.time < half:
            del fields["imported_wh"], fields["exported_wh"]
        taken = float(fields["consumed_wh"]) - float(fields["self_consumed_wh"])
        bought += float(fields.get("imported_wh", taken))
        held.append(encode(day._replace(fields=fields)))
    seeded.server.execute('CREATE DATABASE "half_metered"')
    sink = InfluxV1Sink(seeded.server.url, "half_metered")
    sink.write(held)
    sink.close()
    money = priced(seeded, "half_metered")
    assert money["Days"] == len(days)
    assert 0 < money["Days metered"] < len(days)  # type: ignore[operator]
    assert money["Cost"] == pytest.approx(bought / 1000 * 0.30)


def test_the_fleet(seeded: Seeded) -> None:
    """Days of all zones stand under their dates, from Hawaii to Auckland."""
    rows = seeded.query(expand(target("fleet", "kWh per kW by day, the newest eight", "A"), MESA))
    for site in SITES:
        mine = {row["time"]: row["wh"] for row in rows if row["system"] == str(site.system_id)}
        days = {datetime.fromtimestamp(int(str(at)), TONGA).date(): wh for at, wh in mine.items()}
        assert len(days) == 8
        truth = seeded.daily(site)
        assert days == {day: truth[day]["produced_wh"] if day in truth else -1 for day in days}
        assert site.local_date(NOW) - timedelta(days=1) in days
    for zone in ("Pacific/Honolulu", "Pacific/Auckland"):
        for day in (date(2026, 1, 1), date(2026, 7, 1)):
            begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
            assert begins.astimezone(TONGA).date() == day, zone


TONGA = ZoneInfo("Pacific/Tongatapu")


@each_site
def test_specific_yield(site: Site, seeded: Seeded) -> None:
    rows = ask(seeded, site, "health", "Yield, kWh per kW")
    last = site.local_date(NOW) - timedelta(days=1)
    assert number([row for row in rows if "Yield" in row][-1:], "Yield") == pytest.approx(
        seeded.daily(site)[last]["produced_wh"] / site.size_w
    )


def test_the_phases_of_a_meter_are_summed(seeded: Seeded) -> None:
    rows = ask(seeded, MESA, "health", "By meter and channel, today too, least first", days=1)
    assert {row["channel"] for row in rows} == {"1", "2"}
    newest = known(seeded, MESA)
    total = sum(float(str(row["Energy"])) for row in rows)
    assert total * KWH == pytest.approx(seeded.sums(MESA, NOW - DAY, newest)["produced_wh"], rel=0.01)


def test_the_panel_at_half_power_is_the_first(seeded: Seeded) -> None:
    query = target("health", "Mean day of each panel, least first", "A")
    rows = seeded.server.query(CABIN_DATABASE, expand(query, CABIN, 30))
    assert len(rows) == CABIN.modules
    first, second, *_, last = sorted(rows, key=lambda row: float(str(row["Mean day"])))
    (weak,) = CABIN.weak_panels
    assert str(first["inverter"]).endswith(f"{weak:02d}")
    assert float(str(first["Mean day"])) == pytest.approx(float(str(last["Mean day"])) / 2, rel=0.02)
    assert float(str(second["Mean day"])) == pytest.approx(float(str(last["Mean day"])), rel=0.02)
