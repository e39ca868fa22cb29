"""What goes wrong on purpose, and how often."""

import json

import pytest
from click.testing import CliRunner

from ingest.cli import cli
from ingest.simulator import RATES, Caller, Cloud, faults_from
from tests.simulator.test_errors import World


def test_overload_is_html_with_any_status() -> None:
    world = World(html=1.0)
    answers = [world.get("/66") for _ in range(20)]
    assert {answer.status for answer in answers} == {200, 503}
    assert all(b"<html>" in answer.body for answer in answers)
    assert all("html" in answer.headers["Content-Type"] for answer in answers)


def test_faults_on_the_way_back() -> None:
    assert World(timeout=1.0).get("/66").hang
    assert World(cut_off=1.0).get("/66").cut
    assert World(slow=1.0, slow_by=3.0).get("/66").delay == 3.0
    assert "intervals" not in json.loads(World(wrong_shape=1.0).get("/66/rgm_stats").body)
    with pytest.raises(json.JSONDecodeError):
        json.loads(World(not_json=1.0).get("/66").body)


def test_a_rate_is_a_share_of_calls_and_repeats_with_the_seed() -> None:
    def statuses() -> list[int]:
        world = World(plan=(10**6, 10**6), error_5xx=0.3)
        return [world.get("/66").status for _ in range(300)]

    assert statuses() == statuses()
    assert 50 < sum(status >= 500 for status in statuses()) < 130


def test_names_of_faults_are_checked() -> None:
    assert faults_from({"html": 0.1}).html == 0.1
    with pytest.raises(ValueError, match=r"no fault is called 'htlm'; there are: .*html"):
        faults_from({"htlm": 0.1})
    with pytest.raises(ValueError, match="rate of html must be from 0 to 1"):
        faults_from({"html": 10})


REFUSALS = {"denied": 401, "not_shared": 403, "unknown_system": 404, "wrong_key": 401, "redirect": 302, "teapot": 418}


@pytest.mark.parametrize(("fault", "status"), [*REFUSALS.items(), ("not_implemented", 501), ("quotes_key", 500)])
def test_refusals_can_be_had_by_name(fault: str, status: int) -> None:
    answer = World(**{fault: 1.0}).get("/66/rgm_stats")  # type: ignore[arg-type]
    assert answer.status == status
    assert fault != "quotes_key" or b"key=" in answer.body


@pytest.mark.parametrize("fault", ["token_dead", "unknown_client", "token_unauthorized", "token_5xx"])
def test_refusals_of_the_token_endpoint_can_be_had_by_name(fault: str) -> None:
    answer = Caller(Cloud([], clock=lambda: 1e9, faults=faults_from({fault: 1.0}))).token(grant_type="refresh_token")
    words = {"token_dead": "invalid_grant", "unknown_client": "invalid_client", "token_unauthorized": "unauthorized"}
    assert json.loads(answer.body)["error"] == words.get(fault, "server_error")


def test_the_command_names_every_fault_and_what_it_does() -> None:
    said = CliRunner().invoke(cli, ["simulate", "--fault", "list"]).output
    lines = dict(line.split(maxsplit=1) for line in said.splitlines())
    assert set(lines) == set(RATES)
    assert all(len(about) > 5 for about in lines.values())
    wrong = CliRunner().invoke(cli, ["simulate", "--fault", "dripp"])
    assert wrong.exit_code == 2
    assert "drip" in wrong.output
