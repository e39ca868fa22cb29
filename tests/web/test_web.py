"""The page over WSGI: who may open it, what it shows, and that nothing sent to it does harm."""

import contextlib
import copy
import random
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Blueprint
from prometheus_client.parser import text_string_to_metric_families

from ingest.config import load
from ingest.report import Report, build_report
from ingest.service.identity import open_store
from ingest.simulator import API_KEY, CLIENT_SECRET
from ingest.store import progress
from ingest.web import Server, Source, create_app
from tests.web.seen import Seen
from tests.world import DAY, START, World
from tests.worlds import SITE

ALLOWED = {200, 301, 302, 308, 400, 404, 405, 413, 414, 421, 431}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    made = Seen(tmp_path_factory.mktemp("page"), web={"listen": "127.0.0.1:0", "hosts": ["solar.example"]})
    yield made
    made.world.end()


def test_the_page_says_that_all_is_well_and_escapes_names(seen: Seen) -> None:
    text = seen.client().get("/").get_data(as_text=True)
    assert "All is well." in text
    assert "Sunny &lt;b&gt;House&lt;/b&gt;" in text
    assert "Sunny <b>" not in text


def test_the_page_is_readable_without_a_script(seen: Seen) -> None:
    text = seen.client().get("/").get_data(as_text=True)
    bare = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    for words in ("Power", "Produced", "Calls this month", "final up to", "Databases", "renewed by itself"):
        assert words in bare
    assert bare.count("<title>") > 80, "each day of the calendar says why"


def test_every_date_is_one_that_a_browser_writes_in_its_own_way(seen: Seen) -> None:
    """Also that on which the calls would run out: no month stands outside of `<time>` but above a calendar."""
    made = seen.source.report()
    ends = replace(made.quota, runs_out_at=made.now + DAY, left=5)
    told = copy.copy(seen.source)
    told._made = 1e18, replace(made, quota=ends)
    text = create_app(told).test_client().get("/").get_data(as_text=True)
    assert re.search(r"would run out</dt><dd><time datetime=\"2026-07-0\d\">", text)
    bare = re.sub(r"<script.*?</script>|<time.*?</time>|<svg.*?</svg>|<[^>]+>", "", text, flags=re.DOTALL)
    assert re.findall(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b|\d{4}-\d\d", bare) == []


def test_energy_of_today_on_the_page_is_that_of_the_archive(seen: Seen) -> None:
    made = seen.client().get("/api/status").get_json()["systems"][0]
    now = int(seen.world.time.true)
    midnight = now - (now + 2 * 3600) % DAY  # Europe/Berlin in July
    rows = {at: row for at, row in seen.world.rows("energy", SITE.system_id).items() if midnight <= at < now}
    assert made["today_wh"] == pytest.approx(sum(row.get("produced_wh", 0.0) for row in rows.values()))
    newest = max(seen.world.rows("production_rgm", SITE.system_id).items())
    assert made["power_w"] == newest[1]["power_w"]
    assert made["age_s"] == now - newest[0] - 900 or made["age_s"] < now - newest[0]


def test_the_curve_is_the_archive(seen: Seen) -> None:
    drawn = seen.client().get(f"/api/curve?system={SITE.system_id}&days=2").get_json()
    rows = seen.world.rows("energy", SITE.system_id)
    for index, (made, used) in enumerate(zip(drawn["produced_w"], drawn["consumed_w"], strict=True)):
        row = rows.get(drawn["start"] + index * drawn["step"], {})
        assert made == (round(row["produced_wh"] * 4) if "produced_wh" in row else None)
        assert used == (round(row["consumed_wh"] * 4) if "consumed_wh" in row else None)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8080", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("192.168.1.7", 200),
        ("pi.local:80", 200),
        ("solar.example", 200),
        ("SOLAR.example:99", 200),
        ("evil.example", 421),
        ("solar.example.evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil.example:127.0.0.1", 421),
        ("a b", 421),
        ("<script>", 421),
        ("", 421),
    ],
)
def test_only_our_own_names_open_the_page(seen: Seen, host: str, status: int) -> None:
    for path in ("/", "/metrics", "/api/status", "/healthz", "/static/page.js"):
        reply = seen.client().get(path, environ_overrides={"HTTP_HOST": host})
        assert reply.status_code == status, (path, host)
        if status == 421:
            assert "web.hosts" in reply.get_data(as_text=True)
            assert reply.mimetype == "text/plain"


