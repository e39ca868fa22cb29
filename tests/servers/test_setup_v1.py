"""The set-up of a real InfluxDB 1.x, with a login and without."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingest.cli import cli
from ingest.core.errors import SinkDown
from ingest.deliver.sink import Sink, Target, open_sink
from tests.influxd import Influxd

LINE = "energy,system=1 produced_wh=5.0 1790000000"


class Home:
    """Settings and files of somebody who has an InfluxDB 1.x."""

    def __init__(self, folder: Path, server: Influxd, database: str) -> None:
        self.folder, self.server = folder, server
        self.settings = {
            "INFLUXDB_URL": server.url,
            "INFLUXDB_BUCKET": database,
            "INFLUXDB_TOKEN_FILE": str(folder / "password"),
            "INFLUXDB_READER": "grafana",
            "INFLUXDB_READER_PASSWORD_FILE": str(folder / "reader"),
        }
        (folder / "reader").write_text("reads-only-1\n")
        if server.admin:
            name, password = server.admin
            (folder / "admin").write_text(password)
            self.settings |= {"INFLUXDB_ADMIN_USER": name, "INFLUXDB_ADMIN_PASSWORD_FILE": str(folder / "admin")}

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, ["setup-database", *arguments], env=self.settings)

    def reach(self) -> str:
        done = self.run()
        assert done.exit_code == 0, done.output + repr(done.exception)
        return done.output

    def sink(self, name: str = "ingest", password: str = "") -> Sink:
        secret = password or (self.folder / "password").read_text()
        database = self.settings["INFLUXDB_BUCKET"]
        return open_sink(Target("influxdb_v1", self.server.url, database=database, username=name, password=secret))


@pytest.fixture
def home(guarded_influxd: Influxd, tmp_path: Path) -> Home:
    for row in guarded_influxd.query("", "SHOW USERS"):
        if not row["admin"]:
            guarded_influxd.execute(f'DROP USER "{row["user"]}"')
    return Home(tmp_path, guarded_influxd, f'sun "{tmp_path.name}"')


def test_from_nothing_to_right_and_nothing_more_the_second_time(home: Home) -> None:
    assert home.run("--check").exit_code == 1
    done = home.reach()
    assert "user ingest made, who may write and read" in done
    assert home.sink().write([LINE]) == 0
    with pytest.raises(SinkDown, match="403"):
        home.sink("grafana", "reads-only-1").write([LINE])
    grants = home.server.query("", 'SHOW GRANTS FOR "grafana"')
    assert [row["privilege"] for row in grants] == ["READ"]
    assert "as it should be" in home.reach()
    assert home.run("--check").exit_code == 0


def test_what_was_changed_is_mended(home: Home) -> None:
    home.reach()
    (home.folder / "reader").write_text("another-one's")
    home.server.execute("SET PASSWORD FOR \"ingest\" = 'else'")
    home.server.execute(f'REVOKE ALL ON "sun \\"{home.folder.name}\\"" FROM "grafana"')
    done = home.reach()
    assert "user ingest has the password of its file now" in done
    assert "user grafana has the password of its file now" in done
    assert "user grafana may read" in done
    assert home.sink().write([LINE]) == 0
    assert "as it should be" in home.reach()


def test_retention_is_taken_over_and_a_shorter_one_asks_for_a_word(home: Home) -> None:
    home.settings["INFLUXDB_RETENTION"] = "365d"
    home.reach()
    home.settings["INFLUXDB_RETENTION"] = "730d"
    assert "for 730 days now, no longer for 365 days" in home.reach()
    home.settings["INFLUXDB_RETENTION"] = "30d"
    assert "INFLUXDB_RETENTION_MAY_DELETE=yes" in home.reach()
    home.settings["INFLUXDB_RETENTION_MAY_DELETE"] = "yes"
    home.reach()
    home.settings["INFLUXDB_RETENTION"] = "1d"
    assert "for 1 day now, no longer for 30 days" in home.reach(), "shorter than a part of the database was"
    home.settings["INFLUXDB_RETENTION"] = "0"
    assert "for ever now, no longer for 1 day" in home.reach()
    assert "as it should be" in home.reach()


def test_without_an_administrator_it_is_asked_for(home: Home) -> None:
    del home.settings["INFLUXDB_ADMIN_USER"]
    done = home.run()
    assert done.exit_code == 1
    assert "--admin-user" in str(done.exception)
    home.settings["INFLUXDB_ADMIN_USER"] = "root"
    (home.folder / "admin").write_text("wrong-secret")
    done = home.run()
    assert "--admin-password-file" in str(done.exception)
    assert "wrong-secret" not in str(done.exception) + done.output


def test_a_server_that_asks_for_no_login_needs_no_administrator(influxd: Influxd, tmp_path: Path) -> None:
    home = Home(tmp_path, influxd, "open")
    home.reach()
    assert home.sink().write([LINE]) == 0
    assert "as it should be" in home.reach()
