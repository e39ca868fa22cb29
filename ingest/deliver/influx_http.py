"""Requests to one InfluxDB of any version by plain HTTP, and what its InfluxQL answers."""

import json
from collections.abc import Mapping
from typing import Any

import requests

from ingest.core.errors import SinkDown
from ingest.deliver.answers import SinkAnswer, Words, down, reason
from ingest.deliver.connection import ANSWER_SECONDS, CONNECT_SECONDS, ca_file, unreachable

InfluxRows = list[dict[str, Any]]

_DURATIONS = {"s": 1, "m": 60, "h": 3600}

READING_PROOF = "SHOW FIELD KEYS LIMIT 1"
"""A question that fails without the right to read: to others, InfluxDB 2.9 answers as if nothing were there."""


class InfluxHttp:
    """One server as one user: by name and password, by a token, or by neither. Answers are values."""

    def __init__(self, url: str, username: str | None = None, password: str = "", token: str = "") -> None:
        self.url = url
        self._session = requests.Session()
        # The configuration alone decides: the environment's proxy is for the internet, and a ~/.netrc would
        # log in as somebody else unseen. influxdb-client reads neither. Its certificate authorities are wanted.
        self._session.trust_env = False
        self._session.verify = ca_file() or True
        if token:
            self._session.headers["Authorization"] = f"Token {token}"
        elif username:
            # As bytes: requests would encode text as Latin-1, the server reads UTF-8.
            self._session.auth = (username.encode(), password.encode())  # type: ignore[assignment]

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | Mapping[str, str] | None = None,
        document: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> SinkAnswer:
        """What one request came to; `document` is sent as JSON. Never raises."""
        try:
            reply = self._session.request(
                method,
                self.url + path,
                params=params,
                data=data,
                json=document,
                headers=headers,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,  # it would carry data to a place that nobody configured
            )
        except (requests.RequestException, OSError, UnicodeError) as error:
            return unreachable(error)
        version = reply.headers.get("X-Influxdb-Version")
        return SinkAnswer(reply.status_code, reply.text, reply.headers.get("Retry-After"), version)

    def query(self, statement: str, database: str = "") -> SinkAnswer:
        """What an InfluxQL statement came to; times are in seconds."""
        params = {"epoch": "s"} | ({"db": database} if database else {})
        return self.request("POST", "/query", params=params, data={"q": statement})

    def close(self) -> None:
        """Release the connections."""
        self._session.close()


def query_error(answer: SinkAnswer) -> str:
    """Why a statement failed, empty when it did not: InfluxQL answers 200 to most of what fails."""
    if answer.status != 200:
        return reason(answer.body) or f"status {answer.status}"
    results = _results(answer)
    if results is None:
        return "the answer was not understood"
    return next((str(result["error"]) for result in results if "error" in result), "")


def query_series(answer: SinkAnswer, words: Words) -> list[dict[str, Any]]:
    """The series of an answer as the server gives them. Raises `SinkDown` when the statement failed."""
    if answer.status != 200:
        raise SinkDown(down(answer, words))
    why = query_error(answer)
    if why:
        raise SinkDown(words.hide(f"the database at {words.address} cannot answer: {why}"))
    return [series for result in _results(answer) or [] for series in result.get("series", ())]


def series_rows(series: Mapping[str, Any]) -> InfluxRows:
    """The rows of a series, without what is null."""
    named = [zip(series["columns"], values, strict=False) for values in series.get("values", ())]
    return [{name: value for name, value in pairs if value is not None} for pairs in named]


def retention_of(answer: SinkAnswer, bucket: str) -> int | None:
    """Seconds that a bucket of a list of `/api/v2/buckets` keeps points, 0 for ever; None where it is not said."""
    try:
        listed = json.loads(answer.body)["buckets"] if answer.status == 200 else []
        rules = next(found["retentionRules"] for found in listed if found["name"] == bucket)
        return int(sum(rule["everySeconds"] for rule in rules[:1]))
    except (ValueError, LookupError, TypeError, StopIteration):
        return None


def duration_seconds(duration: str) -> int:
    """Seconds of a duration as the server writes it, such as `24h0m0s`; `0s` is for ever."""
    total, number = 0, ""
    for letter in duration:
        if letter.isdigit():
            number += letter
        else:
            total, number = total + int(number) * _DURATIONS[letter], ""
    return total


def identifier(name: str) -> str:
    """A name as InfluxQL writes it."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'"{escaped}"'


def literal(text: str) -> str:
    """A text as InfluxQL writes it."""
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("'", "\\'")
    return f"'{escaped}'"


def _results(answer: SinkAnswer) -> list[dict[str, Any]] | None:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return None
    # InfluxDB 2 answers {} to a DELETE and to nothing else.
    results = document.get("results", [] if document == {} else None) if isinstance(document, dict) else None
    return results if isinstance(results, list) and all(isinstance(item, dict) for item in results) else None
