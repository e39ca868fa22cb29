"""How each version of the API is addressed. Reference: sections 1 and 8.

The key goes into the query string, as the vendor samples it; the token into the header.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest.core.http import Request
from ingest.enphase.call import Task
from ingest.enphase.endpoints import has_tokens, root


@dataclass(frozen=True)
class ApiTarget:
    """Where the calls go and with which key; `version` is "v4", "v2" or "v1"."""

    version: str
    base_url: str
    key: str = field(repr=False)


def request(api: ApiTarget, task: Task, grant: str) -> Request:
    """The request of a task. `grant` is an access token (v4) or a user id (v2)."""
    route = task.stream.route(api.version)
    params = route.ask(task.window)
    if route.pages:
        params = params | route.pages.params(task.page_name)
    if route.names_system:
        params = {route.names_system: task.system, **params}
    return address(api, route.path.format(system=task.system, serial=task.device), params, grant)


def address(
    api: ApiTarget, path: str, params: Mapping[str, str], grant: str, more: Sequence[tuple[str, str]] = ()
) -> Request:
    """A request to a path below `/api/vN/` (v1: `/api/`), with the key and what an account is called with."""
    secrets, headers = {"key": api.key}, {}
    if has_tokens(api.version):
        headers = {"Authorization": f"Bearer {grant}"}
    else:
        secrets["user_id"] = grant
    return Request("GET", f"{api.base_url}/{root(api.version)}/{path}", {**secrets, **params}, headers, more=more)
