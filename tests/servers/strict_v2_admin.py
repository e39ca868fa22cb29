"""The strict stand-in for InfluxDB 2 with what an administrator asks of it: set-up, organizations, buckets, rights.

Bodies and statuses are those that the real 2.9.1 answers. Tokens are shown once, when they are made.
"""

import base64
import json
from itertools import count
from typing import Any

from tests.servers.strict_v2 import StrictV2, error_reply
from tests.servers.web import Asked, Reply

Item = dict[str, Any]
_USERS_V1 = "/private/legacy/authorizations"
_LISTS = {"/api/v2/orgs": "orgs", "/api/v2/buckets": "buckets", "/api/v2/users": "users"}
_LISTS |= {"/api/v2/authorizations": "authorizations", _USERS_V1: "authorizations"}


class StrictV2Admin(StrictV2):
    """Empty and not set up at first, as after the first start of the real one; `wipe` makes it so again."""

    def __init__(self) -> None:
        super().__init__("")
        self._numbers = count(0xA0)
        self.wipe()

    def wipe(self) -> None:
        """Lose the volume."""
        self.items: dict[str, list[Item]] = {path: [] for path in _LISTS}
        self.passwords: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.buckets.clear()
        self.forget()

    def answer(self, asked: Asked) -> Reply:
        if self.weather or asked.path in ("/ping", "/health"):
            return super().answer(asked)
        if asked.path == "/api/v2/setup":
            return self._setup(asked)
        if asked.path == "/api/v2/signin":
            name, password = _basic(asked)
            users = [item for item in self.items["/api/v2/users"] if item["name"] == name]
            right = users and self.passwords.get(users[0]["id"]) == password
            return Reply(204) if right else error_reply(401, "unauthorized", "unauthorized access")
        if asked.path in ("/query", "/write", "/api/v2/write"):
            return self._data(asked)
        return self._administer(asked)

    def rights_of(self, token: str) -> set[tuple[str, str]]:
        """(action, name of the bucket) of a token, or of a 1.x user's name; `("all", "")` of the administrator."""
        number = self.tokens.get(token)
        for path in ("/api/v2/authorizations", _USERS_V1):
            for item in self.items[path]:
                if item["id"] == number or (path == _USERS_V1 and item["token"] == token):
                    return {(at["action"], self._name(at["resource"].get("id"))) for at in item["permissions"]}
        return set()

    def _name(self, number: str | None) -> str:
        return next((item["name"] for item in self.items["/api/v2/buckets"] if item["id"] == number), "")

    # ── set-up ────────────────────────────────────────────────────────────────────────────────────────

    def _setup(self, asked: Asked) -> Reply:
        allowed = not self.items["/api/v2/users"] and not self.items["/api/v2/orgs"]
        if asked.method == "GET":
            return _json(200, {"allowed": allowed})
        if not allowed:
            return error_reply(422, "unprocessable entity", "onboarding has already been completed")
        wanted = json.loads(asked.body)
        if len(wanted["password"]) < 8:
            return _too_short()
        user = self._add("/api/v2/users", {"name": wanted["username"]})
        self.passwords[user["id"]] = wanted["password"]
        org = self._add("/api/v2/orgs", {"name": wanted["org"]})
        self._add_bucket({"orgID": org["id"], "name": wanted["bucket"]}, wanted["retentionPeriodSeconds"])
        rights = [{"action": "all", "resource": {"type": "instance"}}]
        body = {"orgID": org["id"], "description": f"{wanted['username']}'s Token", "permissions": rights}
        item = self._add("/api/v2/authorizations", {"status": "active", **body})
        self.tokens[wanted["token"]] = item["id"]
        return _json(201, {"org": org, "user": user})

    def _add(self, path: str, item: Item) -> Item:
        made = {"id": f"{next(self._numbers):016x}", **item}
        self.items[path].append(made)
        return made

    def _add_bucket(self, body: Item, seconds: int) -> Item:
        self.buckets[body["name"]] = seconds or None
        return self._add("/api/v2/buckets", {**body, "retentionRules": _rules(seconds)})

    # ── administration ────────────────────────────────────────────────────────────────────────────────

    def _administer(self, asked: Asked) -> Reply:
        token = asked.headers.get("Authorization", "").removeprefix("Token ")
        if not any(action == "all" for action, _ in self.rights_of(token)):
            return error_reply(401, "unauthorized", "unauthorized access")
        if asked.path in _LISTS and asked.method == "GET":
            return self._list(asked)
        if asked.path in _LISTS:
            return self._create(asked.path, json.loads(asked.body))
        path, _, number = asked.path.removesuffix("/password").rpartition("/")
        item = next((item for item in self.items.get(path, ()) if item["id"] == number), None)
        return self._change(asked, path, item) if item else error_reply(404, "not found", "not found")

    def _change(self, asked: Asked, path: str, item: Item) -> Reply:
        if asked.path.endswith("/password"):
            password = json.loads(asked.body)["password"]
            if len(password) < 8:
                return _too_short()
            self.passwords[item["id"]] = password
            return Reply(204)
        if asked.method == "DELETE":
            self.items[path].remove(item)
            return Reply(204)
        body = json.loads(asked.body)
        (rule,) = body["retentionRules"]
        rule.setdefault("shardGroupDurationSeconds", item["retentionRules"][0]["shardGroupDurationSeconds"])
        if 0 < rule["everySeconds"] < rule["shardGroupDurationSeconds"]:
            why = "shard-group duration must also be updated to be smaller than new retention duration"
            return error_reply(422, "unprocessable entity", why)
        item |= body
        self.buckets[item["name"]] = item["retentionRules"][0]["everySeconds"] or None
        return _json(200, item)

    def _list(self, asked: Asked) -> Reply:
        found = [
            item
            for item in self.items[asked.path]
            if item.get("orgID") == asked.params.get("orgID", item.get("orgID"))
            and item.get("name") == asked.params.get("name", item.get("name"))
        ]
        if "name" in asked.params and not found:
            return error_reply(404, "not found", f'bucket "{asked.params["name"]}" not found')
        first = int(asked.params.get("offset", 0))
        # Neither list of authorizations knows pages.
        page = found[first : first + int(asked.params.get("limit", 20))]
        return _json(200, {_LISTS[asked.path]: found if "authorizations" in asked.path else page})

    def _create(self, path: str, body: Item) -> Reply:
        names = [item.get("name") for item in self.items[path]]
        if "name" in body and body["name"] in names:
            return error_reply(422, "conflict", f"{path[8:-1]} with name {body['name']} already exists")
        if path == "/api/v2/buckets":
            rules = body.pop("retentionRules")
            return _json(201, self._add_bucket(body, rules[0]["everySeconds"] if rules else 0))
        if path == _USERS_V1 and body["token"] in [item["token"] for item in self.items[path]]:
            return error_reply(422, "unprocessable entity", "token already exists")
        item = self._add(path, {"status": "active", **body} if "authorizations" in path else body)
        if path != "/api/v2/authorizations":
            return _json(201, item)
        token = f"made-{item['id']}-secret=="
        self.tokens[token] = item["id"]
        return _json(201, item | {"token": token})

    # ── data ──────────────────────────────────────────────────────────────────────────────────────────

    def _data(self, asked: Asked) -> Reply:
        bucket = asked.params.get("db") or asked.params.get("bucket", "")
        rights = self._rights(asked)
        if rights is None:
            return error_reply(401, "unauthorized", "unauthorized access")
        everything = ("all", "") in rights
        if asked.path == "/query":
            if bucket not in self.buckets or not (everything or ("read", bucket) in rights):
                return _json(200, {"results": [{"statement_id": 0, "error": f"database not found: {bucket}"}]})
            return _json(200, {"results": [{"statement_id": 0}]})
        if bucket in self.buckets and not (everything or ("write", bucket) in rights):
            return error_reply(403, "forbidden", "insufficient permissions for write")
        if asked.path == "/write":
            if bucket not in self.buckets:
                return error_reply(404, "not found", "no dbrp mapping found")
            asked = asked._replace(params=asked.params | {"org": "home", "bucket": bucket})
        return self.write(asked)

    def _rights(self, asked: Asked) -> set[tuple[str, str]] | None:
        given = asked.headers.get("Authorization", "")
        if given.startswith("Token "):
            return self.rights_of(given.removeprefix("Token ")) or None
        name, password = _basic(asked)
        for item in self.items[_USERS_V1]:
            if item["token"] == name and self.passwords.get(item["id"]) == password:
                return self.rights_of(name)
        return None


def _basic(asked: Asked) -> tuple[str, str]:
    name, _, password = (
        base64.b64decode(asked.headers.get("Authorization", "").removeprefix("Basic ")).decode().partition(":")
    )
    return name, password


def _rules(seconds: int) -> list[Item]:
    return [{"type": "expire", "everySeconds": seconds, "shardGroupDurationSeconds": 604800}]


def _json(status: int, document: Item) -> Reply:
    return Reply(status, json.dumps(document).encode(), (("Content-Type", "application/json; charset=utf-8"),))


def _too_short() -> Reply:
    return error_reply(400, "invalid", "passwords must be between 8 and 72 characters long")
