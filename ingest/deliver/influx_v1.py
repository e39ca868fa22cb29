"""InfluxDB 1.x by its own /write: the 1.6 of Debian and Raspberry Pi OS has no other."""

import gzip as gzip_module
import shlex
import time

from ingest.deliver.answers import SinkAnswer, Words, reason
from ingest.deliver.connection import parse_address
from ingest.deliver.influx_http import InfluxHttp, identifier, query_error
from ingest.deliver.line_sink import LineSink, Sleep

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
        self._database, self._user = database, username or address.username
        secret = (password if username else password or address.password) or ""
        self._words = Words(address.url, self._remedy, (secret,) if secret else ())
        self._params = {"db": database, "precision": "s"} | ({"rp": retention_policy} if retention_policy else {})
        self._gzip = not address.local if gzip is None else gzip
        self.fingerprint = f"{address.url} database={database}" + (
            f" retention_policy={retention_policy}" if retention_policy else ""
        )
        self._http = InfluxHttp(address.url, self._user, secret)

    def close(self) -> None:
        """Release the connections."""
        self._http.close()

    def _post(self, body: bytes) -> SinkAnswer:
        answer = self._write(body)
        if not _is_missing(answer):
            return answer
        why = query_error(self._http.query(self._statement()))
        return SinkAnswer(404, f"{reason(answer.body)} ({why})") if why else self._write(body)

    def _probe(self) -> SinkAnswer:
        answer = self._write(b"")
        return SinkAnswer(204) if _is_missing(answer) else answer  # a write creates it; asking must change nothing

    def _write(self, body: bytes) -> SinkAnswer:
        zipped = self._gzip and bool(body)
        return self._http.request(
            "POST",
            "/write",
            params=self._params,
            data=gzip_module.compress(body, 6) if zipped else body,
            headers={"Content-Encoding": "gzip"} if zipped else None,
        )

    def _hello(self) -> SinkAnswer:
        return self._http.request("GET", "/ping")

    def prove_reading(self) -> None:
        """Prove that what was stored may be read back; of a database that is not there yet, nothing was stored."""
        if not _is_missing(self._write(b"")):
            super().prove_reading()

    def _ask(self, statement: str) -> SinkAnswer:
        return self._http.query(statement, self._database)

    def _on(self) -> str:
        return f" ON {identifier(self._database)}"

    def _kept(self, version: str) -> int | None:
        return None if "rp" in self._params else super()._kept(version)  # it need not be the one that is read

    def _may_read(self) -> str:
        user, database = identifier(self._user or "USER"), identifier(self._database)
        return (
            f"the user of the sink may not read {self._database}, or it is not there. Run as an administrator: "
            f"GRANT ALL ON {database} TO {user}; on InfluxDB 2, `ingest setup-database`"
        )

    def _statement(self) -> str:
        return f"CREATE DATABASE {identifier(self._database)}"

    def _remedy(self, status: int, why: str) -> str:
        if "retention policy not found" in why:
            return f"make it on {identifier(self._database)} with CREATE RETENTION POLICY"
        if status == 404 and _NO_DATABASE in why:
            return f"run as an administrator: {self._statement()}"
        if "no dbrp mapping" in why:
            bucket = shlex.quote(self._database)
            return (
                f"this InfluxDB 2 has no bucket {self._database}: make it with `ingest setup-database`, "
                f"or: influx bucket create --name {bucket}"
            )
        if status == 401:
            return "check `username` and `password` of the sink"
        if status == 403:
            user = identifier(self._user or "USER")
            return f"run as an administrator: GRANT ALL ON {identifier(self._database)} TO {user}"
        return "check the `url` of the sink"


def _is_missing(answer: SinkAnswer) -> bool:
    return answer.status == 404 and _NO_DATABASE in answer.body
