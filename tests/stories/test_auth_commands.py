"""The commands of consent, each a process of its own, over real HTTP."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from ingest.auth.token_files import TokenFiles
from ingest.simulator import API_KEY, CLIENT_ID, CLIENT_SECRET, SimulatedServer
from ingest.simulator.users import PARTNER_PASSWORD, PARTNER_USER
from tests.consenting import (
    HURRIED,
    LONGEST_S,
    PROGRAM,
    configured,
    consent,
    decide,
    environment,
    ingest,
    link_in,
    serving,
    started,
)

SECRETS = (API_KEY, CLIENT_SECRET, PARTNER_PASSWORD, PARTNER_USER)


@pytest.fixture(name="server")
def _server() -> Iterator[SimulatedServer]:
    with serving() as server:
        yield server


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def read_link(process: "subprocess.Popen[str]") -> str:
    """The link that a command prints on stderr."""
    assert process.stderr
    for line in process.stderr:
        if "/authorize?" in line:
            return line.strip()
    raise AssertionError("no link was printed")


def tokens(folder: Path) -> TokenFiles:
    return TokenFiles(folder / "state" / "tokens")


# ── url and code ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["address", "code", "typed"])
def test_a_link_printed_here_is_answered_there(server: SimulatedServer, tmp_path: Path, form: str) -> None:
    config = configured(tmp_path, server)
    printed = ingest(config, "auth", "url")
    assert (printed.returncode, len(printed.stdout.split())) == (0, 1)
    back = decide(printed.stdout.strip())
    pasted = back if form != "code" else re.search(r"code=(\w+)", back)[1]  # type: ignore[index]
    words = ("auth", "code") if form == "typed" else ("auth", "code", "home", pasted)
    done = ingest(config, *words, given=pasted + "\n" if form == "typed" else None)
    assert done.returncode == 0, done.stderr
    assert "Account home is authorized." in done.stdout
    assert "(700001)" in done.stdout
    assert "The first poll is as soon as a runner starts: `ingest --config" in done.stdout
    assert "1 call" in done.stderr
    assert [call.path for call in server.cloud.calls] == ["/api/v4/systems"]
    status = json.loads(ingest(config, "status", "--json").stdout)
    assert status["quota"]["used_month"] == 2, "the exchange of the code, and the list"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("Ab3xYz", "a code works once, and for a few minutes only"),
        ("not a code", "there is no code in what was pasted"),
        ("https://x.example/?code=Ab3xYz&state=guessed", "is unknown or expired"),
        ("https://x.example/?error=access_denied", "the owner refused; nothing was changed"),
    ],
)
def test_what_cannot_be_used_is_told_with_the_next_step(
    server: SimulatedServer, tmp_path: Path, answer: str, words: str
) -> None:
    done = ingest(configured(tmp_path, server), "auth", "code", answer)
    assert done.returncode == 3
    assert words in done.stderr
    assert "`ingest --config" in done.stderr
    assert "auth login home`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_redirect_address_that_was_changed_in_between_is_told(server: SimulatedServer, tmp_path: Path) -> None:
    config = configured(tmp_path, server)
    back = decide(ingest(config, "auth", "url").stdout.strip())
    config = configured(tmp_path, server, api={"redirect_uri": "https://mine.example/back"})
    done = ingest(config, "auth", "code", back)
    assert done.returncode == 3
    assert "the redirect address does not match" in done.stderr
    assert "https://mine.example/back" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("auth", "url", "hoem"), 2, "no account is called 'hoem'; known: home, fleet"),
        (("auth", "url", "fleet"), 2, "account fleet logs in by its username and password"),
        (("auth", "login"), 2, "there are several accounts; name one of: home, fleet"),
    ],
)
def test_a_wrong_account_is_told(
    server: SimulatedServer, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    login = {"username": PARTNER_USER, "password": PARTNER_PASSWORD}
    done = ingest(configured(tmp_path, server, accounts={"home": {}, "fleet": login}), *words)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_a_wrong_client_secret_names_the_two_keys_to_compare(server: SimulatedServer, tmp_path: Path) -> None:
    config = configured(tmp_path, server, api={"client_secret": "mistyped-secret"})
    done = ingest(config, "auth", "code", decide(ingest(config, "auth", "url").stdout.strip()))
    assert done.returncode == 2
    assert "compare api.client_id and api.client_secret with the developer portal" in done.stderr
    assert "mistyped-secret" not in done.stderr


def test_v2_prints_the_page_that_shows_the_user_id(tmp_path: Path) -> None:
    path = tmp_path / "v2.yaml"
    path.write_text("api: {version: v2, key: some-key, client_id: '1409'}\naccounts: {old: {enlighten_id: 247}}\n")
    done = ingest(path, "auth", "url")
    assert done.stdout == "https://enlighten.enphaseenergy.com/app_user_auth/new?app_id=1409&redirect=\n"
    assert "user_id" in done.stderr
    assert ingest(path, "auth", "login").returncode == 2
    assert "never ends" in ingest(path, "auth", "status").stdout


# ── login ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_login_catches_the_browser_on_a_local_port(server: SimulatedServer, tmp_path: Path, decision: str) -> None:
    port = free_port()
    config = configured(tmp_path, server, api={"redirect_uri": f"http://localhost:{port}/oauth/callback"})
    process = started(config, "auth", "login")
    back = decide(read_link(process), decision)
    stray = requests.get(f"http://localhost:{port}/favicon.ico", timeout=10)
    wrong = requests.get(f"http://localhost:{port}/oauth/callback?code=Ab3xYz&state=guessed", timeout=10)
    page = requests.get(back, timeout=LONGEST_S)
    out, err = process.communicate(timeout=LONGEST_S)
    assert (stray.status_code, wrong.status_code) == (404, 400)
    if decision == "approve":
        assert (process.returncode, page.status_code) == (0, 200), err
        assert "Account home is authorized" in page.text
        assert "(700001)" in out
    else:
        assert (process.returncode, page.status_code) == (3, 400)
        assert "the owner refused" in page.text
        assert "the owner refused" in err
    assert (tokens(tmp_path).read("home") is not None) == (decision == "approve")


def test_login_gives_up_in_the_end_and_can_be_interrupted(server: SimulatedServer, tmp_path: Path) -> None:
    redirect = f"http://localhost:{free_port()}/back"
    config = configured(tmp_path, server, api={"redirect_uri": redirect})
    done = ingest(config, "auth", "login", "--wait", "1")
    assert done.returncode == 3
    assert "no answer came within 1 s" in done.stderr
    process = started(config, "auth", "login")
    read_link(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LONGEST_S)
    assert process.returncode == 130


def test_login_asks_for_the_code_where_the_cloud_shows_it(server: SimulatedServer, tmp_path: Path) -> None:
    process = started(configured(tmp_path, server), "auth", "login", "home")
    back = decide(read_link(process))
    out, err = process.communicate(back + "\n", timeout=LONGEST_S)
    assert process.returncode == 0, err
    assert "Account home is authorized." in out


def test_a_partner_logs_in_without_a_browser(server: SimulatedServer, tmp_path: Path) -> None:
    login = {"username": PARTNER_USER, "password": PARTNER_PASSWORD}
    config = configured(tmp_path, server, accounts={"fleet": login})
    done = ingest(config, "auth", "login")
    assert "Account fleet is authorized." in done.stdout, done.stderr
    login["password"] = "mistyped-password"
    config = configured(tmp_path, server, accounts={"fleet": login})
    done = ingest(config, "auth", "login")
    assert done.returncode == 3
    assert "correct accounts.fleet.username" in done.stderr


def test_logout_forgets_and_says_where_to_revoke(server: SimulatedServer, tmp_path: Path) -> None:
    config = configured(tmp_path, server)
    consent(server, tmp_path, "home", "owner")
    done = ingest(config, "auth", "logout")
    assert "are deleted" in done.stdout
    assert "Revoke access" in done.stdout
    assert tokens(tmp_path).read("home") is None
    assert "has no tokens here" in ingest(config, "auth", "logout").stdout
    rows = json.loads(ingest(config, "auth", "status", "--json").stdout)["accounts"]
    assert [(row["account"], row["state"]) for row in rows] == [("home", "missing")]


# ── init ──────────────────────────────────────────────────────────────────────────────────────────────


def typed(folder: Path, config: Path, server: SimulatedServer, lines: list[tuple[str, str]]) -> tuple[int, str]:
    """Type answers at a terminal, each when its question appears; returns exit code and everything on the screen."""
    command = [*PROGRAM, "--config", str(config), "init", "--base-url", server.url, "--no-browser"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(command[0], command, environment())  # noqa: S606
    screen, deadline = "", time.monotonic() + LONGEST_S
    answers = iter(lines)
    question, answer = next(answers)
    seen = 0
    with contextlib.suppress(OSError):  # the terminal closes with the program
        while time.monotonic() < deadline:
            data = os.read(terminal, 65536).decode("utf-8", "replace")
            screen += data
            if question and question in screen[seen:]:
                seen = len(screen)
                if answer == "PASTE":
                    answer = decide(link_in(screen))
                os.write(terminal, f"{answer}\n".encode())
                question, answer = next(answers, ("", ""))
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), screen


FIRST = [
    ("Plan", ""),
    ("API Key", API_KEY),
    ("Client ID", CLIENT_ID),
    ("Client Secret", CLIENT_SECRET),
    ("Database", "influxdb"),
    ("Address", ""),
    ("Organization", ""),
    ("Bucket", "solar"),
    ("Token", "influx-token-123"),
    ("Paste the code", "PASTE"),
]


def test_init_takes_a_new_user_to_the_plan_and_shows_no_secret(server: SimulatedServer, tmp_path: Path) -> None:
    config = tmp_path / "config" / "local.yaml"
    code, screen = typed(tmp_path, config, server, FIRST)
    assert code == 0, screen
    assert "(700001)" in screen
    assert screen.count("is ticked: system 700001") == 2
    assert "Start it: `ingest --config" in screen
    assert [secret for secret in (API_KEY, CLIENT_SECRET, "influx-token-123") if secret in screen] == []
    assert config.stat().st_mode & 0o777 == 0o600
    written = yaml.safe_load(config.read_text())
    assert written["api"]["key"] == API_KEY
    assert written["sinks"]["influx"]["bucket"] == "solar"
    assert tokens(tmp_path).read("home") is not None
    assert sorted(path.name for path in config.parent.iterdir()) == ["local.yaml"]

    code, screen = typed(tmp_path, config, server, [*[(words, "") for words, _ in FIRST[:4]], ("Database", "")])
    assert code == 0, screen
    assert screen.count("[kept]") == 2
    assert "is authorized already" in screen
    assert yaml.safe_load(config.read_text()) == written
    assert [secret for secret in (API_KEY, CLIENT_SECRET, "influx-token-123") if secret in screen] == []


def test_init_keeps_a_file_that_was_written_by_hand(server: SimulatedServer, tmp_path: Path) -> None:
    config = configured(tmp_path, server, systems=[{"id": 700001, "since": "30d"}])
    config.write_text("# mine, do not lose this\n" + config.read_text())
    before = config.read_text()
    consent(server, tmp_path, "home", "owner")
    done = ingest(config, "init", given="\n\n\nnone\n")
    assert done.returncode == 0, done.stderr
    kept = config.with_name("local.yaml.bak")
    assert f"is kept as {kept}" in done.stdout
    assert kept.read_text() == before
    assert kept.stat().st_mode & 0o777 == 0o600
    assert yaml.safe_load(config.read_text())["systems"][0]["since"] == "30d"
    assert "(700001)" in done.stdout or "700001" in done.stdout or "authorized already" in done.stdout


def test_init_without_an_answer_writes_nothing(server: SimulatedServer, tmp_path: Path) -> None:
    config = tmp_path / "config" / "local.yaml"
    done = ingest(config, "init", "--base-url", server.url, given="watt\n")
    assert done.returncode == 130
    assert not config.exists()


# ── run ───────────────────────────────────────────────────────────────────────────────────────────────


def test_run_without_credentials_stays_up_says_so_and_begins_when_they_are_there(
    server: SimulatedServer, tmp_path: Path
) -> None:
    config = configured(tmp_path, server, web={"listen": f"127.0.0.1:{free_port()}"})
    whole = config.read_text()
    config.write_text(yaml.safe_dump({**yaml.safe_load(whole), "api": {"base_url": server.url}}))
    process = started(config, "run", program=HURRIED)
    assert process.stderr
    try:
        line = next(line for line in process.stderr if "event=bad what=credentials" in line)
        assert "api.key, api.client_id, api.client_secret not filled in yet" in line
        assert "init`" in line
        url = re.search(r"page=(\S+)", line)[1]  # type: ignore[index]
        assert "init" in requests.get(url, timeout=10).text
        config.write_text(whole)
        url = next(found[1] for line in process.stderr if (found := re.search(r"Open (http\S+)", line)))
        line = next(line for line in process.stderr if "not authorized yet" in line)
        assert "auth login home`" in line
        assert (server.cloud.calls, server.cloud.token_calls) == ([], [])
        page = requests.get(f"{url}authorize/home", timeout=10)
        back = decide(re.search(r'href="([^"]+/oauth/authorize[^"]+)"', page.text)[1].replace("&amp;", "&"))  # type: ignore[index]
        state = re.search(r'name="state" value="([^"]+)"', page.text)[1]  # type: ignore[index]
        done = requests.post(f"{url}authorize/home", data={"answer": back, "state": state}, timeout=30)
        assert "Account home is authorized" in done.text
        assert "by the runner that is at work" in done.text
        next(line for line in process.stderr if "account home is authorized" in line)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0


# ── secrets ───────────────────────────────────────────────────────────────────────────────────────────


def test_no_secret_leaves_the_token_files_and_the_users_configuration(server: SimulatedServer, tmp_path: Path) -> None:
    login = {"username": PARTNER_USER, "password": PARTNER_PASSWORD}
    config = configured(
        tmp_path, server, accounts={"home": {}, "fleet": login}, web={"listen": f"127.0.0.1:{free_port()}"}
    )
    said: list[str] = []

    def keep(done: "subprocess.CompletedProcess[str]") -> "subprocess.CompletedProcess[str]":
        said.extend((done.stdout, done.stderr))
        return done

    back = decide(keep(ingest(config, "-v", "auth", "url", "home")).stdout.strip())
    code = re.search(r"code=(\w+)", back)[1]  # type: ignore[index]
    keep(ingest(config, "-v", "auth", "code", "home", back))
    keep(ingest(config, "-v", "auth", "login", "fleet"))
    keep(ingest(config, "-v", "auth", "code", "home", code))
    keep(ingest(config, "-v", "once", "--max-calls", "12"))
    process = started(config, "-v", "run", program=HURRIED)
    assert process.stderr
    for line in process.stderr:
        said.append(line)
        if (found := re.search(r"Open (http\S+)", line)) is not None:
            break
    assert found
    paths = ("", "healthz", "metrics", "api/status", "authorize/home", "authorize/fleet", f"oauth/callback?code={code}")
    said.extend(requests.get(found[1] + path, timeout=10).text for path in paths)
    refused = requests.post(f"{found[1]}authorize/home", data={"answer": code, "state": "x"}, timeout=10)
    said.append(refused.text)
    process.send_signal(signal.SIGTERM)
    said.extend(process.communicate(timeout=LONGEST_S))
    for words in (("status", "--json"), ("auth", "status", "--json"), ("check", "--json")):
        keep(ingest(config, "-v", *words))
    keep(ingest(config, "-v", "export", "--format", "csv"))
    keep(ingest(config, "-v", "backup", "-o", str(tmp_path / "copy.db")))
    config.write_text(config.read_text() + "nonsense: 1\n")
    keep(ingest(config, "-v", "check"))

    pairs = [kept for name in ("home", "fleet") if (kept := tokens(tmp_path).read(name)) is not None]
    assert len(pairs) == 2
    secrets = {*SECRETS, *(word for kept in pairs for word in (kept.current.access, kept.current.refresh))}
    text = "\n".join(said)
    assert len(text) > 20_000, "the run was verbose"
    assert [secret[:8] for secret in secrets if secret in text] == []
    places = [
        path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "tokens" and path != config
    ]
    assert tmp_path / "copy.db" in places
    for path in places:
        content = path.read_bytes()
        assert [secret[:8] for secret in secrets if secret.encode() in content] == [], path
