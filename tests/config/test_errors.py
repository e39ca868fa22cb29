"""What is wrong with a configuration is one ConfigError: file, line, key and remedy, and no secret."""

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest import config
from ingest.core.errors import ConfigError
from ingest.enphase import catalogue

SECRET = "hunter2hunter2"
FULL = f"""\
api:
  version: v4
  base_url: https://api.enphaseenergy.com
  key: {SECRET}
  client_id: {SECRET}
  client_secret: {SECRET}
  redirect_uri: http://localhost:8080/oauth/callback
  plan:
    per_minute: 10
    per_month: 1000
  reserve: 10%
  backfill_share: 20%
accounts:
  home: {{}}
  fleet:
    username: someone
    password: {SECRET}
systems:
  - id: 1234567
    account: home
    streams: [stats, rgm_stats]
    since: 2025-01-01
    until: 2026-06-30
    latitude: 40.7
    longitude: -74.0
streams:
  stats: {{every: 15m}}
  rgm_stats: {{every: 15m}}
  consumption:
    every: 15m
  production_meter_readings: {{every: 1d}}
  energy_lifetime: {{every: 1d}}
  consumption_lifetime: {{every: 1d}}
sinks:
  influx:
    type: influxdb
    url: http://influxdb:8086
    token: {SECRET}
    org: home
    bucket: enphase
  old:
    type: influxdb_v1
    url: http://pi:8086
    database: enphase
    username: someone
    password: {SECRET}
settle: 6h
look_again: 4d
state_dir: state
web:
  listen: 127.0.0.1:8080
  hosts: []
"""
OPEN = {"home", "fleet", "influx", "old"}
KEYS = [
    (match.start(1), match[1])
    for match in re.finditer(r"(?:^ *(?:- )?|\{)([a-z_]+):(?= |$)", FULL, re.MULTILINE)
    if match[1] not in OPEN
]
WORDS = sorted({key for _, key in KEYS})
LONG = bool(os.environ.get("INGEST_LONG"))
SHORT = 4
"""With one letter wrong, a word of four (host, port) may be another."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "ingest.yaml"


def complaint(file: Path, content: str | bytes, environ: dict[str, str] | None = None) -> str | None:
    """Return what is wrong; anything but a ConfigError goes through."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        config.load(file, environ or {})
    except ConfigError as error:
        return str(error)
    return None


@st.composite
def typos(draw: st.DrawFn) -> tuple[int, str, str]:
    start, key = draw(st.sampled_from(KEYS))
    at = draw(st.integers(0, len(key) - 1))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz_"))
    swapped = key[:at] + key[at + 1 : at + 2] + key[at] + key[at + 2 :]
    changed = [
        key[:at] + letter + key[at + 1 :],
        key[:at] + letter + key[at:],
        key[:at] + key[at + 1 :],
        swapped,
    ]
    return (
        start,
        key,
        draw(st.sampled_from([typo for typo in changed if typo and typo != key] or [key + letter])),
    )


def test_the_full_example_is_right(file: Path) -> None:
    assert complaint(file, FULL) is None


@settings(max_examples=300 if LONG else 100, deadline=None)
@given(typos())
def test_any_typo_in_a_key_names_the_line_and_the_right_key(file: Path, typo: tuple[int, str, str]) -> None:
    start, key, wrong = typo
    said = complaint(file, FULL[:start] + wrong + FULL[start + len(key) :])
    assert said is not None
    line = FULL.count("\n", 0, start) + 1
    if key == "type":
        line -= 1  # the sink as a whole is not understood
    lines = [text for text in said.splitlines() if text.startswith(f"{file}:{line}: ")]
    assert any(wrong in text and f'"{key}"' in text for text in lines) or (
        lines and (wrong in WORDS or len(key) <= SHORT)
    ), said
    assert SECRET not in said


def slips(word: str) -> Iterator[str]:
    for at, letter in itertools.product(range(len(word)), "abcdefghijklmnopqrstuvwxyz_"):
        yield word[:at] + letter + word[at + 1 :]
        yield word[:at] + letter + word[at:]
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
        yield word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]


