"""InfluxDB 1.8+, 2.x and 3 by the official client and /api/v2/write."""

import shlex
import time
from collections.abc import Callable
from typing import Any

from ingest.deliver.answers import SinkAnswer, Words
from ingest.deliver.connection import ANSWER_SECONDS, CONNECT_SECONDS, ca_file, parse_address, unreachable
from ingest.deliver.influx_http import InfluxHttp, identifier, retention_of
from ingest.deliver.line_sink import LineSink, Sleep

_NO_ORG = "-"
"""What stands for an organization where the server has none: the client asks for one."""


class InfluxSink(LineSink):
    """A bucket of InfluxDB; for 1.8+ `token` is `user:password` and the bucket is the database.

    `gzip` is on for servers on other machines: it shrinks a batch eightfold and halves the speed.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        org: str | None,
        bucket: str,
        *,
        gzip: bool | None = None,
        sleep: Sleep = time.sleep,
    ) -> None:
        super().__init__(sleep)
        address = parse_address(url)
        if not token and address.username:
            token = f"{address.username}:{address.password or ''}"
        self._token, self._org, self._bucket = (token or "").strip(), org or _NO_ORG, bucket
        self._words = Words(address.url, self._remedy, _secrets(self._token, address.password))
        self.fingerprint = f"{address.url} org={self._org} bucket={bucket}"
        self._http = InfluxHttp(address.url, token=self._token)
        self._connect(address.url, not address.local if gzip is None else gzip)

    def close(self) -> None:
        """Release the connections."""
        self._client.close()
        self._http.close()

    def _connect(self, url: str, gzip: bool) -> None:  # noqa: FBT001
        # Half a second and 20 MB: only for those who have such a sink.
        from influxdb_client import InfluxDBClient, PingService, WriteService  # noqa: PLC0415
        from influxdb_client.rest import ApiException  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        self._refusal, self._failure = ApiException, (HTTPError, OSError, ValueError)
        self._client = InfluxDBClient(
            url=url,
            token=self._token or None,
            org=self._org,
            timeout=(CONNECT_SECONDS * 1000, ANSWER_SECONDS * 1000),
            enable_gzip=gzip,
            ssl_ca_cert=ca_file(),
        )
        # The service under WriteApi: the same synchronous request, but it tells the status. WriteApi in its
        # batching mode loses lines without an exception, and ignores the precision of Point objects.
        self._writer = WriteService(self._client.api_client)
        self._pinger = PingService(self._client.api_client)

    def _post(self, body: bytes) -> SinkAnswer:
        def write() -> Any:
            return self._writer.post_write_with_http_info(
                self._org,
                self._bucket,
                body,
                precision="s",
                content_type="text/plain; charset=utf-8",
                _return_http_data_only=False,
            )

        return self._request(write)

    def _hello(self) -> SinkAnswer:
        return self._request(lambda: self._pinger.get_ping_with_http_info(_return_http_data_only=False))

    def _ask(self, statement: str) -> SinkAnswer:
        # A bucket of 1.8 may name a retention policy too: database/policy.
        return self._http.query(statement, self._bucket.partition("/")[0])

    def kept_from(self, now: int) -> int:
        """As of every sink. Of 2.x the bucket itself says it: `SHOW RETENTION POLICIES` answers `0s` there whatever the
        bucket keeps (seen of 2.9.1).
        """
        found = retention_of(self._retrying(self._list), self._bucket)
        return super().kept_from(now) if found is None else now - found if found else 0

    def _kept(self, version: str) -> int | None:
        if version.startswith("2."):
            return retention_of(self._retrying(self._list), self._bucket)
        return None if "/" in self._bucket else super()._kept(version)  # a policy that is named need not be the default

    def _list(self) -> SinkAnswer:
        return self._http.request("GET", "/api/v2/buckets", params={"org": self._org, "name": self._bucket})

    def _on(self) -> str:
        return f" ON {identifier(self._bucket.partition('/')[0])}"

    def _may_read(self) -> str:
        bucket, org = shlex.quote(self._bucket), shlex.quote(self._org)
        number = f'"$(influx bucket list --name {bucket} --org {org} --hide-headers | cut -f1)"'
        make = f"influx auth create --org {org} --write-bucket {number} --read-bucket {number}"
        return (
            f"the `token` of the sink may not read the bucket {self._bucket}. Make one that may write and read it with "
            f"`ingest setup-database`, or: {make}"
        )

    def _request(self, call: Callable[[], Any]) -> SinkAnswer:
        try:
            data, status, headers = call()
        except self._refusal as error:
            if not error.status:
                return unreachable(error)
            data, status, headers = error.body, error.status, error.headers or {}
        except self._failure as error:
            return unreachable(error)
        return SinkAnswer(status, data or "", headers.get("Retry-After"), headers.get("X-Influxdb-Version"))

    def _remedy(self, status: int, why: str) -> str:
        if status == 404:
            return self._missing(why)
        if status == 401:
            return "check the `token` of the sink (2.x: `influx auth list`; 1.8: user:password)"
        if status == 403:
            return f"the `token` of the sink may not write to the bucket {self._bucket}; make one that may"
        return "check the `url` of the sink"

    def _missing(self, why: str) -> str:
        org, bucket = shlex.quote(self._org), shlex.quote(self._bucket)
        if "database not found" in why:
            database = self._bucket.partition("/")[0].replace("\\", "\\\\").replace('"', '\\"')
            return f'make it: CREATE DATABASE "{database}"'
        if "organization" in why and self._org == _NO_ORG:
            return "InfluxDB 2 has organizations: write the name of yours as `org` of the sink"
        if "organization" in why:
            return f"check the `org` of the sink, or make it: influx org create --name {org}"
        if "bucket" in why:
            return f"make it with `ingest setup-database`, or: influx bucket create --name {bucket} --org {org}"
        return "it has no /api/v2/write; before InfluxDB 1.8 the `type` is influxdb_v1, else check the `url`"


def _secrets(token: str, password: str | None) -> tuple[str, ...]:
    # The token of 1.x is user:password, and the password alone is as secret.
    parts = (token, password or "", token.partition(":")[2])
    return tuple(part for part in parts if part)
