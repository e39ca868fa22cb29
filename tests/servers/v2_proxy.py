"""Gives InfluxDB 1.6 the /api/v2/write of 1.8: checks the token, then passes the lines on to /write."""

from urllib.parse import parse_qsl

import requests

from tests.influxd import Influxd
from tests.servers.web import Asked, Reply, Web


class V2Proxy(Web):
    """`/api/v2/write?bucket=b` becomes `/write?db=b`; the answer is the server's own, word for word."""

    def __init__(self, server: Influxd, token: str) -> None:
        super().__init__()
        self._behind, self._token = server, token

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/ping":
            return self._pass("GET", "/ping", {}, b"")
        if asked.path == "/query":
            return self._pass("POST", "/query", asked.params | dict(parse_qsl(asked.body.decode())), b"")
        if asked.path != "/api/v2/write":
            return Reply(404, b"404 page not found\n")
        if asked.headers.get("Authorization") != f"Token {self._token}":
            return Reply(401, b'{"code":"unauthorized","message":"authorization failed"}')
        assert asked.params["org"]
        target = {"db": asked.params["bucket"], "precision": asked.params["precision"]}
        return self._pass("POST", "/write", target, asked.body)

    def _pass(self, method: str, path: str, params: dict[str, str], body: bytes) -> Reply:
        try:
            reply = requests.request(
                method,
                self._behind.url + path,
                params=params,
                data=body,
                auth=self._behind.admin,
                timeout=30,
            )
        except requests.ConnectionError:
            return Reply(502, b"bad gateway")
        kept = ("X-Influxdb-Version", "Content-Type")
        headers = tuple((name, reply.headers[name]) for name in kept if name in reply.headers)
        return Reply(reply.status_code, reply.content, headers)