def is_twin(word: str, other: str) -> bool:
    """Whether two words differ in so few letters that one slip may mean either, as `import` and `export`."""
    return len(word) == len(other) and sum(a != b for a, b in zip(word, other, strict=True)) <= 2


def test_the_nearest_word_is_the_one_that_was_meant() -> None:
    models = [config.json_schema(), *config.json_schema()["$defs"].values()]
    for words in [list(model["properties"]) for model in models] + [list(catalogue.CADENCES), list(config.PLANS)]:
        for word in words if LONG else words[::4]:
            if len(word) > SHORT:
                twins = {other for other in words if is_twin(word, other)}
                assert all(config.nearest(wrong, words) in twins for wrong in slips(word) if wrong not in words)
    assert config.nearest("xyz", ["url", "org"]) is None


YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates().map(str) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=200 if LONG else 70, deadline=None)
@given(st.sampled_from(KEYS), YAML)
def test_any_value_is_accepted_or_explained(file: Path, key: tuple[int, str], value: object) -> None:
    start = FULL.index(":", key[0]) + 1
    rest = FULL[FULL.index("\n", start) :]
    said = complaint(file, f"{FULL[:start]} {config_text(value)}{rest}")
    assert said is None or said.startswith(f"{file}:")


def config_text(value: object) -> str:
    import json  # noqa: PLC0415

    return json.dumps(value, allow_nan=True)


@settings(max_examples=200 if LONG else 70, deadline=None)
@given(st.text() | st.binary() | st.text("{}[]:-,&*!|>'\"%@`$\n\t ab#~?<").map(str))
@example("{" * 3000)
@example("- " * 3000)
@example("a: &a [*a]")
@example("? [1]\n: 2")
@example("a: !!python/object/apply:os.system [ls]")
def test_any_garbage_is_a_sentence(file: Path, garbage: str | bytes) -> None:
    said = complaint(file, garbage)
    assert said is None or said.startswith(f"{file}:")


