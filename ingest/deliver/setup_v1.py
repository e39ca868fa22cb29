"""The set-up of an InfluxDB 1.x: database, retention, the pipeline's user and the reading one.

Facts about users and rights: https://docs.influxdata.com/influxdb/v1/administration/authentication_and_authorization/
"""

import secrets

from ingest.deliver.answers import Words
from ingest.deliver.influx_http import (
    InfluxHttp,
    InfluxRows,
    duration_seconds,
    identifier,
    literal,
    query_error,
    query_series,
    series_rows,
)
from ingest.deliver.setup import (
    WRITER,
    SecretFile,
    SetupChange,
    SetupChanges,
    WantedDatabase,
    kept_words,
    refused,
    retention_change,
    shard_seconds,
)


class SetupV1:
    """The set-up by an administrator, or without any where the server asks for no login.

    With `check` it changes nothing and says what it would.
    """

    def __init__(
        self,
        url: str,
        admin: tuple[str, str] | None,
        wanted: WantedDatabase,
        secret: SecretFile,
        *,
        check: bool = False,
    ) -> None:
        self._wanted, self._secret, self._check = wanted, secret, check
        name, password = admin or (None, "")
        self._http = InfluxHttp(url, name, password)
        hidden = (password, wanted.reader_password, secret.read())
        self._words = Words(url, self._remedy, tuple(text for text in hidden if text))

    def run(self) -> SetupChanges:
        """What differed, in sentences, each after it was repaired. Raises `IngestError` where a person is needed."""
        yield from self._database()
        password = self._secret.read()
        if not password:
            password = secrets.token_hex(24)
            if not self._check:
                self._secret.write(password)
        yield from self._user(WRITER, password, "ALL PRIVILEGES")
        if self._wanted.reader:
            yield from self._user(self._wanted.reader, self._wanted.reader_password, "READ")

    def close(self) -> None:
        """Release the connections."""
        self._http.close()

    def _database(self) -> SetupChanges:
        wanted, name = self._wanted, identifier(self._wanted.bucket)
        if wanted.bucket not in {row["name"] for row in self._rows("SHOW DATABASES")}:
            duration = f" WITH DURATION {wanted.retention}s" if wanted.retention else ""
            self._do(f"CREATE DATABASE {name}{duration}")
            made = f"database {wanted.bucket} made, which keeps points {kept_words(wanted.retention)}"
            yield SetupChange(f"database {wanted.bucket} is missing", made)
            return
        policies = self._rows(f"SHOW RETENTION POLICIES ON {name}")
        default = next((row for row in policies if row.get("default")), None)
        change = retention_change(duration_seconds(default["duration"]), wanted) if default else None
        if default and change:
            if not change.is_open:
                duration = f"{wanted.retention}s" if wanted.retention else "INF"
                shard = f"SHARD DURATION {shard_seconds(wanted.retention)}s"
                self._do(f"ALTER RETENTION POLICY {identifier(default['name'])} ON {name} DURATION {duration} {shard}")
            yield change

    def _user(self, name: str, password: str, right: str) -> SetupChanges:
        database, user = self._wanted.bucket, identifier(name)
        may = "read" if right == "READ" else "write and read"
        if name not in {row["user"] for row in self._rows("SHOW USERS")}:
            self._do(f"CREATE USER {user} WITH PASSWORD {literal(password)}")
            self._do(f"GRANT {right} ON {identifier(database)} TO {user}")
            yield SetupChange(f"user {name} is missing", f"user {name} made, who may {may} {database}")
            return
        if not self._signs_in(name, password):
            self._do(f"SET PASSWORD FOR {user} = {literal(password)}")
            yield SetupChange(f"user {name} has another password", f"user {name} has the password of its file now")
        held = {row["database"]: row["privilege"] for row in self._rows(f"SHOW GRANTS FOR {user}")}
        if held.get(database) != right:
            # A grant takes the place of the one before.
            self._do(f"GRANT {right} ON {identifier(database)} TO {user}")
            yield SetupChange(f"user {name} may not {may} {database} alone", f"user {name} may {may} {database}")

    def _signs_in(self, name: str, password: str) -> bool:
        http = InfluxHttp(self._http.url, name, password)
        try:
            return http.query("SHOW DATABASES").status != 401
        finally:
            http.close()

    def _rows(self, statement: str) -> InfluxRows:
        answer = self._http.query(statement)
        if answer.status != 200:
            raise refused(self._http, self._words, answer, statement.split(" ON ", maxsplit=1)[0])
        return [row for series in query_series(answer, self._words) for row in series_rows(series)]

    def _do(self, statement: str) -> None:
        """Run a statement, but in a check. Its text may hold a password and is shown nowhere."""
        if self._check:
            return
        answer = self._http.query(statement)
        if query_error(answer):
            told = answer._replace(body=query_error(answer))
            raise refused(self._http, self._words, told, statement.split(' "', maxsplit=1)[0])

    @staticmethod
    def _remedy(status: int, why: str) -> str:
        if status in (401, 403) or "admin" in why:
            return "name an administrator with --admin-user, and a file with the password with --admin-password-file"
        return "is it an InfluxDB 1.x, and is that its address?"
