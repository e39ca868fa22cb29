"""A caller of the cloud without sockets: has consent and credentials, and asks one question at a time."""

import json
from base64 import b64encode
from urllib.parse import urlencode

from ingest.simulator.answers import Answer, Json
from ingest.simulator.cloud import Cloud
from ingest.simulator.users import API_KEY, CLIENT_ID, CLIENT_SECRET, enlighten_id, v2_code


class Caller:
    """What an owner's well-behaved program would send; `access` and `refresh` are its tokens."""

    def __init__(self, cloud: Cloud, owner: str = "owner", key: str = API_KEY) -> None:
        self.cloud = cloud
        self.owner = owner
        self.key = key
        self.access = self.refresh = ""

    def token(self, **given: str) -> Answer:
        """POST to the token endpoint with the application's credentials."""
        basic = b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        return self.cloud.handle("POST", "/oauth/token", headers, urlencode(given).encode())

    def authorize(self) -> "Caller":
        """Obtain tokens with a consent of the owner."""
        answer = self.token(grant_type="authorization_code", code=self.cloud.consent(self.owner))
        reply = json.loads(answer.body)
        self.access, self.refresh = reply["access_token"], reply["refresh_token"]
        return self

    def get(self, path: str = "", method: str = "GET", **params: object) -> Answer:
        """Call a v4 path below /api/v4/systems; `params` go to the query."""
        if not self.access:
            self.authorize()
        target = f"/api/v4/systems{path}?{urlencode({'key': self.key, **params})}"
        return self.cloud.handle(method, target, {"Authorization": f"Bearer {self.access}"})

    def get_v2(self, path: str = "", **params: object) -> Answer:
        """Call a v2 path below /api/v2/systems."""
        user = v2_code(enlighten_id(self.owner))
        query = urlencode({"key": self.key, "user_id": user, **params})
        return self.cloud.handle("GET", f"/api/v2/systems{path}?{query}", {})

    def json(self, path: str = "", **params: object) -> Json:
        """The document of a v4 path; ValueError if the answer is anything but 200."""
        answer = self.get(path, "GET", **params)
        if answer.status != 200:
            raise ValueError(f"{path}: {answer.status} {answer.body[:500]!r}")
        return json.loads(answer.body)