@settings(max_examples=100 if LONG else 50, deadline=None)
@given(st.text("${}:-file/NAME_ .\\'", max_size=20))
def test_any_variable_is_filled_or_explained(file: Path, text: str) -> None:
    said = complaint(file, f"state_dir: {config_text('x' + text)}", {"A": "1", "NAME": "2", "M_FILE": "/dev/null"})
    assert said is None or said.startswith(f"{file}:1: state_dir: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("api: {}\nsinks: {}\napi: {}", r":3: api: is there twice \(first in line 1\)"),
        ("api:\n\tversion: v4", ":2: there is a tab where YAML wants spaces"),
        ("- 1", ":1: must be `key: value` lines"),
        ("just text", ":1: must be `key: value` lines"),
        (b"api:\n  key: \xff", ":2: is not UTF-8 text"),
        ("api: [", ":1: is not YAML"),
        ("api: v: w", ":1: there is a `: ` too many"),
        ("api: {}\n---\napi: {}", ":2: there is a second document"),
        (f"api: {{key: *{SECRET}}}", r":1: a value begins with \*"),
        ("api: !secret x", ":1: api: YAML tags"),
        ("api: &a {}\nweb:\n  <<: *a", ":3: web: merging by << is not supported"),
        ("x: &a [*a]", ":1: is nested too deeply"),
        (
            "sinks: {a: {type: influx}}",
            'one of influxdb, influxdb_v1, parquet .it is "influx".; did you mean "influxdb"',
        ),
        ("sinks: {a: {url: x}}", "sinks.a: type is missing; write influxdb, influxdb_v1 or parquet"),
        (f"sinks: {{a: {SECRET}}}\naccounts: {SECRET}", "sinks.a: must be a mapping"),
        (
            "sinks: {a: {type: influxdb_v1, url: 'http://x', database: d, password: pppp}}",
            "sinks.a: has a password but",
        ),
        ("homes: {ranch: [1]}", "homes.ranch: must list two systems or more; a single one needs no home"),
        ("homes: {ranch: []}", "homes.ranch: must list two systems or more"),
        ("homes: {ranch: 1}", "homes.ranch: must be a list"),
        ("homes: {ranch: [1, x]}", r"homes.ranch\[1\]: must be a whole number"),
        ("homes: {1234567: [1, 2]}", "homes.1234567: is a number, like that of a system; give the home a name"),
        ("homes: {My Ranch: [1, 2]}", "homes.My Ranch: is not usable as a name"),
        ("homes: {a: [1, 2, 1]}", r"homes.a\[2\]: 1 is there twice; see homes.a\[0\]"),
        ("homes: {a: [1, 2], b: [2, 3]}", r"homes.b\[0\]: 2 is there twice; see homes.a\[1\]: a system is part of one"),
        (
            "systems: [{id: 1}, {id: 2}]\nhomes: {a: [1, 3]}",
            r":2: homes.a\[1\]: 3 is none of the systems; add it there",
        ),
        (
            "homes: {a: [1, 2]}\ntariffs: [{from: 2026-01-01, currency: EUR, import: 1, systems: [b]}]",
            r"tariffs\[0\].systems: b is none of the systems or homes",
        ),
        ("homes: {a: [1, 2]}\ninvested: {b: 3}", "invested.b: is none of the systems or homes"),
        ("sinks: {a: 5}", "sinks.a: must be a mapping"),
        ("sinks: {A: {type: influxdb_v1, url: 'http://x', database: d}}", "sinks.A: is not usable as a name"),
        ("accounts: {a/b: {}}", "accounts.a/b: is not usable as a name"),
        ("accounts: {}", "accounts: is empty"),
        ("accounts: {a: {username: x}}", "accounts.a: needs both username and password"),
        ("accounts: {a: {username: x, password: yyyy, user_id: zzzz}}", "accounts.a: must have one of"),
        ("accounts: {a: {user_id: xxxx}}", "accounts.a: .* are for api.version v2"),
        ("api: {version: v2}", "accounts.home: needs user_id or enlighten_id"),
        ("api: {version: v3}", 'api.version: must be one of v4, v2, v1 .it is "v3".; did you mean "v4"'),
        ("api: {base_url: simulater}", "api.base_url: is neither an address"),
        (f"api: {{base_url: 'https://u:{SECRET}@x'}}", "api.base_url: must not hold a user"),
        ("api: {base_url: 'https://x/?key=1'}", r"api.base_url: must have nothing after \?"),
        ("api: {base_url: ftp://x}", "api.base_url: is not an address"),
        ("api: {reserve: 10}", r"api.reserve: is not a share; write it like 10% or 0.1 .it is \"10\""),
        ("api: {reserve: 100%}", "api.reserve: leaves no call"),
        ("api: {plan: kilowat}", 'did you mean "kilowatt"'),
        ("api: {plan: {per_minute: 0, per_month: 5}}", "api.plan.per_minute: should be greater"),
        ("api: {plan: {name: partner, per_minute: 1, per_month: 5}}", "api.plan.name: unknown key"),
        (f"api: {{key: '{SECRET}\\u00e9é'}}", "api.key: holds a character that cannot be sent"),
        ("settle: 6 hours", "settle: is not a duration"),
        ("settle: 6", "settle: has no unit; write 6s, 6m, 6h or 6d"),
        ("look_again: '4'", "look_again: has no unit; write 4s, 4m, 4h or 4d"),
        ("streams: {stats: {every: 900}}", "streams.stats.every: has no unit; write 900s"),
        ("archive: {keep: soon}", "archive.keep: must be all, or how long, such as 2y or 500d"),
        ("archive: {keep: 364d}", "archive.keep: must not be shorter than a year"),
        ("archive: {keep: 2100y}", "archive.keep: is longer than a hundred years; write all"),
        ("archive: {keep: 2y}", "archive.keep: needs a database among the sinks"),
        ("archive: {kep: 2y}", 'archive.kep: unknown key; did you mean "keep"'),
        ("settle: 9d", "look_again: must not be shorter than settle"),
        ("systems: []", "systems: is an empty list"),
        ("systems: some", 'systems: must be all .it is "some"'),
        ("systems: [{id: 1}, {id: 1}]", r"systems\[1\].id: is there twice; see systems\[0\]"),
        (
            "systems: [{id: 1, account: hme}]",
            r'systems\[0\].account: is none of the accounts; did you mean "home"',
        ),
        (
            "accounts: {a: {}, b: {}}\nsystems: [{id: 1}]",
            r":2: systems\[0\]: account is missing; one of a, b",
        ),
        ("systems: [{id: 1, streams: [stat]}]", 'did you mean "stats"'),
        ("systems: [{id: 1, streams: [stats, stats]}]", r"systems\[0\]\.streams: must name each stream once"),
        ("systems: [{id: 1, since: 2025-01-01, until: 2024-01-01}]", "until must not be before since"),
        ("systems: [{id: 1, latitude: .nan}]", "latitude: must be a number"),
        ("streams: {stat: {every: 1h}}", 'streams.stat: unknown key; did you mean "stats"'),
        ("streams: {stats: {every: 1m}}", "streams.stats.every: must be at least 5m"),
        ("web: {listen: '8080'}", "web.listen: is not an address and port"),
        ("web: {hosts: ['http://x']}", r"web.hosts\[0\]: is not a host name"),
        ("state_dir: ~nobody-at-all/x", "state_dir: the home folder"),
        ("state_dir: ${A", ":1: state_dir: a .{ is not closed"),
        ("state_dir: ${A B}", ":1: state_dir: what stands between"),
        ("state_dir: ${file:none}", ":1: state_dir: the file none cannot be read"),
    ],
)
def test_what_is_said(file: Path, content: str | bytes, said: str) -> None:
    text = complaint(file, content)
    assert text is not None
    assert re.search(said, text), text
    assert SECRET not in text


