"""The set-up of an InfluxDB 2: organization, bucket, retention, the reading user, the pipeline's token.

Facts about its API: https://docs.influxdata.com/influxdb/v2/api/ and, for the users of the 1.x interface, which are
called authorizations there, `influx v1 auth` of the same version. Tokens are kept as hashes since 2.9: a token is seen
once, when it is made.
"""

import json
from collections.abc import Generator, Mapping
from typing import Any

from ingest.core.errors import IngestError
from ingest.deliver.answers import SinkAnswer, Words
from ingest.deliver.influx_http import READING_PROOF, InfluxHttp, query_error
from ingest.deliver.setup import (
    SecretFile,
    SetupChange,
    SetupChanges,
    WantedDatabase,
    kept_words,
    refused,
    retention_change,
    shard_seconds,
)

ADMIN = "admin"
"""The first user, whose password is that of `admin_password`."""
_USERS_V1 = "/private/legacy/authorizations"

Document = dict[str, Any]
Permissions = set[tuple[str, str, str]]
Finding = Generator[SetupChange, None, str]
"""The id of what was looked for, after its changes; empty where a check leaves it missing."""


class SetupV2:
    """The set-up by an administrator's token. With `check` it changes nothing and says what it would."""

    def __init__(
        self, url: str, admin_token: str, wanted: WantedDatabase, secret: SecretFile, *, check: bool = False
    ) -> None:
        self._wanted, self._secret, self._check, self._admin_token = wanted, secret, check, admin_token
        self._http = InfluxHttp(url, token=admin_token)
        secrets = (admin_token, wanted.reader_password, wanted.admin_password)
        self._words = Words(url, self._remedy, tuple(text for text in secrets if text))

    def run(self) -> SetupChanges:
        """What differed, in sentences, each after it was repaired. Raises `IngestError` where a person is needed."""
        if self._ask("GET", "/api/v2/setup", "the question whether it is set up").get("allowed"):
            yield from self._first()
            if self._check:
                return
        org = yield from self._organization()
        bucket = (yield from self._bucket(org)) if org else ""
        if org and bucket:
            yield from self._reader(org, bucket)
            yield from self._administrator()
            yield from self._token(org, bucket)

    def close(self) -> None:
        """Release the connections."""
        self._http.close()

    # ── organization and bucket ───────────────────────────────────────────────────────────────────────

    def _first(self) -> SetupChanges:
        wanted = self._wanted
        if not wanted.admin_password:
            raise IngestError(
                f"the database at {self._http.url} is not set up yet, and no password was given for its first user "
                f"{ADMIN!r}: name a file that holds one with --admin-password-file"
            )
        if not self._check:
            first = {"username": ADMIN, "password": wanted.admin_password, "token": self._admin_token}
            place = {"org": wanted.org, "bucket": wanted.bucket, "retentionPeriodSeconds": wanted.retention}
            self._make("POST", "/api/v2/setup", first | place, "its first set-up", "already been completed")
        yield SetupChange(
            "it is not set up yet",
            f"set up: user {ADMIN}, organization {wanted.org}, bucket {wanted.bucket}, "
            f"which keeps points {kept_words(wanted.retention)}",
        )

    def _organization(self) -> Finding:
        name = self._wanted.org
        org = self._org_id(name)
        if org:
            return org
        others = [item["name"] for item in self._list("/api/v2/orgs", "orgs")]
        if others:
            raise IngestError(
                f"the database at {self._http.url} was set up by somebody else: it has the organization "
                f"{', '.join(map(repr, others))}, not {name!r}. Nothing was changed; name one that is there with --org "
                "or INFLUXDB_ORG"
            )
        if not self._check:
            self._make("POST", "/api/v2/orgs", {"name": name}, f"the making of organization {name}")
        yield SetupChange(f"organization {name} is missing", f"organization {name} made")
        return self._org_id(name)

    def _org_id(self, name: str) -> str:
        # The filters by name answer 404 where there is none.
        found = self._list("/api/v2/orgs", "orgs")
        return next((str(item["id"]) for item in found if item["name"] == name), "")

    def _bucket(self, org: str) -> Finding:
        wanted = self._wanted
        found = self._find_bucket(org)
        if found is None:
            body = {"orgID": org, "name": wanted.bucket, "retentionRules": _rules(wanted.retention)}
            if not self._check:
                self._make("POST", "/api/v2/buckets", body, f"the making of bucket {wanted.bucket}")
            made = f"bucket {wanted.bucket} made, which keeps points {kept_words(wanted.retention)}"
            yield SetupChange(f"bucket {wanted.bucket} is missing", made)
            found = self._find_bucket(org)
        if found is None:
            return ""
        rules = found.get("retentionRules") or [_rule(0)]
        change = retention_change(int(rules[0].get("everySeconds", 0)), wanted)
        if change:
            if not change.is_open and not self._check:
                rule = _rule(wanted.retention) | {"shardGroupDurationSeconds": shard_seconds(wanted.retention)}
                body = {"retentionRules": [rule]}
                self._make("PATCH", f"/api/v2/buckets/{found['id']}", body, "another retention")
            yield change
        return str(found["id"])

    def _find_bucket(self, org: str) -> Document | None:
        found = self._list("/api/v2/buckets", "buckets", orgID=org)
        return next((item for item in found if item["name"] == self._wanted.bucket), None)

    # ── who may do what ───────────────────────────────────────────────────────────────────────────────

    def _reader(self, org: str, bucket: str) -> SetupChanges:
        """The user by whom Grafana reads: its rights cannot be changed, so one with other rights is made anew."""
        name, password = self._wanted.reader, self._wanted.reader_password
        if not name:
            return
        rights = {("read", "buckets", bucket)}
        users = self._users(org)
        right = [user for user in users if _is_allowed(user, rights)]
        if right == users and right and self._reads(name, password):
            return
        if not self._check:
            for user in users:
                if user not in right:
                    self._make("DELETE", f"{_USERS_V1}/{user['id']}", None, f"the removal of user {name}")
            if not right:
                body = _authorization(org, rights, "Grafana, made by enphase-ingest") | {"token": name}
                self._make("POST", _USERS_V1, body, f"the making of user {name}")
            for user in self._users(org):
                path = f"{_USERS_V1}/{user['id']}/password"
                self._make("POST", path, {"password": password}, f"the password of user {name}")
        bucket = self._wanted.bucket
        found = f"user {name} is missing" if not users else f"user {name} has another password, or other rights"
        yield SetupChange(found, f"user {name} may read {bucket}, nothing else, with the password of its file")

    def _users(self, org: str) -> list[Document]:
        # Their list knows no pages, and calls the name of a user its token.
        found = self._ask("GET", _USERS_V1, "the list of users", {"orgID": org}).get("authorizations") or []
        return [item for item in found if item["token"] == self._wanted.reader]

    def _reads(self, name: str, password: str) -> bool:
        """Whether a user of the 1.x interface can read the bucket."""
        return self._proved(InfluxHttp(self._http.url, name, password))

    def _proved(self, http: InfluxHttp) -> bool:
        try:
            return not query_error(http.query(READING_PROOF, self._wanted.bucket))
        finally:
            http.close()

    def _administrator(self) -> SetupChanges:
        """Take over a changed password of the first user; a database of one's own may have no such user."""
        password = self._wanted.admin_password
        if not password or self._signs_in(password):
            return
        found = [item for item in self._list("/api/v2/users", "users") if item["name"] == ADMIN]
        for user in found:
            if not self._check:
                path = f"/api/v2/users/{user['id']}/password"
                self._make("POST", path, {"password": password}, f"the password of user {ADMIN}")
            yield SetupChange(f"user {ADMIN} has another password", f"user {ADMIN} has the password of its file now")

    def _signs_in(self, password: str) -> bool:
        http = InfluxHttp(self._http.url, ADMIN, password)
        try:
            return http.request("POST", "/api/v2/signin").status == 204
        finally:
            http.close()

    def _token(self, org: str, bucket: str) -> SetupChanges:
        """The pipeline's token: a new one is kept before those that it replaces are removed."""
        rights = {("read", "buckets", bucket), ("write", "buckets", bucket)}
        description = f"enphase-ingest {self._secret.mark()}"
        path, what = "/api/v2/authorizations", "the making of a token"
        held = [item for item in self._list(path, "authorizations", orgID=org) if item["description"] == description]
        if len(held) == 1 and _is_allowed(held[0], rights) and self._works(self._secret.read()):
            return
        if not self._check:
            made = self._make("POST", path, _authorization(org, rights, description), what)
            self._secret.write(str(made["token"]))
            for item in held:
                self._make("DELETE", f"{path}/{item['id']}", None, "the removal of a token")
        found = f"the token of the pipeline is missing, or is not one for {self._wanted.bucket} alone"
        yield SetupChange(
            found, f"token of the pipeline made: it may write and read {self._wanted.bucket}, nothing else"
        )

    def _works(self, token: str) -> bool:
        if not token:
            return False
        http = InfluxHttp(self._http.url, token=token)
        params = {"org": self._wanted.org, "bucket": self._wanted.bucket, "precision": "s"}
        # A write of nothing is authorized like any other, and refused as empty then.
        writes = http.request("POST", "/api/v2/write", params=params, data=b"").status in (204, 400)
        return self._proved(http) and writes

    # ── requests ──────────────────────────────────────────────────────────────────────────────────────

    def _list(self, path: str, key: str, **params: str) -> list[Document]:
        """Everything of a kind, page by page where there are pages."""
        found: list[Document] = []
        while True:
            page = self._ask("GET", path, f"the list of {key}", {**params, "limit": "100", "offset": str(len(found))})
            items = [item for item in page.get(key) or [] if item not in found]
            found += items
            if len(items) < 100:
                return found

    def _ask(self, method: str, path: str, what: str, params: Mapping[str, str] | None = None) -> Document:
        return self._read(self._http.request(method, path, params=params), what)

    def _make(self, method: str, path: str, body: Document | None, what: str, done: str = "already exists") -> Document:
        """Change something. That it is there already is what another run of the same has done meanwhile."""
        answer = self._http.request(method, path, document=body)
        if answer.status in (409, 422) and done in answer.body:
            return {}
        if method == "DELETE" and answer.status == 404:
            return {}
        return self._read(answer, what)

    def _read(self, answer: SinkAnswer, what: str) -> Document:
        if answer.status not in (200, 201, 204):
            raise refused(self._http, self._words, answer, what)
        try:
            document = json.loads(answer.body or "{}")
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise refused(self._http, self._words, SinkAnswer(answer.status, "(no JSON)"), what)
        return document

    @staticmethod
    def _remedy(status: int, _: str) -> str:
        if status == 401:
            return (
                "the administrator's token in the file is not one of this database, or may not do that. Nothing was "
                "changed; put the token of an administrator into the file"
            )
        if status == 403:
            return "the administrator's token in the file may not do that; put one of an operator into the file"
        if status in (400, 422):
            return "what it names must be changed"
        return "is it an InfluxDB 2, and is that its address?"


def _rule(seconds: int) -> Document:
    return {"type": "expire", "everySeconds": seconds}


def _rules(seconds: int) -> list[Document]:
    return [_rule(seconds)] if seconds else []


def _authorization(org: str, rights: Permissions, description: str) -> Document:
    permissions = [
        {"action": action, "resource": {"type": kind, "id": number, "orgID": org}}
        for action, kind, number in sorted(rights)
    ]
    return {"orgID": org, "description": description, "permissions": permissions}


def _is_allowed(item: Document, rights: Permissions) -> bool:
    """Whether an authorization is at work and has these rights, no more and no less."""
    has = {
        (permission["action"], permission["resource"]["type"], permission["resource"].get("id", ""))
        for permission in item["permissions"]
    }
    return bool(item["status"] == "active") and has == rights
