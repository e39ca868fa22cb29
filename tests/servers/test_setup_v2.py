"""The set-up of an InfluxDB 2 is a state that is reached: killed anywhere, run again, it ends right."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from ingest.core.errors import SinkDown
from ingest.deliver.answers import SinkAnswer
from ingest.deliver.influx_http import InfluxHttp
from ingest.deliver.sink import Target, open_sink
from tests import influxd2
from tests.influxd2 import Influxd2
from tests.servers.installation import ADMIN_TOKEN, LINE, Installation
from tests.servers.strict_v2_admin import StrictV2Admin


@pytest.fixture(params=["strict", "real"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StrictV2Admin | Influxd2]:
    if request.param == "strict":
        with StrictV2Admin() as stand_in:
            yield stand_in
    elif influxd2.BINARY is None:
        pytest.skip(influxd2.MISSING)
    else:
        with Influxd2(tmp_path / "influxd2") as real:
            yield real


@pytest.fixture
def stack(server: StrictV2Admin | Influxd2, tmp_path: Path) -> Installation:
    return Installation(tmp_path, server.url)


def admin(stack: Installation, method: str, path: str, **more: object) -> dict[str, list[dict[str, Any]]]:
    reply = requests.request(
        method, f"{stack.url}{path}", headers={"Authorization": f"Token {ADMIN_TOKEN}"}, json=more or None, timeout=10
    )
    assert reply.ok, reply.text
    document: dict[str, list[dict[str, Any]]] = reply.json() if reply.text else {}
    return document


def test_from_nothing_to_right_and_nothing_more_the_second_time(stack: Installation) -> None:
    done = stack.reach()
    assert "organization home" in done
    assert "user grafana may read enphase" in done
    stack.assert_right()
    token = stack.token
    assert stack.reach() == f"✓ enphase at {stack.url} is as it should be\n"
    assert stack.token == token
    assert stack.run("--check").exit_code == 0


def test_no_secret_is_printed_and_the_token_is_private(stack: Installation) -> None:
    output = stack.reach() + stack.run("--check").output
    for secret in (ADMIN_TOKEN, "admin-password", "reads-only-1", stack.token):
        assert secret not in output
    assert (stack.folder / "volume/token").stat().st_mode & 0o777 == 0o600


class PowerCut(BaseException):
    """The program ends here, as at a kill."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_each_request_of_its_first_run_it_ends_right(
    stack: Installation, server: StrictV2Admin | Influxd2, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    whole, kills, survived = InfluxHttp.request, 0, False
    while not survived:
        kills += 1
        _lose_the_volume(server)
        asked = count(1)

        def dying(self: InfluxHttp, method: str, path: str, **more: Any) -> SinkAnswer:
            last = next(asked) == kills  # noqa: B023 - called in this round only
            if last and when == "before":
                raise PowerCut
            answer = whole(self, method, path, **more)
            if last:
                raise PowerCut
            return answer

        with monkeypatch.context() as patch, contextlib.suppress(PowerCut):
            patch.setattr(InfluxHttp, "request", dying)
            survived = stack.run().exit_code == 0
        stack.reach()
        stack.assert_right()
        held = admin(stack, "GET", "/api/v2/authorizations")["authorizations"]
        assert len([item for item in held if "enphase-ingest" in item["description"]]) == 1, "no token is left over"
    assert kills > 10