def test_all_errors_are_said_at_once_in_order(file: Path) -> None:
    said = complaint(file, "api: {reserve: x}\nsettle: y\nwebb: z\nstate_dir: ${NONE}\n")
    assert said is not None
    assert [line.split(":")[1] for line in said.splitlines()] == ["1", "2", "3", "4"]


def test_a_misspelled_required_key_is_said_once(file: Path) -> None:
    said = complaint(file, "systems: [{ids: 5}]")
    assert said == f'{file}:1: systems[0].ids: unknown key; did you mean "id"?'


def test_thousands_of_errors_are_cut(file: Path) -> None:
    said = complaint(file, "".join(f"k{n}: 1\n" for n in range(2000)))
    assert said is not None
    assert said.splitlines()[-1] == f"{file}: and 1950 more"


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        config.load(tmp_path, {})
    with pytest.raises(ConfigError, match="there is no such file"):
        config.load(tmp_path / "x.yaml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load("a\0b", {})


def secret_places() -> Iterator[str]:
    for match in re.finditer(SECRET, FULL):
        yield from (FULL[: match.start()] + bad + FULL[match.end() :] for bad in (f"[{SECRET}]", f"{{a: {SECRET}}}"))
        yield FULL[: match.start()] + f'"{SECRET}\\n{SECRET}"' + FULL[match.end() :]


def test_no_error_about_a_secret_shows_it(file: Path) -> None:
    for text in secret_places():
        said = complaint(file, text)
        assert said is not None
        assert SECRET not in said


def test_nothing_that_came_from_a_variable_is_shown(file: Path) -> None:
    names = [key for key in WORDS if key not in ("api", "accounts", "streams", "sinks", "plan")]
    for key in names:
        text = re.sub(rf"^( *(?:- )?{key}): .+$", r"\1: ${V}", FULL, flags=re.MULTILINE)
        assert SECRET not in (complaint(file, text, {"V": f"~{SECRET}~"}) or "")
