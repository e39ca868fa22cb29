"""A strict stand-in for InfluxDB 2.x that answers as the real one does, and keeps the points it accepts.

It reads line protocol by itself: a misunderstanding of the format must not be able to hide on both sides.
"""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

from tests.servers.web import Asked, Reply, Web

Fields = dict[str, float | str]
Row = tuple[str, tuple[tuple[str, str], ...], Fields, int]

_NAME = r"(?:[^,= \n]|(?<=\\)[,= ])+"
_STRING = r'"(?:\\.|[^"\\])*"'
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_FIELD = rf"{_NAME}=(?:{_STRING}|{_NUMBER})"
_LINE = re.compile(rf"({_NAME})((?:,{_NAME}={_NAME})*) ({_FIELD}(?:,{_FIELD})*) (-?\d+)(?:\n|$)", re.DOTALL)
_TAG = re.compile(rf"({_NAME})=({_NAME})")
_FIELD_PAIR = re.compile(rf"({_NAME})=({_STRING}|{_NUMBER})", re.DOTALL)


class StrictV2(Web):
    """One organization, one token; `buckets` maps a name to its retention in seconds (None: for ever).

    `weather` is answered first, one by one; `modern` chooses the wording of 2.7.12 and later.
    """

    def __init__(self, token: str, org: str = "home", *, modern: bool = True, body_limit: int = 25_000_000):
        super().__init__()
        self._token, self._org, self._modern, self._limit = token, org, modern, body_limit
        self.buckets: dict[str, int | None] = {}
        self.weather: list[Reply] = []
        self._points: dict[tuple[str, str, tuple[tuple[str, str], ...], int], Fields] = {}
        self._kinds: dict[tuple[str, str, str], str] = {}

    def answer(self, asked: Asked) -> Reply:
        if self.weather:
            return self.weather.pop(0)
        if asked.path in ("/ping", "/health"):
            return Reply(204, headers=(("X-Influxdb-Version", "v2.9.1"), ("X-Influxdb-Build", "OSS")))
        asks = {("POST", "/api/v2/write"): self.write, ("GET", "/api/v2/buckets"): self.listed}
        if (asked.method, asked.path) not in asks:
            return error_reply(404, "not found", "path not found")
        if asked.headers.get("Authorization") != f"Token {self._token}":
            return error_reply(401, "unauthorized", "unauthorized access")
        return asks[asked.method, asked.path](asked)

    def listed(self, asked: Asked) -> Reply:
        """The buckets of a name and what they keep."""
        if asked.params.get("org") != self._org:
            return error_reply(404, "not found", f'organization name "{asked.params.get("org")}" not found')
        found = [
            {"name": name, "retentionRules": [{"type": "expire", "everySeconds": keeps or 0}]}
            for name, keeps in self.buckets.items()
            if name == asked.params.get("name", name)
        ]
        return Reply(200, json.dumps({"buckets": found}).encode(), (("Content-Type", "application/json"),))

    def write(self, asked: Asked) -> Reply:
        """What a write of somebody who may comes to."""
        return self._refuse(asked) or self._write(asked.params["bucket"], asked.body)

    def forget(self) -> None:
        """Lose every point."""
        self._points.clear()
        self._kinds.clear()

    def rows(self, bucket: str, measurement: str) -> list[dict[str, Any]]:
        """What is stored, in order of time."""
        found: list[dict[str, Any]] = [
            {"time": when, **dict(tags), **fields}
            for (place, name, tags, when), fields in self._points.items()
            if (place, name) == (bucket, measurement)
        ]
        return sorted(found, key=lambda row: int(row["time"]))

    def _refuse(self, asked: Asked) -> Reply | None:
        if asked.params.get("precision") != "s":
            return error_reply(400, "invalid", "invalid precision; valid precision units are ns, us, ms, and s")
        if asked.params.get("org") != self._org:
            return error_reply(404, "not found", f'organization name "{asked.params.get("org")}" not found')
        if asked.params.get("bucket") not in self.buckets:
            return error_reply(404, "not found", f'bucket "{asked.params.get("bucket")}" not found')
        if len(asked.body) > self._limit:
            return error_reply(413, "request too large", "unable to read data: points batch is too large")
        return None

    def _write(self, bucket: str, body: bytes) -> Reply:
        if not body:
            return error_reply(400, "invalid", "writing requires points")
        try:
            rows = list(_parse(body.decode()))
        except ValueError as error:
            return error_reply(400, "invalid", str(error))
        clash, old = "", 0
        for row in rows:
            trouble = self._store(bucket, row)
            old += trouble == "old"
            clash = trouble if trouble not in ("", "old") else clash
        why = clash or (self._retention(old) if old else "")
        if not why:
            return Reply(204, headers=(("X-Influxdb-Version", "v2.9.1"),))
        where = " for database: 9f282d63c7d3a5c0 for retention policy: autogen" if self._modern else ""
        return error_reply(
            422, "unprocessable entity", f"failure writing points to database: partial write: {why}{where}"
        )

    def _store(self, bucket: str, row: Row) -> str:
        name, tags, fields, when = row
        keeps = self.buckets[bucket]
        if keeps is not None and when < time.time() - keeps:
            return "old"
        for field, value in fields.items():
            known = self._kinds.setdefault((bucket, name, field), _kind(value))
            if known != _kind(value):
                return (
                    f'field type conflict: input field "{field}" on measurement "{name}" is type '
                    f"{_kind(value)}, already exists as type {known} dropped=1"
                )
        self._points.setdefault((bucket, name, tags, when), {}).update(fields)
        return ""

    def _retention(self, old: int) -> str:
        if not self._modern:
            return f"points beyond retention policy dropped={old}"
        bound = "at 1970-01-01T00:00:01Z dropped because it violates a Retention Policy Lower Bound at 2026-11-19"
        return (
            f"dropped {old} points outside retention policy of duration 24h0m0s - oldest point m {bound}, "
            f"newest point m {bound} dropped={old}"
        )


def _kind(value: float | str) -> str:
    return "string" if isinstance(value, str) else "float"


def error_reply(status: int, code: str, message: str) -> Reply:
    body = json.dumps({"code": code, "message": message}, separators=(",", ":")).encode()
    headers = (("Content-Type", "application/json; charset=utf-8"), ("X-Platform-Error-Code", code))
    return Reply(status, body, headers)


def _parse(text: str) -> Iterator[Row]:
    position = 0
    while position < len(text):
        line = _LINE.match(text, position)
        if not line:
            bad = text[position:].split("\n", maxsplit=1)[0]
            raise ValueError(f"unable to parse '{bad}': missing fields")
        position = line.end()
        tags = tuple(sorted((_plain(key), _plain(value)) for key, value in _TAG.findall(line[2])))
        fields = {_plain(key): _value(value) for key, value in _FIELD_PAIR.findall(line[3])}
        yield _plain(line[1]), tags, fields, int(line[4])


def _value(text: str) -> float | str:
    if text.startswith('"'):
        return text[1:-1].replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")
    return float(text)


def _plain(name: str) -> str:
    return name.replace("\\,", ",").replace("\\=", "=").replace("\\ ", " ")