def test_every_answer_has_safe_headers_and_no_page_asks_anything_outside(seen: Seen) -> None:
    client = seen.client()
    for path in ("/", "/systems", "/nowhere", "/api/status", "/static/page.css"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    for path in ("/", "/systems", "/static/page.css", "/static/page.js", "/static/vendor/uPlot.min.css"):
        text = client.get(path).get_data(as_text=True)
        assert not re.search(r"""(?:src|href|action|url|fetch|import)\s*[=(]\s*["'`]?(?:https?:)?//""", text), path
        assert "style=" not in text, path


def test_the_first_load_is_small(seen: Seen) -> None:
    client = seen.client()
    page = client.get("/", headers={"Accept-Encoding": "gzip"})
    assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get("/").get_data(as_text=True))
    loaded = [page, *(client.get(path, headers={"Accept-Encoding": "gzip"}) for path in assets)]
    assert len(assets) >= 4
    assert sum(len(reply.data) for reply in loaded) < 100_000


def test_healthz_is_about_the_loop_only(seen: Seen) -> None:
    try:
        assert seen.client().get("/healthz").status_code == 200
        seen.beat = int(seen.world.time.true) - 91
        assert seen.client().get("/healthz").status_code == 503
    finally:
        seen.beat = int(seen.world.time.true)


def test_metrics_are_read_by_the_clients_own_parser_and_follow_its_conventions(seen: Seen) -> None:
    reply = seen.client().get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(reply.get_data(as_text=True))}
    assert reply.content_type.startswith("text/plain; version=")
    for name, family in families.items():
        assert re.fullmatch(r"ingest_[a-z][a-z_]*[a-z]", name)
        assert family.documentation, name
        assert all(at.name.endswith("_total") == (family.type == "counter") for at in family.samples), name
        assert not re.search(r"_(?:ms|minutes|hours|days|wh|kwh|kb|mb|percent)(?:_|$)", name), "base units"
    (energy,) = families["ingest_system_energy_today_joules"].samples
    made = seen.client().get("/api/status").get_json()
    assert energy.value == pytest.approx(made["systems"][0]["today_wh"] * 3600)
    assert families["ingest_calls_used"].samples[0].value == made["quota"]["used_month"]
    assert families["ingest_problems"].samples[0].value == 0


def test_every_metric_is_documented(seen: Seen) -> None:
    text = seen.client().get("/metrics").get_data(as_text=True)
    documented = Path("docs/metrics.md").read_text()
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert {name for name in names if f"`{name}`" not in documented} == set()


def dump(world: World) -> list[str]:
    return list(world.store.db.iterdump())


