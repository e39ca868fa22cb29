"""How each version of the API is addressed. Reference: sections 1 and 8.

The key goes into the query string, as the vendor samples it; the token into the header.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.core.http import Request
from ingest.enphase.call import Task


@dataclass(frozen=True)
class ApiTarget:
    """Where the calls go and with which key; `version` is "v2" or "v4"."""

    version: str
    base_url: str
    key: str = field(repr=False)


def request(api: ApiTarget, task: Task, grant: str) -> Request:
    """The request of a task. `grant` is an access token (v4) or a user id (v2)."""
    route = task.stream.route(api.version)
    params: dict[str, str] = {"key": api.key}
    params |= route.ask(task.window)
    if route.pages:
        params |= route.pages.params(task.cursor)
    headers: Mapping[str, str] = {}
    if api.version == "v2":
        params["user_id"] = grant
    else:
        headers = {"Authorization": f"Bearer {grant}"}
    url = f"{api.base_url}/api/{api.version}/{route.path.format(system=task.system)}"
    return Request("GET", url, params, headers)
