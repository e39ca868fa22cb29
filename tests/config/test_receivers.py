"""Who is told, as it may be written; what is wrong is said with its place and without a secret."""

from pathlib import Path
from typing import Any

import pytest

from ingest import config
from ingest.core.errors import ConfigError


def load(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "ingest.yaml"
    path.write_text(f"api: {{base_url: simulator}}\n{text}\n")
    return config.load(path, {})


def test_one_mapping_and_a_list_of_them_are_understood(tmp_path: Path) -> None:
    one = load(tmp_path, "notify: {to: ['ntfy://topic'], summary: monthly, quiet: '22:00-07:00'}").notify
    many = load(tmp_path, "notify: [{to: ['ntfy://topic']}, {to: ['json://host'], problems: false}]").notify
    assert [entry.summary for entry in one] == ["monthly"]
    assert [entry.problems for entry in many] == [True, False]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("notify: {to: []}", "notify.to", "is an empty list"),
        ("notify: {to: [secret-topic]}", "notify.to", "is not an address of a receiver"),
        ("notify: {to: ['ntfy://secret-topic', 'ntfy://secret-topic']}", "notify.to", "for the second time"),
        ("notify: {to: ['ntfy://secret-topic'], summary: weekly}", "notify.summary", "must be one of"),
        ("notify: {to: ['ntfy://secret-topic'], sumary: daily}", "notify.sumary", 'did you mean "summary"'),
        ("notify: {to: ['ntfy://secret-topic'], quiet: nights}", "notify.quiet", "22:00-07:00"),
        ("notify: [{to: ['ntfy://a']}, {to: ['json://b'], problems: perhaps}]", "problems", "must be true or false"),
        ("heartbeat: secret-topic", "heartbeat", "is not an address"),
        ("mqtt: {port: 1883}", "mqtt.host", "is missing"),
        ("mqtt: {host: broker, password: secret-topic}", "mqtt", "has a password but no username"),
        ("mqtt: {host: broker, port: 70000}", "mqtt.port", "65535"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, place: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert place in str(caught.value)
    assert words in str(caught.value)
    assert "secret-topic" not in str(caught.value)