def test_no_request_makes_it_fail_tell_a_secret_or_change_anything(seen: Seen) -> None:
    rng = random.Random(7)
    client = seen.client()
    before = dump(seen.world)
    tokens = (seen.world.settings.state_dir / "tokens" / "home.json").read_text()
    secrets = [API_KEY, CLIENT_SECRET, *re.findall(r'"(?:access|refresh)": "([^"]+)"', tokens)]
    assert len(secrets) >= 4
    rules = [str(rule) for rule in seen.app.url_map.iter_rules()]
    paths = [re.sub(r"<[^>]+>", "home", rule) for rule in rules] + ["/static/../web.py", "/static/%2e%2e/%2e%2e/setup"]
    bits = [
        "%00",
        "%ff%fe",
        "é",
        "<script>",
        "' OR 1=1 --",
        "../..",
        "9" * 400,
        "-1",
        "",
        "state=forged",
        "1e9",
        "\u202e",
    ]
    for _ in range(600):
        path = rng.choice(paths) + rng.choice(["", "", "/", "//", rng.choice(bits)])
        names = ["system", "days", "day", "range", "weeks", "q", "sort", "page", "code", "state"]
        query = "&".join(f"{rng.choice(names)}={rng.choice(bits)}" for _ in range(rng.randrange(4)))
        method = rng.choice(["GET", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
        headers = {"Host": rng.choice(["localhost", "localhost", "evil.example", "[::", "x" * 300])}
        headers |= {"Accept-Encoding": rng.choice(["gzip", "br;q=x", "*"]), "X-Forwarded-Host": "evil.example"}
        body = rng.choice([b"", b"\x00\xff" * 50, b"a=" + b"x" * 100_000, b"{" * 1000])
        kind = rng.choice(["application/json", "multipart/form-data; boundary=", "text/plain; charset=nope", ""])
        reply = client.open(path, method=method, query_string=query, headers=headers, data=body, content_type=kind)
        text = reply.get_data()
        assert reply.status_code in ALLOWED, (method, path, query, reply.status_code)
        assert b"Traceback" not in text
        assert b"<script>" not in text.replace(b'<script type="application/json"', b"")
        assert not any(secret.encode() in text for secret in secrets), (method, path)
    assert dump(seen.world) == before
    assert (seen.world.settings.state_dir / "tokens" / "home.json").read_text() == tokens


RAW = (
    b"\x00\x01\x02\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
)


def test_raw_nonsense_over_a_socket_is_refused_politely(seen: Seen) -> None:
    server = Server(create_app(seen.source), "127.0.0.1", 0).start()
    try:
        for raw in RAW:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
                try:
                    line.sendall(raw)
                    line.shutdown(socket.SHUT_WR)
                    answer = line.recv(65536)
                except OSError:  # refused before all of it was sent
                    continue
                assert not answer or re.match(rb"HTTP/1\.[01] (?:[34]\d\d)", answer), answer[:200]
                assert b"Traceback" not in answer
    finally:
        server.stop()


def test_many_systems_are_searched_and_paged(tmp_path: Path) -> None:
    seen = Seen(tmp_path, web={"listen": "127.0.0.1:0"})
    with seen.world.store.transaction() as db:
        row = progress.system(db, str(SITE.system_id))
        assert row is not None
        for number in range(120):
            progress.save_system(db, replace(row, system=str(9000 + number), name=f"House {number}"))
    client = seen.client()
    seen.source._made = None
    assert "Find among 121 systems" in client.get("/").get_data(as_text=True)
    assert f"/?system={SITE.system_id}" not in client.get("/").get_data(as_text=True)
    assert f"/?system={SITE.system_id}" in client.get("/systems?page=3").get_data(as_text=True), "the best is last"
    text = client.get("/systems?q=house+119").get_data(as_text=True)
    assert "/?system=9119" in text
    assert "1 system" in text
    assert "page 3 of 3" in client.get("/systems?page=3").get_data(as_text=True)
    by_name = client.get("/systems?sort=-name").get_data(as_text=True)
    assert 'aria-sort="descending"' in by_name
    nonsense = client.get("/systems?sort=nonsense").get_data(as_text=True)
    assert "the worst first" in nonsense
    assert "sort=nonsense" not in nonsense
    assert by_name.index("House 99<") < by_name.index("House 98<")
    assert "sort=-name&amp;page=2" in by_name, "the next page goes on in this order"
    assert "sort=name&amp;page=1" in by_name, "another click turns it round"
    assert client.get("/?system=9119").status_code == 200
    assert client.get("/?system=nobody").status_code == 404
    seen.world.end()


def test_a_page_that_is_read_does_not_hold_up_the_owner(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that takes long leaves the owner free to commit."""
    begun, release = threading.Event(), threading.Event()

    def slow(*given: Any, **more: Any) -> Report:
        made = build_report(*given, **more)
        begun.set()
        release.wait(30)
        return made

    monkeypatch.setattr("ingest.web.source.build_report", slow)
    seen.source._made = None
    page = threading.Thread(target=lambda: seen.client().get("/"))
    page.start()
    try:
        assert begun.wait(30)
        seen.world.store.db.execute("PRAGMA busy_timeout = 0")
        with seen.world.store.transaction() as owner:
            owner.execute("INSERT OR REPLACE INTO meta VALUES ('probe', '1')")
        assert not release.is_set()
    finally:
        release.set()
        page.join()
    with seen.world.store.transaction() as owner:
        owner.execute("DELETE FROM meta WHERE key = 'probe'")


def test_an_account_that_needs_a_person_has_a_button_where_consent_is_served(tmp_path: Path) -> None:
    seen = Seen(tmp_path, web={"listen": "127.0.0.1:0"})
    seen.world.authorizer().files.forget("home")
    assert "/authorize/home" not in seen.client().get("/").get_data(as_text=True)
    seen.source._made = None
    with_consent = create_app(seen.source, [Blueprint("consent", "consent")]).test_client()
    text = with_consent.get("/").get_data(as_text=True)
    assert '<a class="button" href="/authorize/home">' in text
    assert "<code>/opt/ingest auth login home</code>" in text
    seen.world.end()


def test_a_state_without_systems_says_the_next_step(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"api: {{}}\nstate_dir: {tmp_path / 'state'}\n")
    settings = load(path, {})
    store = open_store(settings, None)
    client = create_app(Source(settings, store, lambda: START, lambda: START)).test_client()
    text = client.get("/").get_data(as_text=True)
    assert "<code>ingest init</code>" in text
    assert "not filled in yet" in text
    assert client.get("/metrics").status_code == client.get("/api/status").status_code == 200
    store.close()


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\na"]
)
def test_a_thousand_slow_connections_silence_nobody(seen: Seen, begun: bytes) -> None:
    server = Server(create_app(seen.source), "127.0.0.1", 0).start()
    lines: list[socket.socket] = []
    try:
        for _ in range(10):
            for _ in range(100):
                lines.append(socket.create_connection(("127.0.0.1", server.port), timeout=30))
                with contextlib.suppress(OSError):
                    lines[-1].sendall(begun)
            assert requests.get(f"{server.url}healthz", timeout=30).text.startswith("ok")
    finally:
        for line in lines:
            line.close()
        server.stop()