def test_two_at_once_end_right(stack: Installation) -> None:
    program = [sys.executable, "-c", "from ingest.cli import main; main()", "setup-database"]
    runs = [
        subprocess.Popen(program, env=stack.settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in "ab"
    ]
    outputs = [run.communicate()[0].decode() for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    stack.assert_right()
    assert "as it should be" in stack.reach()


def test_changed_passwords_are_taken_over(stack: Installation) -> None:
    stack.reach()
    stack.put("READER_PASSWORD", "another-one-2")
    stack.put("ADMIN_PASSWORD", "another-admin-password")
    assert stack.run("--check").exit_code == 1
    assert not stack.reads("grafana", "another-one-2"), "a check changes nothing"
    done = stack.reach()
    assert "grafana" in done
    assert "user admin has the password of its file now" in done
    stack.assert_right()
    assert not stack.reads("grafana", "reads-only-1")
    assert "as it should be" in stack.reach()


def test_a_password_that_the_database_refuses_is_said(stack: Installation) -> None:
    stack.put("READER_PASSWORD", "short")
    done = stack.run()
    assert done.exit_code == 1
    assert "between 8 and 72 characters" in str(done.exception)


def test_another_bucket_is_made_and_the_rights_go_over_to_it(stack: Installation) -> None:
    stack.reach()
    before = stack.token
    stack.settings["INFLUXDB_BUCKET"] = "solar power"
    done = stack.reach()
    assert "bucket solar power made" in done
    stack.assert_right()
    assert stack.token != before
    old = open_sink(Target("influxdb", stack.url, before, "home", "enphase"))
    with pytest.raises(SinkDown, match="token"):
        old.write([LINE])
    old.close()


def test_a_longer_retention_is_taken_over_and_a_shorter_one_asks_for_a_word(stack: Installation) -> None:
    stack.settings["INFLUXDB_RETENTION"] = "365d"
    stack.reach()
    stack.settings["INFLUXDB_RETENTION"] = "730d"
    assert "enphase keeps points for 730 days now, no longer for 365 days" in stack.reach()
    stack.settings["INFLUXDB_RETENTION"] = "0"
    assert "keeps points for ever now" in stack.reach()
    stack.settings["INFLUXDB_RETENTION"] = "30d"
    done = stack.reach()
    assert "INFLUXDB_RETENTION_MAY_DELETE=yes" in done
    assert stack.run("--check").exit_code == 1
    stack.settings["INFLUXDB_RETENTION_MAY_DELETE"] = "yes"
    assert "for 30 days now, no longer for ever" in stack.reach()
    stack.settings["INFLUXDB_RETENTION"] = "1d"
    assert "for 1 day now" in stack.reach(), "shorter than a part of the bucket was"
    stack.settings["INFLUXDB_RETENTION"] = "0"
    assert "for ever now" in stack.reach()
    (bucket,) = admin(stack, "GET", "/api/v2/buckets?name=enphase")["buckets"]
    assert bucket["retentionRules"][0]["shardGroupDurationSeconds"] == 7 * 86400, "not 8,760 parts a year"
    assert "as it should be" in stack.reach()


def _lose_the_volume(server: StrictV2Admin | Influxd2) -> None:
    if isinstance(server, StrictV2Admin):
        server.wipe()
    else:
        server.kill()
        shutil.rmtree(server.root)
        server.start()


def test_a_lost_volume_is_set_up_again(stack: Installation, server: StrictV2Admin | Influxd2) -> None:
    stack.reach()
    before = stack.token
    _lose_the_volume(server)
    assert stack.run("--check").output == "! it is not set up yet\n"
    stack.reach()
    stack.assert_right()
    assert stack.token != before


def test_a_lost_token_is_made_again_and_the_old_one_is_dead(stack: Installation) -> None:
    stack.reach()
    before = stack.token
    (stack.folder / "volume/token").write_text("spoilt")
    stack.reach()
    stack.assert_right()
    old = open_sink(Target("influxdb", stack.url, before, "home", "enphase"))
    with pytest.raises(SinkDown, match="401"):
        old.write([LINE])
    old.close()


def test_a_reading_user_who_may_write_is_made_anew(stack: Installation) -> None:
    stack.reach()
    for item in admin(stack, "GET", "/private/legacy/authorizations")["authorizations"]:
        admin(stack, "DELETE", f"/private/legacy/authorizations/{item['id']}")
    (bucket,) = admin(stack, "GET", "/api/v2/buckets?name=enphase")["buckets"]
    org = bucket["orgID"]
    right = {"action": "write", "resource": {"type": "buckets", "id": bucket["id"], "orgID": org}}
    admin(stack, "POST", "/private/legacy/authorizations", orgID=org, token="grafana", permissions=[right])
    assert "other rights" in stack.run("--check").output
    stack.reach()
    stack.assert_right()


Foreign = Callable[[Installation], None]


def _with_another_token(stack: Installation) -> None:
    stack.put("ADMIN_TOKEN", "a-token-of-somebody-else")


def _with_another_organization(stack: Installation) -> None:
    stack.settings["INFLUXDB_ORG"] = "elsewhere"


@pytest.mark.parametrize(
    ("foreign", "sentence"),
    [
        (_with_another_token, "the administrator's token in the file is not one of this database"),
        (_with_another_organization, "has the organization 'home', not 'elsewhere'"),
    ],
)
def test_a_database_set_up_by_hand_is_refused_and_not_touched(
    stack: Installation, foreign: Foreign, sentence: str
) -> None:
    stack.reach()
    seen = {
        path: admin(stack, "GET", path)
        for path in ("/api/v2/orgs", "/api/v2/buckets", "/api/v2/authorizations", "/private/legacy/authorizations")
    }
    foreign(stack)
    done = stack.run()
    assert done.exit_code == 1
    assert sentence in str(done.exception)
    assert "Nothing was changed" in str(done.exception)
    for path, before in seen.items():
        assert admin(stack, "GET", path) == before


def test_what_is_not_said_is_asked_for(stack: Installation) -> None:
    for name in ("INFLUXDB_ADMIN_TOKEN_FILE", "INFLUXDB_TOKEN_FILE", "INFLUXDB_READER_PASSWORD_FILE"):
        held = stack.settings.pop(name)
        done = stack.run()
        assert getattr(done.exception, "exit_code", None) == 2
        assert name in str(done.exception)
        stack.settings[name] = held
    del stack.settings["INFLUXDB_ADMIN_PASSWORD_FILE"]
    assert "--admin-password-file" in str(stack.run().exception), "a fresh one needs it for its first user"


def test_a_database_that_is_down_is_said(stack: Installation) -> None:
    stack.settings["INFLUXDB_URL"] = "http://127.0.0.1:9"
    done = stack.run()
    assert "is it running" in str(done.exception)
