"""InfluxDB 1.x by its own /write: the 1.6 of Debian and Raspberry Pi OS has no other."""

import gzip as gzip_module
import json
import time

import requests

from ingest.deliver.answers import SinkAnswer, Words, reason
from ingest.deliver.line_sink import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    LineSink,
    Sleep,
    ca_file,
    parse_address,
    unreachable,
)

_NO_DATABASE = "database not found"


class InfluxV1Sink(LineSink):
    """A database of InfluxDB 1.x, created when it is missing and the user may create it.

    `gzip` is on for servers on other machines: it shrinks a batch eightfold and costs a fifth of the speed.
    """

    def __init__(
        self,
        url: str,
        database: str,
        username: str | None = None,
        password: str | None = None,
        retention_policy: str | None = None,
        *,
        gzip: bool | None = None,
        sleep: Sleep = time.sleep,
    ) -> None:
        super().__init__(sleep)
        address = parse_address(url)
        self._url, self._database, self._user = address.url, database, username or address.username
        secret = (password if username else password or address.password) or ""
        self._words = Words(address.url, self._remedy, (secret,) if secret else ())
        self._params = {"db": database, "precision": "s"} | ({"rp": retention_policy} if retention_policy else {})
        self._gzip = not address.local if gzip is None else gzip
        self.fingerprint = f"{address.url} database={database}" + (
            f" retention_policy={retention_policy}" if retention_policy else ""
        )
        self._session = _session(self._user, secret)

    def close(self) -> None:
        """Release the connections."""
        self._session.close()

    def _post(self, body: bytes) -> SinkAnswer:
        answer = self._write(body)
        if not _is_missing(answer):
            return answer
        why = self._create_database()
        return SinkAnswer(404, f"{reason(answer.body)} ({why})") if why else self._write(body)

    def _probe(self) -> SinkAnswer:
        answer = self._write(b"")
        return SinkAnswer(204) if _is_missing(answer) else answer  # a write creates it; asking must change nothing

    def _write(self, body: bytes) -> SinkAnswer:
        zipped = self._gzip and bool(body)
        return self._request(
            "POST",
            "/write",
            params=self._params,
            data=gzip_module.compress(body, 6) if zipped else body,
            headers={"Content-Encoding": "gzip"} if zipped else None,
        )

    def _hello(self) -> SinkAnswer:
        return self._request("GET", "/ping")

    def _create_database(self) -> str:
        """Why it could not be created, if so."""
        answer = self._request("POST", "/query", data={"q": self._statement()})
        if answer.status != 200:
            return reason(answer.body)
        try:
            result = json.loads(answer.body)["results"][0]
        except (ValueError, LookupError, TypeError):
            return "CREATE DATABASE was not understood"
        return str(result.get("error", ""))

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        data: bytes | dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> SinkAnswer:
        try:
            reply = self._session.request(
                method,
                self._url + path,
                params=params,
                data=data,
                headers=headers,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,  # it would carry data to a place that nobody configured
            )
        except (requests.RequestException, OSError, UnicodeError) as error:
            return unreachable(error)
        version = reply.headers.get("X-Influxdb-Version")
        return SinkAnswer(reply.status_code, reply.text, reply.headers.get("Retry-After"), version)

    def _statement(self) -> str:
        return f"CREATE DATABASE {_identifier(self._database)}"

    def _remedy(self, status: int, why: str) -> str:
        if "retention policy not found" in why:
            return f"make it on {_identifier(self._database)} with CREATE RETENTION POLICY"
        if status == 404 and _NO_DATABASE in why:
            return f"run as an administrator: {self._statement()}"
        if status == 401:
            return "check `username` and `password` of the sink"
        if status == 403:
            user = _identifier(self._user or "USER")
            return f"run as an administrator: GRANT ALL ON {_identifier(self._database)} TO {user}"
        return "check the `url` of the sink"


def _session(username: str | None, password: str) -> requests.Session:
    session = requests.Session()
    # The configuration alone decides: the environment's proxy is for the internet, and a ~/.netrc would
    # log in as somebody else unseen. influxdb-client reads neither. Its certificate authorities are wanted.
    session.trust_env = False
    session.verify = ca_file() or True
    if username:
        # As bytes: requests would encode text as Latin-1, the server reads UTF-8.
        session.auth = (username.encode(), password.encode())  # type: ignore[assignment]
    return session


def _is_missing(answer: SinkAnswer) -> bool:
    return answer.status == 404 and _NO_DATABASE in answer.body


def _identifier(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'"{escaped}"'
